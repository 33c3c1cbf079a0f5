/**
 * This browser's own keys: the device key that signs in meetings (a guest's is one for each
 * meeting, somebody's who is signed in one for all), made here and never readable where WebCrypto
 * has Ed25519. Where something is less than that, it is said.
 */

import type { Sealed } from "../contract.ts";
import type { DeviceKey } from "../engine/contract.ts";
import { generateKey } from "./ed25519.ts";
import type { KeyStore } from "./store.ts";

export type KeyNotes = Sealed["keyNotes"];

export interface HeldKey {
  readonly key: DeviceKey;
  readonly notes: KeyNotes;
}

/** Whose device: nobody's, in this meeting; or a signed-in user's. */
export type Holder =
  | { readonly type: "guest"; readonly meetingId: string }
  | { readonly type: "user"; readonly userId: string };

const GUEST = "guest.";
const USER = "user.";
/** A guest's key is of no use after the sitting; this long it stays for coming back. */
const GUEST_DAYS = 30;
const DAY_MS = 86_400_000;

interface Kept {
  readonly privateKey: CryptoKey;
  readonly publicKey: Uint8Array;
  readonly at: number;
}

function nameOf(holder: Holder): string {
  return holder.type === "guest" ? GUEST + holder.meetingId : USER + holder.userId;
}

function isKept(value: unknown): value is Kept {
  if (typeof value !== "object" || value === null) return false;
  const { privateKey, publicKey, at } = value as Partial<Kept>;
  return (
    privateKey instanceof CryptoKey &&
    privateKey.algorithm.name === "Ed25519" &&
    privateKey.usages.includes("sign") &&
    publicKey instanceof Uint8Array &&
    publicKey.length === 32 &&
    typeof at === "number"
  );
}

/** The holder's device key; made when there is none. `now`: milliseconds since the epoch. */
export async function deviceKey(store: KeyStore, holder: Holder, now: number): Promise<HeldKey> {
  const name = nameOf(holder);
  try {
    const kept = await store.get(name);
    if (isKept(kept)) return held(kept, store);
    // Something else in its place is no key.
    if (kept !== undefined) await store.remove(name);
  } catch {
    // Not readable: a key of this page's life, below.
  }
  const key = await generateKey();
  if (key.type === "raw") return { key, notes: ["key-extractable", "forgotten-after-reload"] };
  const fresh: Kept = { privateKey: key.privateKey, publicKey: key.publicKey, at: now };
  try {
    await forgetOldGuests(store, now);
    const winner = await store.add(name, fresh);
    return isKept(winner) ? held(winner, store) : { key, notes: ["forgotten-after-reload"] };
  } catch {
    return { key, notes: ["forgotten-after-reload"] };
  }
}

function held(kept: Kept, store: KeyStore): HeldKey {
  const { privateKey, publicKey } = kept;
  return {
    key: { type: "webcrypto", privateKey, publicKey },
    notes: store.isLasting ? [] : ["forgotten-after-reload"],
  };
}

export async function forgetDeviceKey(store: KeyStore, holder: Holder): Promise<void> {
  await store.remove(nameOf(holder));
}

async function forgetOldGuests(store: KeyStore, now: number): Promise<void> {
  for (const name of await store.names()) {
    if (!name.startsWith(GUEST)) continue;
    const kept = await store.get(name);
    if (!isKept(kept) || kept.at < now - GUEST_DAYS * DAY_MS) await store.remove(name);
  }
}

/**
 * The key ring of who is signed in, opened once for each life of the page. The code that works with
 * keys is a chunk of its own, loaded when it is first asked for.
 */
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Vault } from "../sealing/vault/vault.ts";
import type { Lock } from "./aloneShelf.ts";
import type { KeyRing } from "./keyRing.ts";
import { CLOSED, type KeyRingStatus, type KeyRingView } from "./view.ts";

interface Session {
  readonly view: StoreApi<KeyRingView>;
  ring: Promise<KeyRing> | null;
}

const sessions = new Map<string, Session>();

function sessionOf(userId: string): Session {
  const known = sessions.get(userId);
  if (known !== undefined) return known;
  const session: Session = { view: createStore(() => CLOSED), ring: null };
  sessions.set(userId, session);
  return session;
}

/** What is known of it now; `keyRingOf` or `openKeyRing` set it going. */
export function keyRingView(userId: string): StoreApi<KeyRingView> {
  return sessionOf(userId).view;
}

/** Rejects when the code cannot be loaded or the browser has no WebCrypto. */
export function keyRingOf(userId: string): Promise<KeyRing> {
  const session = sessionOf(userId);
  session.ring ??= load(userId, session.view).catch((error: unknown) => {
    session.ring = null;
    throw error;
  });
  return session.ring;
}

async function load(userId: string, view: StoreApi<KeyRingView>): Promise<KeyRing> {
  if (globalThis.crypto?.subtle === undefined) throw new Error("no WebCrypto without https");
  const [{ KeyRing }, { serverShelf }, { openKeyStore }] = await Promise.all([
    import("./keyRing.ts"),
    import("../sealing/vault/shelf.ts"),
    import("../sealing/keys/store.ts"),
  ]);
  return new KeyRing({
    userId,
    shelf: serverShelf(),
    keys: await openKeyStore(),
    lock: originLock,
    now: Date.now,
    show: (shown) => view.setState(shown, true),
  });
}

const originLock: Lock = (name, work) =>
  // Missing in some surroundings, where there is one page only.
  navigator.locks ? (navigator.locks.request(name, work) as ReturnType<typeof work>) : work();

/** Opens it, or tries again. Never rejects; what came of it is in the view, too. */
export async function openKeyRing(userId: string): Promise<KeyRingStatus> {
  try {
    return await (await keyRingOf(userId)).open();
  } catch {
    const status = globalThis.crypto?.subtle === undefined ? "unable" : "unavailable";
    keyRingView(userId).setState({ status });
    return status;
  }
}

/** `openMyVault`'s answer. */
export type MyVault =
  | { readonly type: "open"; readonly vault: Vault }
  | { readonly type: Exclude<KeyRingStatus, "open"> };

/**
 * For the door: the vault to act with in this meeting. Usually the person's own; the one of this
 * browser alone for rooms that were opened with that. Never rejects.
 */
export async function openMyVault(userId: string, meetingId = ""): Promise<MyVault> {
  const status = await openKeyRing(userId);
  try {
    const vault = await (await keyRingOf(userId)).vaultOf(meetingId);
    if (vault !== null) return { type: "open", vault };
  } catch {
    // The code is not there: as good as no vault.
  }
  return { type: status === "open" ? "unavailable" : status };
}

/**
 * The vault of somebody who is signed in: opened with the key in this browser, or with the 24 words;
 * changed by compare and set. Must never overwrite what it could not read, nor let anything out but
 * ciphertext.
 */

import type { DeviceKey } from "../engine/contract.ts";
import { makeAccount, readAccount } from "../keys/account.ts";
import { randomBytes } from "../keys/bytes.ts";
import type { KeyStore } from "../keys/store.ts";
import type { VaultChange, VaultContent } from "./content.ts";
import { type Kept, keptIn } from "./kept.ts";
import {
  importVaultKey,
  joinStored,
  makeVaultKey,
  openContent,
  sealContent,
  splitStored,
  unwrapVaultKey,
  wrappingKey,
} from "./seal.ts";
import type { Shelf } from "./shelf.ts";
import { openSpare, withBytes } from "./spare.ts";

export interface Place {
  readonly userId: string;
  readonly shelf: Shelf;
  readonly keys: KeyStore;
}

/** Something in the way that is not about the vault. */
export type Away = { readonly type: "unavailable" } | { readonly type: "signed-out" };

export type Opening =
  | { readonly type: "open"; readonly vault: Vault }
  /** Nothing is stored yet: `makeVault`. */
  | { readonly type: "none" }
  /** This browser has no key to it: `restoreVault` with the 24 words. */
  | { readonly type: "locked" }
  /**
   * Cannot be read with the key that was right before, or is gone. Nothing is written until
   * somebody decides; `canRepair`: this browser has what it read last, see `repairVault`.
   */
  | { readonly type: "damaged"; readonly canRepair: boolean }
  | Away;

export type Making =
  /** `recoverySecret` is shown as words once, and kept nowhere. */
  | { readonly type: "made"; readonly vault: Vault; readonly recoverySecret: Uint8Array }
  /** Another browser was faster: open that one. */
  | { readonly type: "exists" }
  | Away;

export type Restoring =
  | { readonly type: "open"; readonly vault: Vault }
  /** Good words, but of another vault; or the wrapped key is damaged. */
  | { readonly type: "other-words" }
  | { readonly type: "damaged" }
  | { readonly type: "none" }
  | Away;

export type Adopting =
  | { readonly type: "open"; readonly vault: Vault }
  /** What is stored does not open with it. */
  | { readonly type: "other-key" }
  | { readonly type: "none" }
  | Away;

export type Changed =
  | { readonly type: "stored" }
  /** More than the server keeps: remove something. */
  | { readonly type: "full" }
  | { readonly type: "damaged" }
  /** The server has none any more; what is known is still in this page. */
  | { readonly type: "none" }
  | Away;

/** Two devices that write all the time meet so often at most. */
const TRIES = 8;

interface Parts {
  readonly shelf: Shelf;
  readonly kept: Kept;
  readonly key: CryptoKey;
  readonly account: DeviceKey;
  readonly isRemembered: boolean;
}

interface Version {
  readonly content: VaultContent;
  readonly wrapped: Uint8Array;
  readonly version: string;
}

export class Vault {
  /** Certifies devices; its fingerprint is in the links of this person's meetings. */
  readonly account: DeviceKey;
  /** False: this browser forgets the key when the page goes; the words open it again. */
  readonly isRemembered: boolean;
  readonly #shelf: Shelf;
  readonly #kept: Kept;
  readonly #key: CryptoKey;
  #present: Version;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts, present: Version) {
    this.account = parts.account;
    this.isRemembered = parts.isRemembered;
    this.#shelf = parts.shelf;
    this.#kept = parts.kept;
    this.#key = parts.key;
    this.#present = present;
  }

  get content(): VaultContent {
    return this.#present.content;
  }

  /** One after the other: a change is made from what the one before has stored. */
  change(change: VaultChange): Promise<Changed> {
    const changed = this.#queue.then(() => this.#change(change));
    this.#queue = changed;
    return changed;
  }

  /** What other devices have stored since. */
  refresh(): Promise<Changed> {
    const refreshed = this.#queue.then(() => this.#refresh());
    this.#queue = refreshed;
    return refreshed;
  }

  /**
   * The vault key's bytes for a further device of the same person, for as long as `use` takes.
   * `recoverySecret`: while its words are still known. Null: this browser cannot read the key out,
   * for it has kept it since before there were spares; the words can.
   */
  async withKey<T>(
    recoverySecret: Uint8Array | null,
    use: (bytes: Uint8Array) => Promise<T>,
  ): Promise<T | null> {
    let spare = await this.#kept.spare();
    if (spare === null && recoverySecret !== null) {
      const wrapping = await wrappingKey(recoverySecret);
      spare = (await unwrapVaultKey(wrapping, this.#present.wrapped))?.spare ?? null;
    }
    const exportable = spare && (await openSpare(spare));
    return exportable && withBytes(exportable, use);
  }

  async #change(change: VaultChange): Promise<Changed> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const { wrapped, version } = this.#present;
      const content = change(this.#present.content);
      const bytes = joinStored(wrapped, await sealContent(this.#key, content));
      if (bytes === null) return { type: "full" };
      const stored = await this.#shelf.store(bytes, version);
      if (stored.type === "stored") {
        this.#present = { content, wrapped, version: stored.version };
        await this.#kept.keepCopy(bytes);
        return { type: "stored" };
      }
      if (stored.type !== "conflict") return stored;
      const refreshed = await this.#refresh();
      if (refreshed.type !== "stored") return refreshed;
    }
    return { type: "unavailable" };
  }

  async #refresh(): Promise<Changed> {
    const found = await this.#shelf.fetch();
    if (found.type !== "found") return found;
    const read = await readStored(this.#key, found.bytes);
    if (read === null) return { type: "damaged" };
    this.#present = { ...read, version: found.version };
    await this.#kept.keepCopy(found.bytes);
    return { type: "stored" };
  }
}

async function readStored(
  key: CryptoKey,
  bytes: Uint8Array,
): Promise<Omit<Version, "version"> | null> {
  const parts = splitStored(bytes);
  const content = parts && (await openContent(key, parts.blob));
  return content && parts && { content, wrapped: parts.wrapped };
}

interface Found {
  readonly bytes: Uint8Array;
  readonly version: string;
}

/** Null: damaged, or the account key in it is none. */
async function vaultFrom(
  place: Place,
  key: CryptoKey,
  found: Found,
  isRemembered: boolean,
): Promise<Vault | null> {
  const read = await readStored(key, found.bytes);
  if (read === null) return null;
  const { pkcs8, publicKey } = read.content.account;
  const account = await readAccount(pkcs8, publicKey);
  if (account === null) return null;
  const kept = keptIn(place.keys, place.userId);
  await kept.keepCopy(found.bytes);
  const { shelf } = place;
  const present = { ...read, version: found.version };
  return new Vault({ shelf, kept, key, account, isRemembered }, present);
}

export async function openVault(place: Place): Promise<Opening> {
  const found = await place.shelf.fetch();
  if (found.type === "unavailable" || found.type === "signed-out") return found;
  const key = await keptIn(place.keys, place.userId).key();
  // One that this browser has read is not a first one: the server has lost it.
  if (found.type === "none") {
    return key && (await goodCopy(place, key)) ? { type: "damaged", canRepair: true } : found;
  }
  if (key === null) return { type: "locked" };
  const vault = await vaultFrom(place, key, found, place.keys.isLasting);
  if (vault !== null) return { type: "open", vault };
  return { type: "damaged", canRepair: (await goodCopy(place, key)) !== null };
}

async function goodCopy(place: Place, key: CryptoKey): Promise<Uint8Array | null> {
  const copy = await keptIn(place.keys, place.userId).copy();
  return copy && (await readStored(key, copy)) && copy;
}

/**
 * Puts back what this browser read last, in place of what is damaged or gone; somebody has decided
 * it. Never replaces a vault that can be read.
 */
export async function repairVault(place: Place): Promise<Opening> {
  const opening = await openVault(place);
  if (opening.type !== "damaged" || !opening.canRepair) return opening;
  const key = await keptIn(place.keys, place.userId).key();
  const copy = key && (await goodCopy(place, key));
  const found = await place.shelf.fetch();
  if (copy === null || found.type === "unavailable" || found.type === "signed-out") return opening;
  await place.shelf.store(copy, found.type === "found" ? found.version : null);
  // Stored, or another device was faster: either way what is there now counts.
  return openVault(place);
}

/** The first: with a new account key. Never replaces one that is there. */
export async function makeVault(place: Place): Promise<Making> {
  const recoverySecret = randomBytes(32);
  const account = await makeAccount();
  const made = await makeVaultKey(await wrappingKey(recoverySecret));
  const content: VaultContent = { account, meetings: [], pins: [] };
  const bytes = joinStored(made.wrapped, await sealContent(made.key, content)) as Uint8Array;
  const stored = await place.shelf.store(bytes, null);
  if (stored.type === "conflict") return { type: "exists" };
  if (stored.type !== "stored") return stored;
  const isRemembered = await keptIn(place.keys, place.userId).keepKey(made);
  const found = { bytes, version: stored.version };
  const vault = (await vaultFrom(place, made.key, found, isRemembered)) as Vault;
  return { type: "made", vault, recoverySecret };
}

/** `recoverySecret`: from `readRecoveryWords`. */
export async function restoreVault(place: Place, recoverySecret: Uint8Array): Promise<Restoring> {
  const found = await place.shelf.fetch();
  if (found.type !== "found") return found;
  const parts = splitStored(found.bytes);
  if (parts === null) return { type: "damaged" };
  const unwrapped = await unwrapVaultKey(await wrappingKey(recoverySecret), parts.wrapped);
  if (unwrapped === null) return { type: "other-words" };
  const isRemembered = await keptIn(place.keys, place.userId).keepKey(unwrapped);
  const vault = await vaultFrom(place, unwrapped.key, found, isRemembered);
  return vault === null ? { type: "damaged" } : { type: "open", vault };
}

/** With the key that another device of the same person has handed over. Keeps none that is wrong. */
export async function adoptVault(place: Place, bytes: Uint8Array): Promise<Adopting> {
  const found = await place.shelf.fetch();
  if (found.type !== "found") return found;
  const given = await importVaultKey(bytes);
  if (given === null || (await readStored(given.key, found.bytes)) === null) {
    return { type: "other-key" };
  }
  const isRemembered = await keptIn(place.keys, place.userId).keepKey(given);
  const vault = await vaultFrom(place, given.key, found, isRemembered);
  return vault === null ? { type: "other-key" } : { type: "open", vault };
}

/** This browser cannot open it any more, for example after signing out on purpose. */
export function forgetVault(place: Place): Promise<void> {
  return keptIn(place.keys, place.userId).forget();
}

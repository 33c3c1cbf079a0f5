/**
 * The key ring of who is signed in: the vault at the server, opened, made or restored; and, while
 * that cannot be opened, a second one that lives in this browser alone. The second has an account
 * key of its own, so rooms opened with it name another host in their links; it never takes the
 * vault's place, and its rooms stay its own until they end.
 *
 * No React. Loaded when somebody is signed in, never with the first page. Nothing here may log.
 */
import { forgetFragment } from "../sealing/keys/address.ts";
import { b64, fromB64 } from "../sealing/keys/bytes.ts";
import { openPlan, openTitle, sealPlan, sealTitle } from "../sealing/keys/intro.ts";
import type { MadeInvitation } from "../sealing/keys/invitation.ts";
import {
  deriveLinkKeys,
  formatFragment,
  hostFingerprint,
  type LinkKeys,
  makeLink,
  parseFragment,
} from "../sealing/keys/link.ts";
import { readableTitle } from "../sealing/keys/readable.ts";
import type { KeyStore } from "../sealing/keys/store.ts";
import {
  addMeeting,
  removeMeetings,
  renameMeeting,
  setBlocked,
  type VaultChange,
} from "../sealing/vault/content.ts";
import { addInvited, pinDevices, unpinDevice } from "../sealing/vault/invited.ts";
import type { Shelf } from "../sealing/vault/shelf.ts";
import {
  adoptVault,
  type Changed,
  forgetVault,
  makeVault,
  type Opening,
  openVault,
  type Place,
  repairVault,
  restoreVault,
  type Vault,
} from "../sealing/vault/vault.ts";
import { type ReadRecovery, readRecoveryWords, recoveryWords } from "../sealing/words/recovery.ts";
import { finder, loadWords, type WordLanguage } from "../sealing/words/wordList.ts";
import { aloneShelf, type Lock } from "./aloneShelf.ts";
import {
  type CertifiedName,
  certificatesOf,
  freshEntries,
  type InvitedLink,
  type InvitingRoom,
  linksOf,
  type NewInvited,
  readCertificate,
} from "./invitations.ts";
import type { KeyRingStatus, KeyRingView, RoomKey } from "./view.ts";

export interface Surroundings {
  readonly userId: string;
  readonly shelf: Shelf;
  readonly keys: KeyStore;
  readonly lock: Lock;
  readonly now: () => number;
  readonly show: (view: KeyRingView) => void;
}

/** One vault with what is in the links of its rooms. */
interface Ring {
  readonly vault: Vault;
  readonly fingerprint: Uint8Array;
}

export type Restored =
  | { readonly type: "open" }
  | Exclude<ReadRecovery, { readonly type: "read" }>
  | { readonly type: "other-words" | "damaged" | "none" | "unavailable" | "signed-out" };

export type Adopted =
  | { readonly type: "open" }
  | { readonly type: "other-key" | "none" | "unavailable" | "signed-out" };

export interface NewRoom {
  readonly fragment: string;
  /** False: only this page has its key. */
  readonly isKept: boolean;
}

export type SealedPlan =
  | { readonly type: "sealed"; readonly sealed: string }
  | { readonly type: "no-key" | "too-long" };

export type Inviting =
  | { readonly type: "made"; readonly made: readonly InvitedLink[] }
  /** The room's key is in this page only, or in another browser. */
  | { readonly type: "no-key" }
  | { readonly type: "too-many" }
  | Exclude<Changed, { type: "stored" }>;

export class KeyRing {
  readonly #around: Surroundings;
  readonly #place: Place;
  readonly #alonePlace: Place;
  #own: Ring | null = null;
  #alone: Ring | null = null;
  #status: KeyRingStatus = "opening";
  #opening: Promise<KeyRingStatus> | null = null;
  /** Of the words that nobody has written down yet. */
  #words: Uint8Array | null = null;
  /** Rooms whose key could not be put on a ring. */
  readonly #unkept = new Map<string, RoomKey>();
  readonly #linkKeys = new Map<string, Promise<LinkKeys>>();
  /** Of invitations, by meeting and seed: to find one takes a key derivation. */
  readonly #invitationIds = new Map<string, Map<string, string>>();

  constructor(around: Surroundings) {
    const { userId, shelf, keys, lock } = around;
    this.#around = around;
    this.#place = { userId, shelf, keys };
    this.#alonePlace = {
      userId: `alone.${userId}`,
      shelf: aloneShelf(keys, this.#aloneName, lock),
      keys,
    };
  }

  get status(): KeyRingStatus {
    return this.#status;
  }

  /** Opens it; makes the first. At once when it is open. */
  open(): Promise<KeyRingStatus> {
    this.#opening ??= this.#locked(() => this.#open()).finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  /** What this browser read last goes back to the server, in place of what cannot be read. */
  repair(): Promise<KeyRingStatus> {
    return this.#locked(async () => this.#settle(await repairVault(this.#place)));
  }

  /** `text`: the 24 words as they were typed; `language`: the one they are most likely in. */
  async restore(text: string, language: WordLanguage): Promise<Restored> {
    const [first, second] = await Promise.all([
      loadWords(language),
      loadWords(language === "de" ? "en" : "de"),
    ]);
    const read = await readRecoveryWords(text, [first, second]);
    if (read.type !== "read") return read;
    return this.#locked(async () => {
      const restored = await restoreVault(this.#place, read.secret);
      if (restored.type !== "open") return restored;
      await this.#settle(restored);
      return { type: "open" };
    });
  }

  /** With the key that another device of this person has handed over. */
  adopt(vaultKey: Uint8Array): Promise<Adopted> {
    return this.#locked(async () => {
      const adopted = await adoptVault(this.#place, vaultKey);
      if (adopted.type !== "open") return adopted;
      await this.#settle(adopted);
      return { type: "open" };
    });
  }

  /**
   * The vault key's bytes for another device of this person, for as long as `use` takes. Null: this
   * browser has no key ring open, or cannot read the key out; the 24 words can.
   */
  async withVaultKey<T>(use: (bytes: Uint8Array) => Promise<T>): Promise<T | null> {
    await this.open();
    return (await this.#own?.vault.withKey(this.#words, use)) ?? null;
  }

  /** The 24 words while they can still be shown. */
  async words(language: WordLanguage): Promise<readonly string[] | null> {
    return this.#words && recoveryWords(this.#words, await loadWords(language));
  }

  /** Whether `typed` is the word at this place; `at` counts from 0. */
  async isWord(at: number, typed: string, language: WordLanguage): Promise<boolean> {
    const list = await loadWords(language);
    const words = this.#words && (await recoveryWords(this.#words, list));
    const found = finder(list)(typed);
    return words !== null && found !== null && list.words[found] === words[at];
  }

  /** They are on paper, and shown no more. */
  async wordsAreWritten(): Promise<void> {
    this.#words = null;
    this.#show();
    await this.#around.keys.remove(this.#wordsName).catch(nothing);
  }

  /**
   * Whether rooms can be opened with keys now. While the vault is locked or damaged the ring of this
   * browser alone stands in; while it only cannot be reached, nothing does.
   */
  async canHost(): Promise<boolean> {
    await this.open();
    return (await this.#hosting()) !== null;
  }

  /** The link's secret part for a room that was opened just now. Null: `canHost` is false. */
  async addRoom(id: string, title: string): Promise<NewRoom | null> {
    const ring = await this.#hosting();
    if (ring === null) return null;
    const link = await makeLink(ring.vault.account.publicKey);
    const fragment = formatFragment(link);
    const shown = readableTitle(title) ?? "";
    const entry = { id, secret: b64(link.secret), title: shown, at: this.#around.now() };
    const changed = await this.#change(ring, addMeeting(entry));
    if (changed.type === "stored") return { fragment, isKept: true };
    this.#unkept.set(id, { fragment, title: shown });
    this.#show();
    return { fragment, isKept: false };
  }

  /** For the server; null: no key for this room, or nothing to seal. */
  async sealTitle(id: string, title: string): Promise<string | null> {
    const keys = await this.#keysOf(id);
    const sealed = keys && (await sealTitle(keys, title));
    return sealed && b64(sealed);
  }

  /** Null: no key for this room, or it was not sealed with it. */
  async openTitle(id: string, sealed: string): Promise<string | null> {
    const bytes = fromB64(sealed);
    const keys = bytes && (await this.#keysOf(id));
    return bytes && keys && openTitle(keys, bytes);
  }

  /** For the server; `no-key`: for this room, `too-long`: more than the server keeps. */
  async sealPlan(id: string, content: Readonly<Record<string, unknown>>): Promise<SealedPlan> {
    const keys = await this.#keysOf(id);
    if (keys === null) return { type: "no-key" };
    const sealed = await sealPlan(keys, content);
    return sealed === null ? { type: "too-long" } : { type: "sealed", sealed: b64(sealed) };
  }

  /** Null: no key for this room, or it was not sealed with it. */
  async openPlan(id: string, sealed: string): Promise<Readonly<Record<string, unknown>> | null> {
    const bytes = fromB64(sealed);
    const keys = bytes && (await this.#keysOf(id));
    return bytes && keys && openPlan(keys, bytes);
  }

  /** In the vault; empty: without a title. */
  async rename(id: string, title: string): Promise<boolean> {
    const ring = this.#ringOf(id);
    if (ring === null) return false;
    const changed = await this.#change(ring, renameMeeting(id, readableTitle(title) ?? ""));
    return changed.type === "stored";
  }

  /** These have ended: their secrets are of no more use. */
  async forget(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      this.#unkept.delete(id);
      this.#linkKeys.delete(id);
      this.#invitationIds.delete(id);
      forgetFragment(id);
    }
    for (const ring of this.#rings()) {
      const gone = ids.filter((id) => ring.vault.content.meetings.some((one) => one.id === id));
      if (gone.length > 0) await this.#change(ring, removeMeetings(gone));
    }
  }

  /**
   * Personal links for these people, on the ring before anybody hears of them; all or none. They
   * open nothing until the server has their certificates, which `recertify` makes.
   */
  async invite(id: string, people: readonly NewInvited[]): Promise<Inviting> {
    const ring = this.#ringOf(id);
    if (ring === null) return { type: "no-key" };
    const entries = freshEntries(people, this.#around.now());
    const changed = await this.#change(ring, addInvited(id, entries));
    if (changed.type !== "stored") return changed;
    const seeds = new Set(entries.map(({ seed }) => seed));
    const room = await this.#invitingRoom(id);
    const made = room === null ? [] : await linksOf(room, ({ seed }) => seeds.has(seed));
    return made.length === entries.length ? { type: "made", made } : { type: "too-many" };
  }

  /** Whom this meeting's host has invited, oldest first. Empty without a key to it. */
  async invited(id: string): Promise<readonly InvitedLink[]> {
    const room = await this.#invitingRoom(id);
    return room === null ? [] : linksOf(room);
  }

  /** The certificates of these invitations, from their seeds, for a server that has none. */
  async recertify(id: string, invitations: readonly string[]): Promise<readonly MadeInvitation[]> {
    const room = await this.#invitingRoom(id);
    return room === null ? [] : certificatesOf(room, new Set(invitations));
  }

  /** What a certificate of this meeting says that is not on the ring; null: this host has not signed it. */
  async readCertificate(id: string, bytes: Uint8Array): Promise<CertifiedName | null> {
    const room = await this.#invitingRoom(id);
    return room && readCertificate(room, bytes);
  }

  /**
   * The server names these devices (base64url, by invitation). The first one that is named for an
   * invitation is pinned; those invitations come back for which it is another one now.
   */
  async noteDevices(id: string, named: ReadonlyMap<string, string>): Promise<ReadonlySet<string>> {
    const ring = this.#ringOf(id);
    const links = (await this.invited(id)).filter((link) => named.has(link.id));
    const fresh = new Map(
      links
        .filter(({ device }) => device === null)
        .map((link) => [link.seed, named.get(link.id) ?? ""]),
    );
    if (ring !== null && fresh.size > 0) await this.#change(ring, pinDevices(id, fresh));
    // Another browser may have pinned first.
    const pinned = await this.invited(id);
    const isOther = ({ id: one, device }: InvitedLink) =>
      device !== null && named.has(one) && named.get(one) !== device;
    return new Set(pinned.filter(isOther).map((link) => link.id));
  }

  /** Devices that stay outside of this meeting, base64url. Empty without a key to it. */
  blocked(id: string): readonly string[] {
    const meetings = this.#ringOf(id)?.vault.content.meetings ?? [];
    return meetings.find((meeting) => meeting.id === id)?.blocked ?? [];
  }

  /** Exactly these from now on. */
  async keepBlocked(id: string, keys: readonly string[]): Promise<void> {
    const ring = this.#ringOf(id);
    if (ring !== null) await this.#change(ring, setBlocked(id, keys));
  }

  /** The next device that comes with this invitation is pinned in place of the one before. */
  async releaseDevice(id: string, invitation: string): Promise<boolean> {
    const ring = this.#ringOf(id);
    const link = (await this.invited(id)).find((one) => one.id === invitation);
    if (ring === null || link === undefined) return false;
    return (await this.#change(ring, unpinDevice(id, link.seed))).type === "stored";
  }

  /** What other devices have put on the ring since. */
  async refresh(): Promise<void> {
    if (this.#own !== null) await this.#after(this.#own, await this.#own.vault.refresh());
  }

  /** Meetings whose secrets are kept. */
  kept(): readonly string[] {
    return this.#rings().flatMap(({ vault }) => vault.content.meetings.map(({ id }) => id));
  }

  /** The vault to act with in this meeting: the one with its secret, else the person's own. No id: as
   * in a meeting that nobody knows. */
  async vaultOf(meetingId: string): Promise<Vault | null> {
    await this.open();
    if (meetingId !== "" && this.#ringOf(meetingId) === null) await this.refresh();
    return (this.#ringOf(meetingId) ?? this.#own ?? this.#alone)?.vault ?? null;
  }

  // --- inside

  get #wordsName(): string {
    return `vault-words.${this.#around.userId}`;
  }

  get #aloneName(): string {
    return `vault-alone.${this.#around.userId}`;
  }

  #locked<T>(work: () => Promise<T>): Promise<T> {
    return this.#around.lock(`conclave.vault.${this.#around.userId}`, work);
  }

  #rings(): readonly Ring[] {
    return [this.#own, this.#alone].filter((ring) => ring !== null);
  }

  #ringOf(id: string): Ring | null {
    return (
      this.#rings().find(({ vault }) => vault.content.meetings.some((one) => one.id === id)) ?? null
    );
  }

  async #open(): Promise<KeyRingStatus> {
    if (this.#own !== null) return this.#status;
    let opening: Opening = await openVault(this.#place);
    if (opening.type === "none") {
      const made = await makeVault(this.#place);
      if (made.type === "made") {
        await this.#keepWords(made.recoverySecret);
        opening = { type: "open", vault: made.vault };
      } else {
        opening = made.type === "exists" ? await openVault(this.#place) : made;
      }
    }
    return this.#settle(opening);
  }

  async #settle(opening: Opening): Promise<KeyRingStatus> {
    this.#own = opening.type === "open" ? await ringOf(opening.vault) : null;
    this.#status = statusOf(opening);
    this.#words ??= await this.#keptWords();
    if (this.#alone === null) {
      const alone = await openVault(this.#alonePlace);
      if (alone.type === "open") this.#alone = await ringOf(alone.vault);
    }
    this.#show();
    return this.#status;
  }

  async #hosting(): Promise<Ring | null> {
    if (this.#own !== null) return this.#own;
    if (!["locked", "damaged", "repairable"].includes(this.#status)) return null;
    this.#alone ??= await this.#locked(() => this.#makeAlone());
    return this.#alone;
  }

  async #makeAlone(): Promise<Ring | null> {
    const alone = await openVault(this.#alonePlace);
    // Its key is gone from this browser, the only one that had it: nobody can read it again.
    if (alone.type === "locked" || alone.type === "damaged") {
      await forgetVault(this.#alonePlace).catch(nothing);
      await this.#around.keys.remove(this.#aloneName).catch(nothing);
    }
    const made = alone.type === "open" ? alone : await makeVault(this.#alonePlace);
    return made.type === "open" || made.type === "made" ? ringOf(made.vault) : null;
  }

  async #change(ring: Ring, change: VaultChange): Promise<Changed> {
    return this.#after(ring, await ring.vault.change(change));
  }

  /** What is in the vault is shown; one that cannot be used any more is opened anew. */
  async #after(ring: Ring, changed: Changed): Promise<Changed> {
    const isLost = ["damaged", "none", "signed-out"].includes(changed.type);
    if (isLost && ring === this.#own) {
      this.#own = null;
      await this.open();
    } else {
      this.#show();
    }
    return changed;
  }

  #keysOf(id: string): Promise<LinkKeys> | null {
    const known = this.#linkKeys.get(id);
    if (known !== undefined) return known;
    const fragment = parseFragment(this.#rooms().get(id)?.fragment ?? "");
    if (fragment.type !== "link") return null;
    const keys = deriveLinkKeys(fragment.link.secret, id);
    this.#linkKeys.set(id, keys);
    return keys;
  }

  async #invitingRoom(id: string): Promise<InvitingRoom | null> {
    const ring = this.#ringOf(id);
    const fragment = parseFragment(this.#rooms().get(id)?.fragment ?? "");
    const keys = await this.#keysOf(id);
    if (ring === null || keys === null || fragment.type !== "link") return null;
    const ids = this.#invitationIds.get(id) ?? new Map<string, string>();
    this.#invitationIds.set(id, ids);
    return { vault: ring.vault, link: fragment.link, keys, ids };
  }

  #rooms(): ReadonlyMap<string, RoomKey> {
    const rooms = new Map(this.#unkept);
    for (const { vault, fingerprint } of this.#rings()) {
      for (const { id, secret: text, title } of vault.content.meetings) {
        const secret = fromB64(text);
        if (secret) rooms.set(id, { fragment: formatFragment({ secret, fingerprint }), title });
      }
    }
    return rooms;
  }

  #show(): void {
    this.#around.show({
      status: this.#status,
      rooms: this.#rooms(),
      hasUnwrittenWords: this.#own !== null && this.#words !== null,
      isRemembered: this.#own?.vault.isRemembered ?? true,
    });
  }

  async #keepWords(secret: Uint8Array): Promise<void> {
    this.#words = secret;
    // For a reload before they are on paper; a browser that refuses has them in this page only.
    await this.#around.keys.put(this.#wordsName, secret).catch(nothing);
  }

  async #keptWords(): Promise<Uint8Array | null> {
    const kept = await this.#around.keys.get(this.#wordsName).catch(nothing);
    return kept instanceof Uint8Array && kept.length === 32 ? kept : null;
  }
}

const nothing = () => undefined;

async function ringOf(vault: Vault): Promise<Ring> {
  return { vault, fingerprint: await hostFingerprint(vault.account.publicKey) };
}

function statusOf(opening: Opening): KeyRingStatus {
  switch (opening.type) {
    case "damaged":
      return opening.canRepair ? "repairable" : "damaged";
    case "none":
      return "unavailable";
    default:
      return opening.type;
  }
}

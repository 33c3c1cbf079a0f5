/**
 * A symbolic MLS for tests of the machine: secrets are names, and who may know one is decided as
 * RFC 9420 decides it. Answers the calls of `io.ts` at once. No cryptography, and no use for it
 * outside tests.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import type {
  Applied,
  Changes,
  CommitFacts,
  GroupFacts,
  InvitationFacts,
  KeyPackageFacts,
  LeafFacts,
  Opened,
  Refusal,
  Refused,
  Staged,
} from "../../engine/contract.ts";
import { decodeInvitation, encodeInvitation } from "../../keys/invitation.ts";
import { b64, concat, fromUtf8, isSame, utf8 } from "../bytes.ts";
import type { CallName, Calls, ExaminedKnock, Link } from "../io.ts";
import { judge } from "../judge.ts";
import { decodeContext, type MeetingContext, macInput } from "../meetingContext.ts";
import { LINK_PSK_ID } from "../roles.ts";

interface KeyPackage extends Leaf {
  readonly type: "key-package";
  readonly ref: string;
}

interface Leaf {
  readonly signatureKey: string;
  readonly accountKey: string | null;
  /** An encoded Invitation; that it is signed and bound is taken for granted here. */
  readonly invitation: string | null;
}

interface GroupState {
  readonly groupId: string;
  readonly epoch: number;
  readonly secret: string;
  readonly leaves: readonly (Leaf | null)[];
  readonly meeting: string;
  readonly ownLeaf: number;
  readonly secrets: readonly { readonly epoch: number; readonly secret: string }[];
}

interface CommitBody {
  readonly type: "commit";
  readonly groupId: string;
  readonly epoch: number;
  readonly prior: string;
  readonly sender: number;
  readonly adds: readonly KeyPackage[];
  readonly removes: readonly number[];
  readonly meeting: string | null;
  readonly psk: boolean;
  readonly next: string;
}

interface WelcomeBody {
  readonly type: "welcome";
  readonly refs: readonly string[];
  readonly psk: boolean;
  readonly group: Omit<GroupState, "ownLeaf" | "secrets">;
}

interface AppBody {
  readonly type: "app";
  readonly epoch: number;
  readonly secret: string;
  readonly sender: number;
  readonly nonce: number;
  readonly content: string;
}

export interface Device {
  readonly signatureKey: Uint8Array;
  readonly accountKey: Uint8Array | null;
  readonly invitation: InvitationFacts | null;
  readonly link: Link | null;
  readonly name: string;
}

/** What the whole world knows, to check the members by. */
export class Truth {
  next = 0;
  /** secret -> signature keys of who may know it. */
  readonly rosters = new Map<string, ReadonlySet<string>>();
  readonly violations: string[] = [];

  fresh(what: string): string {
    this.next += 1;
    return `${what}${this.next}`;
  }

  bytes(length: number): Uint8Array {
    return sha256(utf8(this.fresh("bytes"))).slice(0, length);
  }
}

export function hex(bytes: Uint8Array): string {
  return b64(bytes);
}

function unhex(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) =>
    c.charCodeAt(0),
  );
}

function write(body: object): Uint8Array {
  return utf8(JSON.stringify(body));
}

function read(bytes: Uint8Array): { readonly type?: string } {
  try {
    const value: unknown = JSON.parse(fromUtf8(bytes) ?? "");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function refuse(reason: Refusal, detail = ""): Refused {
  return { type: "refused", reason, detail };
}

function macOf(link: Link, context: Omit<MeetingContext, "mac" | "policy">): Uint8Array {
  return sha256(concat(utf8(`mac ${link.secret}`), macInput(context)));
}

function factsOf(group: GroupState): GroupFacts {
  const roster: LeafFacts[] = [];
  for (const [leaf, facts] of group.leaves.entries()) {
    if (facts === null) continue;
    roster.push({ leaf, ...ownerOf(facts) });
  }
  return {
    groupId: unhex(group.groupId),
    epoch: group.epoch,
    ownLeaf: group.ownLeaf,
    roster,
    meeting: unhex(group.meeting),
    authenticator: sha256(utf8(group.secret)),
  };
}

function packageFacts(made: KeyPackage): KeyPackageFacts {
  return { ref: sha256(utf8(made.ref)), ...ownerOf(made) };
}

function ownerOf({ signatureKey, accountKey, invitation }: Leaf): Omit<LeafFacts, "leaf"> {
  return {
    signatureKey: unhex(signatureKey),
    accountKey: accountKey === null ? null : unhex(accountKey),
    invitation: invitation === null ? null : decodeInvitation(unhex(invitation)),
  };
}

function leafOf({ signatureKey, accountKey, invitation }: Device): Leaf {
  return {
    signatureKey: hex(signatureKey),
    accountKey: accountKey === null ? null : hex(accountKey),
    invitation: invitation === null ? null : hex(encodeInvitation(invitation)),
  };
}

function commitFacts(body: CommitBody): CommitFacts {
  return {
    sender: body.sender,
    adds: body.adds.map(packageFacts),
    removes: body.removes,
    meeting: body.meeting === null ? null : unhex(body.meeting),
    psks: body.psk ? [LINK_PSK_ID] : [],
  };
}

export class SymbolicEngine {
  readonly device: Device;
  readonly truth: Truth;
  group: GroupState | null = null;
  link: Link | null;
  readonly box: Uint8Array;
  readonly #packages = new Set<string>();
  readonly #read = new Set<number>();
  #staged: { readonly body: CommitBody; readonly after: GroupState } | null = null;
  #before: GroupState | null = null;

  constructor(device: Device, truth: Truth) {
    this.device = device;
    this.truth = truth;
    this.link = device.link;
    this.box = truth.bytes(32);
  }

  /** Answers one call; throws where the real one would. */
  answer<K extends CallName>(call: K, ask: Calls[K]["ask"]): Calls[K]["answer"] {
    return (this[call] as (ask: Calls[K]["ask"]) => Calls[K]["answer"])(ask);
  }

  #know(secret: string, leaves: readonly (Leaf | null)[]): void {
    const keys = leaves.flatMap((leaf) => leaf?.signatureKey ?? []);
    this.truth.rosters.set(secret, new Set(keys));
  }

  #here(): GroupState {
    if (this.group === null) throw new Error("no group");
    return this.group;
  }

  keyPackage(): Calls["keyPackage"]["answer"] {
    const made: KeyPackage = {
      type: "key-package",
      ref: this.truth.fresh("ref"),
      ...leafOf(this.device),
    };
    this.#packages.add(made.ref);
    return { bytes: write(made), ref: packageFacts(made).ref };
  }

  work({ challenge }: Calls["work"]["ask"]): Calls["work"]["answer"] {
    return challenge.slice(0, 8);
  }

  inspect({ keyPackage }: { keyPackage: Uint8Array }): KeyPackageFacts | Refused {
    const made = read(keyPackage);
    return made.type === "key-package" ? packageFacts(made as KeyPackage) : refuse("malformed");
  }

  found({ meetingId, creatorKey }: Calls["found"]["ask"]): Calls["found"]["answer"] {
    const instance = this.truth.bytes(16);
    if (this.link === null) throw new Error("no link");
    const hostFingerprint = unhex(this.link.fingerprint);
    const context = { meetingId, instance, creatorKey, hostFingerprint };
    return { instance, hostFingerprint, mac: macOf(this.link, context) };
  }

  create({ instance, meeting }: Calls["create"]["ask"]): GroupFacts {
    const secret = this.truth.fresh("secret");
    const leaf = leafOf(this.device);
    this.group = {
      groupId: hex(instance),
      epoch: 0,
      secret,
      leaves: [leaf],
      meeting: hex(meeting),
      ownLeaf: 0,
      secrets: [{ epoch: 0, secret }],
    };
    this.#know(secret, this.group.leaves);
    this.#before = null;
    this.#staged = null;
    return factsOf(this.group);
  }

  join({ welcome }: { welcome: Uint8Array }): GroupFacts | Refused {
    const body = read(welcome) as WelcomeBody;
    if (body.type !== "welcome") return refuse("malformed");
    if (!body.refs.some((ref) => this.#packages.has(ref))) return refuse("not-for-us");
    if (body.psk && this.link === null) return refuse("no-psk");
    const own = hex(this.device.signatureKey);
    const { group } = body;
    this.group = {
      ...group,
      ownLeaf: group.leaves.findIndex((leaf) => leaf?.signatureKey === own),
      secrets: [{ epoch: group.epoch, secret: group.secret }],
    };
    this.#before = null;
    this.#staged = null;
    return factsOf(this.group);
  }

  commit({ changes }: { changes: Changes }): Staged | Refused {
    this.#staged = null;
    const group = this.#here();
    const adds = changes.adds.map((bytes) => read(bytes) as KeyPackage);
    if (adds.some((add) => add.type !== "key-package")) return refuse("malformed");
    if (changes.withPsk && this.link === null) return refuse("no-psk");
    const body: CommitBody = {
      type: "commit",
      groupId: group.groupId,
      epoch: group.epoch,
      prior: group.secret,
      sender: group.ownLeaf,
      adds,
      removes: changes.removes,
      meeting: changes.meeting === null ? null : hex(changes.meeting),
      psk: changes.withPsk,
      next: this.truth.fresh("secret"),
    };
    const verdict = judge(factsOf(group), commitFacts(body));
    if (verdict !== null) return refuse("forbidden", verdict);
    const after = this.#after(group, body);
    this.#know(after.secret, after.leaves);
    this.#staged = { body, after };
    const { ownLeaf: _leaf, secrets: _secrets, ...welcomed } = after;
    const welcome: WelcomeBody = {
      type: "welcome",
      refs: adds.map((add) => add.ref),
      psk: body.psk,
      group: welcomed,
    };
    return {
      type: "staged",
      commit: write(body),
      welcome: adds.length === 0 ? null : write(welcome),
    };
  }

  #after(group: GroupState, body: CommitBody): GroupState {
    const leaves = group.leaves.map((leaf, at) => (body.removes.includes(at) ? null : leaf));
    for (const { signatureKey, accountKey, invitation } of body.adds) {
      const free = leaves.indexOf(null);
      leaves[free < 0 ? leaves.length : free] = { signatureKey, accountKey, invitation };
    }
    const epoch = group.epoch + 1;
    return {
      ...group,
      epoch,
      secret: body.next,
      leaves,
      meeting: body.meeting ?? group.meeting,
      secrets: [{ epoch, secret: body.next }, ...group.secrets].slice(0, 4),
    };
  }

  merge(): Applied {
    const staged = this.#staged;
    if (staged === null) throw new Error("nothing staged");
    return this.#take(staged.body, staged.after);
  }

  #take(body: CommitBody, after: GroupState): Applied {
    const before = this.#here();
    this.#before = before;
    this.#staged = null;
    this.group = after;
    const commit = commitFacts(body);
    return { type: "applied", before: factsOf(before), after: factsOf(after), commit };
  }

  discard(): null {
    this.#staged = null;
    return null;
  }

  apply({ commit }: { commit: Uint8Array }): Applied | Refused {
    const body = read(commit) as CommitBody;
    const group = this.#here();
    if (body.type !== "commit") return refuse("malformed");
    if (body.groupId !== group.groupId) return refuse("wrong-group");
    if (body.epoch !== group.epoch) return refuse("wrong-epoch");
    if (body.prior !== group.secret) return refuse("forged");
    if (body.sender === group.ownLeaf) return refuse("own");
    const verdict = judge(factsOf(group), commitFacts(body));
    if (verdict !== null) return refuse("forbidden", verdict);
    if (body.removes.includes(group.ownLeaf)) {
      const own = hex(this.device.signatureKey);
      this.#before = group;
      this.#staged = null;
      const isReplaced = body.adds.some((add) => add.signatureKey === own);
      return { type: "removed", by: body.sender, isReplaced };
    }
    if (body.psk && this.link === null) return refuse("no-psk");
    return this.#take(body, this.#after(group, body));
  }

  undo(): { isUndone: boolean } {
    const before = this.#before;
    this.#before = null;
    this.#staged = null;
    if (before !== null) this.group = before;
    return { isUndone: before !== null };
  }

  protect({ content }: { content: Uint8Array }): { bytes: Uint8Array; epoch: number } {
    const { epoch, secret, ownLeaf } = this.#here();
    this.truth.next += 1;
    const body: AppBody = {
      type: "app",
      epoch,
      secret,
      sender: ownLeaf,
      nonce: this.truth.next,
      content: fromUtf8(content) ?? "",
    };
    return { bytes: write(body), epoch };
  }

  open({ message }: { message: Uint8Array }): Opened | Refused {
    const body = read(message) as AppBody;
    const group = this.#here();
    if (body.type !== "app") return refuse("malformed");
    if (!group.secrets.some(({ secret }) => secret === body.secret)) return refuse("forged");
    if (this.#read.has(body.nonce)) return refuse("forged");
    if (body.sender === group.ownLeaf && body.epoch === group.epoch) return refuse("own");
    this.#read.add(body.nonce);
    if (this.truth.rosters.get(body.secret)?.has(hex(this.device.signatureKey)) !== true) {
      this.truth.violations.push(`${this.device.name} opened a message of a group it is not in`);
    }
    const { sender, epoch } = body;
    return { type: "opened", sender, epoch, content: utf8(body.content) };
  }

  frameKeys({ identities }: Calls["frameKeys"]["ask"]): ReadonlyMap<string, Uint8Array> {
    const { secret } = this.#here();
    return new Map(identities.map((identity) => [identity, utf8(`${secret} ${identity}`)]));
  }

  boxKey(): Uint8Array {
    return this.box;
  }

  sealTo({ recipient, aad, content }: Calls["sealTo"]["ask"]): Uint8Array {
    return write({ to: hex(recipient), aad: hex(aad), content: fromUtf8(content) });
  }

  openBox({ aad, box }: Calls["openBox"]["ask"]): Uint8Array | null {
    const body = read(box) as { to?: string; aad?: string; content?: string };
    if (body.to !== hex(this.box) || body.aad !== hex(aad)) return null;
    return utf8(body.content ?? "");
  }

  verifyMeeting({ context }: { context: MeetingContext }): boolean {
    return this.link !== null && isSame(macOf(this.link, context), context.mac);
  }

  makeKnock({ ref, instance }: Calls["makeKnock"]["ask"]): Calls["makeKnock"]["answer"] {
    const { name, signatureKey } = this.device;
    const tie = `${hex(ref)} ${hex(instance)}`;
    return {
      intro: this.link === null ? new Uint8Array() : utf8(name),
      proof: this.link === null ? new Uint8Array() : utf8(`${this.link.secret} ${tie}`),
      sign: utf8(`${hex(signatureKey)} ${tie}`),
      words: wordsOf(ref),
    };
  }

  examineKnock(knock: Calls["examineKnock"]["ask"]): ExaminedKnock {
    const tie = `${hex(knock.facts.ref)} ${hex(knock.instance)}`;
    const isSigned = fromUtf8(knock.sign) === `${hex(knock.facts.signatureKey)} ${tie}`;
    const words = wordsOf(knock.facts.ref);
    const invitedName = nameIn(knock.facts.invitation);
    const note = knock.note && fromUtf8(knock.note);
    if (knock.proof.length === 0 || this.link === null) {
      return { isSigned, proof: "none", intro: null, words, invitedName, note: null };
    }
    const isGood = fromUtf8(knock.proof) === `${this.link.secret} ${tie}`;
    const intro = { name: fromUtf8(knock.intro) ?? "", colour: 1 };
    return { isSigned, proof: isGood ? "good" : "bad", intro, words, invitedName, note };
  }

  sealNote({ text }: Calls["sealNote"]["ask"]): Calls["sealNote"]["answer"] {
    return this.link === null || text === "" ? null : utf8(text);
  }

  invitedNames({ invitations }: Calls["invitedNames"]["ask"]): Calls["invitedNames"]["answer"] {
    return invitations.map(nameIn);
  }

  adoptLink({ link, context }: Calls["adoptLink"]["ask"]): boolean {
    if (!isSame(macOf(link, context), context.mac)) return false;
    this.link = link;
    return true;
  }

  codes({ authenticator }: Calls["codes"]["ask"]): Calls["codes"]["answer"] {
    return { words: { de: ["acht"], en: ["eight"] }, roster: hex(authenticator).slice(0, 30) };
  }
}

/** The group's meeting, as this engine holds it. */
export function contextOf(engine: SymbolicEngine): MeetingContext | null {
  return engine.group === null ? null : decodeContext(unhex(engine.group.meeting));
}

/** Sealed names are names here. */
function nameIn(invitation: InvitationFacts | null): string | null {
  return invitation === null ? null : fromUtf8(invitation.name);
}

function wordsOf(ref: Uint8Array) {
  const last = hex(ref).slice(0, 4);
  return { de: ["eins", "zwei", last], en: ["one", "two", last] };
}

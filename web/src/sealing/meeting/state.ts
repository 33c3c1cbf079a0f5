/**
 * The meeting machine's memory: one immutable value. Parts that did not change are shared between
 * one state and the next. Holds no key; must never hold a function.
 */

import type {
  ChatMessage,
  Codes,
  CodeWords,
  Part,
  SealBreak,
  SealedPhase,
  SealedRole,
  SealProblem,
} from "../contract.ts";
import type {
  Applied,
  GroupFacts,
  InvitationFacts,
  KeyPackageFacts,
  LeafFacts,
} from "../engine/contract.ts";
import type { Template } from "../templates.ts";
import type { Link, Setup } from "./io.ts";
import type { MeetingContext, Policy } from "./meetingContext.ts";
import type { Content } from "./messages.ts";
import { NO_RATES, type Rates } from "./rates.ts";
import type { FrameOf, Ticket } from "./wire.ts";
import type { WorkJob } from "./work.ts";

export interface Person {
  readonly identity: string;
  readonly leaf: LeafFacts;
  readonly role: SealedRole;
  readonly part: Part;
  /** Permissions, in bits. */
  readonly may: number;
  readonly name: string | null;
  /** The name in their personal invitation; null: came otherwise, or it is not known yet. */
  readonly invitedAs: string | null;
  readonly colour: number;
  /** X25519, for private messages; comes with the profile. */
  readonly box: Uint8Array | null;
  readonly joinedAt: number;
  /** The first epoch in which this leaf is known here. */
  readonly sinceEpoch: number;
  /** Opened something of theirs that only a holder of the link PSK can have sent. */
  readonly hasLink: boolean;
  /** Added without the PSK, and has not said that it holds the link: since when. */
  readonly awaitsLinkSince: number | null;
  readonly isAddedByUs: boolean;
  /** Order of raising; null: down. */
  readonly handAt: number | null;
  readonly seat: string | null;
  readonly presence: "live" | "lost" | "left";
  readonly awayAt: number;
  readonly heardAt: number;
  readonly isMismatched: boolean;
}

export interface Group {
  readonly facts: GroupFacts;
  readonly context: MeetingContext;
}

/** What is needed to judge messages of an epoch that can still be opened. */
export interface Past {
  readonly epoch: number;
  readonly roster: readonly LeafFacts[];
  readonly auth: Uint8Array;
  readonly rosterHash: Uint8Array;
}

/** What is known at the door of a personal invitation. */
export interface Invited {
  readonly facts: InvitationFacts;
  /** As the host wrote it. */
  readonly name: string | null;
  /** The server says that this is the device to which it is bound. */
  readonly isVouched: boolean;
  readonly isExpired: boolean;
}

export interface DoorEntry {
  readonly seat: string;
  readonly keyPackage: Uint8Array;
  readonly facts: KeyPackageFacts;
  readonly hasProof: boolean;
  readonly name: string | null;
  readonly colour: number;
  readonly words: CodeWords;
  /** How it came, if by a personal link. */
  readonly invited: Invited | null;
  /** A line to who may open. */
  readonly note: string | null;
  readonly at: number;
  /** Somebody here who may pressed Admit. */
  readonly isAdmitted: boolean;
  /** How often the server did not know the seat. */
  readonly failures: number;
}

/** Of an order to a member: what it must not send. */
export interface Mute {
  readonly identity: string;
  readonly source: "microphone" | "camera" | "screen_share";
}

export interface Outgoing {
  readonly content: Content;
  /** Null: to everybody. */
  readonly to: string | null;
  /** Sent again when the socket went away over it. */
  readonly isDurable: boolean;
  readonly wish: number | null;
  readonly chatId: string | null;
  /** What the server is to mute when this goes out. */
  readonly mute: Mute | null;
}

/** As it went out, in case it has to go out again. */
export type KnockFields = Readonly<Record<string, unknown>> & {
  readonly instance: Uint8Array;
  readonly key_package: Uint8Array;
};

export type Request =
  | {
      readonly type:
        | "create"
        | "commit"
        | "ticket"
        | "leave"
        | "grant"
        | "mute"
        | "silence"
        | "permit";
    }
  | { readonly type: "knock"; readonly fields: KnockFields }
  | { readonly type: "deny"; readonly seat: string; readonly wish: number | null }
  | { readonly type: "note"; readonly text: string }
  | { readonly type: "message"; readonly out: Outgoing };

export interface Plan {
  readonly adds: readonly DoorEntry[];
  readonly removes: readonly Person[];
  readonly why: ReadonlyMap<string, "left" | "lost" | "removed" | "replaced">;
  readonly policy: Policy | null;
  readonly policyWishes: readonly number[];
  readonly withPsk: boolean;
}

export interface OwnCommit {
  readonly epoch: number;
  readonly commit: Uint8Array;
  readonly welcome: Uint8Array | null;
  readonly plan: Plan;
}

/** The last commit that was taken in, for undoing it. */
export interface LastCommit {
  readonly hash: string;
  readonly before: Group;
  readonly people: ReadonlyMap<string, Person>;
  readonly pasts: readonly Past[];
  readonly sender: number;
  readonly removedKeys: ReadonlySet<string>;
}

export interface KeyEpoch {
  readonly epoch: number;
  /** The identity that one's own key among them is of. */
  readonly own: string;
  readonly identities: readonly string[];
  readonly at: number;
  /** When to overwrite; null: in use. */
  readonly forgetAt: number | null;
}

export interface ChatEntry extends ChatMessage {
  /** Private: the other's identity; null: everybody's. */
  readonly peer: string | null;
}

export type Job =
  | { readonly type: "enter"; readonly instance: Uint8Array | null }
  | { readonly type: "create"; readonly ticket: Ticket | null }
  | WorkJob
  | { readonly type: "welcome"; readonly frame: FrameOf<"welcome"> }
  | { readonly type: "knock"; readonly frame: FrameOf<"knock"> }
  | { readonly type: "commit"; readonly frame: FrameOf<"commit"> }
  | { readonly type: "message"; readonly frame: FrameOf<"message"> }
  | { readonly type: "knock-gone"; readonly frame: FrameOf<"knock_gone"> }
  | { readonly type: "presence"; readonly frame: FrameOf<"presence"> }
  | { readonly type: "reopened"; readonly frame: FrameOf<"reopened"> }
  | { readonly type: "note"; readonly text: string }
  | { readonly type: "make-commit" }
  | { readonly type: "discard" };

/** What to do with the answer to a call. */
export type Next =
  | { readonly type: "ignore" }
  | { readonly type: "founded" }
  | { readonly type: "created"; readonly ticket: Ticket | null }
  | { readonly type: "packaged"; readonly instance: Uint8Array }
  | { readonly type: "note-sealed"; readonly text: string }
  | {
      readonly type: "knock-made";
      readonly instance: Uint8Array;
      readonly keyPackage: Uint8Array;
      readonly ref: Uint8Array;
    }
  | { readonly type: "worked"; readonly challenge: Uint8Array; readonly fields: KnockFields }
  | { readonly type: "joined"; readonly frame: FrameOf<"welcome"> }
  | {
      readonly type: "group-verified";
      readonly frame: FrameOf<"welcome">;
      readonly group: Group;
    }
  | { readonly type: "keys"; readonly isUrgent: boolean; readonly ticket: Ticket | null }
  | { readonly type: "box"; readonly group: Group }
  | { readonly type: "codes" }
  | { readonly type: "invited-names"; readonly identities: readonly string[] }
  | { readonly type: "inspected"; readonly frame: FrameOf<"knock"> }
  | {
      readonly type: "examined";
      readonly frame: FrameOf<"knock">;
      readonly facts: KeyPackageFacts;
    }
  | { readonly type: "staged"; readonly plan: Plan; readonly epoch: number }
  | { readonly type: "merged"; readonly frame: FrameOf<"commit">; readonly plan: Plan }
  | { readonly type: "discarded"; readonly frame: FrameOf<"commit"> | null }
  | { readonly type: "applied"; readonly frame: FrameOf<"commit"> }
  | { readonly type: "undone"; readonly last: LastCommit; readonly epoch: number }
  | { readonly type: "opened" }
  | { readonly type: "box-opened"; readonly from: string; readonly epoch: number }
  | { readonly type: "boxed"; readonly out: Outgoing }
  | { readonly type: "protected"; readonly out: Outgoing }
  | { readonly type: "link-adopted"; readonly link: Link };

export type Stage =
  /** No socket, or one that has not said hello. */
  | "away"
  /** Nobody is in, and we may not begin. */
  | "outside"
  | "creating"
  | "knocking"
  /** Welcomed, or the creator: the group is being made here. */
  | "joining"
  | "member"
  /** In no group any more, for a moment: a commit took us out that may be undone. */
  | "cut"
  | "leaving"
  | "over";

export type TimerName =
  | "reconnect"
  | "give-up"
  | "door"
  | "enter"
  | "commit"
  | "commit-lost"
  | "beat"
  | "watch"
  | "switch"
  | "forget"
  | "profile"
  | "out"
  | "ticket"
  | "verdict"
  | "psk"
  | "cut"
  | "links"
  | "permit"
  | "leave";

export type Dropped = "frame" | "knock" | "commit" | "welcome" | "message";

export interface State {
  readonly setup: Setup;
  readonly stage: Stage;
  readonly over: Extract<SealedPhase, { type: "over" }>["reason"] | null;
  readonly broken: { readonly reason: SealBreak; readonly at: number } | null;
  readonly isConnected: boolean;
  /** Hello has been answered on this socket. */
  readonly isGreeted: boolean;
  readonly resume: string | null;
  readonly seat: string | null;
  /** The secret of a seat inside that was given up: the next knock goes before a crowd by it. */
  readonly former: string | null;
  /** The last sequence number that was taken in. */
  readonly seq: number;
  readonly awaySince: number | null;
  readonly attempts: number;
  /** The server asked not to be called before. */
  readonly notBefore: number;
  readonly resyncs: number;
  readonly badWelcomes: number;
  readonly instance: Uint8Array | null;
  readonly founding: Founding | null;
  readonly hasBeenInside: boolean;
  readonly atDoor: { readonly members: number; readonly isShown: boolean } | null;
  readonly ownWords: CodeWords;
  /** Of the KeyPackage that knocks. */
  readonly ownRef: Uint8Array | null;
  /** The last line that went to who may open the door. */
  readonly ownNote: string | null;
  /** Who waits to hear whether a line went out; one at a time. */
  readonly noteWish: number | null;

  readonly link: Link | null;
  readonly matchesLink: boolean | null;
  readonly group: Group | null;
  readonly pasts: readonly Past[];
  readonly epochAt: number;
  /** The last epoch whose key needs the link PSK; -1: none seen. */
  readonly pskEpoch: number;
  readonly people: ReadonlyMap<string, Person>;
  /** Removed, and the key with them still in use: shown until `epoch` is. */
  readonly leavers: readonly { readonly person: Person; readonly epoch: number }[];
  readonly formerKeys: ReadonlySet<string>;
  readonly removedKeys: ReadonlySet<string>;
  /** The last who led lost their connection, and none is back yet. */
  readonly isLeaderLost: boolean;
  readonly last: LastCommit | null;
  /** `epoch:hash` of commits that this client voted against, newest last. */
  readonly nacked: readonly string[];
  /** The device that was first seen with an invitation; both base64url. */
  readonly firstDevices: ReadonlyMap<string, string>;
  /** A commit that waits for the link PSK. */
  readonly held: FrameOf<"commit"> | null;

  readonly door: ReadonlyMap<string, DoorEntry>;
  readonly own: OwnCommit | null;
  readonly commitAfter: number;
  readonly healedAt: number;
  readonly healedLeaf: number;
  readonly removals: ReadonlyMap<string, readonly number[]>;
  readonly policyPatch: PolicyPatch | null;
  /** What the server was last told of who may send what, as it was sent; null: nothing. */
  readonly permitted: string | null;
  readonly admits: readonly {
    readonly wish: number;
    readonly seats: readonly string[];
    readonly isDone: boolean;
  }[];

  readonly keyEpochs: readonly KeyEpoch[];
  readonly sendingEpoch: number;
  readonly settledEpoch: number;
  readonly sealedAt: number | null;
  readonly codes: Codes | null;
  readonly box: Uint8Array | null;

  readonly outbox: readonly Outgoing[];
  readonly inFlight: number;
  readonly linkSentTo: ReadonlySet<string>;
  readonly chat: readonly ChatEntry[];
  readonly unread: number;
  readonly hands: number;
  readonly historyUntil: number;
  /** Who has stopped everything, and since when; holds while they are here. */
  readonly frozen: { readonly by: string; readonly at: number } | null;

  readonly rates: Rates;

  readonly flowing: readonly string[];
  readonly plaintext: readonly string[];
  readonly hasUnopened: boolean;
  readonly strangers: ReadonlyMap<string, number>;
  readonly problems: readonly SealProblem[];

  readonly requests: ReadonlyMap<number, Request>;
  readonly nextN: number;
  /** The media need one, and none has come yet. */
  readonly isTicketWanted: boolean;
  readonly jobs: readonly Job[];
  readonly open: { readonly id: number; readonly next: Next } | null;
  readonly nextCall: number;
  readonly timers: ReadonlyMap<TimerName, number>;
  readonly wokenAt: number | null;
  /** How much of what came was no good. */
  readonly dropped: Readonly<Record<Dropped, number>>;
}

export interface PolicyPatch {
  readonly entry?: "open" | "lobby";
  readonly isLocked?: boolean;
  readonly history?: number;
  /** base64url invitation id -> shall it be revoked. */
  readonly revoked: ReadonlyMap<string, boolean>;
  /** base64url signature key -> shall it be one. */
  readonly cohosts: ReadonlyMap<string, boolean>;
  readonly template?: Template;
  readonly attendees?: number;
  /** base64url signature key -> what is to become of this one. */
  readonly people: ReadonlyMap<string, StandingPatch>;
  /** base64url signature key -> shall it stay outside. */
  readonly blocked: ReadonlyMap<string, boolean>;
  readonly wishes: readonly number[];
}

export interface StandingPatch {
  /** Another part begins without anything of its own. */
  readonly part: Part | null;
  readonly allow: number;
  readonly forbid: number;
  /** As everybody else. */
  readonly reset: number;
}

export const NO_PATCH: PolicyPatch = {
  revoked: new Map(),
  cohosts: new Map(),
  people: new Map(),
  blocked: new Map(),
  wishes: [],
};

export interface Founding {
  readonly instance: Uint8Array;
  readonly hostFingerprint: Uint8Array;
  readonly mac: Uint8Array;
}

export type AppliedCommit = Extract<Applied, { readonly type: "applied" }>;

export function begin(setup: Setup): State {
  return {
    setup,
    stage: "away",
    over: null,
    broken: null,
    isConnected: false,
    isGreeted: false,
    resume: null,
    seat: null,
    former: null,
    seq: 0,
    awaySince: null,
    attempts: 0,
    notBefore: 0,
    resyncs: 0,
    badWelcomes: 0,
    instance: null,
    founding: null,
    hasBeenInside: false,
    atDoor: null,
    ownWords: { de: [], en: [] },
    ownRef: null,
    ownNote: null,
    noteWish: null,
    link: setup.link,
    matchesLink: null,
    group: null,
    pasts: [],
    epochAt: 0,
    pskEpoch: -1,
    people: new Map(),
    leavers: [],
    formerKeys: new Set(),
    removedKeys: new Set(),
    isLeaderLost: false,
    last: null,
    nacked: [],
    firstDevices: setup.knownDevices,
    held: null,
    door: new Map(),
    own: null,
    commitAfter: 0,
    healedAt: 0,
    healedLeaf: -1,
    removals: new Map(),
    policyPatch: null,
    permitted: null,
    admits: [],
    keyEpochs: [],
    sendingEpoch: -1,
    settledEpoch: -1,
    sealedAt: null,
    codes: null,
    box: null,
    outbox: [],
    inFlight: 0,
    linkSentTo: new Set(),
    chat: [],
    unread: 0,
    hands: 0,
    historyUntil: 0,
    frozen: null,
    rates: NO_RATES,
    flowing: [],
    plaintext: [],
    hasUnopened: false,
    strangers: new Map(),
    problems: [],
    requests: new Map(),
    isTicketWanted: false,
    nextN: 1,
    jobs: [],
    open: null,
    nextCall: 1,
    timers: new Map(),
    wokenAt: null,
    dropped: { frame: 0, knock: 0, commit: 0, welcome: 0, message: 0 },
  };
}

/**
 * What goes into the meeting machine and what comes out of it. The shell around it owns the socket,
 * the engine, the clock and the media connection; the machine decides, and does nothing itself.
 */

import type {
  CodeWords,
  Order,
  Outcome,
  Part,
  RoomPolicy,
  Sealed,
  SealedNotice,
} from "../contract.ts";
import type {
  Applied,
  Changes,
  GroupFacts,
  InvitationFacts,
  KeyPackageFacts,
  Opened,
  Refused,
  Staged,
} from "../engine/contract.ts";
import type { MeetingContext } from "./meetingContext.ts";
import type { ClientFrame, Ticket } from "./wire.ts";

export interface Link {
  /** As in the fragment: base64url. */
  readonly secret: string;
  readonly fingerprint: string;
}

/** What is known before anything happens. */
export interface Setup {
  readonly meetingId: string;
  readonly name: string;
  readonly colour: number;
  /** Device key. */
  readonly signatureKey: Uint8Array;
  readonly accountKey: Uint8Array | null;
  /** Null: came by no personal link. */
  readonly invitation: {
    readonly facts: InvitationFacts;
    /** 64 bytes: this device is the invited person's. */
    readonly binding: Uint8Array;
  } | null;
  /** Null: a missing or damaged fragment. */
  readonly link: Link | null;
  /** Of a group that this client creates. */
  readonly policy: RoomPolicy;
  /** Device keys that stay outside of a group that is made here, ascending. */
  readonly blocked: readonly Uint8Array[];
  readonly title: string | null;
  readonly keyNotes: Sealed["keyNotes"];
  /** Account keys that this person has compared or knows, base64url. */
  readonly knownAccounts: readonly string[];
  /** Devices that were first seen with personal invitations, base64url, by invitation id. */
  readonly knownDevices: ReadonlyMap<string, string>;
}

/** Calls that answer later: to the engine, or to the cryptography in `sealing/keys/`. */
export interface Calls {
  readonly inspect: { ask: { keyPackage: Uint8Array }; answer: KeyPackageFacts | Refused };
  readonly create: { ask: { instance: Uint8Array; meeting: Uint8Array }; answer: GroupFacts };
  readonly keyPackage: { ask: object; answer: { bytes: Uint8Array; ref: Uint8Array } };
  /** Replaces whatever group the engine holds; refused: leaves it. */
  readonly join: { ask: { welcome: Uint8Array }; answer: GroupFacts | Refused };
  readonly commit: { ask: { changes: Changes }; answer: Staged | Refused };
  readonly merge: { ask: object; answer: Applied };
  readonly discard: { ask: object; answer: null };
  readonly apply: { ask: { commit: Uint8Array }; answer: Applied | Refused };
  /** `undo`, and the facts after it; null: there was nothing to undo. */
  readonly undo: { ask: object; answer: { isUndone: boolean } };
  readonly protect: { ask: { content: Uint8Array }; answer: { bytes: Uint8Array; epoch: number } };
  readonly open: { ask: { message: Uint8Array }; answer: Opened | Refused };
  readonly frameKeys: {
    ask: { identities: readonly string[] };
    answer: ReadonlyMap<string, Uint8Array>;
  };
  readonly boxKey: { ask: object; answer: Uint8Array };
  readonly sealTo: {
    ask: { recipient: Uint8Array; info: Uint8Array; aad: Uint8Array; content: Uint8Array };
    answer: Uint8Array;
  };
  readonly openBox: {
    ask: { info: Uint8Array; aad: Uint8Array; box: Uint8Array };
    answer: Uint8Array | null;
  };
  /** 16 random bytes for an instance, and the MAC over the context with it (protocol, 3). */
  readonly found: {
    ask: { meetingId: Uint8Array; creatorKey: Uint8Array };
    answer: { instance: Uint8Array; hostFingerprint: Uint8Array; mac: Uint8Array };
  };
  /** Does the group prove the link that the setup, or an adopted link, names? */
  readonly verifyMeeting: { ask: { context: MeetingContext }; answer: boolean };
  /** Intro, proof, signature and the three words of one's own knock (protocol, 4). */
  readonly makeKnock: {
    ask: { ref: Uint8Array; instance: Uint8Array };
    answer: { intro: Uint8Array; proof: Uint8Array; sign: Uint8Array; words: CodeWords };
  };
  /** For a crowded door: a nonce, 8 bytes. Takes its time. */
  readonly work: {
    ask: { challenge: Uint8Array; bits: number; keyPackage: Uint8Array };
    answer: Uint8Array;
  };
  /** Signature, proof and intro of somebody's knock. */
  readonly examineKnock: {
    ask: {
      facts: KeyPackageFacts;
      instance: Uint8Array;
      intro: Uint8Array;
      proof: Uint8Array;
      sign: Uint8Array;
      note: Uint8Array | null;
    };
    answer: ExaminedKnock;
  };
  /** Null: nothing in it, too long, or there is no link. `ref`: of one's own KeyPackage. */
  readonly sealNote: { ask: { ref: Uint8Array; text: string }; answer: Uint8Array | null };
  /** Links found in a message: kept, engine given the PSK, if the group proves it; else false. */
  readonly adoptLink: { ask: { link: Link; context: MeetingContext }; answer: boolean };
  /** The names in these invitations, in their order. */
  readonly invitedNames: {
    ask: { invitations: readonly InvitationFacts[] };
    answer: readonly (string | null)[];
  };
  readonly codes: {
    ask: { groupId: Uint8Array; context: MeetingContext; authenticator: Uint8Array };
    answer: { words: CodeWords; roster: string };
  };
}

export interface ExaminedKnock {
  readonly isSigned: boolean;
  readonly proof: "good" | "none" | "bad";
  /** Null: no intro, or one that cannot be opened. */
  readonly intro: { readonly name: string; readonly colour: number } | null;
  readonly words: CodeWords;
  /** The name in its personal invitation; null: none, or not to be opened. */
  readonly invitedName: string | null;
  /** Null: none, or one that cannot be opened. */
  readonly note: string | null;
}

export type CallName = keyof Calls;
export type Ask = {
  [K in CallName]: { readonly call: K; readonly ask: Calls[K]["ask"] };
}[CallName];

export type Wish =
  | { readonly type: "leave" }
  /** `id`: base64url of 16 random bytes, drawn by the shell. */
  | {
      readonly type: "chat";
      readonly id: string;
      readonly text: string;
      readonly replyTo: string | null;
      readonly privateTo: string | null;
    }
  | { readonly type: "edit"; readonly id: string; readonly text: string }
  | { readonly type: "delete"; readonly id: string }
  | { readonly type: "resend"; readonly id: string }
  | {
      readonly type: "chat-react";
      readonly id: string;
      readonly emoji: string;
      readonly on: boolean;
    }
  | { readonly type: "read" }
  | { readonly type: "react"; readonly emoji: string }
  | { readonly type: "hand"; readonly isUp: boolean }
  | { readonly type: "admit"; readonly seats: readonly string[] }
  /** `isBlocked`: for good, whatever they knock with again. */
  | { readonly type: "deny"; readonly seat: string; readonly isBlocked?: boolean }
  /** From in front of the door. */
  | { readonly type: "note"; readonly text: string }
  | { readonly type: "remove"; readonly identity: string }
  | { readonly type: "cohost"; readonly identity: string; readonly isCohost: boolean }
  | { readonly type: "part"; readonly identity: string; readonly part: Part }
  /** Permissions in bits. Null: as everybody else. */
  | {
      readonly type: "allow";
      readonly identity: string;
      readonly bits: number;
      readonly isAllowed: boolean | null;
    }
  /** Device keys, base64url: they stay outside. */
  | { readonly type: "block"; readonly keys: readonly string[] }
  /** Everybody who was blocked may knock again. */
  | { readonly type: "unblock" }
  | { readonly type: "policy"; readonly policy: Partial<RoomPolicy> }
  /** Invitation ids, base64url: in the group they count no more, or again. */
  | { readonly type: "revoke"; readonly ids: readonly string[]; readonly isRevoked: boolean }
  | { readonly type: "order"; readonly what: Order; readonly identity: string }
  | { readonly type: "freeze"; readonly isOn: boolean }
  /** Everything of it in one commit: these go, the room is locked, these invitations count no more. */
  | {
      readonly type: "clean";
      readonly identities: readonly string[];
      readonly seats: readonly string[];
      readonly invitations: readonly string[];
    };

export type Input =
  /** Connect and get in. */
  | { readonly type: "start" }
  | { readonly type: "opened" }
  | { readonly type: "closed" }
  /** One text frame of the socket, parsed as JSON; undefined: was none. */
  | { readonly type: "frame"; readonly frame: unknown }
  | { readonly type: "answered"; readonly id: number; readonly answer: unknown }
  /** The call threw, or its worker died. */
  | { readonly type: "failed"; readonly id: number }
  | { readonly type: "wish"; readonly wish: number; readonly what: Wish }
  /** The time asked for by the last `wake` has come. */
  | { readonly type: "tick" }
  /** What the media connection sees now; whole sets each time. */
  | {
      readonly type: "media";
      /** Identities whose packets arrive. */
      readonly flowing: readonly string[];
      /** Identities with a publication that says it is not encrypted. */
      readonly plaintext: readonly string[];
      /** Somebody's frames go on not opening with the group's keys. */
      readonly hasUnopened: boolean;
      /** Identities connected to the media room. */
      readonly connected: readonly string[];
    }
  /** Frame encryption could not be switched on. */
  | { readonly type: "no-encryption" }
  /** Media need a fresh ticket. */
  | { readonly type: "ticket-wanted" }
  | { readonly type: "known-accounts"; readonly accounts: readonly string[] };

export type Effect =
  /** Open a socket; one that is there is closed without a word. */
  | { readonly type: "connect" }
  /** Close the socket, or stop opening one: nothing of it is heard any more, `closed` neither. */
  | { readonly type: "disconnect" }
  | { readonly type: "send"; readonly frame: ClientFrame }
  /** Answer by `answered` or `failed` with this id. At most one is open at a time. */
  | ({ readonly type: "call"; readonly id: number } & Ask)
  /** Be back with a `tick` at `at`; replaces the wake before. Null: none wanted. */
  | { readonly type: "wake"; readonly at: number | null }
  /**
   * Install what everybody will send with, before anybody does; the own key (`keys` has it too)
   * must not send yet. The bytes are the receiver's: the machine keeps none.
   */
  | {
      readonly type: "keys-receive";
      readonly epoch: number;
      readonly index: number;
      readonly keys: ReadonlyMap<string, Uint8Array>;
      /** Those who have none of these keys are out for good: theirs are overwritten now. */
      readonly isUrgent: boolean;
    }
  /** Send with the own key of this epoch from now on; a key frame of every own video 300 ms after. */
  | {
      readonly type: "keys-send";
      readonly epoch: number;
      readonly index: number;
      readonly identity: string;
    }
  /** Overwrite these identities' keys at the index; the own one without switching to it. */
  | {
      readonly type: "keys-forget";
      readonly epoch: number;
      readonly index: number;
      readonly identities: readonly string[];
    }
  /** Connect media, or renew the ticket of the connection; keys are installed. */
  | { readonly type: "media-connect"; readonly identity: string; readonly ticket: Ticket }
  /** Media and text stop; keys are forgotten (engine `close`). */
  | { readonly type: "stop" }
  | { readonly type: "notice"; readonly notice: SealedNotice }
  | { readonly type: "outcome"; readonly wish: number; readonly outcome: Outcome };

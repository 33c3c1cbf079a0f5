/**
 * What a sealed meeting is to the pages: a store of plain values, and what one can do in it. The
 * pages know no MLS; nothing here holds a key. Types only; must never import from `features/`.
 */

import type { StoreApi } from "zustand/vanilla";
import type { Permission } from "./permissions.ts";
import type { Template } from "./templates.ts";

export type SealedRole = "host" | "cohost" | "member";

/** What a member is here for. Hosts and co-hosts may everything, whatever their part. */
export type Part = "presenter" | "attendee" | "listener";

/** How somebody came to be in the room; the strongest that is proven. */
export type Verification =
  /** The account key in the link: this is the host. */
  | "host"
  /** An account key that this person has compared or knows. */
  | "account"
  /** A personal link, on the device to which it is bound. */
  | "invitation"
  /** Had the whole link. */
  | "link"
  /** Let in at the door by a host, without the link. */
  | "door";

/** The personal invitation by which somebody came. */
export interface InvitedAs {
  /** base64url, 22 characters. */
  readonly id: string;
  /** As the host wrote it; null: without a name. */
  readonly name: string | null;
  /** The device key that carries it, base64url. */
  readonly device: string;
  /** Another device was seen with it before, here or (hosts) in an earlier sitting. */
  readonly isOtherDevice: boolean;
}

export interface SealedMember {
  readonly identity: string;
  /** Null until the profile has come: the tile shows "…". */
  readonly name: string | null;
  /** 0 to 11. */
  readonly colour: number;
  readonly role: SealedRole;
  readonly part: Part;
  /** Permissions, in bits (`permissions.ts`). */
  readonly may: number;
  readonly verification: Verification;
  /** Whose personal link it was, if it was one. */
  readonly invited: InvitedAs | null;
  readonly isSelf: boolean;
  /** Milliseconds since the epoch; arrival in this sitting as seen here. */
  readonly joinedAt: number;
  /** Place in the line of raised hands, from 1; null: hand down. */
  readonly handPlace: number | null;
  /** Shown until the key without them is in use. */
  readonly isLeaving: boolean;
  /** Still counted as here, but their connection is away. */
  readonly isLost: boolean;
}

/** The same code in each language, since those who compare it may have chosen different ones. */
export type CodeWords = Readonly<Record<"de" | "en", readonly string[]>>;

/** What a personal link at the door is worth. */
export type InvitationStanding =
  /** Good; waits because the room is locked or nobody leads it. */
  | "good"
  /** Bound to another device than the one that knocks. */
  | "other-device"
  | "revoked"
  | "expired"
  /** Not made by this room's host. */
  | "foreign";

export interface DoorGuest {
  readonly seat: string;
  /** Null for who came without the whole link. */
  readonly name: string | null;
  readonly colour: number;
  readonly proof: "link" | "account" | "invitation" | "unknown";
  readonly invited: (InvitedAs & { readonly standing: InvitationStanding }) | null;
  /** What they wrote to who may open; null: nothing, or it cannot be opened. */
  readonly note: string | null;
  /** Three words that the person outside sees as well. */
  readonly words: CodeWords;
  readonly knockedAt: number;
}

export type ChatState = "sending" | "sent" | "failed";

export interface ChatMessage {
  readonly id: string;
  readonly identity: string;
  readonly name: string;
  readonly isOwn: boolean;
  readonly text: string;
  readonly sentAt: number;
  readonly state: ChatState;
  readonly isEdited: boolean;
  readonly isDeleted: boolean;
  /** The message answered to; null also when it is not known here. */
  readonly replyTo: string | null;
  /** Private: to or from this one person. */
  readonly privateWith: { readonly identity: string; readonly name: string } | null;
  /** emoji -> identities, in the order in which they came. */
  readonly reactions: readonly { readonly emoji: string; readonly identities: readonly string[] }[];
  /** Links are clickable only from hosts, co-hosts and oneself. */
  readonly isTrusted: boolean;
  /** Handed over by a host on admission. */
  readonly isFromBefore: boolean;
}

export type SealState =
  /** The key is on its way. */
  | { readonly type: "coming" }
  | { readonly type: "sealed"; readonly since: number }
  /** The words for each reason are the page's. */
  | { readonly type: "not-sealed"; readonly reasons: readonly SealProblem[] }
  /** Media and text have stopped. */
  | { readonly type: "broken"; readonly reason: SealBreak; readonly at: number }
  | { readonly type: "ended" };

export type SealProblem =
  /** Members do not agree on epoch or roster, or a member is silent while its media flows. */
  | "withheld"
  /** A publication says that it is not encrypted; it is not shown. */
  | "plaintext"
  /** Somebody is connected who has no key: sees and hears nothing. */
  | "stranger"
  /** Somebody's frames go on not opening with the group's keys; they are not shown. */
  | "unopened";

export type SealBreak =
  /** The group does not prove the link. */
  | "not-our-group"
  /** A key change that no person in the room signed, or that its sender may not make. */
  | "forbidden-change"
  /** Frame encryption could not be switched on. */
  | "no-encryption";

export interface Codes {
  /** Eight words. */
  readonly words: CodeWords;
  /** Thirty digits. */
  readonly roster: string;
  /** Checked against the link; null: came without it. */
  readonly matchesLink: boolean | null;
}

export interface RoomPolicy {
  readonly entry: "open" | "lobby";
  readonly isLocked: boolean;
  readonly history: number;
  /** As what the room began; what may be done is in `attendees`. */
  readonly template: Template;
  /** What an attendee may do, in bits (`permissions.ts`). */
  readonly attendees: number;
}

export type SealedPhase =
  /** Connecting, creating or knocking. */
  /** `isCrowded`: many come at once, and this device works for being heard. */
  | { readonly type: "entering"; readonly isCrowded: boolean }
  /** At the door: a host has to let us in. */
  | {
      readonly type: "waiting";
      readonly members: number;
      readonly words: CodeWords;
      /** The last line that went to who may open the door. */
      readonly note: string | null;
      /** Knocking, and with the whole link: else there is nobody to write to, or no key. */
      readonly canWrite: boolean;
    }
  | { readonly type: "inside" }
  /** The socket is away; keys and media go on. */
  | { readonly type: "reconnecting"; readonly since: number }
  | {
      readonly type: "over";
      readonly reason:
        | "left"
        | "denied"
        | "full"
        | "locked"
        | "removed"
        /** The personal link has been taken back, or its time is over. */
        | "revoked"
        | "expired"
        /** The same device came in from another tab. */
        | "elsewhere"
        | "ended"
        | "broken"
        | "lost";
    };

export interface Sealed {
  readonly phase: SealedPhase;
  readonly seal: SealState;
  readonly selfIdentity: string | null;
  /** Sitting's order of arrival; oneself included. */
  readonly members: readonly SealedMember[];
  readonly door: readonly DoorGuest[];
  readonly chat: readonly ChatMessage[];
  readonly unread: number;
  readonly codes: Codes | null;
  readonly policy: RoomPolicy;
  /** Device keys that stay outside whatever they knock with, base64url. */
  readonly blocked: readonly string[];
  /** The last who led lost their connection: nobody comes in by themselves until one is back. */
  readonly isLeaderLost: boolean;
  /** Everything has been stopped for a moment; null: it goes on. */
  readonly frozen: {
    readonly by: string;
    readonly isOwn: boolean;
    readonly since: number;
  } | null;
  readonly title: string | null;
  /** Private mode or an old browser: what will be forgotten, or kept with less protection. */
  readonly keyNotes: readonly ("forgotten-after-reload" | "key-extractable")[];
}

export type SealedNotice =
  | {
      readonly type: "member-joined" | "member-left";
      readonly identity: string;
      readonly name: string;
    }
  | { readonly type: "knock"; readonly seat: string; readonly name: string | null }
  /** Somebody at the door has written a line. */
  | { readonly type: "note"; readonly name: string | null; readonly note: string }
  | {
      readonly type: "hand";
      readonly identity: string;
      readonly name: string;
      readonly place: number;
    }
  | {
      readonly type: "reaction";
      readonly identity: string;
      readonly name: string;
      readonly emoji: string;
    }
  | {
      readonly type: "chat";
      readonly id: string;
      readonly name: string;
      readonly isPrivate: boolean;
    }
  /** An order of a host or co-host to oneself, already checked. */
  | { readonly type: "order"; readonly what: Order; readonly by: string }
  | { readonly type: "seal-lost"; readonly reason: SealProblem }
  | { readonly type: "sealed-again" }
  | { readonly type: "policy-changed"; readonly by: string }
  /** What oneself may do here has been changed. */
  | {
      readonly type: "rights";
      readonly gained: readonly Permission[];
      readonly lost: readonly Permission[];
      readonly by: string;
    }
  | { readonly type: "frozen" | "thawed"; readonly by: string }
  /** More than is shown came from this person; null: from all of them together. */
  | { readonly type: "too-much"; readonly identity: string | null; readonly name: string | null };

export type Order = "mute" | "ask-unmute" | "stop-video" | "stop-share" | "lower-hand";

/** What a press came to. Nothing here rejects. */
export type Outcome =
  | "done"
  | "not-allowed"
  | "gone"
  | "failed"
  /** Quicker than anybody types: nothing was said, and it may be said in a moment. */
  | "too-fast";

export interface SealedActions {
  leave(): Promise<void>;
  sendChat(text: string, options?: { replyTo?: string; privateTo?: string }): Promise<Outcome>;
  editChat(id: string, text: string): Promise<Outcome>;
  deleteChat(id: string): Promise<Outcome>;
  /** Sends a failed message once more. */
  resendChat(id: string): Promise<Outcome>;
  reactToChat(id: string, emoji: string, on: boolean): Promise<Outcome>;
  /** The chat is on the screen: nothing is unread. */
  markRead(): void;
  /** The chat as this person saw it, as plain text. */
  exportChat(): string;
  react(emoji: string): Promise<Outcome>;
  setHand(isUp: boolean): Promise<Outcome>;
  admit(seats: readonly string[]): Promise<Outcome>;
  /** `isBlocked`: that device stays outside. */
  deny(seat: string, isBlocked?: boolean): Promise<Outcome>;
  /** From in front of the door, to who may open it. */
  sendNote(text: string): Promise<Outcome>;
  remove(identity: string): Promise<Outcome>;
  setCohost(identity: string, isCohost: boolean): Promise<Outcome>;
  setPart(identity: string, part: Part): Promise<Outcome>;
  /** Permissions, in bits, of one person; null: as everybody else. */
  allow(identity: string, bits: number, isAllowed: boolean | null): Promise<Outcome>;
  /** Device keys, base64url: they stay outside. */
  block(keys: readonly string[]): Promise<Outcome>;
  /** Blocked devices may knock again. */
  unblock(): Promise<Outcome>;
  setPolicy(policy: Partial<RoomPolicy>): Promise<Outcome>;
  /** Personal invitations by their ids: they open the door no more, or again. */
  revoke(ids: readonly string[], isRevoked: boolean): Promise<Outcome>;
  order(what: Order, identity: string): Promise<Outcome>;
  /** Stops everything for everybody, or lets it go on. */
  freeze(isOn: boolean): Promise<Outcome>;
  /** These go and everybody else gets a new key; the room is locked; invitations count no more. */
  clean(
    identities: readonly string[],
    seats: readonly string[],
    invitations: readonly string[],
  ): Promise<Outcome>;
}

/** Of one device in this sitting. All bytes as base64url. */
export interface WitnessedDevice {
  readonly deviceKey: string;
  readonly accountKey: string | null;
  /** The identity whose key change let it in; null: was there before, or it was not seen. */
  readonly addedBy: string | null;
}

/** What this device can say of the sitting to somebody who was not there. */
export interface Witnessed {
  /** Null: in no group yet. */
  readonly instance: string | null;
  /** By identity; those who are gone, too. */
  readonly devices: ReadonlyMap<string, WitnessedDevice>;
  /** How many different devices have come by the link for everybody, or knocked with it. */
  readonly openLinkDevices: number;
  /** The account's word for one's own device; null: a guest. */
  readonly certificate: string | null;
}

export interface Witness {
  readonly store: StoreApi<Witnessed>;
  /** Signs a report with the device key, and nothing else. `digest`: 32 bytes; see `report/seal.ts`. */
  signReport(digest: Uint8Array): Promise<Uint8Array>;
}

export interface SealedMeeting {
  readonly store: StoreApi<Sealed>;
  readonly actions: SealedActions;
  readonly witness: Witness;
  onNotice(listener: (notice: SealedNotice) => void): () => void;
}

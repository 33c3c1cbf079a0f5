/**
 * How other pages open the dialog of personal links, without knowing it: the app brings both
 * together. Holds types only; must never import from a feature.
 */
import type { ReactNode } from "react";
import type { MeetingEntry } from "../../api/types.ts";
import type { Outcome } from "../../sealing/contract.ts";
import type { InvitedRole } from "../../sealing/keys/invitation.ts";

/** The meeting from inside, for a host who is in it: the group is told of what changes. */
export interface RoomWithin {
  /** As the group has it now. */
  readonly entry: MeetingEntry;
  setEntry(entry: MeetingEntry): Promise<Outcome>;
  revoke(ids: readonly string[], isRevoked: boolean): Promise<Outcome>;
  /** On how many devices the link for everybody was opened, in this sitting and as seen from here. */
  readonly openLinkDevices: number;
  /** As what somebody was invited they stay for this sitting when the invitation is taken back. */
  keepRole(identity: string, role: Exclude<InvitedRole, "attendee">): Promise<Outcome>;
  /** A line in the chat that this one person alone can read. */
  tellPrivately(identity: string, text: string): Promise<Outcome>;
}

/** Somebody in the room who may need a link of their own in place of what they came by. */
export interface FreshFor {
  readonly identity: string;
  readonly name: string;
  readonly role: InvitedRole;
  /** The id of their personal invitation; null: they came without one. */
  readonly invitation: string | null;
  /** Somebody else was here with it. */
  readonly isLeaked: boolean;
}

export interface InviteRequest {
  readonly meetingId: string;
  /** The room's address, without a key. */
  readonly url: string;
  /** Empty: none. */
  readonly title: string;
  /** Null: seen from outside. */
  readonly within: RoomWithin | null;
  /** Whom new links are to be offered for. */
  readonly fresh?: readonly FreshFor[];
  onClose(): void;
}

export type RenderInvite = (request: InviteRequest) => ReactNode;

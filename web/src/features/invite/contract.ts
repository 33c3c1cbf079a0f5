/**
 * How other pages open the dialog of personal links, without knowing it: the app brings both
 * together. Holds types only; must never import from a feature.
 */
import type { ReactNode } from "react";
import type { MeetingEntry } from "../../api/types.ts";
import type { Outcome } from "../../sealing/contract.ts";

/** The meeting from inside, for a host who is in it: the group is told of what changes. */
export interface RoomWithin {
  /** As the group has it now. */
  readonly entry: MeetingEntry;
  setEntry(entry: MeetingEntry): Promise<Outcome>;
  revoke(ids: readonly string[], isRevoked: boolean): Promise<Outcome>;
}

export interface InviteRequest {
  readonly meetingId: string;
  /** The room's address, without a key. */
  readonly url: string;
  /** Empty: none. */
  readonly title: string;
  /** Null: seen from outside. */
  readonly within: RoomWithin | null;
  onClose(): void;
}

export type RenderInvite = (request: InviteRequest) => ReactNode;

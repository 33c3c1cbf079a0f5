/**
 * How other pages show what is planned, without knowing it: the app brings them together. Holds
 * types only; must never import from a feature but for types.
 */
import type { ReactNode } from "react";
import type { RunningMeeting } from "../../api/types.ts";
import type { KeyRingView } from "../../vault/view.ts";
import type { RenderInvite } from "../invite/contract.ts";

export interface PlannedRequest {
  readonly userId: string;
  /** Meetings that are kept, but for one's own room. */
  readonly meetings: readonly RunningMeeting[];
  readonly keys: KeyRingView;
  readonly invite: RenderInvite;
  /** The form for a new one is shown. */
  readonly isPlanning: boolean;
  onPlanned(): void;
}

export interface OwnRoomRequest {
  readonly userId: string;
  /** Null: there is none yet. */
  readonly room: RunningMeeting | null;
  readonly keys: KeyRingView;
}

export interface Planning {
  planned(request: PlannedRequest): ReactNode;
  ownRoom(request: OwnRoomRequest): ReactNode;
}

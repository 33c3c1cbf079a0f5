/** What a session of the call is to the page, and what it needs of the browser. Types only. */

import type { Room, RoomOptions } from "livekit-client";
import type { Findings } from "../../../sealing/frames/findings.ts";
import type { KeyRing } from "../../../sealing/frames/keyRing.ts";
import type { EnteredMeeting, LeaveReason } from "../contract.ts";
import type { CallNotice, CallStore } from "./call.ts";
import type { Eyes } from "./livekit.ts";
import type { OwnMedia } from "./media.ts";
import type { Snapshot } from "./statistics.ts";

/** What a room has to be sealed with, and whom it tells. */
export interface Sealing {
  readonly ring: KeyRing;
  readonly roster: () => ReadonlySet<string>;
  readonly onFindings: (findings: Findings) => void;
  /** Frame encryption is not to be had; nothing was sent unsealed. */
  readonly onFault: () => void;
}

export interface SealedRoom extends Pick<Eyes, "mayPresent"> {
  readonly room: Room;
  rosterChanged(): void;
  close(): void;
}

export interface SessionPorts {
  /** Rejects when frames cannot be sealed; `onFault` has been told. */
  readonly createRoom: (options: RoomOptions, sealing: Sealing) => Promise<SealedRoom>;
  readonly origin: string;
  readonly listDevices: () => Promise<readonly MediaDeviceInfo[]>;
  /** Whether our server answers at all. Never rejects. */
  readonly isServerUp: () => Promise<boolean>;
  readonly isOnline: () => boolean;
  readonly canShare: boolean;
  readonly canSelectSpeaker: boolean;
  readonly now: () => number;
  /** Runs something later; the answer calls it off. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
}

export type Entry = Omit<EnteredMeeting, "name">;

export interface CallSession {
  readonly store: CallStore;
  readonly media: OwnMedia;
  /** Sets out for the room. Before it, nobody is asked and no device is touched. */
  start(entry: Entry): void;
  /** Try again now instead of waiting for the next try. */
  retry(): void;
  startSound(): void;
  /** What the browser has counted until now; null while there is no room. */
  readStatistics(): Promise<Snapshot | null>;
  leave(): Promise<void>;
  onNotice(listener: (notice: CallNotice) => void): () => void;
  /** Resolves once, when the call is over and everything has been let go. */
  readonly ended: Promise<LeaveReason>;
}

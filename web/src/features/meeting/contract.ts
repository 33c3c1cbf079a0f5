/**
 * What the pre-join page hands to the meeting and gets back from it: the one thing these two
 * features share. Holds types only; must never import from a feature.
 */

import type { MediaSeat, SealedSession } from "../../sealing/session/shell.ts";

/** Why the meeting is no longer on the screen. The app shows the page that belongs to it. */
export type LeaveReason =
  /** The person pressed Leave. */
  | "left"
  /** A host ended the meeting for everyone (LiveKit ROOM_DELETED, ROOM_CLOSED). */
  | "ended"
  /** A host took this person out (PARTICIPANT_REMOVED). */
  | "removed"
  /** The same identity joined from another tab or device (DUPLICATE_IDENTITY). */
  | "elsewhere"
  /** Signalling works but no sound or picture gets through: UDP is blocked on the way. */
  | "blocked"
  /** The connection was lost and every try to get it back has failed. */
  | "lost"
  /** A host did not let this person in. */
  | "denied"
  /** The personal link opens nothing any more: taken back, or its time is over. */
  | "revoked"
  | "expired"
  /** Nobody else comes in at the moment. */
  | "locked"
  | "full"
  /** The seal is broken: everything has stopped. */
  | "broken"
  /** Led to a room that does not prove the link: nothing was sent to it. */
  | "unproven";

/** What was chosen on the pre-join page. `null`: the browser's default, or no such device. */
export interface DeviceChoice {
  cameraId: string | null;
  microphoneId: string | null;
  speakerId: string | null;
  isCameraOn: boolean;
  isMicrophoneOn: boolean;
}

/** The pre-join capture, still running so that the picture does not go black between the pages. */
export interface Preview {
  /**
   * Hands over the running tracks, so that the meeting needs no second prompt and no second start
   * of the camera. A device that is off or missing is null. From then on the meeting stops them.
   */
  take(): { camera: MediaStreamTrack | null; microphone: MediaStreamTrack | null };
  /** From now on leaving the pre-join page stops nothing. */
  keep(): void;
  /** Ends the capture and frees the devices. Safe to call more than once. */
  stop(): void;
}

/** What the pre-join page hands over when somebody presses Join. */
export interface Going {
  name: string;
  devices: DeviceChoice;
  preview: Preview;
}

/** Somebody has been let in: the room's media may be connected. */
export interface EnteredMeeting extends Going {
  sealed: SealedSession;
  seat: MediaSeat;
}

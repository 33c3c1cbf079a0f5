/**
 * What the pre-join page hands to the meeting and gets back from it: the one thing these two
 * features share. Holds types only; must never import from a feature.
 */

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
  | "lost";

export type MeetingRole = "host" | "guest";

/** The answer of `POST /api/v1/meetings/{id}/join`. */
export interface MeetingConnection {
  /** Base URL of the media signalling; "" means this page's own origin. */
  url: string;
  token: string;
  identity: string;
  role: MeetingRole;
}

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
  /** Ends the capture and frees the devices. Safe to call more than once. */
  stop(): void;
}

/** A fresh connection, or why there is none any more. Rejects when the server is out of reach. */
export type RejoinAnswer = MeetingConnection | "ended" | "removed";

/** What the pre-join page hands over when somebody goes in. */
export interface EnteredMeeting {
  connection: MeetingConnection;
  devices: DeviceChoice;
  name: string;
  preview: Preview;
  /** Joins once more under the same name: after the token has expired or the server restarted. */
  rejoin(): Promise<RejoinAnswer>;
}

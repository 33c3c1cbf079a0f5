/** The shapes of our own HTTP API and realtime socket (docs/reference/http-api.md). Types only. */

export interface ServerFacts {
  name: string;
  version: string;
  media: { engine: string; udp_ports: number[] };
}

export type Role = "operator" | "member";

export interface User {
  id: string;
  role: Role;
  /** An e-mail address or a name; null: none chosen. */
  login: string | null;
  created_at: string;
  /** Whether there is a passkey or a password. False after a one-time link. */
  has_sign_in: boolean;
  unseen_notices: number;
}

export interface Session {
  user: User | null;
  /** Whether anybody may make an account. */
  registration: "closed" | "open";
  /** Ours: the session was refused here, for it came from another kind of network than before. */
  hasMoved?: boolean;
}

/** A running meeting as its host sees it. */
export interface RunningMeeting {
  id: string;
  opened_at: string;
  participants: number;
  url: string;
  /** Readable with the room's link alone; base64url. Events do not have it. */
  sealed_title?: string | null;
}

/** A meeting as anyone with its link sees it. */
export interface OpenMeeting {
  id: string;
  is_open: true;
  opened_at: string;
  is_host: boolean;
  /** Readable with the link alone; base64url. */
  sealed_title?: string | null;
}

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
  /** Events do not have it. */
  entry?: MeetingEntry;
  /** Readable with the room's link alone; base64url. Events do not have it. */
  sealed_title?: string | null;
  /** How long the server keeps it. Events do not have this, nor what follows. */
  keep?: MeetingKeep;
  keep_until?: string | null;
  /** Readable with the room's link alone; base64url. */
  sealed_plan?: string | null;
  /** The host's room with a link that stays. */
  is_own_room?: boolean;
}

/** A meeting as anyone with its link sees it. */
export interface OpenMeeting {
  id: string;
  is_open: true;
  opened_at: string;
  is_host: boolean;
  /** `invited`: a host has to be there, and who has no personal link knocks. */
  entry: MeetingEntry;
  /** Readable with the link alone; base64url. */
  sealed_title?: string | null;
  keep?: MeetingKeep;
  /** Readable with the link alone; base64url. */
  sealed_plan?: string | null;
}

/** What a personal link leads to. */
export interface PersonalInvitation {
  id: string;
  /** base64url of the host's certificate. */
  certificate: string;
  state: "unused" | "used" | "expired" | "revoked";
  /** base64url of the device key that keeps it. */
  device: string | null;
}

/** The same as the meeting's host sees it. */
export interface HostedInvitation extends PersonalInvitation {
  created_at: string;
  bound_at: string | null;
  /** When another device last came with it. */
  passed_on_at: string | null;
}

/** `open`: whoever has the link comes in; `invited`: who has a personal one, others knock. */
export type MeetingEntry = "open" | "invited";

/** Until it has been empty for a while, at least until a date, or until its host cancels it. */
export type MeetingKeep = "while-used" | "until" | "always";

/** The shapes of our own HTTP API and realtime socket (docs/reference/http-api.md). Types only. */

export interface ServerFacts {
  name: string;
  version: string;
  media: { engine: string; udp_ports: number[] };
}

export interface User {
  id: string;
  role: "operator";
  created_at: string;
}

/** A running meeting as its operator sees it. */
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

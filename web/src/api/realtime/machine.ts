/**
 * The realtime socket's rules, without socket, clock or DOM: hello and resume by sequence number,
 * replay, silence, back-off. Takes what happened, returns the next state and what to do. An event
 * is passed on once and in order; after a gap that the server cannot fill, `reload` is asked for.
 */
import type { RunningMeeting } from "../types.ts";

export type RealtimeEvent =
  | {
      type: "meeting.opened" | "meeting.participants" | "meeting.renamed" | "meeting.planned";
      data: RunningMeeting;
    }
  | { type: "meeting.ended"; data: RunningMeeting };

export interface RealtimeState {
  phase: "connecting" | "live" | "waiting";
  /** The last sequence number seen; `null` before the first hello. */
  seq: number | null;
  /** Failed connections in a row. */
  failures: number;
}

export type Happening =
  | { kind: "frame"; text: string }
  | { kind: "closed" }
  /** Nothing came for a while although the server pings. */
  | { kind: "silent" }
  /** The waiting time is over. */
  | { kind: "due" };

export type Effect =
  | { do: "connect"; since: number | null }
  | { do: "send"; text: string }
  | { do: "deliver"; event: RealtimeEvent }
  | { do: "reload" }
  | { do: "close" }
  | { do: "wait"; ms: number };

export interface Step {
  state: RealtimeState;
  effects: Effect[];
}

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;

export function begin(): Step {
  return {
    state: { phase: "connecting", seq: null, failures: 0 },
    effects: [{ do: "connect", since: null }],
  };
}

/** Full jitter: after a restart all clients come back, but not all at once. */
export function backoffMs(failures: number, random: number): number {
  const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10));
  return Math.round(ceiling / 2 + (random * ceiling) / 2);
}

export function step(state: RealtimeState, happening: Happening, random: number): Step {
  switch (happening.kind) {
    case "frame":
      return onFrame(state, happening.text, random);
    case "due":
      if (state.phase !== "waiting") return { state, effects: [] };
      return {
        state: { ...state, phase: "connecting" },
        effects: [{ do: "connect", since: state.seq }],
      };
    case "closed":
      return state.phase === "waiting" ? { state, effects: [] } : waitFor(state, random);
    case "silent": {
      if (state.phase === "waiting") return { state, effects: [] };
      const next = waitFor(state, random);
      return { state: next.state, effects: [{ do: "close" }, ...next.effects] };
    }
  }
}

function waitFor(state: RealtimeState, random: number, atLeastMs = 0): Step {
  const ms = Math.max(atLeastMs, backoffMs(state.failures, random));
  return {
    state: { ...state, phase: "waiting", failures: state.failures + 1 },
    effects: [{ do: "wait", ms }],
  };
}

function onFrame(state: RealtimeState, text: string, random: number): Step {
  const frame = parse(text);
  if (frame === null || state.phase === "waiting") return { state, effects: [] };
  switch (frame["t"]) {
    case "hello": {
      const seq = asSequence(frame["seq"]);
      if (seq === null) return { state, effects: [] };
      // A resumed socket replays from our number on; otherwise the list is read anew.
      const resumed = frame["resumed"] === true && state.seq !== null;
      return {
        state: { phase: "live", seq: resumed ? state.seq : seq, failures: 0 },
        effects: resumed ? [] : [{ do: "reload" }],
      };
    }
    case "event": {
      const seq = asSequence(frame["seq"]);
      const event = asEvent(frame);
      if (seq === null || event === null) return { state, effects: [] };
      if (state.seq !== null && seq <= state.seq) return { state, effects: [] };
      return { state: { ...state, seq }, effects: [{ do: "deliver", event }] };
    }
    case "ping":
      return { state, effects: [{ do: "send", text: '{"t":"pong"}' }] };
    case "bye": {
      const asked = frame["retry_after_ms"];
      const least = typeof asked === "number" && asked >= 0 ? Math.min(asked, MAX_DELAY_MS) : 0;
      const next = waitFor(state, random, least);
      return { state: next.state, effects: [{ do: "close" }, ...next.effects] };
    }
    default:
      return { state, effects: [] };
  }
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function asSequence(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

const EVENT_TYPES = [
  "meeting.opened",
  "meeting.ended",
  "meeting.participants",
  "meeting.renamed",
  "meeting.planned",
] as const;

function asEvent(frame: Record<string, unknown>): RealtimeEvent | null {
  const type = EVENT_TYPES.find((known) => known === frame["type"]);
  const data = frame["data"];
  if (type === undefined || typeof data !== "object" || data === null) return null;
  if (!("id" in data) || typeof data.id !== "string") return null;
  return { type, data: data as RunningMeeting };
}

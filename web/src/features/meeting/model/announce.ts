/**
 * What is said to people who listen to the page instead of watching it: which event, in which
 * words (as a key of the message catalogue), how urgently. Pure: takes the time, returns what to
 * say. Active speakers are never announced by themselves.
 */

export type Politeness = "polite" | "assertive";

export interface Announcement {
  readonly politeness: Politeness;
  /** Key below `announce.` in the meeting's message catalogue. */
  readonly key: string;
  readonly params: Readonly<Record<string, string | number>>;
}

export type CallEvent =
  | { readonly type: "joined"; readonly identity: string; readonly name: string }
  | { readonly type: "left"; readonly identity: string; readonly name: string }
  | { readonly type: "muted-by-host" }
  | { readonly type: "spoke-while-muted" }
  | { readonly type: "share-started"; readonly name: string }
  | { readonly type: "share-stopped"; readonly name: string }
  | { readonly type: "connection-lost" }
  | { readonly type: "connection-back" };

interface Passage {
  readonly identity: string;
  readonly name: string;
}

export interface AnnouncerState {
  readonly joined: readonly Passage[];
  readonly left: readonly Passage[];
  /** When the gathered comings and goings are due; null while nothing is gathered. */
  readonly dueAt: number | null;
  readonly mutedHintAt: number;
}

export interface AnnouncerStep {
  readonly state: AnnouncerState;
  readonly say: readonly Announcement[];
}

export const GATHER_MS = 3_000;
export const MUTED_HINT_MS = 30_000;
/** More comings or goings at once than this are told as a number. */
export const NAMED_AT_MOST = 5;
/** In rooms above this size comings and goings are not told at all. */
export const QUIET_ABOVE = 25;

export const SILENT: AnnouncerState = {
  joined: [],
  left: [],
  dueAt: null,
  mutedHintAt: Number.NEGATIVE_INFINITY,
};

/** Takes in one event. Comings and goings wait for `flush`, everything else is said at once. */
export function hear(state: AnnouncerState, event: CallEvent, now: number): AnnouncerStep {
  switch (event.type) {
    case "joined":
      return gather(state, "joined", "left", event, now);
    case "left":
      return gather(state, "left", "joined", event, now);
    case "muted-by-host":
      return { state, say: [assertive("mutedByHost")] };
    case "spoke-while-muted":
      return now - state.mutedHintAt < MUTED_HINT_MS
        ? { state, say: [] }
        : { state: { ...state, mutedHintAt: now }, say: [assertive("youAreMuted")] };
    case "share-started":
      return { state, say: [polite("shareStarted", { name: event.name })] };
    case "share-stopped":
      return { state, say: [polite("shareStopped", { name: event.name })] };
    case "connection-lost":
      return { state, say: [assertive("connectionLost")] };
    case "connection-back":
      return { state, say: [polite("connectionBack")] };
  }
}

/** Says what was gathered once it is due. `people` is how many are in the room now. */
export function flush(state: AnnouncerState, people: number, now: number): AnnouncerStep {
  if (state.dueAt === null || now < state.dueAt) {
    return { state, say: [] };
  }
  const say =
    people > QUIET_ABOVE ? [] : [...tell("joined", state.joined), ...tell("left", state.left)];
  return { state: { ...state, joined: [], left: [], dueAt: null }, say };
}

function gather(
  state: AnnouncerState,
  into: "joined" | "left",
  opposite: "joined" | "left",
  event: Passage,
  now: number,
): AnnouncerStep {
  const isUndone = state[opposite].some((passage) => passage.identity === event.identity);
  const next = isUndone
    ? {
        ...state,
        [opposite]: state[opposite].filter((passage) => passage.identity !== event.identity),
      }
    : { ...state, [into]: [...state[into], { identity: event.identity, name: event.name }] };
  return { state: { ...next, dueAt: state.dueAt ?? now + GATHER_MS }, say: [] };
}

function tell(what: "joined" | "left", passages: readonly Passage[]): Announcement[] {
  const [first, second] = passages;
  if (first === undefined) {
    return [];
  }
  if (passages.length > NAMED_AT_MOST) {
    return [polite(`${what}Number`, { count: passages.length })];
  }
  if (second === undefined) {
    return [polite(`${what}Name`, { name: first.name })];
  }
  if (passages.length === 2) {
    return [polite(`${what}Two`, { first: first.name, second: second.name })];
  }
  return [polite(`${what}More`, { name: first.name, count: passages.length - 1 })];
}

function polite(key: string, params: Announcement["params"] = {}): Announcement {
  return { politeness: "polite", key, params };
}

function assertive(key: string): Announcement {
  return { politeness: "assertive", key, params: {} };
}

export interface RoomSummary {
  readonly speaking: readonly string[];
  readonly muted: number;
  readonly people: number;
  /** Null: the key is on its way, or nothing is to be said about it any more. */
  readonly isSealed: boolean | null;
}

/** The answer to the key I: who speaks, how many are muted, is the room sealed. */
export function summarize(room: RoomSummary): Announcement[] {
  const speaks =
    room.speaking.length === 0
      ? polite("nobodySpeaks")
      : polite("speaks", { names: room.speaking.join(", "), count: room.speaking.length });
  return [
    speaks,
    polite("mutedCount", { count: room.muted, people: room.people }),
    ...(room.isSealed === null ? [] : [polite(room.isSealed ? "sealed" : "notSealed")]),
  ];
}

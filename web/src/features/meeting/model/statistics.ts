/**
 * From what the browser counts to what a person can read: two snapshots of its statistics become
 * rates, losses and sizes. Pure. A value that a browser does not tell is null, never zero.
 */

export type Source = "camera" | "microphone" | "screen" | "screen-sound";

/** One entry of a browser's report. Every field beyond these three is missing in some browser. */
export interface Stat {
  readonly id: string;
  readonly type: string;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly [field: string]: unknown;
}

export interface TrackReport {
  readonly sid: string;
  readonly source: Source;
  readonly stats: readonly Stat[];
}

export interface PersonReport {
  readonly identity: string;
  readonly name: string;
  readonly tracks: readonly TrackReport[];
}

/** What was counted up to a moment: one's own tracks, and those received of members. */
export interface Snapshot {
  readonly own: readonly TrackReport[];
  readonly others: readonly PersonReport[];
}

export interface StreamFigures {
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly framesPerSecond: number | null;
  readonly bitsPerSecond: number | null;
  /** The part of the packets that did not arrive, 0 to 1. */
  readonly loss: number | null;
}

export type Limit = "none" | "bandwidth" | "cpu" | "other";

export interface SentFigures {
  readonly sid: string;
  readonly source: Source;
  /** The largest first; a scalable stream is one. Sound has one. */
  readonly layers: readonly StreamFigures[];
  /** What keeps the picture smaller or slower than it could be; null for sound, or not told. */
  readonly limit: Limit | null;
}

export interface ReceivedFigures extends StreamFigures {
  readonly sid: string;
  readonly source: Source;
  /** Since the picture came; null for sound. */
  readonly freezes: number | null;
}

export interface Total {
  readonly bitsPerSecond: number | null;
  /** Null also when too few packets went by to say. */
  readonly loss: number | null;
}

export interface PersonFigures {
  readonly identity: string;
  readonly name: string;
  readonly tracks: readonly ReceivedFigures[];
  readonly total: Total;
  /** The loss of everybody else together: what tells their connection from one's own. */
  readonly lossOfOthers: number | null;
}

export interface Figures {
  readonly sent: readonly SentFigures[];
  readonly up: Total;
  /** Seconds. */
  readonly roundTrip: number | null;
  readonly limit: Limit | null;
  /** The pictures are so young that the browser is still finding out what the line carries. */
  readonly isStarting: boolean;
  readonly down: Total;
  readonly people: readonly PersonFigures[];
}

/** Fewer packets than this tell nothing about a connection. */
const TELLING_PACKETS = 30;
/** Browsers begin with little and take this long to use what is there. */
const START_S = 25;

interface Counts {
  readonly bitsPerSecond: number | null;
  readonly packets: number | null;
  readonly lost: number | null;
}

/** The figures of the time between two snapshots. Without an earlier one rates are not known. */
export function figuresOf(before: Snapshot | null, now: Snapshot): Figures {
  const earlier = new Map(
    [...(before?.own ?? []), ...(before?.others ?? []).flatMap(({ tracks }) => tracks)].map(
      (track) => [track.sid, track],
    ),
  );
  const sent = now.own.map((track) => sentOf(earlier.get(track.sid), track));
  const received = now.others.map((person) => ({
    person,
    tracks: person.tracks.map((track) => receivedOf(earlier.get(track.sid), track)),
  }));
  const counts = received.map(({ tracks }) => tracks.map((track) => track.counts));
  return {
    sent: sent.map(({ figures }) => figures),
    up: totalOf(sent.flatMap((track) => track.counts)),
    roundTrip: roundTripOf([...now.own, ...now.others.flatMap(({ tracks }) => tracks)]),
    limit: worstOf(sent.map(({ figures }) => figures.limit)),
    isStarting: sent.some(({ isStarting }) => isStarting),
    down: totalOf(counts.flat()),
    people: received.map(({ person: { identity, name }, tracks }, at) => ({
      identity,
      name,
      tracks: tracks.map(({ figures }) => figures),
      total: totalOf(counts[at] ?? []),
      lossOfOthers: totalOf(counts.filter((_, other) => other !== at).flat()).loss,
    })),
  };
}

function sentOf(before: TrackReport | undefined, now: TrackReport) {
  const streams = now.stats
    .filter((stat) => stat.type === "outbound-rtp" && stat["active"] !== false)
    .map((stat) => {
      const past = sameIn(before, stat);
      const counts = sentCounts(before, now, past, stat);
      return { stat, past, counts, figures: streamOf(now, past, stat, "Sent", counts) };
    })
    // A layer that nobody wants is counted, but not sent.
    .filter(({ counts }) => counts.bitsPerSecond !== 0)
    .sort((left, right) => (right.figures.width ?? 0) - (left.figures.width ?? 0));
  return {
    counts: streams.map(({ counts }) => counts),
    isStarting: streams.some(({ stat }) => (ageOf(stat) ?? START_S) < START_S),
    figures: {
      sid: now.sid,
      source: now.source,
      layers: streams.map(({ figures }) => figures),
      limit: worstOf(streams.map(({ past, stat }) => limitOf(past, stat))),
    } satisfies SentFigures,
  };
}

function receivedOf(before: TrackReport | undefined, now: TrackReport) {
  const stat = now.stats.find(({ type }) => type === "inbound-rtp");
  const past = stat && sameIn(before, stat);
  const lost = grown(past, stat, "packetsLost");
  const arrived = grown(past, stat, "packetsReceived");
  const counts: Counts = {
    bitsPerSecond: bitsPerSecond(past, stat, "bytesReceived"),
    // Copies that come late are taken off the lost ones again.
    lost: lost === null ? null : Math.max(0, lost),
    packets: arrived === null || lost === null ? null : arrived + Math.max(0, lost),
  };
  const freezes = numberOf(stat, "freezeCount");
  const figures: ReceivedFigures = {
    sid: now.sid,
    source: now.source,
    ...streamOf(now, past, stat, "Decoded", counts),
    freezes: isPicture(now.source) ? freezes : null,
  };
  return { counts, figures };
}

/** What a server's report says of a stream; in between, the part it said was lost. */
function sentCounts(
  before: TrackReport | undefined,
  now: TrackReport,
  past: Stat | undefined,
  stat: Stat,
): Counts {
  const packets = grown(past, stat, "packetsSent");
  const remote = now.stats.find(
    (one) => one.type === "remote-inbound-rtp" && one["localId"] === stat.id,
  );
  const remotePast = remote && sameIn(before, remote);
  const isNews = remotePast !== undefined && remotePast.timestamp !== remote?.timestamp;
  const fraction = numberOf(remote, "fractionLost");
  const said = packets === null || fraction === null ? null : packets * fraction;
  const lost = (isNews ? grown(remotePast, remote, "packetsLost") : null) ?? said;
  return {
    bitsPerSecond: bitsPerSecond(past, stat, "bytesSent"),
    packets: lost === null ? null : packets,
    lost: lost === null || packets === null ? null : Math.min(Math.max(0, lost), packets),
  };
}

function streamOf(
  track: TrackReport,
  past: Stat | undefined,
  stat: Stat | undefined,
  frames: "Sent" | "Decoded",
  counts: Counts,
): StreamFigures {
  // The size stays in the report when the picture is no longer sent.
  const isFlowing = isPicture(track.source) && counts.bitsPerSecond !== 0;
  return {
    codec: codecOf(track, stat),
    width: isFlowing ? numberOf(stat, "frameWidth") : null,
    height: isFlowing ? numberOf(stat, "frameHeight") : null,
    framesPerSecond: isFlowing
      ? (numberOf(stat, "framesPerSecond") ?? perSecond(past, stat, `frames${frames}`))
      : null,
    bitsPerSecond: counts.bitsPerSecond,
    loss: partOf(counts, 1),
  };
}

function codecOf(track: TrackReport, stat: Stat | undefined): string | null {
  const codec = track.stats.find(({ id, type }) => type === "codec" && id === stat?.["codecId"]);
  const mime = codec?.["mimeType"];
  if (typeof mime !== "string") {
    return null;
  }
  const name = mime.slice(mime.indexOf("/") + 1);
  const mode = stat?.["scalabilityMode"];
  const isScaled = typeof mode === "string" && !mode.startsWith("L1");
  return [name === "opus" ? "Opus" : name, ...(isScaled ? [mode] : [])].join(" ");
}

const LIMITS: readonly Limit[] = ["none", "other", "bandwidth", "cpu"];

/** The limit of the moment, if it has held for half of the time between the snapshots. */
function limitOf(past: Stat | undefined, stat: Stat): Limit | null {
  const reason = LIMITS.find((one) => one === stat["qualityLimitationReason"]) ?? null;
  if (reason === null || reason === "none" || past === undefined) {
    return reason;
  }
  const held = (of: Stat) => numberOf(durationsOf(of), reason);
  const [from, to] = [held(past), held(stat)];
  if (from === null || to === null) {
    return reason;
  }
  return (to - from) * 1_000 * 2 >= stat.timestamp - past.timestamp ? reason : "none";
}

/** For how long pictures have been encoded, limited or not; in seconds. */
function ageOf(stat: Stat): number | null {
  const durations = durationsOf(stat);
  return durations === undefined
    ? null
    : Object.keys(durations).reduce((all, reason) => all + (numberOf(durations, reason) ?? 0), 0);
}

function durationsOf(stat: Stat): Readonly<Record<string, unknown>> | undefined {
  const durations = stat["qualityLimitationDurations"];
  return typeof durations === "object" && durations !== null
    ? (durations as Readonly<Record<string, unknown>>)
    : undefined;
}

function worstOf(limits: readonly (Limit | null)[]): Limit | null {
  const known = limits.filter((limit) => limit !== null);
  return known.sort((left, right) => LIMITS.indexOf(right) - LIMITS.indexOf(left))[0] ?? null;
}

/** The way in use tells it always; the server's reports tell it for what is sent. */
function roundTripOf(tracks: readonly TrackReport[]): number | null {
  const stats = tracks.flatMap((track) => track.stats);
  const chosen = new Set(
    stats
      .filter(({ type }) => type === "transport")
      .map((transport) => transport["selectedCandidatePairId"]),
  );
  const pair = stats.find(
    (stat) =>
      stat.type === "candidate-pair" &&
      (chosen.has(stat.id) || stat["selected"] === true || stat["nominated"] === true) &&
      numberOf(stat, "currentRoundTripTime") !== null,
  );
  const remote = stats.find(
    (stat) => stat.type === "remote-inbound-rtp" && numberOf(stat, "roundTripTime") !== null,
  );
  return numberOf(pair, "currentRoundTripTime") ?? numberOf(remote, "roundTripTime");
}

function totalOf(counts: readonly Counts[]): Total {
  const rates = counts.map((one) => one.bitsPerSecond).filter((rate) => rate !== null);
  const told = counts.filter(({ packets, lost }) => packets !== null && lost !== null);
  const sum = (of: (one: Counts) => number | null) =>
    told.reduce((all, one) => all + (of(one) ?? 0), 0);
  return {
    bitsPerSecond: rates.length === 0 ? null : rates.reduce((all, rate) => all + rate, 0),
    loss: partOf(
      {
        bitsPerSecond: null,
        packets: sum((one) => one.packets),
        lost: sum((one) => one.lost),
      },
      TELLING_PACKETS,
    ),
  };
}

function partOf({ packets, lost }: Counts, atLeast: number): number | null {
  return packets === null || lost === null || packets < atLeast ? null : lost / packets;
}

function sameIn(before: TrackReport | undefined, { id, type }: Stat): Stat | undefined {
  return before?.stats.find((stat) => stat.id === id && stat.type === type);
}

function bitsPerSecond(past: Stat | undefined, stat: Stat | undefined, field: string) {
  const bytes = perSecond(past, stat, field);
  return bytes === null ? null : bytes * 8;
}

function perSecond(past: Stat | undefined, stat: Stat | undefined, field: string): number | null {
  const count = grown(past, stat, field);
  const seconds = past && stat ? (stat.timestamp - past.timestamp) / 1_000 : 0;
  // A count that went down is another one, begun anew.
  return count === null || count < 0 || seconds <= 0 ? null : count / seconds;
}

function grown(past: Stat | undefined, stat: Stat | undefined, field: string): number | null {
  const [from, to] = [numberOf(past, field), numberOf(stat, field)];
  return from === null || to === null ? null : to - from;
}

function numberOf(of: Readonly<Record<string, unknown>> | undefined, field: string): number | null {
  const value = of?.[field];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function isPicture(source: Source): boolean {
  return source === "camera" || source === "screen";
}

/**
 * The answer to "is it me?": what the figures mean, in the order in which it matters. Pure. What
 * they do not show is not guessed: a loss is put down to somebody else's connection only when
 * everybody else's packets arrive, or the server says so.
 */

import type { Quality } from "./call.ts";
import type { Figures } from "./statistics.ts";

export type OwnFinding =
  /** Not in the room at the moment. */
  | "away"
  | "measuring"
  /** Nothing goes either way. */
  | "idle"
  | "fine"
  /** What is sent gets lost on the way. */
  | "loses-up"
  /** The computer is too busy to encode. */
  | "busy"
  /** The line is too slow for the picture that the camera gives. */
  | "slow-up"
  /** What is received gets lost on the way. */
  | "loses-down"
  /** Answers take long. */
  | "far"
  /** The server says weak, and the figures do not show why. */
  | "weak";

export interface Verdict {
  /** About oneself; never empty, the weightiest first. */
  readonly own: readonly OwnFinding[];
  /** Whose connection is weak, by identity. */
  readonly weakOthers: readonly string[];
}

export interface Circumstances {
  readonly isConnected: boolean;
  /** As the server tells it. */
  readonly ownQuality: Quality;
  readonly others: readonly { readonly identity: string; readonly quality: Quality }[];
}

/** From here on pictures freeze and sound breaks, whatever is sent again. */
const HEAVY_LOSS = 0.05;
const LITTLE_LOSS = 0.02;
const LONG_ROUND_TRIP_S = 0.4;

export function verdictOf(
  figures: Figures | null,
  { isConnected, ...rest }: Circumstances,
): Verdict {
  if (!isConnected) {
    return { own: ["away"], weakOthers: [] };
  }
  const { ownQuality, others } = rest;
  const isWeak = (quality: Quality) => quality === "weak" || quality === "lost";
  const weakByServer = others.filter(({ quality }) => isWeak(quality)).map((one) => one.identity);
  if (figures === null) {
    return { own: ["measuring"], weakOthers: weakByServer };
  }
  const { up, down, limit, roundTrip, people, sent } = figures;
  const isLosingUp = (up.loss ?? 0) >= HEAVY_LOSS;
  // While one's own line loses, so does what comes over it, and what others get of us: the server
  // sees them all weak then, and only a loss that nobody else has is theirs.
  const believed = isLosingUp ? [] : weakByServer;
  const losing = people.filter(({ total }) => (total.loss ?? 0) >= HEAVY_LOSS);
  const theirs = losing.filter(
    ({ identity, lossOfOthers }) =>
      believed.includes(identity) || (lossOfOthers ?? 1) < LITTLE_LOSS,
  );
  const isLosingDown =
    losing.length > theirs.length || (theirs.length === 0 && (down.loss ?? 0) >= HEAVY_LOSS);
  const own: OwnFinding[] = [];
  if (isLosingUp) own.push("loses-up");
  if (limit === "cpu") own.push("busy");
  if (limit === "bandwidth" && !figures.isStarting) own.push("slow-up");
  if (isLosingDown) own.push("loses-down");
  if ((roundTrip ?? 0) >= LONG_ROUND_TRIP_S) own.push("far");
  // What others lose on their way here counts against us at the server as well.
  if (own.length === 0 && isWeak(ownQuality) && theirs.length === 0) own.push("weak");
  if (own.length === 0) own.push(quietOf());
  const weakOthers = [...new Set([...believed, ...theirs.map(({ identity }) => identity)])];
  return { own, weakOthers };

  function quietOf(): OwnFinding {
    if (sent.length === 0 && people.length === 0) return "idle";
    return up.bitsPerSecond === null && down.bitsPerSecond === null ? "measuring" : "fine";
  }
}

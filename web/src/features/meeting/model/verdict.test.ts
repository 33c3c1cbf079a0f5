import { describe, expect, it } from "vitest";
import type { Quality } from "./call.ts";
import type { Figures, PersonFigures } from "./statistics.ts";
import { type Circumstances, verdictOf } from "./verdict.ts";

const HERE: Circumstances = { isConnected: true, ownQuality: "good", others: [] };
const GOOD: Figures = {
  sent: [{ sid: "TR_c", source: "camera", layers: [], limit: "none" }],
  up: { bitsPerSecond: 1_000_000, loss: 0 },
  down: { bitsPerSecond: 1_000_000, loss: 0 },
  roundTrip: 0.03,
  limit: "none",
  isStarting: false,
  people: [],
};
const losing = (identity: string, loss: number, lossOfOthers: number | null): PersonFigures => ({
  identity,
  name: identity,
  tracks: [],
  total: { bitsPerSecond: 1, loss },
  lossOfOthers,
});
const says = (figures: Partial<Figures>, circumstances: Partial<Circumstances> = {}) =>
  verdictOf({ ...GOOD, ...figures }, { ...HERE, ...circumstances });
const theServerSays = (quality: Quality) => ({ others: [{ identity: "ada", quality }] });

describe("about oneself", () => {
  it("is fine when everything arrives", () => {
    expect(says({})).toEqual({ own: ["fine"], weakOthers: [] });
    // What a browser does not tell is no fault.
    expect(
      says({ up: { bitsPerSecond: 1, loss: null }, limit: null, roundTrip: null }).own,
    ).toEqual(["fine"]);
  });

  it.each([
    ["loses-up", { up: { bitsPerSecond: 1, loss: 0.05 } }],
    ["busy", { limit: "cpu" }],
    ["slow-up", { limit: "bandwidth" }],
    ["loses-down", { down: { bitsPerSecond: 1, loss: 0.05 } }],
    ["far", { roundTrip: 0.4 }],
  ] as const)("says %s", (finding, figures) => {
    expect(says(figures).own).toEqual([finding]);
  });

  it.each([
    [{ up: { bitsPerSecond: 1, loss: 0.049 } }],
    [{ down: { bitsPerSecond: 1, loss: 0.049 } }],
    [{ limit: "other" }],
    [{ limit: "bandwidth", isStarting: true }],
    [{ roundTrip: 0.399 }],
  ] as const)("is calm about little: %j", (figures) => {
    expect(says(figures).own).toEqual(["fine"]);
  });

  it("says all that is wrong, the weightiest first", () => {
    const loss = { bitsPerSecond: 1, loss: 0.2 };
    expect(says({ up: loss, down: loss, limit: "cpu", roundTrip: 1 }).own).toEqual([
      "loses-up",
      "busy",
      "loses-down",
      "far",
    ]);
  });

  it("believes the server when the figures do not show why", () => {
    expect(says({}, { ownQuality: "weak" }).own).toEqual(["weak"]);
    expect(says({ limit: "cpu" }, { ownQuality: "lost" }).own).toEqual(["busy"]);
  });

  it("says that there is nothing to say", () => {
    expect(verdictOf(GOOD, { ...HERE, isConnected: false }).own).toEqual(["away"]);
    expect(verdictOf(null, HERE).own).toEqual(["measuring"]);
    const unknown = { bitsPerSecond: null, loss: null };
    expect(says({ up: unknown, down: unknown }).own).toEqual(["measuring"]);
    expect(says({ sent: [], up: unknown, down: unknown }).own).toEqual(["idle"]);
  });
});

describe("about the others", () => {
  it("believes the server", () => {
    expect(says({}, theServerSays("weak"))).toEqual({ own: ["fine"], weakOthers: ["ada"] });
    expect(says({}, theServerSays("lost")).weakOthers).toEqual(["ada"]);
    expect(says({}, theServerSays("unknown")).weakOthers).toEqual([]);
  });

  it("blames one whose packets alone get lost", () => {
    const people = [losing("ada", 0.3, 0.01), losing("ben", 0.01, 0.3)];
    expect(says({ people, down: { bitsPerSecond: 1, loss: 0.15 } })).toEqual({
      own: ["fine"],
      weakOthers: ["ada"],
    });
  });

  it("does not count their loss against oneself, as the server does", () => {
    const people = [losing("ada", 0.2, null)];
    const theirs = { ownQuality: "weak", ...theServerSays("weak") } as const;
    expect(says({ people, down: { bitsPerSecond: 1, loss: 0.2 } }, theirs)).toEqual({
      own: ["fine"],
      weakOthers: ["ada"],
    });
  });

  it("does not put down to them what one's own line loses", () => {
    const up = { bitsPerSecond: 1, loss: 0.2 };
    const only = [losing("ada", 0.25, null)];
    expect(
      says({ up, people: only, down: { bitsPerSecond: 1, loss: 0.25 } }, theServerSays("weak")),
    ).toEqual({ own: ["loses-up", "loses-down"], weakOthers: [] });
    const alone = [losing("ada", 0.25, 0.01), losing("ben", 0.01, 0.25)];
    expect(says({ up, people: alone }, theServerSays("weak")).weakOthers).toEqual(["ada"]);
  });

  it("blames nobody when everybody's get lost, or there is nobody to compare with", () => {
    const all = [losing("ada", 0.3, 0.3), losing("ben", 0.3, 0.3)];
    const only = [losing("ada", 0.3, null)];
    for (const people of [all, only]) {
      expect(says({ people, down: { bitsPerSecond: 1, loss: 0.3 } })).toEqual({
        own: ["loses-down"],
        weakOthers: [],
      });
    }
    // Unless the server knows better.
    expect(says({ people: only }, theServerSays("weak"))).toEqual({
      own: ["fine"],
      weakOthers: ["ada"],
    });
  });
});

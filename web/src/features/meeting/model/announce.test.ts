import { describe, expect, it } from "vitest";
import de from "../../../i18n/de/meeting.json";
import en from "../../../i18n/en/meeting.json";
import {
  type Announcement,
  type CallEvent,
  flush,
  GATHER_MS,
  hear,
  MUTED_HINT_MS,
  SILENT,
  summarize,
} from "./announce.ts";

const NAMES = ["Jonas", "Mia", "Ada", "Ben", "Cem", "Dora"];

function come(count: number, type: "joined" | "left" = "joined", now = 0) {
  return NAMES.slice(0, count).reduce(
    (state, name) => hear(state, { type, identity: name, name }, now).state,
    SILENT,
  );
}

describe("comings and goings", () => {
  it("are gathered for three seconds", () => {
    const state = come(1);
    expect(flush(state, 3, GATHER_MS - 1).say).toEqual([]);
    const step = flush(state, 3, GATHER_MS);
    expect(step.say).toEqual([
      { politeness: "polite", key: "joinedName", params: { name: "Jonas" } },
    ]);
    expect(step.state).toEqual(SILENT);
  });

  it("say nothing when there is nothing", () => {
    expect(flush(SILENT, 3, 1e9).say).toEqual([]);
  });

  it.each([
    [2, "joinedTwo", { first: "Jonas", second: "Mia" }],
    [4, "joinedMore", { name: "Jonas", count: 3 }],
    [5, "joinedMore", { name: "Jonas", count: 4 }],
    [6, "joinedNumber", { count: 6 }],
  ])("of %i people are told as %s", (count, key, params) => {
    expect(flush(come(count), 10, GATHER_MS).say).toEqual([{ politeness: "polite", key, params }]);
  });

  it("are not told in rooms above 25", () => {
    expect(flush(come(2), 26, GATHER_MS).say).toEqual([]);
    expect(flush(come(2), 25, GATHER_MS).say).toHaveLength(1);
  });

  it("of the same person within the time cancel each other", () => {
    const left = hear(come(1), { type: "left", identity: "Jonas", name: "Jonas" }, 100).state;
    expect(flush(left, 3, GATHER_MS).say).toEqual([]);
    const gone = come(1, "left");
    const back = hear(gone, { type: "joined", identity: "Jonas", name: "Jonas" }, 100).state;
    expect(flush(back, 3, GATHER_MS).say).toEqual([]);
  });

  it("tell those who left after those who came", () => {
    const state = hear(come(1), { type: "left", identity: "x", name: "Tom" }, 5).state;
    expect(flush(state, 3, GATHER_MS).say.map(({ key }) => key)).toEqual([
      "joinedName",
      "leftName",
    ]);
  });
});

describe("what is said at once", () => {
  it.each<[CallEvent, Announcement]>([
    [{ type: "muted-by-host" }, { politeness: "assertive", key: "mutedByHost", params: {} }],
    [
      { type: "share-started", name: "Marta" },
      { politeness: "polite", key: "shareStarted", params: { name: "Marta" } },
    ],
    [
      { type: "share-stopped", name: "Marta" },
      { politeness: "polite", key: "shareStopped", params: { name: "Marta" } },
    ],
    [{ type: "connection-lost" }, { politeness: "assertive", key: "connectionLost", params: {} }],
    [{ type: "connection-back" }, { politeness: "polite", key: "connectionBack", params: {} }],
  ])("%o", (event, expected) => {
    expect(hear(SILENT, event, 0)).toEqual({ state: SILENT, say: [expected] });
  });

  it("reminds who speaks while muted once in thirty seconds", () => {
    const first = hear(SILENT, { type: "spoke-while-muted" }, 1_000);
    expect(first.say).toEqual([{ politeness: "assertive", key: "youAreMuted", params: {} }]);
    const again = hear(first.state, { type: "spoke-while-muted" }, 999 + MUTED_HINT_MS);
    expect(again.say).toEqual([]);
    const later = hear(again.state, { type: "spoke-while-muted" }, 1_000 + MUTED_HINT_MS);
    expect(later.say).toHaveLength(1);
  });
});

describe("the summary", () => {
  it("tells who speaks, how many are muted, and whether the room is sealed", () => {
    expect(summarize({ speaking: ["Ada", "Ben"], muted: 1, people: 4, isSealed: false })).toEqual([
      { politeness: "polite", key: "speaks", params: { names: "Ada, Ben", count: 2 } },
      { politeness: "polite", key: "mutedCount", params: { count: 1, people: 4 } },
      { politeness: "polite", key: "notSealed", params: {} },
    ]);
    const alone = { speaking: [], muted: 0, people: 1 };
    const keys = (isSealed: boolean | null) =>
      summarize({ ...alone, isSealed }).map(({ key }) => key);
    expect(keys(true)).toEqual(["nobodySpeaks", "mutedCount", "sealed"]);
    expect(keys(null)).toEqual(["nobodySpeaks", "mutedCount"]);
  });
});

describe("the words", () => {
  const said = [
    ...[1, 2, 3, 6].flatMap((count) => [
      ...flush(come(count), 10, GATHER_MS).say,
      ...flush(come(count, "left"), 10, GATHER_MS).say,
    ]),
    ...summarize({ speaking: [], muted: 0, people: 1, isSealed: true }),
    ...summarize({ speaking: ["a"], muted: 0, people: 1, isSealed: false }),
    ...(
      [
        { type: "muted-by-host" },
        { type: "spoke-while-muted" },
        { type: "share-started", name: "" },
        { type: "share-stopped", name: "" },
        { type: "connection-lost" },
        { type: "connection-back" },
      ] as const
    ).flatMap((event) => hear(SILENT, event, 0).say),
  ];
  it.each([
    ["English", en],
    ["German", de],
  ])("exist in %s", (_, words) => {
    const known = Object.keys(words.announce);
    for (const { key } of said) {
      expect(known.some((name) => name === key || name === `${key}_other`)).toBe(true);
    }
  });
});

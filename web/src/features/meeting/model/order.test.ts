import { describe, expect, it } from "vitest";
import { CHANGE_INTERVAL_MS, EMPTY_ORDER, nextOrder, type OrderInput } from "./order.ts";

const person = (identity: string, lastSpokeAt: number | null = null, isSpeaking = false) => ({
  identity,
  lastSpokeAt,
  isSpeaking,
});

const input = (over: Partial<OrderInput> = {}): OrderInput => ({
  people: ["a", "b", "c", "d"].map((identity) => person(identity)),
  pinned: [],
  pageSize: 2,
  page: 0,
  now: 100_000,
  ...over,
});

const started = nextOrder(EMPTY_ORDER, input());

describe("the order on the stage", () => {
  it("is the order of arrival at first", () => {
    expect(started.identities).toEqual(["a", "b", "c", "d"]);
  });

  it("is the same object while nothing changes", () => {
    expect(nextOrder(started, input({ now: 200_000 }))).toBe(started);
  });

  it("brings who spoke last to the first page by changing places with somebody there", () => {
    const people = [person("a"), person("b", 90_000), person("c"), person("d", 95_000)];
    const next = nextOrder(started, input({ people }));
    expect(next.identities).toEqual(["d", "b", "c", "a"]);
    expect(next.changedAt).toBe(100_000);
  });

  it("never moves people within a page", () => {
    const people = [person("a"), person("b", 99_000), person("c"), person("d")];
    expect(nextOrder(started, input({ people }))).toBe(started);
  });

  it("does not move anybody while all are on one page", () => {
    const people = [person("a"), person("b", 99_000)];
    const order = nextOrder(EMPTY_ORDER, input({ people }));
    expect(nextOrder(order, input({ people })).identities).toEqual(["a", "b"]);
  });

  it("changes at most every three seconds", () => {
    const first = nextOrder(started, input({ people: spoke({ c: 99_000 }) }));
    const tooSoon = input({ people: spoke({ c: 99_000, d: 101_000 }), now: 102_000 });
    expect(nextOrder(first, tooSoon)).toBe(first);
    const later = nextOrder(first, { ...tooSoon, now: 100_000 + CHANGE_INTERVAL_MS });
    expect(later.identities.slice(0, 2).sort()).toEqual(["c", "d"]);
  });

  it("does not move somebody who speaks in plain view", () => {
    const people = [
      person("a", 1, true),
      person("b", 2, true),
      person("c", 3, true),
      person("d", 4, true),
    ];
    expect(nextOrder(started, input({ people })).identities).toEqual(["a", "b", "c", "d"]);
    // Looking at the second page, it is those two who stay.
    expect(nextOrder(started, input({ people, page: 1 })).identities).toEqual(["a", "b", "c", "d"]);
  });

  it("brings a speaker from a page that is not looked at", () => {
    const people = [person("a"), person("b"), person("c"), person("d", null, true)];
    expect(nextOrder(started, input({ people })).identities).toEqual(["a", "d", "c", "b"]);
  });

  it("forgets who spoke more than ten minutes ago", () => {
    const people = spoke({ d: 1_000 });
    expect(nextOrder(started, input({ people, now: 700_000 }))).toBe(started);
  });

  it("puts pinned people first at once", () => {
    const soon = { ...started, changedAt: 99_999 };
    const next = nextOrder(soon, input({ pinned: ["c", "gone"] }));
    expect(next.identities).toEqual(["c", "a", "b", "d"]);
    expect(next.changedAt).toBe(99_999);
  });

  it("keeps pinned people on the first page whoever speaks", () => {
    const pinned = nextOrder(started, input({ pinned: ["a"] }));
    const next = nextOrder(
      pinned,
      input({ pinned: ["a"], people: spoke({ c: 98_000, d: 99_000 }) }),
    );
    expect(next.identities).toEqual(["a", "d", "c", "b"]);
  });

  it("closes the gap of who left and appends who came", () => {
    const people = [person("a"), person("c"), person("d"), person("e")];
    expect(nextOrder(started, input({ people })).identities).toEqual(["a", "c", "d", "e"]);
  });
});

function spoke(times: Record<string, number>) {
  return ["a", "b", "c", "d"].map((identity) => person(identity, times[identity] ?? null));
}

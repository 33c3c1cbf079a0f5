import { beforeEach, describe, expect, it } from "vitest";
import { FORGOTTEN_MS, LASTING_MS, type Unopened, watchUnopened } from "./unopened.ts";

let now: number;
let timers: { at: number; run: () => void }[];
let told: boolean[];
let unopened: Unopened;

function pass(milliseconds: number): void {
  const end = now + milliseconds;
  for (;;) {
    const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
    if (next === undefined) break;
    timers = timers.filter((timer) => timer !== next);
    now = next.at;
    next.run();
  }
  now = end;
}

beforeEach(() => {
  [now, timers, told] = [1_000, [], []];
  unopened = watchUnopened(
    {
      now: () => now,
      after(milliseconds, run) {
        const timer = { at: now + milliseconds, run };
        timers.push(timer);
        return () => {
          timers = timers.filter((each) => each !== timer);
        };
      },
    },
    () => told.push(unopened.isLasting()),
  );
});

function failFor(stream: number, milliseconds: number): void {
  for (let spent = 0; spent <= milliseconds; spent += 1_000) {
    unopened.failed(stream);
    pass(1_000);
  }
}

describe("what cannot be opened", () => {
  it("is not told of when it only came before its key", () => {
    failFor(1, LASTING_MS - 1_000);
    pass(FORGOTTEN_MS);
    expect(told).not.toContain(true);
  });

  it("is told of when it goes on, until it opens again", () => {
    failFor(1, LASTING_MS);
    expect(told.at(-1)).toBe(true);
    failFor(1, LASTING_MS);
    pass(FORGOTTEN_MS - 1_001);
    expect(told.at(-1)).toBe(true);
    pass(1);
    expect(told.at(-1)).toBe(false);
  });

  it("is counted for each stream alone, and two bad moments far apart are two", () => {
    failFor(1, 1_000);
    pass(FORGOTTEN_MS);
    failFor(1, 1_000);
    failFor(2, 1_000);
    failFor(3, 1_000);
    expect(told).not.toContain(true);
  });

  it("leaves no timer behind", () => {
    failFor(1, LASTING_MS);
    unopened.close();
    expect(timers).toEqual([]);
    expect(unopened.isLasting()).toBe(false);
  });
});

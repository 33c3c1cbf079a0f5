import { describe, expect, it } from "vitest";
import {
  advance,
  emptySchedule,
  enterEpoch,
  FORGET_MS,
  KEY_FRAME_MS,
  type KeyEffect,
  replay,
  type Schedule,
  type Step,
  SWITCH_MS,
  settle,
  wakeAt,
} from "./keySchedule.ts";

/** A schedule that is fed and read as text. */
class Stage {
  schedule: Schedule<string> = emptySchedule("me");

  enter(epoch: number, identities: string[], now: number, isUrgent = false): string[] {
    const keys = new Map(identities.map((identity) => [identity, `${identity}@${epoch}`]));
    return this.#take(enterEpoch(this.schedule, { epoch, keys, isUrgent }, now));
  }

  settle(epoch: number, now: number): string[] {
    return this.#take(settle(this.schedule, epoch, now));
  }

  advance(now: number): string[] {
    return this.#take(advance(this.schedule, now));
  }

  #take({ schedule, effects }: Step<string>): string[] {
    this.schedule = schedule;
    return effects.map(written);
  }
}

function written(effect: KeyEffect<string>): string {
  switch (effect.type) {
    case "key-frame":
      return "key-frame";
    case "forget":
      return `forget ${effect.identity}@${effect.epoch}`;
    default:
      return `${effect.type} ${effect.key}`;
  }
}

describe("keys of a new epoch", () => {
  it("are used at once when there were none", () => {
    const stage = new Stage();
    expect(stage.enter(4, ["me", "bo"], 0)).toEqual(["hold me@4", "receive bo@4", "send me@4"]);
    expect(wakeAt(stage.schedule)).toBe(KEY_FRAME_MS);
    expect(stage.advance(KEY_FRAME_MS)).toEqual(["key-frame"]);
    expect(wakeAt(stage.schedule)).toBeNull();
  });

  it("open at once and seal when everybody has them", () => {
    const stage = new Stage();
    stage.enter(1, ["me", "bo"], 0);
    stage.advance(KEY_FRAME_MS);
    expect(stage.enter(2, ["me", "bo"], 5_000)).toEqual(["hold me@2", "receive bo@2"]);
    expect(stage.settle(1, 5_050)).toEqual([]);
    expect(stage.settle(2, 5_100)).toEqual(["send me@2"]);
    expect(stage.settle(2, 5_200)).toEqual([]);
    expect(stage.advance(5_100 + KEY_FRAME_MS)).toEqual(["key-frame"]);
  });

  it("seal after a second when nobody says so", () => {
    const stage = new Stage();
    stage.enter(1, ["me", "bo"], 0);
    stage.advance(KEY_FRAME_MS);
    stage.enter(2, ["me", "bo"], 5_000);
    expect(stage.advance(5_000 + SWITCH_MS - 1)).toEqual([]);
    expect(wakeAt(stage.schedule)).toBe(5_000 + SWITCH_MS);
    expect(stage.advance(5_000 + SWITCH_MS)).toEqual(["send me@2"]);
  });

  it("seal at once, and the others' are gone, when a host took somebody out", () => {
    const stage = new Stage();
    stage.enter(1, ["me", "bo", "eve"], 0);
    expect(stage.enter(2, ["me", "bo"], 5_000, true)).toEqual([
      "forget eve@1",
      "hold me@2",
      "receive bo@2",
      "send me@2",
    ]);
    expect(stage.advance(5_000 + FORGET_MS)).toContain("forget bo@1");
    expect(stage.advance(5_000 + FORGET_MS)).not.toContain("forget eve@1");
  });

  it("replace older ones, which are overwritten after ten seconds", () => {
    const stage = new Stage();
    stage.enter(1, ["me", "bo"], 0);
    stage.enter(2, ["me", "bo"], 5_000);
    stage.advance(5_000 + SWITCH_MS);
    stage.advance(8_000);
    expect(wakeAt(stage.schedule)).toBe(5_000 + FORGET_MS);
    expect(stage.advance(5_000 + FORGET_MS - 1)).toEqual([]);
    expect(stage.advance(5_000 + FORGET_MS)).toEqual(["forget me@1", "forget bo@1"]);
    expect(wakeAt(stage.schedule)).toBeNull();
  });

  it("are used in their order, an older one never after a newer one", () => {
    const stage = new Stage();
    stage.enter(1, ["me", "bo"], 0);
    stage.enter(2, ["me", "bo"], 5_000);
    stage.enter(3, ["me", "bo"], 5_300);
    expect(stage.settle(2, 5_400)).toEqual(["send me@2"]);
    expect(stage.settle(2, 5_400)).toEqual([]);
    expect(stage.settle(3, 5_500)).toEqual(["send me@3"]);
    expect(stage.settle(2, 5_600)).toEqual([]);
    expect(stage.settle(9, 5_600)).toEqual([]);
  });

  it("are switched to although newer ones keep coming, and those in their time", () => {
    const stage = new Stage();
    stage.enter(1, ["me", "bo"], 0);
    for (let epoch = 2; epoch < 60; epoch += 1) {
      const now = 5_000 + epoch * 300;
      stage.advance(now);
      stage.enter(epoch, ["me", "bo"], now);
      // What has been there for a second.
      stage.settle(epoch - 4, now + 1);
    }
    expect(stage.schedule.sending).toBe(55);
    expect(stage.advance(5_000 + 59 * 300 + SWITCH_MS)).toContain("send me@59");
  });

  it("go back when the group does", () => {
    const stage = new Stage();
    stage.enter(1, ["me", "bo"], 0);
    stage.enter(2, ["me", "bo", "eve"], 5_000);
    stage.settle(2, 5_100);
    expect(stage.enter(1, ["me", "bo"], 6_000)).toEqual(["hold me@1", "receive bo@1"]);
    expect(stage.advance(6_000 + SWITCH_MS)).toContain("send me@1");
    // Another second epoch: what was under its index counts no more.
    const other = stage.enter(2, ["me", "bo"], 8_000, false);
    expect(other).toEqual(["forget eve@2", "hold me@2", "receive bo@2"]);
    expect(stage.advance(8_000 + FORGET_MS)).not.toContain("forget bo@2");
  });

  it("share an index with those 256 epochs before", () => {
    const stage = new Stage();
    stage.enter(7, ["me", "bo"], 0);
    expect(stage.enter(263, ["me", "bo"], 100)).toContain("send me@263");
    expect(stage.advance(FORGET_MS * 2)).toEqual(["key-frame"]);
  });

  it("end when one is in the group no longer", () => {
    const stage = new Stage();
    stage.enter(1, ["me", "bo"], 0);
    stage.enter(2, ["bo"], 5_000, true);
    stage.advance(60_000);
    expect(wakeAt(stage.schedule)).toBeNull();
    expect(replay(stage.schedule).map(written)).toEqual(["receive bo@2"]);
  });
});

describe("a fresh worker", () => {
  it("is given all that is in use, and seals with the same key", () => {
    const stage = new Stage();
    stage.enter(1, ["me", "bo"], 0);
    stage.enter(2, ["me", "bo"], 5_000);
    expect(replay(stage.schedule).map(written)).toEqual([
      "send me@1",
      "receive bo@1",
      "hold me@2",
      "receive bo@2",
    ]);
  });
});

describe("key frames", () => {
  it("are asked for after every switch, also of a fast sequence", () => {
    const stage = new Stage();
    stage.enter(1, ["me"], 0);
    stage.enter(2, ["me"], 200, true);
    stage.enter(3, ["me"], 400, true);
    expect(stage.advance(300)).toEqual(["key-frame"]);
    expect(stage.advance(500)).toEqual(["key-frame"]);
    expect(stage.advance(700)).toEqual(["key-frame"]);
    expect(stage.advance(900)).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { somebody } from "../../../../test/people.ts";
import {
  createCallStore,
  INITIAL_CALL,
  isShallowEqual,
  othersOf,
  selfOf,
  shareUnchanged,
} from "./call.ts";
import { runningTime, secondsUntil } from "./clock.ts";
import { levelOf } from "./level.ts";
import { createViewStore } from "./view.ts";

describe("the call", () => {
  it("tells oneself from the others", () => {
    const me = somebody("me", { isSelf: true });
    const ada = somebody("ada");
    const call = { ...INITIAL_CALL, people: [me, ada] };
    expect(selfOf(call)).toBe(me);
    expect(othersOf(call)).toEqual([ada]);
    expect(selfOf(INITIAL_CALL)).toBeNull();
    expect(createCallStore({ canShare: true }).getState().canShare).toBe(true);
  });

  it("keeps the objects of people who have not changed", () => {
    const before = [somebody("a"), somebody("b")];
    expect(shareUnchanged(before, [somebody("a"), somebody("b")])).toBe(before);
    const next = shareUnchanged(before, [somebody("a"), somebody("b", { isSpeaking: true })]);
    expect(next[0]).toBe(before[0]);
    expect(next[1]).not.toBe(before[1]);
    expect(shareUnchanged(before, [somebody("b"), somebody("a")])).toEqual([before[1], before[0]]);
    expect(shareUnchanged(before, [somebody("c")])).toHaveLength(1);
  });

  it("compares one level deep", () => {
    expect(isShallowEqual({ a: 1 }, { a: 1 })).toBe(true);
    expect(isShallowEqual<object>({ a: 1 }, { a: 1, b: 2 })).toBe(false);
    expect(isShallowEqual({ a: 1 }, { a: 2 })).toBe(false);
  });
});

describe("times", () => {
  it("run as people read them", () => {
    expect(runningTime(-5)).toBe("00:00");
    expect(runningTime(42 * 60_000 + 10_999)).toBe("42:10");
    expect(runningTime(3_600_000 + 2 * 60_000 + 9_000)).toBe("1:02:09");
    expect(secondsUntil(2_001, 1_000)).toBe(2);
    expect(secondsUntil(0, 1_000)).toBe(0);
  });
});

describe("the level", () => {
  it("is nothing in silence and full when loud", () => {
    expect(levelOf(new Float32Array(0))).toBe(0);
    expect(levelOf(new Float32Array(8))).toBe(0);
    expect(levelOf(new Float32Array(8).fill(0.9))).toBe(1);
    expect(levelOf(new Float32Array(8).fill(0.02))).toBeCloseTo(0.283, 2);
  });
});

describe("the viewer's choices", () => {
  const kept = new Map<string, string | null>();
  const keep = {
    read: (setting: string) => kept.get(setting) ?? null,
    write: (setting: string, value: string | null) => void kept.set(setting, value),
  };

  it("pin, enlarge, choose a view and turn pages", () => {
    const view = createViewStore(keep);
    view.togglePin("a");
    view.togglePin("b");
    view.togglePin("a");
    expect(view.getState().pinned).toEqual(["b"]);
    view.turnPage(5, 3);
    expect(view.getState().page).toBe(2);
    view.turnPage(-9, 3);
    expect(view.getState().page).toBe(0);
    view.enlarge("b");
    expect(view.getState().enlarged).toBe("b");
    view.setView("speaker");
    expect(view.getState()).toMatchObject({ view: "speaker", enlarged: null });
    view.setPanel("people");
    view.show("seal");
    expect(view.getState()).toMatchObject({ panel: "people", dialog: "seal" });
  });

  it("are remembered where they differ from the usual", () => {
    const view = createViewStore(keep);
    view.setState({ isSelfHidden: true, areSingleKeysOn: false });
    expect(kept).toEqual(
      new Map<string, string | null>([
        ["selfHidden", "yes"],
        ["singleKeys", "no"],
      ]),
    );
    expect(createViewStore(keep).getState()).toMatchObject({
      isSelfHidden: true,
      areSingleKeysOn: false,
    });
    view.setState({ isSelfHidden: false, areSingleKeysOn: true });
    expect([...kept.values()]).toEqual([null, null]);
  });
});

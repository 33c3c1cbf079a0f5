import { describe, expect, it } from "vitest";
import { somebody } from "../../../../test/people.ts";
import type { Person, Share } from "./call.ts";
import {
  canSpeakerView,
  isSpeakerView,
  largeOne,
  type StageChoices,
  type StageInput,
  stageView,
} from "./stage.ts";

const CHOICES: StageChoices = {
  view: "automatic",
  enlarged: null,
  pinned: [],
  page: 0,
  wantsMany: false,
};
const SHARE: Share = { identity: "a", name: "a", isSelf: false, video: null, hasSound: false };
const me = somebody("me", { isSelf: true });
const crowd = (count: number): Person[] => [
  me,
  ...Array.from({ length: count }, (_, index) => somebody(`p${index}`)),
];

function see(people: Person[], over: Partial<StageInput> = {}, share: Share | null = null) {
  return stageView({
    call: { people, share },
    choices: CHOICES,
    order: [],
    stage: { width: 1416, height: 756 },
    isPhone: false,
    isFlow: false,
    ...over,
  });
}
const names = (view: ReturnType<typeof see>) => view.tiles.map(({ person }) => person.identity);

describe("the stage", () => {
  it("knows when nobody else is here", () => {
    expect(see([me])).toMatchObject({ kind: "alone", tiles: [], pages: 1 });
  });

  it("shows the others in a grid, in the given order, strangers to it last", () => {
    const view = see(crowd(3), { order: ["p2", "p0"] });
    expect(view.kind).toBe("grid");
    expect(names(view)).toEqual(["p2", "p0", "p1"]);
    expect(view.tiles.every(({ isLarge }) => !isLarge)).toBe(true);
  });

  it("turns pages of six on a phone, and forgets pages that are gone", () => {
    const phone = { isPhone: true, stage: { width: 374, height: 690 } };
    expect(see(crowd(8), phone).pages).toBe(2);
    const second = see(crowd(8), { ...phone, choices: { ...CHOICES, page: 7 } });
    expect(second.page).toBe(1);
    expect(names(second)).toEqual(["p6", "p7"]);
  });

  it("shows up to 49 by choice", () => {
    const choices: StageChoices = { ...CHOICES, view: "grid", wantsMany: true };
    expect(see(crowd(49), { choices }).tiles).toHaveLength(49);
    expect(see(crowd(49), { choices: { ...choices, wantsMany: false } }).tiles).toHaveLength(25);
  });

  it("takes the speaker view by itself above 25 people", () => {
    expect(see(crowd(25)).kind).toBe("grid");
    const many = see(crowd(26));
    expect(many.kind).toBe("speaker");
    expect(many.tiles.filter(({ isLarge }) => isLarge)).toHaveLength(1);
    expect(many.more?.count).toBe(26 - many.tiles.length);
  });

  it("goes round the strip", () => {
    const first = see(crowd(30));
    const next = see(crowd(30), { choices: { ...CHOICES, page: 1 } });
    expect(names(next)[1]).not.toBe(names(first)[1]);
    const around = see(crowd(30), { choices: { ...CHOICES, page: first.pages } });
    expect(names(around)).toEqual(names(first));
  });

  it("enlarges one person", () => {
    const view = see(crowd(2), { choices: { ...CHOICES, enlarged: "p1" } });
    expect(view.kind).toBe("speaker");
    expect(view.tiles[0]).toMatchObject({ person: { identity: "p1" }, isLarge: true });
    expect(see(crowd(2), { choices: { ...CHOICES, enlarged: "gone" } }).kind).toBe("grid");
    expect(see(crowd(1), { choices: { ...CHOICES, enlarged: "p0" } }).kind).toBe("grid");
  });

  it("gives a shared screen the large place", () => {
    const view = see(crowd(2), {}, SHARE);
    expect(view.kind).toBe("share");
    expect(view.share?.rect.width).toBeGreaterThan(1000);
    expect(names(view)).toEqual(["p0", "p1"]);
    expect(see([me], {}, SHARE).share?.rect.width).toBe(1416);
  });

  it("flows in one column when the window is very small", () => {
    const flow = { isFlow: true, stage: { width: 304, height: 200 } };
    const view = see(crowd(2), flow);
    expect(view.kind).toBe("grid");
    expect(view.tiles.map(({ rect }) => rect.y)).toEqual([0, 179]);
    expect(view.flowHeight).toBe(350);
    const shared = see(crowd(2), flow, SHARE);
    expect(shared.kind).toBe("share");
    expect(shared.tiles[0]?.rect.y).toBe(179);
    expect(see([me], flow).kind).toBe("alone");
  });
});

describe("who is large", () => {
  const people = [
    somebody("a", { lastSpokeAt: 5 }),
    somebody("b", { lastSpokeAt: 9 }),
    somebody("c"),
  ];
  it("is the chosen, else the pinned, else who spoke last, else the first", () => {
    expect(largeOne(people, { ...CHOICES, enlarged: "c" })?.identity).toBe("c");
    expect(largeOne(people, { ...CHOICES, pinned: ["a"] })?.identity).toBe("a");
    expect(largeOne(people, CHOICES)?.identity).toBe("b");
    const talking = [...people, somebody("d", { isSpeaking: true })];
    expect(largeOne(talking, CHOICES)?.identity).toBe("d");
    expect(largeOne([somebody("x"), somebody("y")], CHOICES)?.identity).toBe("x");
    expect(largeOne([], CHOICES)).toBeNull();
  });
});

describe("the speaker view", () => {
  it("can be chosen from three people on", () => {
    expect([1, 2].map(canSpeakerView)).toEqual([false, true]);
    expect(isSpeakerView("speaker", 1)).toBe(false);
    expect(isSpeakerView("speaker", 2)).toBe(true);
    expect(isSpeakerView("grid", 40)).toBe(false);
    expect(isSpeakerView("automatic", 40)).toBe(true);
  });
});

import { beforeEach, expect, it } from "vitest";
import { fakeSealed, member } from "../../test/fakeSealed.ts";
import type { Sealed } from "../sealing/contract.ts";
import { createKeptOut } from "./keptOut.ts";

let kept: (readonly string[])[];
let blocked: (readonly string[])[];
let note: (sealed: Sealed) => void;

function begin(known: readonly string[]): void {
  kept = [];
  blocked = [];
  note = createKeptOut({
    kept: known,
    keep: (keys) => kept.push(keys),
    block: (keys) => blocked.push(keys),
  });
}
beforeEach(() => begin([]));

const inside = (keys: readonly string[], change: Partial<Sealed> = {}) =>
  fakeSealed({
    members: [member("me", { isSelf: true, role: "host" })],
    blocked: keys,
    ...change,
  }).store.getState();

it("what the group says is kept, once", () => {
  note(inside([]));
  const shut = inside(["a"]);
  note(shut);
  note(shut);
  note(inside(["a"]));
  note(inside(["a", "b"]));
  expect(kept).toEqual([["a"], ["a", "b"]]);
  expect(blocked).toEqual([]);
});

it("a group that others have begun is told what is kept", () => {
  begin(["a", "b"]);
  note(inside(["b", "c"]));
  expect(kept).toEqual([["a", "b", "c"]]);
  expect(blocked).toEqual([["a"]]);
  note(inside(["a", "b", "c"]));
  expect(blocked).toHaveLength(1);
  expect(kept).toHaveLength(1);
});

it("who is forgiven in the group is forgiven for good", () => {
  begin(["a"]);
  note(inside(["a", "b"]));
  note(inside([]));
  expect(kept).toEqual([["a", "b"], []]);
  expect(blocked).toEqual([]);
});

it("nothing is concluded from outside, nor by who is no host", () => {
  begin(["a"]);
  note(inside([], { phase: { type: "entering", isCrowded: false } }));
  note(inside(["x"], { members: [member("me", { isSelf: true, role: "cohost" })] }));
  note(inside(["y"], { members: [] }));
  expect(kept).toEqual([]);
  expect(blocked).toEqual([]);
});

import { expect, it } from "vitest";
import { fakeSealed, member } from "../../test/fakeSealed.ts";
import type { RoomPolicy } from "../sealing/contract.ts";
import { beginning, RULES } from "../sealing/templates.ts";
import { createPlanKeeper, firstPolicy } from "./plannedRules.ts";

it("a sitting begins as it was planned; who is not invited waits where that was chosen", () => {
  expect(firstPolicy("open", "none")).toEqual(beginning("none"));
  expect(firstPolicy("invited", "club")).toEqual({ ...beginning("club"), entry: "lobby" });
  expect(firstPolicy("open", "clinic").entry).toBe("lobby");
});

const room = (role: "host" | "member", policy: Partial<RoomPolicy> = {}) =>
  fakeSealed({
    members: [member("me", { isSelf: true, role })],
    policy: { ...beginning("none"), ...policy },
  }).store.getState();

it("attack: somebody came before the host and began without the rules that were planned", () => {
  const set: unknown[] = [];
  const keep = createPlanKeeper("class", (policy) => set.push(policy));
  keep({ ...room("host"), phase: { type: "entering", isCrowded: false } });
  expect(set).toEqual([]);
  keep(room("host"));
  keep(room("host"));
  expect(set).toEqual([{ ...RULES.class, template: "class" }]);
});

it("what who leads has chosen stays, and nobody else keeps to a plan for them", () => {
  const set: unknown[] = [];
  const keep = (role: "host" | "member", policy: Partial<RoomPolicy>) =>
    createPlanKeeper("class", (one) => set.push(one))(room(role, policy));
  keep("host", { template: "club" });
  keep("member", {});
  createPlanKeeper("none", (one) => set.push(one))(room("host"));
  expect(set).toEqual([]);
});

import { expect, test } from "vitest";
import { done, meeting, notices, seen } from "./model/room.ts";

const LOBBY = { entry: "lobby" } as const;

test("a line from in front of the door reaches who may open it", () => {
  const { world, clients } = meeting(["Anna", LOBBY], ["Ben"]);
  const [anna, ben] = clients;
  expect(seen(ben).phase).toMatchObject({ type: "waiting", note: null, canWrite: true });
  expect(done(world, ben, { type: "note", text: "from class 4b" })).toBe("done");
  expect(seen(ben).phase).toMatchObject({ note: "from class 4b" });
  expect(seen(anna).door).toMatchObject([{ name: "Ben", note: "from class 4b" }]);
  expect(notices(anna, "knock")).toHaveLength(1);
  expect(notices(anna, "note")).toEqual([{ type: "note", name: "Ben", note: "from class 4b" }]);
  // Pressed already: a line does not take it back.
  const seat = seen(anna).door[0]?.seat ?? "";
  world.wish(anna, { type: "admit", seats: [seat] });
  expect(done(world, ben, { type: "note", text: "hello" }, 4_000)).toBeDefined();
  expect(seen(ben).phase.type).toBe("inside");
  expect(world.problems).toEqual([]);
});

test("without the whole link there is nothing to write with", () => {
  const { world, clients } = meeting(["Anna", LOBBY], ["Ben", { hasLink: false }]);
  expect(seen(clients[1]).phase).toMatchObject({ type: "waiting", canWrite: false });
  expect(done(world, clients[1], { type: "note", text: "hello" })).toBe("not-allowed");
});

test("an empty line is none, and who is inside has no door to write at", () => {
  const { world, clients } = meeting(["Anna", LOBBY], ["Ben"]);
  expect(done(world, clients[1], { type: "note", text: "" })).toBe("failed");
  expect(done(world, clients[0], { type: "note", text: "hello" })).toBe("gone");
});

test("whoever waits for an answer is told when the socket goes", () => {
  const { world, clients } = meeting(["Anna", LOBBY], ["Ben"]);
  const ben = clients[1];
  const wish = world.wish(ben, { type: "note", text: "hello" });
  expect(ben.outcomes.get(wish)).toBeUndefined();
  world.breakSocket(ben);
  world.run(1_000);
  expect(ben.outcomes.get(wish)).toBe("failed");
});

/** A crowded door: the work it asks for is done, and given up with the knock it was for. */

import { expect, test } from "vitest";
import { b64 } from "./bytes.ts";
import { step } from "./machine.ts";
import { meeting, names, seen, withoutSocket } from "./model/room.ts";
import type { Client, World } from "./model/world.ts";

const CHALLENGE = b64(new Uint8Array(29).fill(7));

/** Somebody whose knock is on its way, and is never taken in by the server. */
function knocking() {
  const { world } = meeting(["Anna"]);
  const ben = world.join("Ben");
  world.openSocket(ben);
  world.deliverUp(ben);
  world.deliverDown(ben);
  while (!ben.toServer.some((frame) => frame.t === "knock")) world.answer(ben);
  const knock = ben.toServer.splice(0).find((frame) => frame.t === "knock");
  return { world, ben, n: knock?.["n"], knock };
}

const ask = (world: World, ben: Client, n: unknown, more: object = {}) =>
  world.input(ben, {
    type: "frame",
    frame: { t: "error", n, code: "work", challenge: CHALLENGE, bits: 16, ...more },
  });

test("a crowded door is worked for, and opens", () => {
  const { world, clients } = meeting(["Anna"]);
  world.server.isCrowded = true;
  const ben = world.join("Ben");
  world.run(3_000);
  expect(names(clients[0])).toEqual(["Anna", "Ben"]);
  expect(seen(ben).phase).toEqual({ type: "inside" });
});

test("meanwhile it is said that many come", () => {
  const { world, ben, n, knock } = knocking();
  expect(seen(ben).phase).toEqual({ type: "entering", isCrowded: false });
  ask(world, ben, n);
  expect(ben.call?.call).toBe("work");
  expect(seen(ben).phase).toEqual({ type: "entering", isCrowded: true });
  world.answer(ben);
  expect(seen(ben).phase).toEqual({ type: "entering", isCrowded: false });
  const again = ben.toServer[0];
  const work = { challenge: CHALLENGE, nonce: b64(new Uint8Array(8).fill(7)) };
  expect(again).toEqual({ ...knock, n: again?.["n"], work });
});

test("asked once more, it works once more", () => {
  const { world, ben, n } = knocking();
  ask(world, ben, n);
  world.answer(ben);
  const [second] = ben.toServer.splice(0);
  ask(world, ben, second?.["n"], { bits: 17 });
  world.answer(ben);
  expect(Object.keys(ben.toServer[0] ?? {}).filter((name) => name === "work")).toHaveLength(1);
});

test.each([
  { challenge: null },
  { challenge: b64(new Uint8Array(15)) },
  { challenge: b64(new Uint8Array(49)) },
  { bits: 23 },
])("what nobody can be asked for is a full door: %o", (more) => {
  const { world, ben, n } = knocking();
  ask(world, ben, n, more);
  expect(ben.call).toBeNull();
  expect(ben.state.timers.get("enter")).toBe(world.now + 2_000);
});

test("no word of how much: nothing to do but to come again", () => {
  const { world, ben, n } = knocking();
  ask(world, ben, n, { bits: null });
  expect(ben.call).toMatchObject({ call: "work", ask: { bits: 0 } });
});

test("who leaves works no more", () => {
  const { world, ben, n } = knocking();
  ask(world, ben, n);
  world.wish(ben, { type: "leave" });
  expect(seen(ben).phase).toEqual({ type: "over", reason: "left" });
  expect(ben.isStopped).toBe(true);
});

test("a worker that fails: the door is tried again", () => {
  const { world, ben, n } = knocking();
  ask(world, ben, n);
  const id = ben.call?.id ?? 0;
  ben.call = null;
  world.input(ben, { type: "failed", id });
  expect(ben.state.timers.get("enter")).toBe(world.now + 2_000);
});

test.each(["answered", "failed"] as const)("the room has ended meanwhile: %s", (type) => {
  const { world, ben, n } = knocking();
  ask(world, ben, n);
  const id = ben.call?.id ?? 0;
  world.input(ben, { type: "frame", frame: { t: "instance", instance: null } });
  ben.call = null;
  const answer = new Uint8Array(8);
  world.input(ben, type === "answered" ? { type, id, answer } : { type, id });
  expect(ben.toServer.filter((frame) => frame.t === "knock")).toEqual([]);
  expect(ben.state.stage).toBe("creating");
});

test("asked for while the engine is busy, and not wanted any more when it is free", () => {
  const { world, ben, n } = knocking();
  const busy = { ...ben.state, open: { id: 999, next: { type: "ignore" as const } } };
  const asked = step(
    busy,
    { type: "frame", frame: { t: "error", n, code: "work", challenge: CHALLENGE, bits: 16 } },
    world.now,
  );
  const ended = step(asked.state, { type: "frame", frame: { t: "instance", instance: null } }, 0);
  const free = step(ended.state, { type: "answered", id: 999, answer: null }, world.now);
  expect(free.effects.some((effect) => effect.type === "call" && effect.call === "work")).toBe(
    false,
  );
});

test("who was inside and comes in anew says so", () => {
  const { world, clients } = meeting(["Anna", { isHost: true }], ["Ben"]);
  const [, ben] = clients;
  const inside = ben.state.resume;
  expect(ben.state.former).toBeNull();
  world.input(ben, { type: "frame", frame: { t: "removed", why: "lost" } });
  expect(ben.state.former).toBe(inside);
  withoutSocket(world, ben, 600);
  world.openSocket(ben);
  expect(ben.toServer[0]).toEqual({ t: "hello", former: inside });
  world.run(5_000);
  expect(seen(ben).phase).toEqual({ type: "inside" });
});

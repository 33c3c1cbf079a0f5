import { expect, test } from "vitest";
import type { Order } from "../contract.ts";
import { type Client, seeded, World } from "./model/world.ts";
import { view } from "./view.ts";

interface Room {
  readonly world: World;
  readonly anna: Client;
  readonly ben: Client;
  readonly cleo: Client;
}

/** Anna is the host, Ben and Cleo came in by the link. */
function room(): Room {
  const world = new World(seeded(11));
  const anna = world.join("Anna", { isHost: true });
  world.run(100);
  const ben = world.join("Ben");
  const cleo = world.join("Cleo");
  world.run(8_000);
  return { world, anna, ben, cleo };
}

const identityOf = (client: Client) => view(client.state).selfIdentity ?? "";
const order = (room: Room, by: Client, what: Order, to: Client) =>
  room.world.wish(by, { type: "order", what, identity: identityOf(to) });

test.each([
  ["mute", "microphone"],
  ["stop-video", "camera"],
  ["stop-share", "screen_share"],
] as const)("%s is also a mute of the %s by the server", (what, source) => {
  const at = room();
  const wish = order(at, at.anna, what, at.ben);
  at.world.run(1_000);
  expect(at.anna.outcomes.get(wish)).toBe("done");
  expect(at.world.server.mutes).toEqual([{ seat: at.ben.state.seat, source }]);
  expect(at.ben.notices).toContainEqual({ type: "order", what, by: "Anna" });
  expect(at.cleo.notices.filter(({ type }) => type === "order")).toEqual([]);
});

test.each(["ask-unmute", "lower-hand"] as const)("%s mutes nobody", (what) => {
  const at = room();
  order(at, at.anna, what, at.ben);
  at.world.run(1_000);
  expect(at.ben.notices).toContainEqual({ type: "order", what, by: "Anna" });
  expect(at.world.server.mutes).toEqual([]);
});

test("a co-host mutes, a member does not", () => {
  const at = room();
  const refused = order(at, at.ben, "mute", at.cleo);
  expect(at.ben.outcomes.get(refused)).toBe("not-allowed");
  at.world.wish(at.anna, { type: "cohost", identity: identityOf(at.ben), isCohost: true });
  at.world.run(3_000);
  expect(at.world.server.mutes).toEqual([]);
  order(at, at.ben, "mute", at.cleo);
  at.world.run(1_000);
  expect(at.world.server.mutes).toEqual([{ seat: at.cleo.state.seat, source: "microphone" }]);
});

test("an order given while the socket is away mutes when it goes out", () => {
  const at = room();
  at.world.breakSocket(at.anna);
  order(at, at.anna, "mute", at.ben);
  expect(at.world.server.mutes).toEqual([]);
  at.world.run(3_000);
  expect(at.world.server.mutes).toEqual([{ seat: at.ben.state.seat, source: "microphone" }]);
});

test("the keys of whom a host takes out are to be forgotten at once, others' in time", () => {
  const at = room();
  const before = new Set(at.cleo.urgent);
  at.world.wish(at.anna, { type: "remove", identity: identityOf(at.ben) });
  at.world.run(1_000);
  const epoch = at.cleo.state.group?.facts.epoch ?? -1;
  expect(view(at.ben.state).phase).toEqual({ type: "over", reason: "removed" });
  expect([...at.cleo.urgent].filter((known) => !before.has(known))).toEqual([epoch]);
  expect(at.anna.urgent.has(epoch)).toBe(true);

  at.world.wish(at.cleo, { type: "leave" });
  at.world.run(3_000);
  expect(at.anna.state.group?.facts.epoch).toBeGreaterThan(epoch);
  expect(at.anna.urgent.has(at.anna.state.group?.facts.epoch ?? -1)).toBe(false);
});

test("a second tab of the same device takes over, and the first one says where it went", () => {
  const at = room();
  const second = at.world.join("Ben");
  at.world.run(8_000);
  expect(view(second.state).phase).toEqual({ type: "inside" });
  expect(view(at.ben.state).phase).toEqual({ type: "over", reason: "elsewhere" });
  expect(at.ben.isStopped).toBe(true);
  expect(view(at.anna.state).members).toHaveLength(3);
  expect(at.world.problems).toEqual([]);
});

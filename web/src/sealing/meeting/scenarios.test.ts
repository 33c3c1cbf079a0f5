import { expect, test } from "vitest";
import { beginning } from "../templates.ts";
import { b64 } from "./bytes.ts";
import {
  chat,
  done,
  identityOf,
  meeting,
  memberOf,
  names,
  notices,
  seen,
  withoutSocket,
} from "./model/room.ts";
import { seeded, World } from "./model/world.ts";
import { view } from "./view.ts";

test("three come in by the link and see each other", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  expect(world.problems).toEqual([]);
  for (const client of clients) {
    expect(seen(client).phase).toEqual({ type: "inside" });
    expect(seen(client).seal.type).toBe("sealed");
    expect(seen(client).codes?.matchesLink).toBe(true);
    expect(names(client)).toEqual(["Anna", "Ben", "Cleo"]);
    expect(client.mediaConnects).toBe(1);
  }
  const [anna, ben] = clients;
  expect(memberOf(ben, anna)?.verification).toBe("host");
  expect(memberOf(anna, ben)?.verification).toBe("link");
  expect(notices(anna, "member-joined")).toHaveLength(2);
  expect(notices(ben, "member-joined")).toHaveLength(1);
});

test("an unchanged part of the view is the same object", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const before = seen(anna);
  expect(view(anna.state, before)).toEqual(before);
  expect(view(anna.state, before).members).toBe(before.members);
  done(world, ben, { type: "hand", isUp: true });
  const after = view(anna.state, before);
  expect(after.members).not.toBe(before.members);
  expect(after.members[0]).toBe(before.members[0]);
  expect(after.policy).toBe(before.policy);
});

test("who has not the whole link waits for a host, and is given it", () => {
  const { world, clients } = meeting(["Anna"], ["Guest", { hasLink: false }], ["Ben"]);
  const [anna, guest] = clients;
  expect(seen(guest).phase).toMatchObject({ type: "waiting", members: 1 });
  const [knock] = seen(anna).door;
  expect(knock).toMatchObject({ name: null, proof: "unknown" });
  expect(knock?.words).toEqual((seen(guest).phase as { words: unknown }).words);
  expect(notices(anna, "knock")).toHaveLength(1);
  expect(seen(clients[2]).door).toEqual([]);
  expect(done(world, anna, { type: "admit", seats: [knock?.seat ?? "", "nobody"] })).toBe("done");
  world.run(3_000);
  expect(names(guest)).toEqual(["Anna", "Ben", "Guest"]);
  expect(seen(guest).codes?.matchesLink).toBeNull();
  expect(guest.state.link).not.toBeNull();
  expect(memberOf(anna, guest)?.verification).toBe("door");
  // Bound to the link, and the guest can follow.
  world.join("Dora");
  world.run(4_000);
  expect(names(guest)).toEqual(["Anna", "Ben", "Dora", "Guest"]);
  done(world, guest, chat("here"));
  expect(memberOf(anna, guest)?.verification).toBe("link");
  expect(world.problems).toEqual([]);
});

test("the link is given by another member when who let the guest in is gone", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Guest", { hasLink: false }]);
  const [anna, ben, guest] = clients;
  const [knock] = seen(anna).door;
  world.wish(anna, { type: "admit", seats: [knock?.seat ?? ""] });
  while (guest.state.stage !== "member") {
    world.passTime(50);
    for (const move of world.moves().slice(0, 1)) move();
  }
  world.breakSocket(anna);
  anna.isConnecting = false;
  for (let round = 0; round < 200; round += 1) {
    anna.isConnecting = false;
    world.passTime(100);
    for (const move of world.moves()) if (!anna.isConnecting) move();
  }
  expect(guest.state.link).toEqual(ben.state.link);
});

test("an account that one knows is shown as such, at the door and inside", () => {
  const world = new World(seeded(3));
  const anna = world.join("Anna", { isHost: true, entry: "lobby" });
  world.run(1_000);
  const other = world.join("Ben", { account: new Uint8Array(32).fill(9) });
  world.run(3_000);
  expect(seen(anna).door[0]?.proof).toBe("link");
  expect(seen(anna).door[0]?.name).toBe("Ben");
  const accounts = [b64(new Uint8Array(32).fill(9))];
  world.input(anna, { type: "known-accounts", accounts });
  expect(seen(anna).door[0]?.proof).toBe("account");
  done(world, anna, { type: "admit", seats: seen(anna).door.map((guest) => guest.seat) });
  expect(memberOf(anna, other)?.verification).toBe("account");
});

test("who is denied is out, and a second press comes too late", () => {
  const { world, clients } = meeting(["Anna"], ["Guest", { hasLink: false }]);
  const [anna, guest] = clients;
  const seat = seen(anna).door[0]?.seat ?? "";
  expect(done(world, anna, { type: "deny", seat: "nobody" })).toBe("gone");
  expect(done(world, anna, { type: "deny", seat })).toBe("done");
  expect(seen(guest).phase).toEqual({ type: "over", reason: "denied" });
  expect(seen(guest).seal).toEqual({ type: "ended" });
  expect(seen(anna).door).toEqual([]);
  expect(done(world, anna, { type: "admit", seats: [seat] })).toBe("gone");
});

test("who a host removes hears nothing more and does not come back", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  expect(done(world, ben, { type: "remove", identity: identityOf(cleo) })).toBe("not-allowed");
  expect(done(world, anna, { type: "remove", identity: "nobody" })).toBe("gone");
  expect(done(world, anna, { type: "remove", identity: identityOf(anna) })).toBe("not-allowed");
  const wish = { type: "remove", identity: identityOf(ben) } as const;
  const first = world.wish(anna, wish);
  const second = world.wish(anna, wish);
  world.run(1_000);
  expect([anna.outcomes.get(first), anna.outcomes.get(second)]).toEqual(["done", "done"]);
  expect(seen(ben).phase).toEqual({ type: "over", reason: "removed" });
  expect(names(cleo)).toEqual(["Anna", "Cleo"]);
  expect(notices(cleo, "member-left")).toHaveLength(1);
  world.reload(ben);
  world.run(4_000);
  expect(seen(ben).phase).toEqual({ type: "over", reason: "denied" });
  expect(seen(anna).door).toEqual([]);
  expect(world.problems).toEqual([]);
});

test("a reload comes back without the door, in one commit, also into a locked room", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  expect(done(world, anna, { type: "policy", policy: { isLocked: true } })).toBe("done");
  expect(notices(ben, "policy-changed")).toEqual([{ type: "policy-changed", by: "Anna" }]);
  const epoch = cleo.state.group?.facts.epoch ?? 0;
  world.reload(ben);
  world.run(5_000);
  expect(names(ben)).toEqual(["Anna", "Ben", "Cleo"]);
  expect(cleo.state.group?.facts.epoch).toBe(epoch + 1);
  expect(notices(cleo, "member-left")).toEqual([]);
  // Somebody new stays outside.
  const dora = world.join("Dora");
  world.run(5_000);
  expect(seen(dora).phase.type).toBe("waiting");
  expect(seen(anna).door).toHaveLength(1);
});

test("who left comes back through a host's client without being asked for", () => {
  const { world, clients } = meeting(["Anna", { entry: "lobby" }], ["Ben"]);
  const [anna, ben] = clients;
  done(world, anna, { type: "admit", seats: seen(anna).door.map((guest) => guest.seat) });
  done(world, ben, { type: "leave" });
  expect(seen(ben).phase).toEqual({ type: "over", reason: "left" });
  expect(names(anna)).toEqual(["Anna"]);
  world.reload(ben);
  world.run(4_000);
  expect(names(anna)).toEqual(["Anna", "Ben"]);
  expect(notices(anna, "knock")).toHaveLength(1);
});

test("a lost member is removed after 30 s, is shown until then, and comes back by itself", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben] = clients;
  world.breakSocket(ben);
  ben.wakeAt = null;
  world.run(10_000);
  expect(memberOf(anna, ben)).toMatchObject({ isLost: true, isLeaving: false });
  expect(seen(ben).phase.type).toBe("reconnecting");
  world.run(30_000);
  expect(names(anna)).toEqual(["Anna", "Cleo"]);
  world.openSocket(ben);
  world.run(4_000);
  expect(names(ben)).toEqual(["Anna", "Ben", "Cleo"]);
  expect(world.problems).toEqual([]);
});

test("a goodbye takes one out at once, and the first committer's silence is made up for", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  world.wish(cleo, { type: "leave" });
  // Anna's engine does not answer: Ben takes over.
  for (let round = 0; round < 60; round += 1) {
    anna.call = null;
    world.passTime(100);
    world.flush();
  }
  expect(names(ben)).toEqual(["Anna", "Ben"]);
});

test("a co-host may what a co-host may", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"], ["Guest", { hasLink: false }]);
  const [anna, ben, cleo, guest] = clients;
  const cohost = { type: "cohost", identity: identityOf(ben), isCohost: true } as const;
  expect(done(world, ben, cohost)).toBe("not-allowed");
  expect(done(world, anna, { ...cohost, identity: identityOf(anna) })).toBe("not-allowed");
  expect(done(world, anna, cohost)).toBe("done");
  expect(memberOf(cleo, ben)?.role).toBe("cohost");
  expect(done(world, ben, { ...cohost, identity: identityOf(cleo) })).toBe("done");
  expect(memberOf(anna, cleo)?.role).toBe("cohost");
  const back = { ...cohost, identity: identityOf(cleo), isCohost: false } as const;
  expect(done(world, ben, back)).toBe("not-allowed");
  expect(done(world, anna, back)).toBe("done");
  expect(done(world, ben, { type: "policy", policy: { isLocked: true } })).toBe("done");
  expect(seen(anna).policy.isLocked).toBe(true);
  expect(done(world, ben, { type: "remove", identity: identityOf(anna) })).toBe("not-allowed");
  const seats = seen(ben).door.map((knock) => knock.seat);
  expect(done(world, ben, { type: "admit", seats }, 3_000)).toBe("done");
  expect(names(guest)).toEqual(["Anna", "Ben", "Cleo", "Guest"]);
  expect(done(world, anna, { ...cohost, isCohost: false })).toBe("done");
  expect(memberOf(cleo, ben)?.role).toBe("member");
});

test("a second host is a host by its account", () => {
  const { world, clients } = meeting(["Anna"], ["Otto", { isHost: true }]);
  const [anna, otto] = clients;
  const cohost = { type: "cohost", identity: identityOf(otto), isCohost: true } as const;
  expect(done(world, anna, cohost)).toBe("not-allowed");
  expect(done(world, otto, { type: "remove", identity: identityOf(anna) })).toBe("done");
  expect(seen(anna).phase).toEqual({ type: "over", reason: "removed" });
});

test("wishes about the policy are put together, within bounds", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const first = world.wish(anna, { type: "policy", policy: { entry: "lobby" } });
  const second = world.wish(anna, { type: "policy", policy: { history: 99_999.5 } });
  const third = world.wish(anna, { type: "policy", policy: { history: Number.NaN } });
  world.run(2_000);
  for (const wish of [first, second, third]) expect(anna.outcomes.get(wish)).toBe("done");
  expect(seen(ben).policy).toEqual({ ...beginning("none"), entry: "lobby" });
});

test("leaves are renewed every five minutes, in turn", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const epoch = anna.state.group?.facts.epoch ?? 0;
  world.run(305_000);
  expect(anna.state.group?.facts.epoch).toBe(epoch + 1);
  expect(anna.state.healedLeaf).toBe(0);
  world.run(305_000);
  expect(ben.state.healedLeaf).toBe(1);
  world.run(305_000);
  expect(ben.state.healedLeaf).toBe(0);
  expect(world.problems).toEqual([]);
});

test("somebody silent whose media flow: the server may be hiding changes", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben] = clients;
  const connected = seen(anna).members.map((member) => member.identity);
  world.input(anna, {
    type: "media",
    flowing: connected,
    plaintext: [],
    hasUnopened: false,
    connected,
  });
  world.run(31_000);
  expect(seen(anna).seal.type).toBe("sealed");
  ben.wakeAt = null;
  for (let round = 0; round < 8; round += 1) {
    ben.wakeAt = null;
    ben.fromServer = ben.fromServer.filter(() => false);
    world.run(5_000);
  }
  expect(seen(anna).seal).toEqual({ type: "not-sealed", reasons: ["withheld"] });
  expect(notices(anna, "seal-lost")).toEqual([{ type: "seal-lost", reason: "withheld" }]);
  world.input(anna, { type: "media", flowing: [], plaintext: [], hasUnopened: false, connected });
  expect(seen(anna).seal.type).toBe("sealed");
  expect(notices(anna, "sealed-again")).toHaveLength(1);
});

test("media in the clear, that nobody can open, and of nobody's are told", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const connected = [identityOf(anna), identityOf(ben), "somebody"];
  const quiet = { type: "media", flowing: [], plaintext: [], hasUnopened: false } as const;
  const media = { ...quiet, plaintext: [identityOf(ben)], connected };
  world.input(anna, media);
  expect(seen(anna).seal).toEqual({ type: "not-sealed", reasons: ["plaintext"] });
  world.run(6_000);
  world.input(anna, media);
  expect(seen(anna).seal).toEqual({ type: "not-sealed", reasons: ["plaintext", "stranger"] });
  world.input(anna, { ...quiet, hasUnopened: true, connected });
  expect(seen(anna).seal).toEqual({ type: "not-sealed", reasons: ["stranger", "unopened"] });
  expect(notices(anna, "seal-lost").at(-1)).toEqual({ type: "seal-lost", reason: "unopened" });
});

test("a socket that stays away is no seal for ever", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna] = clients;
  world.breakSocket(anna);
  withoutSocket(world, anna, 40_000);
  expect(seen(anna).seal).toEqual({ type: "not-sealed", reasons: ["withheld"] });
  expect(seen(anna).phase.type).toBe("reconnecting");
  withoutSocket(world, anna, 150_000);
  expect(seen(anna).phase).toEqual({ type: "over", reason: "lost" });
});

test("two tabs of one device: the newer stays", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const again = world.join("Ben");
  world.run(5_000);
  expect(names(again)).toEqual(["Anna", "Ben"]);
  expect(seen(ben).phase).toEqual({ type: "over", reason: "elsewhere" });
  expect(names(anna)).toEqual(["Anna", "Ben"]);
});

test("who comes first without the link waits for somebody who has it", () => {
  const world = new World(seeded(2));
  const guest = world.join("Guest", { hasLink: false });
  world.run(2_000);
  expect(seen(guest).phase).toMatchObject({ type: "waiting", members: 0, canWrite: false });
  const anna = world.join("Anna", { isHost: true });
  world.run(3_000);
  expect(seen(anna).door).toHaveLength(1);
});

test("two who begin at once end up in one meeting", () => {
  const world = new World(seeded(11));
  const anna = world.join("Anna", { isHost: true });
  const ben = world.join("Ben");
  world.run(5_000);
  expect(names(anna)).toEqual(["Anna", "Ben"]);
  expect(names(ben)).toEqual(["Anna", "Ben"]);
});

test("after leaving nothing works any more", () => {
  const { world, clients } = meeting(["Anna"]);
  const [anna] = clients;
  expect(done(world, anna, { type: "leave" })).toBe("done");
  expect(seen(anna).phase).toEqual({ type: "over", reason: "left" });
  expect(done(world, anna, chat("hello?"))).toBe("failed");
  expect(done(world, anna, { type: "leave" })).toBe("done");
  expect(anna.isStopped).toBe(true);
});

test("two hundred are let in, the next one is not", () => {
  const { world, clients } = meeting(["Anna"]);
  const [anna] = clients;
  const facts = anna.state.group?.facts;
  if (facts === undefined || anna.state.group === null) throw new Error("no group");
  const roster = Array.from({ length: 200 }, (_, leaf) => ({
    leaf,
    signatureKey: leaf === 0 ? anna.setup.signatureKey : new Uint8Array(32).fill(leaf),
    accountKey: null,
    invitation: null,
  }));
  anna.state = { ...anna.state, group: { ...anna.state.group, facts: { ...facts, roster } } };
  const late = world.join("Late");
  world.run(3_000);
  expect(seen(late).phase.type).toBe("waiting");
  expect(anna.state.own).toBeNull();
});

test("the answer to a knock at a meeting that has ended does not lead away from the next one", () => {
  const world = new World(seeded(2));
  const guest = world.join("Guest", { hasLink: false });
  const instances = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)].map(b64);
  const hello = { t: "hello", seat: "a", resume: "b", resumed: false, role: "guest", seq: 0 };
  world.input(guest, { type: "opened" });
  world.input(guest, { type: "frame", frame: { ...hello, instance: instances[0] } });
  world.answer(guest);
  world.answer(guest);
  const { nextN } = guest.state;
  for (const instance of [null, instances[1]]) {
    world.input(guest, { type: "frame", frame: { t: "instance", instance } });
  }
  expect(guest.state.stage).toBe("knocking");
  const late = { t: "error", n: nextN - 1, code: "no_instance" };
  world.input(guest, { type: "frame", frame: late });
  expect(guest.state.stage).toBe("knocking");
});

/** What comes about seldom: the second refusal in a row, an answer to what is no longer asked. */

import { expect, test } from "vitest";
import { b64 } from "./bytes.ts";
import { onNoteAnswer, runNote } from "./door.ts";
import { onFreeze } from "./freeze.ts";
import type { CallName } from "./io.ts";
import { step } from "./machine.ts";
import { chat, done, identityOf, meeting, memberOf, names, seen } from "./model/room.ts";
import { type Client, seeded, World } from "./model/world.ts";
import { nextDue, planAt } from "./plan.ts";
import { commitHash } from "./roles.ts";
import type { DoorEntry, State } from "./state.ts";
import { type Done, Turn } from "./turn.ts";

const BYTES = new Uint8Array(40).fill(7);
const frame = (world: World, client: Client, what: object) =>
  world.input(client, { type: "frame", frame: what });

/** The id of this client's next call of that name, which the engine is not asked for. */
function untilAsked(world: World, client: Client, name: CallName): number {
  for (let turn = 0; turn < 500; turn += 1) {
    if (client.call?.call === name) {
      const { id } = client.call;
      client.call = null;
      return id;
    }
    const move = world.moves()[turn % Math.max(1, world.moves().length)];
    if (move === undefined) world.passTime(100);
    else move();
  }
  throw new Error(`${name} was not asked`);
}

/** The given answer to this client's next call of that name, in the engine's stead. */
function answerNext(world: World, client: Client, name: CallName, answer: unknown): Done {
  const id = untilAsked(world, client, name);
  world.input(client, { type: "answered", id, answer });
}

function commitTo(client: Client, more: object = {}, ahead = 0): object {
  const epoch = (client.state.group?.facts.epoch ?? 0) + ahead;
  const seq = client.state.seq + 1;
  return {
    t: "commit",
    seq,
    epoch,
    bytes: b64(BYTES),
    from: "s",
    admitted: [],
    removed: [],
    ...more,
  };
}

/** A message in the group that `from` wrote to this client alone, opened to these words. */
function privately(world: World, client: Client, from: Client, words: object): Done {
  const utf8 = (content: object) => new TextEncoder().encode(JSON.stringify({ v: 1, ...content }));
  const epoch = client.state.group?.facts.epoch ?? 0;
  const seq = client.state.seq + 1;
  frame(world, client, { t: "message", seq, epoch, bytes: b64(BYTES), from: "s" });
  const content = utf8({ k: "private", box: b64(new Uint8Array(80)) });
  answerNext(world, client, "open", {
    type: "opened",
    sender: leafOf(client, from),
    epoch,
    content,
  });
  answerNext(world, client, "openBox", utf8(words));
}

/** Somebody whose request for a room of their own is on its way, and never arrives. */
function aboutToOpen() {
  const world = new World(seeded(3));
  const anna = world.join("Anna", { isHost: true });
  world.openSocket(anna);
  world.deliverUp(anna);
  world.deliverDown(anna);
  while (anna.toServer.length === 0) world.answer(anna);
  const [create] = anna.toServer.splice(0, 1);
  return { world, anna, create };
}

const refused = (reason: string) => ({ type: "refused", reason });
const leafOf = (client: Client, of: Client) =>
  client.state.people.get(identityOf(of))?.leaf.leaf ?? 99;

test("two commits that must not stand are one alarm, called off when both are undone", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [, ben] = clients;
  for (let twice = 0; twice < 2; twice += 1) {
    frame(world, ben, commitTo(ben));
    answerNext(world, ben, "apply", refused("forged"));
  }
  expect(ben.state.timers.has("verdict")).toBe(true);
  const epoch = ben.state.group?.facts.epoch ?? 0;
  frame(world, ben, { t: "reopened", epoch, hash: commitHash(BYTES) });
  world.flush();
  expect(ben.state.timers.has("verdict")).toBe(false);
  expect(seen(ben).seal.type).toBe("sealed");
});

test.each([false, true])(
  "a last commit that cannot be undone here, voted against: %s",
  (isVoted) => {
    const { world, clients } = meeting(["Anna"], ["Ben"]);
    const [anna, ben] = clients;
    const { last: before } = ben.state;
    world.wish(anna, { type: "policy", policy: { history: 5 } });
    while (ben.state.last === before || ben.state.last === null) {
      const [move] = world.moves();
      if (move === undefined) world.passTime(100);
      else move();
    }
    const { last } = ben.state;
    while (ben.call !== null) world.answer(ben);
    expect(ben.state.last).toBe(last);
    const epoch = last?.before.facts.epoch;
    if (isVoted) ben.state = { ...ben.state, nacked: [`${epoch}:${last?.hash}`] };
    frame(world, ben, { t: "reopened", epoch, hash: last?.hash });
    if (isVoted) answerNext(world, ben, "undo", { isUndone: false });
    expect(ben.state.stage).toBe("away");
    world.run(8_000);
    expect(seen(ben).phase.type).toBe("inside");
    expect(names(anna)).toEqual(["Anna", "Ben"]);
  },
);

test("taken out as lost, by somebody who may: comes back by itself", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  const seat = ben.state.seat ?? "";
  frame(world, ben, commitTo(ben, { removed: [{ seat, why: "lost" }] }));
  const removed = { type: "removed", by: leafOf(ben, cleo), isReplaced: false };
  answerNext(world, ben, "apply", removed);
  world.run(10_000);
  expect(seen(ben).phase.type).toBe("inside");
  expect(names(anna)).toEqual(["Anna", "Ben", "Cleo"]);
});

test("a co-host takes somebody out for good", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  expect(done(world, anna, { type: "cohost", identity: identityOf(ben), isCohost: true })).toBe(
    "done",
  );
  expect(done(world, ben, { type: "remove", identity: identityOf(cleo) })).toBe("done");
  world.run(3_000);
  expect(names(anna)).toEqual(["Anna", "Ben"]);
  expect(seen(cleo).phase).toEqual({ type: "over", reason: "removed" });
  expect(anna.state.nacked).toEqual([]);
});

test("changes from further and further ahead are asked for twice, then it is in anew", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  for (const resyncs of [1, 2, 0]) {
    frame(world, ben, commitTo(ben, {}, 3));
    expect(ben.state.resyncs).toBe(resyncs);
    while (ben.state.stage === "member" && !ben.state.isGreeted) {
      const [move] = world.moves();
      if (move === undefined) world.passTime(1_000);
      else move();
    }
  }
  world.run(10_000);
  expect(seen(ben).phase.type).toBe("inside");
  expect(names(anna)).toEqual(["Anna", "Ben"]);
});

test("a change that leaves the group without its meeting breaks the seal", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [, ben] = clients;
  const before = ben.state.group?.facts;
  const after = { ...before, epoch: (before?.epoch ?? 0) + 1, meeting: Uint8Array.of(1) };
  const commit = { sender: 0, adds: [], removes: [], meeting: after.meeting, psks: [] };
  frame(world, ben, commitTo(ben));
  answerNext(world, ben, "apply", { type: "applied", before, after, commit });
  expect(seen(ben).seal).toMatchObject({ type: "broken", reason: "forbidden-change" });
});

test("a change by a member whom nobody knows is a change all the same", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [, ben] = clients;
  const before = ben.state.group?.facts;
  const after = { ...before, epoch: (before?.epoch ?? 0) + 1 };
  const commit = { sender: 99, adds: [], removes: [], meeting: null, psks: [] };
  frame(world, ben, commitTo(ben));
  answerNext(world, ben, "apply", { type: "applied", before, after, commit });
  expect(ben.state.group?.facts.epoch).toBe(after.epoch);
  // And one that goes back has nobody to blame.
  const { last } = ben.state;
  ben.state = { ...ben.state, nacked: [`${before?.epoch}:${last?.hash}`] };
  frame(world, ben, { t: "reopened", epoch: before?.epoch, hash: last?.hash });
  answerNext(world, ben, "undo", { isUndone: true });
  expect(ben.state.group?.facts.epoch).toBe(before?.epoch);
  expect([...ben.state.people.values()].filter((one) => one.presence === "left")).toEqual([]);
});

test("who is leaving is not held up by a change that goes back", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [, ben] = clients;
  const epoch = ben.state.group?.facts.epoch ?? 0;
  world.wish(ben, { type: "leave" });
  frame(world, ben, { t: "reopened", epoch, hash: commitHash(BYTES) });
  world.run(3_000);
  expect(seen(ben).phase).toEqual({ type: "over", reason: "left" });
  expect(ben.state.dropped.commit).toBe(0);
});

test("who has no seat is asked to be silent, and the server is asked nothing", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const people = new Map(anna.state.people);
  const person = people.get(identityOf(ben));
  if (person === undefined) throw new Error("no Ben");
  people.set(identityOf(ben), { ...person, seat: null });
  anna.state = { ...anna.state, people };
  world.wish(anna, { type: "order", what: "mute", identity: identityOf(ben) });
  const sent: string[] = [];
  for (let turn = 0; turn < 20 && !sent.includes("message"); turn += 1) {
    if (anna.call !== null) world.answer(anna);
    sent.push(...anna.toServer.splice(0).map(({ t }) => t));
  }
  expect(sent).toContain("message");
  expect(sent).not.toContain("mute");
});

test("two errors for one commit are one", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna] = clients;
  world.wish(anna, { type: "policy", policy: { history: 5 } });
  while (anna.state.own === null) world.answer(anna);
  const n = anna.toServer.find((sent) => sent.t === "commit")?.["n"];
  anna.toServer = [];
  // Sent again after a resume, it has two numbers.
  anna.state = {
    ...anna.state,
    requests: new Map(anna.state.requests).set(900, { type: "commit" }),
  };
  const { seq, group } = anna.state;
  const busy = { t: "message", seq: seq + 1, epoch: group?.facts.epoch, bytes: "AAAA", from: "s" };
  frame(world, anna, busy);
  for (const number of [n, 900]) {
    frame(world, anna, { t: "error", n: number, code: "unavailable" });
  }
  world.run(5_000);
  expect(anna.state.own).toBeNull();
  expect(seen(anna).policy.history).toBe(5);
});

test("somebody without a seat is taken out all the same", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const people = new Map(anna.state.people);
  for (const [identity, person] of people) {
    if (identity === identityOf(ben)) people.set(identity, { ...person, seat: null });
  }
  anna.state = { ...anna.state, people };
  expect(done(world, anna, { type: "remove", identity: identityOf(ben) })).toBe("done");
  expect(names(anna)).toEqual(["Anna"]);
});

test("leaving is leaving, even when the seat is taken away meanwhile", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [, ben] = clients;
  world.wish(ben, { type: "leave" });
  frame(world, ben, { t: "removed", why: "left" });
  expect(seen(ben).phase).toEqual({ type: "over", reason: "left" });
});

test("leaving is leaving, even when the server will not have it", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [, ben] = clients;
  world.wish(ben, { type: "leave" });
  for (let turn = 0; turn < 50 && ben.toServer.every(({ t }) => t !== "leave"); turn += 1) {
    if (ben.call !== null) world.answer(ben);
    else world.deliverUp(ben);
    if (ben.fromServer.length > 0) world.deliverDown(ben);
  }
  const n = ben.toServer.find(({ t }) => t === "leave")?.["n"];
  frame(world, ben, { t: "error", n, code: "unavailable" });
  expect(seen(ben).phase).toEqual({ type: "over", reason: "left" });
});

test("a room that was opened by somebody else meanwhile is knocked at", () => {
  const { world, anna, create } = aboutToOpen();
  const { seat, resume } = anna.state;
  const other = b64(new Uint8Array(16).fill(5));
  // Ours did not win: a resume finds another's.
  world.breakSocket(anna);
  while (!anna.isConnecting) world.passTime(500);
  world.openSocket(anna);
  const hello = { t: "hello", seat, resume, resumed: true, role: "host", instance: other, seq: 0 };
  frame(world, anna, hello);
  expect(anna.state.stage).toBe("knocking");
  // And a late yes to ours is no way in.
  const ticket = { url: "", token: "t" };
  anna.state = {
    ...anna.state,
    requests: new Map(anna.state.requests).set(Number(create?.["n"]), { type: "create" }),
  };
  frame(world, anna, { t: "ok", n: create?.["n"], ticket });
  expect(anna.state.stage).toBe("knocking");
});

test("who lost the race to open a room asks again when nobody says who won", () => {
  const { world, anna, create } = aboutToOpen();
  frame(world, anna, { t: "error", n: create?.["n"], code: "exists" });
  expect(anna.state.stage).toBe("outside");
  world.run(10_000);
  expect(seen(anna).phase.type).toBe("inside");
});

test("more at the door than there is room for", () => {
  const { world, clients } = meeting(["Anna", { entry: "lobby" }], ["Ben", { hasLink: false }]);
  const [anna] = clients;
  const [entry] = anna.state.door.values();
  expect(entry).toBeDefined();
  const many = Array.from({ length: 500 }, (_, at) => [`s${at}`, entry as DoorEntry] as const);
  anna.state = { ...anna.state, door: new Map(many) };
  const dropped = anna.state.dropped.knock;
  world.join("Cleo", { hasLink: false });
  world.run(2_000);
  expect(anna.state.dropped.knock).toBe(dropped + 1);
  expect(anna.state.door.size).toBe(500);
});

test("a known device with another account is a moderator's to decide", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  const knock = { t: "knock", seat: "s9", key_package: b64(BYTES), intro: b64(BYTES) };
  const facts = {
    ref: BYTES,
    signatureKey: cleo.setup.signatureKey,
    accountKey: BYTES,
    invitation: null,
  };
  const examined = { isSigned: true, proof: "good", intro: null, words: { de: [], en: [] } };
  for (const [client, expected] of [
    [ben, 0],
    [anna, 1],
  ] as const) {
    frame(world, client, { ...knock, proof: b64(BYTES), sign: b64(BYTES) });
    answerNext(world, client, "inspect", facts);
    answerNext(world, client, "examineKnock", examined);
    const found = planAt({ ...client.state, commitAfter: 0 }, world.now + 60_000);
    expect(found?.adds.length ?? 0).toBe(expected);
  }
});

test("in a full room there is a place for who comes back, and none besides", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const { group } = anna.state;
  if (group === null) throw new Error("no group");
  const strangers = Array.from({ length: 198 }, (_, at) => ({
    leaf: at + 2,
    signatureKey: new Uint8Array(32).fill(at + 10),
    accountKey: null,
    invitation: null,
  }));
  const roster = [...group.facts.roster, ...strangers];
  const back: DoorEntry = {
    seat: "back",
    keyPackage: BYTES,
    facts: { ref: BYTES, signatureKey: ben.setup.signatureKey, accountKey: null, invitation: null },
    hasProof: true,
    name: null,
    colour: 0,
    words: { de: [], en: [] } as unknown as DoorEntry["words"],
    invited: null,
    note: null,
    at: world.now,
    isAdmitted: true,
    failures: 0,
  };
  const stranger = { ...back, seat: "new", facts: { ...back.facts, signatureKey: BYTES } };
  const full: State = {
    ...anna.state,
    commitAfter: 0,
    group: { ...group, facts: { ...group.facts, roster } },
    door: new Map([back, stranger].map((entry) => [entry.seat, entry])),
  };
  expect(planAt(full, world.now + 60_000)?.adds.map(({ seat }) => seat)).toEqual(["back"]);
  expect(nextDue(new World(seeded(1)).join("Nobody").state)).toBeNull();
});

test("past messages are taken once, and links only when they prove the room", () => {
  const { world, clients } = meeting(["Anna", { history: 3 }], ["Ben"]);
  const [anna] = clients;
  done(world, anna, chat("before"));
  const cleo = world.join("Cleo", { hasLink: false });
  world.run(2_000);
  const [asking] = seen(anna).door;
  done(world, anna, { type: "admit", seats: [asking?.seat ?? ""] }, 300);
  answerNext(world, cleo, "adoptLink", false);
  expect(cleo.state.link).toBeNull();
  world.run(4_000);
  const before = seen(cleo).chat;
  const id = b64(new Uint8Array(16));
  const old = [{ id, from: identityOf(anna), name: "Anna", text: "x", at: 1, reply: null }];
  privately(world, cleo, anna, { k: "history", messages: old });
  expect(seen(cleo).chat).toEqual(before);
  const { message } = cleo.state.dropped;
  privately(world, cleo, anna, { k: "nothing" });
  expect(cleo.state.dropped.message).toBe(message + 1);
});

test("a change that is bound to the link waits until the link comes", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const { link } = ben.state;
  ben.state = { ...ben.state, link: null };
  frame(world, ben, commitTo(ben));
  answerNext(world, ben, "apply", refused("no-psk"));
  expect(ben.state.held).not.toBeNull();
  privately(world, ben, anna, { k: "link", ...link });
  answerNext(world, ben, "adoptLink", true);
  expect(ben.state.held).toBeNull();
  expect(ben.call?.call).toBe("apply");
});

test("timers whose reason is gone do nothing", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const due = (name: "links" | "door" | "switch" | "forget", more: Partial<State> = {}) =>
    step(
      { ...anna.state, ...more, timers: new Map([[name, world.now]]) },
      { type: "tick" },
      world.now,
    );
  expect(due("links", { link: null }).effects.map(({ type }) => type)).not.toContain("call");
  expect(due("door", { atDoor: null }).state.atDoor).toBeNull();
  const sends = due("switch").effects.filter(({ type }) => type === "keys-send");
  expect(sends).toEqual([]);
  // Two epochs with one index: the newer one's keys are in use.
  const [keys] = anna.state.keyEpochs;
  if (keys === undefined) throw new Error("no keys");
  const old = { ...keys, forgetAt: world.now };
  const same = { ...keys, epoch: keys.epoch + 256, forgetAt: null };
  const kept = due("forget", { keyEpochs: [old, same] });
  expect(kept.effects.filter(({ type }) => type === "keys-forget")).toEqual([]);
  expect(kept.state.keyEpochs).toEqual([same]);
  expect(memberOf(anna, ben)?.name).toBe("Ben");
});

test("nothing is noted of somebody who is not there, and no more work is taken than can be done", () => {
  const { clients } = meeting(["Anna"]);
  const [anna] = clients;
  const turn = new Turn(anna.state, 0);
  turn.person("nobody", { handAt: 1 });
  expect(turn.state.people).toBe(anna.state.people);
  const job = { type: "discard" } as const;
  turn.set({ jobs: Array.from({ length: 5_000 }, () => job) });
  turn.job(job);
  expect(turn.state.jobs).toHaveLength(5_000);
  expect(turn.state.dropped.frame).toBe(anna.state.dropped.frame + 1);
});

/** Until this client has sent a frame of that kind, which is taken out of the wire. */
function take(world: World, client: Client, kind: string): Record<string, unknown> {
  for (let turn = 0; turn < 500; turn += 1) {
    const at = client.toServer.findIndex(({ t }) => t === kind);
    const [found] = at < 0 ? [] : client.toServer.splice(at, 1);
    if (found !== undefined) return found;
    if (client.call !== null) world.answer(client);
    else if (client.fromServer.length > 0) world.deliverDown(client);
    else if (client.toServer.length > 0) world.deliverUp(client);
    else world.passTime(100);
  }
  throw new Error(`${kind} was not sent`);
}

test("a meeting that a host has to begin: who is early waits at its door", () => {
  const { world, anna, create } = aboutToOpen();
  frame(world, anna, { t: "error", n: create?.["n"], code: "closed" });
  expect(seen(anna).phase).toMatchObject({ type: "waiting", members: 0 });
});

test.each(["revoked", "expired"] as const)("a knock with an invitation that is %s ends", (code) => {
  const { world } = meeting(["Anna", { entry: "lobby" }]);
  const ida = world.join("Ida", { invitedAs: "Ida" });
  world.openSocket(ida);
  const { n } = take(world, ida, "knock");
  frame(world, ida, { t: "error", n, code });
  expect(seen(ida).phase).toEqual({ type: "over", reason: code });
});

test("a line to the host is one at a time, and every end of it is told", () => {
  const { world, clients } = meeting(["Anna", { entry: "lobby" }], ["Ben"]);
  const [, ben] = clients;
  const line = { type: "note", text: "hello" } as const;
  const first = world.wish(ben, line);
  const second = world.wish(ben, line);
  expect(ben.outcomes.get(second)).toBe("failed");
  world.input(ben, { type: "failed", id: untilAsked(world, ben, "sealNote") });
  expect(ben.outcomes.get(first)).toBe("failed");
  // Sent, and the socket goes before there is an answer.
  const third = world.wish(ben, line);
  take(world, ben, "note");
  world.breakSocket(ben);
  expect(ben.outcomes.get(third)).toBe("failed");
});

test.each(["unknown_seat", "rate"])("a line that the server refuses with %s is over", (code) => {
  const { clients } = meeting(["Anna", { entry: "lobby" }], ["Ben"]);
  const turn = new Turn({ ...clients[1].state, noteWish: 1 }, 0);
  onNoteAnswer(turn, "hello", code);
  expect(turn.state).toMatchObject({ noteWish: null, ownNote: null });
});

test("a line is not sealed by who has come in meanwhile", () => {
  const { clients } = meeting(["Anna"]);
  const turn = new Turn({ ...clients[0].state, noteWish: 1 }, 0);
  runNote(turn, "hello");
  expect(turn.state.noteWish).toBeNull();
  expect(turn.state.open).toBeNull();
});

test("a name in an invitation that does not open is none", () => {
  const { world, clients } = meeting(["Anna"]);
  const [anna] = clients;
  const ida = world.join("Ida", { invitedAs: "Ida" });
  answerNext(world, anna, "invitedNames", [null]);
  world.run(3_000);
  expect(memberOf(anna, ida)?.invited).toMatchObject({ name: null });
});

test("everything stopped: not by who may not, and nothing private is heard meanwhile", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  const asBen = anna.state.people.get(identityOf(ben));
  const turn = new Turn(anna.state, 0);
  if (asBen !== undefined) onFreeze(turn, asBen, true);
  expect(turn.state.frozen).toBeNull();
  expect(turn.state.dropped.message).toBe(anna.state.dropped.message + 1);
  done(world, anna, { type: "freeze", isOn: true });
  privately(world, cleo, ben, { k: "chat", id: "AAAAAAAAAAAAAAAAAAAAAA", text: "psst" });
  expect(seen(cleo).chat).toEqual([]);
});

test("who has the link already takes no other", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const { link } = ben.state;
  privately(world, ben, anna, { k: "link", ...link });
  expect(ben.state.link).toBe(link);
  expect(ben.call?.call).not.toBe("adoptLink");
});

test("cleaning without a connection, and of seats that are gone or no invitations at all", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const clean = { type: "clean", identities: [], seats: ["gone"], invitations: ["%"] } as const;
  expect(done(world, anna, clean)).toBe("done");
  world.breakSocket(anna);
  const wish = world.wish(anna, { ...clean, identities: [identityOf(ben)] });
  world.run(5_000);
  expect(anna.outcomes.get(wish)).toBe("done");
  expect(names(anna)).toEqual(["Anna"]);
  expect(anna.state.group?.context.policy.revoked).toEqual([]);
});

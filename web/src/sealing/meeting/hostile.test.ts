import { expect, test } from "vitest";
import { b64, compareBytes, fromB64, utf8 } from "./bytes.ts";
import { readMessage, readPrivate, writeMessage } from "./messages.ts";
import { chat, done, identityOf, meeting, names, notices, seen } from "./model/room.ts";
import { type Client, seeded, World } from "./model/world.ts";
import type { Done } from "./turn.ts";
import { readFrame } from "./wire.ts";

const ID = b64(new Uint8Array(16));
const SEAT = { seat: "s", identity: "i", is_live: true, role: "member" };
const frame = (world: World, client: Client, what: object) =>
  world.input(client, { type: "frame", frame: what });

/** An error to the request that this client sends next, in the server's stead. */
function refuseNext(world: World, client: Client, t: string, code: string): Done {
  for (let turn = 0; turn < 500; turn += 1) {
    const at = client.toServer.findIndex((sent) => sent.t === t);
    const [sent] = at < 0 ? [] : client.toServer.splice(at, 1);
    if (sent !== undefined) return frame(world, client, { t: "error", n: sent["n"], code });
    const [move] = world.moves().filter((_, place) => place === turn % world.moves().length);
    if (move === undefined) world.passTime(100);
    else move();
  }
  throw new Error(`no ${t} was sent`);
}

const BAD_FRAMES: readonly unknown[] = [
  undefined,
  null,
  "hello",
  [],
  {},
  { t: 1 },
  { t: "nothing" },
  { t: "toString" },
  { t: "settled", epoch: -1 },
  { t: "settled", epoch: 1.5 },
  { t: "settled", epoch: "1" },
  { t: "presence", seat: "", state: "live" },
  { t: "presence", seat: "s".repeat(129), state: "live" },
  { t: "presence", seat: 7, state: "live" },
  { t: "presence", seat: "s", state: "asleep" },
  { t: "hello", seat: "s", resume: "r", resumed: 1, role: "guest", instance: null, seq: 0 },
  { t: "instance", instance: "not base64" },
  { t: "instance", instance: b64(new Uint8Array(15)) },
  { t: "commit", seq: 1, epoch: 1, bytes: "AA", from: "s", admitted: {}, removed: [] },
  { t: "commit", seq: 1, epoch: 1, bytes: "AA", from: "s", admitted: [[]], removed: [] },
  { t: "commit", seq: 1, epoch: 1, bytes: "AA", from: "s", admitted: [null], removed: [] },
  { t: "welcome", seq: 1, epoch: 1, bytes: "AA", identity: "i", ticket: null, seats: [SEAT] },
];

test.each(BAD_FRAMES)("%j is no frame, and changes nothing", (what) => {
  expect(readFrame(what)).toBeNull();
  const { world, clients } = meeting(["Anna"]);
  const [anna] = clients;
  const before = anna.state;
  frame(world, anna, what as object);
  expect(anna.state).toEqual({ ...before, dropped: { ...before.dropped, frame: 1 } });
});

const BAD_MESSAGES: readonly unknown[] = [
  null,
  7,
  [],
  { v: 2, k: "bye" },
  { v: 1 },
  { v: 1, k: "dance" },
  { v: 1, k: "profile", name: "A", colour: 12, box: b64(new Uint8Array(32)) },
  { v: 1, k: "profile", name: "A", colour: "1", box: b64(new Uint8Array(32)) },
  { v: 1, k: "profile", name: "A", colour: 1, box: ID },
  { v: 1, k: "chat", id: ID, text: "" },
  { v: 1, k: "chat", id: ID, text: "x".repeat(4_001) },
  { v: 1, k: "chat", id: "short", text: "x" },
  { v: 1, k: "hand", up: "yes" },
  { v: 1, k: "order", what: "dance", to: "i" },
];

test.each(BAD_MESSAGES)("%j is no message", (what) => {
  const content = utf8(JSON.stringify(what));
  expect(readMessage(content)).toBeNull();
  expect(readPrivate(content)).toBeNull();
});

test("what is no text, no JSON or too long is no message", () => {
  expect(readMessage(Uint8Array.of(0xff))).toBeNull();
  expect(readMessage(utf8("{"))).toBeNull();
  expect(readMessage(writeMessage({ k: "bye", padding: "x".repeat(40_000) }))).toBeNull();
  expect(readMessage(writeMessage({ k: "bye", padding: "x" }))).toEqual({ k: "bye" });
});

test("bytes: one way to write them, a shorter prefix first", () => {
  for (const text of ["A", "AB", "AAB", "AA=", "A+", "AA A"]) expect(fromB64(text)).toBeNull();
  const long = Uint8Array.from({ length: 100 }, (_, at) => at * 5);
  expect(fromB64(b64(long))).toEqual(long);
  expect(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 2))).toBeLessThan(0);
  expect(compareBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBeGreaterThan(0);
});

test("frames out of turn are dropped", () => {
  const { world, clients } = meeting(["Anna"]);
  const [anna] = clients;
  const late = [
    { t: "hello", seat: "s", resume: "r", resumed: true, role: "guest", instance: null, seq: 0 },
    { t: "ok", n: 9_999 },
    { t: "error", code: "malformed" },
    { t: "denied", reason: "denied" },
    {
      t: "welcome",
      seq: 1,
      epoch: 1,
      bytes: "AA",
      identity: "i",
      ticket: { url: "", token: "t" },
      seats: [],
    },
  ];
  for (const what of late) frame(world, anna, what);
  expect(anna.state.dropped).toMatchObject({ frame: 4, welcome: 1 });
  frame(world, anna, { t: "granted", seat: "s", role: "host" });
  frame(world, anna, { t: "waiting", members: 3 });
  world.input(anna, { type: "answered", id: 9_999, answer: null });
  world.input(anna, { type: "failed", id: 9_999 });
  expect(seen(anna).phase).toEqual({ type: "inside" });
  frame(world, anna, { t: "ping" });
  expect(anna.toServer.at(-1)).toEqual({ t: "pong" });
  const stranger = new World(seeded(1)).join("Stranger");
  world.input(stranger, { type: "opened" });
  frame(world, stranger, { t: "settled", epoch: 1 });
  expect(stranger.state.dropped.frame).toBe(1);
});

test("the server's word for the end is the end, for a pause a pause", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  frame(world, anna, { t: "bye", reason: "shutdown", retry_after_ms: 20_000 });
  frame(world, ben, { t: "bye", reason: "shutdown" });
  world.restartServer();
  const opened: string[] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    world.passTime(1_000);
    opened.push(`${anna.isConnecting}${ben.isConnecting}`);
  }
  expect(opened.at(-1)).toBe("falsetrue");
  world.run(15_000);
  expect(seen(anna).phase.type).toBe("inside");
  frame(world, anna, { t: "ended" });
  expect(seen(anna).phase).toEqual({ type: "over", reason: "ended" });
  frame(world, ben, { t: "removed", why: "replaced" });
  expect(seen(ben).phase).toEqual({ type: "over", reason: "elsewhere" });
});

test("a seat that is taken away for no good is taken anew", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  frame(world, ben, { t: "removed", why: "left" });
  world.run(8_000);
  expect(names(anna)).toEqual(["Anna", "Ben"]);
  expect(seen(ben).phase.type).toBe("inside");
});

test.each(["full", "rate", "forbidden"])("a knock that is answered %s", (code) => {
  const { world, clients } = meeting(["Anna"]);
  const ben = world.join("Ben");
  refuseNext(world, ben, "knock", code);
  world.run(10_000);
  const isIn = seen(ben).phase.type === "inside";
  expect(isIn).toBe(code !== "full");
  if (!isIn) expect(seen(ben).phase).toEqual({ type: "over", reason: "full" });
  expect(world.problems).toEqual([]);
  expect(names(clients[0])).toEqual(isIn ? ["Anna", "Ben"] : ["Anna"]);
});

test.each(["full", "unknown_seat", "forbidden", "rate"])("a commit answered %s", (code) => {
  const { world, clients } = meeting(["Anna"]);
  const [anna] = clients;
  const ben = world.join("Ben");
  refuseNext(world, anna, "commit", code);
  expect(anna.state.own?.plan.adds.length ?? 0).toBeLessThan(2);
  world.run(10_000);
  expect(names(anna)).toEqual(code === "full" ? ["Anna"] : ["Anna", "Ben"]);
  expect(seen(ben).phase.type).toBe(code === "full" ? "waiting" : "inside");
});

test("a message is written anew or given up as the server says", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  for (const [code, outcome] of [
    ["rate", "done"],
    ["epoch", "done"],
    ["unavailable", "failed"],
  ] as const) {
    const what = chat(code);
    const wish = world.wish(anna, what);
    refuseNext(world, anna, "message", code);
    world.run(3_000);
    expect(anna.outcomes.get(wish)).toBe(outcome);
    const state = outcome === "done" ? "sent" : "failed";
    expect(seen(anna).chat.at(-1)).toMatchObject({ text: code, state });
  }
  expect(seen(ben).chat.map(({ text }) => text)).toEqual(["rate", "epoch"]);
  const [, , failed] = seen(anna).chat;
  expect(done(world, anna, { type: "resend", id: failed?.id ?? "" })).toBe("done");
  expect(seen(ben).chat.at(-1)?.text).toBe("unavailable");
  const reaction = world.wish(anna, { type: "react", emoji: "x" });
  refuseNext(world, anna, "message", "rate");
  expect(anna.outcomes.get(reaction)).toBe("failed");
});

test.each([
  ["unknown_seat", "gone", 0],
  ["rate", "failed", 1],
] as const)("a denial answered %s is %s", (code, outcome, left) => {
  const { world, clients } = meeting(["Anna"], ["Guest", { hasLink: false }]);
  const [anna] = clients;
  const wish = world.wish(anna, { type: "deny", seat: seen(anna).door[0]?.seat ?? "" });
  refuseNext(world, anna, "deny", code);
  expect(anna.outcomes.get(wish)).toBe(outcome);
  expect(seen(anna).door).toHaveLength(left);
});

test("a ticket that is wanted is asked for until it comes", () => {
  const { world, clients } = meeting(["Anna"]);
  const [anna] = clients;
  const before = anna.mediaConnects;
  world.input(anna, { type: "ticket-wanted" });
  refuseNext(world, anna, "ticket", "unavailable");
  expect(anna.mediaConnects).toBe(before);
  world.run(3_000);
  expect(anna.mediaConnects).toBe(before + 1);
  world.input(anna, { type: "ticket-wanted" });
  frame(world, anna, { t: "ok", n: anna.state.nextN - 1 });
  expect(anna.state.dropped.frame).toBe(1);
});

test("without encryption in this browser there is no meeting", () => {
  const { world, clients } = meeting(["Anna"]);
  const [anna] = clients;
  world.input(anna, { type: "no-encryption" });
  expect(seen(anna).seal).toMatchObject({ type: "broken", reason: "no-encryption" });
  expect(anna.isStopped).toBe(true);
});

/** Lets everything go on until this client's engine is asked this, and fails it. */
function failCall(world: World, client: Client, call: string): Done {
  for (let turn = 0; turn < 2_000; turn += 1) {
    if (client.call?.call === call) {
      const { id } = client.call;
      client.call = null;
      return world.input(client, { type: "failed", id });
    }
    const moves = world.moves();
    if (moves.length === 0) world.passTime(500);
    else moves[turn % moves.length]?.();
  }
  throw new Error(`${call} was never asked`);
}

test.each(["keyPackage", "makeKnock", "join", "verifyMeeting", "codes"])(
  "a newcomer whose %s fails comes in all the same",
  (call) => {
    const { world, clients } = meeting(["Anna"]);
    const ben = world.join("Ben");
    failCall(world, ben, call);
    world.run(20_000);
    expect(names(ben)).toEqual(["Anna", "Ben"]);
    expect(names(clients[0])).toEqual(["Anna", "Ben"]);
  },
);

test("who has no key for private messages is known once it has one, by the next epoch", () => {
  const { world, clients } = meeting(["Anna"]);
  const ben = world.join("Ben");
  failCall(world, ben, "boxKey");
  world.run(305_000);
  expect(names(clients[0])).toEqual(["Anna", "Ben"]);
});

test.each(["inspect", "examineKnock", "commit"])(
  "a knock over which %s fails is dropped, and the next one is heard",
  (call) => {
    const { world, clients } = meeting(["Anna"]);
    const [anna] = clients;
    const ben = world.join("Ben");
    failCall(world, anna, call);
    expect(anna.state.dropped.knock).toBe(1);
    world.reload(ben);
    world.run(10_000);
    expect(names(anna)).toEqual(["Anna", "Ben"]);
  },
);

test("frame keys that cannot be made are no encryption", () => {
  const { world } = meeting(["Anna"]);
  const ben = world.join("Ben");
  failCall(world, ben, "frameKeys");
  expect(seen(ben).seal).toMatchObject({ type: "broken", reason: "no-encryption" });
});

test("what cannot be written is given up, what cannot be opened is dropped", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const first = world.wish(anna, chat("one"));
  failCall(world, anna, "protect");
  const second = world.wish(anna, chat("two", { privateTo: identityOf(ben) }));
  failCall(world, anna, "sealTo");
  expect([first, second].map((wish) => anna.outcomes.get(wish))).toEqual(["failed", "failed"]);
  world.wish(anna, chat("three"));
  failCall(world, ben, "open");
  world.wish(anna, chat("four", { privateTo: identityOf(ben) }));
  failCall(world, ben, "openBox");
  world.run(1_000);
  expect(seen(ben).chat).toEqual([]);
  expect(ben.state.dropped.message).toBe(2);
});

test("a server that sends nothing but bad welcomes is given up", () => {
  const { world } = meeting(["Anna"]);
  const ben = world.join("Ben");
  for (let round = 0; round < 5; round += 1) failCall(world, ben, "join");
  expect(seen(ben).phase).toEqual({ type: "over", reason: "lost" });
});

test.each(["forged", "forbidden"] as const)("a commit that is %s stands for no one", (reason) => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben] = clients;
  world.wish(anna, { type: "policy", policy: { history: 9 } });
  for (let turn = 0; ben.call?.call !== "apply"; turn += 1) {
    const moves = world.moves();
    if (moves.length === 0) world.passTime(500);
    else moves[turn % moves.length]?.();
  }
  const { id } = ben.call;
  ben.call = null;
  const answer = { type: "refused", reason, detail: "" };
  world.input(ben, { type: "answered", id, answer });
  expect(ben.toServer.map(({ t }) => t)).toContain("nack");
  world.run(4_000);
  expect(seen(ben).seal).toMatchObject({ type: "broken", reason: "forbidden-change" });
  expect(notices(anna, "policy-changed")).toHaveLength(1);
});

test("a Remove without a reason is voted against, undone, and its sender is out", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"], ["Dora"]);
  const [anna, ben, cleo] = clients;
  const epoch = anna.state.group?.facts.epoch ?? -1;
  const leaf = cleo.state.group?.facts.ownLeaf ?? -1;
  const changes = { adds: [], removes: [leaf], meeting: null, withPsk: false };
  const staged = ben.engine.commit({ changes });
  if (staged.type === "refused") throw new Error(staged.detail);
  const bytes = b64(staged.commit);
  ben.toServer.push({ t: "commit", n: 9_999, epoch, bytes, admitted: [], removed: [] });
  world.run(4_000);
  for (const client of [anna, cleo]) {
    expect(seen(client).phase.type).toBe("inside");
    expect(seen(client).seal.type).toBe("sealed");
    expect(names(client)).toContain("Cleo");
    expect(notices(client, "member-left").length).toBeGreaterThan(0);
  }
  expect(anna.state.group?.facts.epoch).toBe(cleo.state.group?.facts.epoch);
});

test("an epoch goes back for nobody who did not vote for it", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna] = clients;
  const { last } = anna.state;
  const reopened = { t: "reopened", epoch: last?.before.facts.epoch ?? 0, hash: last?.hash ?? "" };
  frame(world, anna, { ...reopened, hash: "?" });
  frame(world, anna, { ...reopened, epoch: reopened.epoch + 7 });
  expect(anna.state.dropped.commit).toBe(2);
  expect(seen(anna).phase.type).toBe("inside");
  frame(world, anna, reopened);
  expect(seen(anna).phase.type).toBe("reconnecting");
  world.run(8_000);
  expect(names(anna)).toEqual(["Anna", "Ben"]);
});

/**
 * Anything at any moment: in random meetings, every state is also given what it should not get, on a
 * branch of its own that the meeting does not see. Frames that the server sent to somebody at some time,
 * as they were or with one field changed; answers and failures of calls; every wish; broken sockets and
 * late clocks. No input may throw, and none may make a room sealed that was not.
 */

import { expect, test } from "vitest";
import type { GroupFacts, Refusal } from "../engine/contract.ts";
import { b64, utf8 } from "./bytes.ts";
import type { CallName, Effect, Input, Wish } from "./io.ts";
import { step } from "./machine.ts";
import { encodeContext } from "./meetingContext.ts";
import type { Frame } from "./model/simServer.ts";
import { type Client, type Random, seeded, World } from "./model/world.ts";
import type { State } from "./state.ts";
import { view } from "./view.ts";

const MEETINGS = 12;
const STEPS = 140;
/** Bad inputs one after the other, on one branch. */
const DEPTH = 4;
const BRANCHES = 4;
const POOL = 400;

type Call = Extract<Effect, { readonly type: "call" }>;

interface Branch {
  readonly client: Client;
  readonly state: State;
  /** Not answered yet. */
  readonly call: Call | null;
}

/** What has been seen in a meeting, to be played again. */
class Pool {
  readonly frames: Frame[] = [];
  readonly #seen = new WeakSet<object>();

  look(world: World): void {
    for (const item of world.clients.flatMap((client) => client.fromServer)) {
      if (!("frame" in item) || this.#seen.has(item)) continue;
      this.#seen.add(item);
      this.frames.push(item.frame);
      if (this.frames.length > POOL) this.frames.shift();
    }
  }
}

function pick<T>(random: Random, from: readonly T[]): T | undefined {
  return from[Math.floor(random() * from.length)];
}

/** One field of a frame, at any depth, is another one's or nothing. */
function changed(random: Random, frame: Frame, other: Frame): Frame {
  const fields = Object.keys(frame).filter((name) => name !== "t");
  const name = pick(random, fields);
  if (name === undefined) return frame;
  const value = frame[name];
  const luck = random();
  if (typeof value === "number") {
    return { ...frame, [name]: value + Math.floor(random() * 5) - 2 };
  }
  if (luck < 0.5 && other[name] !== undefined) return { ...frame, [name]: other[name] };
  if (luck < 0.7) return { ...frame, [name]: null };
  if (Array.isArray(value)) return { ...frame, [name]: [] };
  if (typeof value === "boolean") return { ...frame, [name]: !value };
  if (typeof value === "string") return { ...frame, [name]: `${value.slice(0, -4)}AAAA` };
  return { ...frame, [name]: {} };
}

const ERRORS = ["no_instance", "forbidden", "rate", "stale", "full", "unavailable", "gone", "?"];

function wishes(random: Random, client: Client, state: State): Wish {
  const identity = pick(random, [...state.people.keys(), "nobody"]) ?? "nobody";
  const id = pick(random, [...view(state).chat.map((line) => line.id), "AAAAAAAAAAAAAAAAAAAAAA"]);
  const seat = pick(random, [...state.door.keys(), client.name]) ?? "s";
  const all: readonly Wish[] = [
    { type: "leave" },
    { type: "chat", id: "BBBBBBBBBBBBBBBBBBBBBA", text: "x", replyTo: id ?? null, privateTo: null },
    { type: "chat", id: "CCCCCCCCCCCCCCCCCCCCCA", text: "x", replyTo: null, privateTo: identity },
    { type: "edit", id: id ?? "", text: "y" },
    { type: "delete", id: id ?? "" },
    { type: "resend", id: id ?? "" },
    { type: "chat-react", id: id ?? "", emoji: "heart", on: random() < 0.5 },
    { type: "read" },
    { type: "react", emoji: "heart" },
    { type: "hand", isUp: random() < 0.5 },
    { type: "admit", seats: [seat] },
    { type: "deny", seat },
    { type: "remove", identity },
    { type: "cohost", identity, isCohost: random() < 0.5 },
    { type: "policy", policy: { isLocked: true } },
    { type: "order", what: "mute", identity },
  ];
  return pick(random, all) ?? { type: "read" };
}

function anything(random: Random, pool: Pool, { client, state, call }: Branch): Input {
  const luck = random();
  const frame = pick(random, pool.frames) ?? { t: "hello" };
  if (luck < 0.25) return { type: "frame", frame };
  if (luck < 0.45) {
    const other = pick(random, pool.frames) ?? frame;
    return { type: "frame", frame: changed(random, frame, other) };
  }
  if (luck < 0.55) {
    const n = pick(random, [...state.requests.keys()]) ?? 1;
    const isOk = random() < 0.4;
    const code = pick(random, ERRORS);
    return { type: "frame", frame: isOk ? { t: "ok", n } : { t: "error", n, code } };
  }
  if (luck < 0.75 && call !== null) {
    const ill = answer(random, call.call, state);
    const { id } = call;
    return ill === undefined || random() < 0.2
      ? { type: "failed", id }
      : { type: "answered", id, answer: ill };
  }
  if (luck < 0.88) return { type: "wish", wish: 9_000, what: wishes(random, client, state) };
  const rest: readonly Input[] = [
    { type: "tick" },
    { type: "closed" },
    { type: "opened" },
    { type: "ticket-wanted" },
    { type: "no-encryption" },
    { type: "answered", id: -1, answer: null },
    { type: "known-accounts", accounts: [] },
  ];
  return pick(random, rest) ?? { type: "tick" };
}

const REFUSALS = [
  "malformed",
  "wrong-group",
  "wrong-epoch",
  "forged",
  "forbidden",
  "no-psk",
  "not-for-us",
  "own",
] as const satisfies readonly Refusal[];

const ID = "AAAAAAAAAAAAAAAAAAAAAA";

/** What a member may have signed, whether it is one's to say or not. */
function said(random: Random, state: State): Uint8Array {
  const to = pick(random, [...state.people.keys(), "nobody"]) ?? "nobody";
  const box = b64(new Uint8Array(32));
  const [past] = state.pasts;
  const all: readonly object[] = [
    { k: "profile", name: "Eve", colour: 3, box },
    { k: "hand", up: true },
    { k: "hand", up: false },
    { k: "bye" },
    { k: "react", emoji: "👏" },
    { k: "link-held" },
    { k: "beat", auth: box, roster: box },
    { k: "beat", auth: b64(past?.auth ?? new Uint8Array(32)), roster: box },
    { k: "private", box: b64(new Uint8Array(80)) },
    { k: "chat", id: ID, text: "x" },
    { k: "chat-edit", id: ID, text: "y" },
    { k: "chat-delete", id: ID },
    { k: "chat-react", id: ID, emoji: "👏", on: true },
    ...(["mute", "stop-video", "lower-hand"] as const).map((what) => ({ k: "order", what, to })),
    { k: "nothing" },
  ];
  return utf8(JSON.stringify({ v: 1, ...pick(random, all) }));
}

/** And to this person alone. */
function saidInPrivate(random: Random): Uint8Array {
  const secret = b64(new Uint8Array(16));
  const old = { id: ID, by: "Eve", at: 1, text: "x" };
  const all: readonly object[] = [
    { k: "link", secret, fingerprint: secret },
    { k: "history", messages: [] },
    { k: "history", messages: [old] },
    { k: "chat", id: ID, text: "x" },
    { k: "nothing" },
  ];
  return utf8(JSON.stringify({ v: 1, ...pick(random, all) }));
}

/** A group with something wrong in it. */
function group(random: Random, state: State): GroupFacts {
  const instance = state.instance ?? new Uint8Array(16);
  const wrong = new Uint8Array(16).fill(9);
  const known = state.group?.context ?? null;
  const context = {
    meetingId: pick(random, [utf8(state.setup.meetingId), utf8("mtg_other")]) ?? wrong,
    instance: pick(random, [instance, wrong]) ?? wrong,
    creatorKey: known?.creatorKey ?? new Uint8Array(32),
    hostFingerprint: wrong,
    mac: known?.mac ?? new Uint8Array(32),
    policy: {
      entry: "open",
      isLocked: false,
      history: 0,
      cohosts: [],
      revoked: [],
      template: "none",
      attendees: 0x1ff,
      people: [],
      blocked: [],
    } as const,
  };
  return {
    groupId: pick(random, [instance, wrong]) ?? wrong,
    epoch: Math.floor(random() * 4),
    ownLeaf: 0,
    roster: [
      { leaf: 0, signatureKey: state.setup.signatureKey, accountKey: null, invitation: null },
    ],
    meeting: random() < 0.3 ? Uint8Array.of(1) : encodeContext(context),
    authenticator: new Uint8Array(32),
  };
}

/** What the open call may answer when others mean ill; undefined: it fails. */
function answer(random: Random, call: CallName, state: State): unknown {
  const leaf = pick(random, [...(state.group?.facts.roster ?? []).map((one) => one.leaf), 99]) ?? 0;
  const refused = { type: "refused", reason: pick(random, REFUSALS) };
  const isRefused = random() < 0.4;
  switch (call) {
    case "verifyMeeting":
    case "adoptLink":
      return false;
    case "openBox":
      return isRefused ? null : saidInPrivate(random);
    case "undo":
      return { isUndone: random() < 0.5 };
    case "examineKnock": {
      const proof = pick(random, ["good", "none", "bad"]);
      return { isSigned: random() < 0.7, proof, intro: null, words: { de: [], en: [] } };
    }
    case "inspect":
      return isRefused
        ? refused
        : { ref: new Uint8Array(32), signatureKey: utf8(ID), accountKey: null, invitation: null };
    case "join":
      return isRefused ? refused : group(random, state);
    case "create":
      return { ...group(random, state), meeting: Uint8Array.of(1) };
    case "merge":
      return { type: "removed", by: leaf, isReplaced: false };
    case "apply":
      return isRefused ? refused : { type: "removed", by: leaf, isReplaced: random() < 0.2 };
    case "frameKeys":
      return new Map();
    case "open": {
      const epoch = pick(random, [...state.pasts.map((past) => past.epoch), 77]) ?? 0;
      return isRefused
        ? refused
        : { type: "opened", sender: leaf, epoch, content: said(random, state) };
    }
    case "commit":
      return refused;
    default:
      return undefined;
  }
}

function problemOf(before: State, after: State, effects: readonly Effect[]): string | null {
  const [was, is] = [view(before).seal.type, view(after).seal.type];
  if (was !== "sealed" && was !== "not-sealed" && is === "sealed") return `${was} became sealed`;
  if (was === "broken" && is !== "broken") return `broken became ${is}`;
  const calls = effects.filter((effect) => effect.type === "call").length;
  return calls > 1 ? "two calls at once" : null;
}

test(`nothing throws or seals wrongly in ${MEETINGS} meetings, whatever comes at whatever moment`, () => {
  for (let seed = 1; seed <= MEETINGS; seed += 1) {
    const random = seeded(seed);
    const world = new World(random);
    const pool = new Pool();
    world.join("host", { isHost: true, entry: random() < 0.3 ? "lobby" : "open", history: 3 });
    for (let at = 0; at < STEPS; at += 1) {
      if (world.clients.length < 4 && random() < 0.1) {
        world.join(`member${world.clients.length}`, { hasLink: random() < 0.8 });
      }
      const move = pick(random, world.moves());
      if (move === undefined || random() < 0.1) world.passTime(700);
      else move();
      pool.look(world);
      for (const client of world.clients) {
        for (let branch = 0; branch < BRANCHES; branch += 1) {
          let { state, call } = client;
          let now = world.now;
          for (let depth = 0; depth < DEPTH; depth += 1) {
            const input = anything(random, pool, { client, state, call });
            if (random() < 0.15) now += pick(random, [300, 6_000, 40_000, 400_000]) ?? 0;
            const found = step(state, input, now);
            const problem = problemOf(state, found.state, found.effects);
            expect(problem, `seed ${seed}, step ${at}: ${JSON.stringify(input)}`).toBeNull();
            state = found.state;
            if (input.type === "answered" || input.type === "failed") call = null;
            call = found.effects.findLast((effect) => effect.type === "call") ?? call;
          }
        }
      }
    }
  }
}, 180_000);

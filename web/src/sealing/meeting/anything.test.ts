/**
 * Anything at any moment: in random meetings, every state is also given what it should not get, on a
 * branch of its own that the meeting does not see. Frames that the server sent to somebody at some time,
 * as they were or with one field changed; answers and failures of calls; every wish; broken sockets and
 * late clocks. No input may throw, and none may make a room sealed that was not.
 */

import { expect, test } from "vitest";
import type { Refusal } from "../engine/contract.ts";
import type { CallName, Effect, Input, Wish } from "./io.ts";
import { step } from "./machine.ts";
import type { Frame } from "./model/simServer.ts";
import { type Client, type Random, seeded, World } from "./model/world.ts";
import type { State } from "./state.ts";
import { view } from "./view.ts";

const MEETINGS = 20;
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
  if (luck < 0.7 && call !== null) {
    const answer = refusal(random, call.call);
    const isFailed = answer === undefined || random() < 0.3;
    return isFailed ? { type: "failed", id: call.id } : { type: "answered", id: call.id, answer };
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

/** The answer that means no, where the open call has one. */
function refusal(random: Random, call: CallName): unknown {
  switch (call) {
    case "verifyMeeting":
    case "adoptLink":
      return false;
    case "openBox":
      return null;
    case "undo":
      return { isUndone: false };
    case "examineKnock":
      return { isSigned: false, proof: "bad", intro: null, words: { de: [], en: [] } };
    case "inspect":
    case "join":
    case "commit":
    case "apply":
    case "open":
      return { type: "refused", reason: pick(random, REFUSALS) };
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
}, 60_000);

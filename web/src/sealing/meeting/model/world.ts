/**
 * Several members, a server and everything that can go wrong between them, in an order that a seed
 * decides: frames that wait, sockets that break, answers of engines that take their time, tabs that
 * reload. Checks after every step what must never be otherwise.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import type { SealedNotice } from "../../contract.ts";
import type { InvitationFacts } from "../../engine/contract.ts";
import { beginning, type Template } from "../../templates.ts";
import { b64, utf8 } from "../bytes.ts";
import type { Effect, Input, Link, Setup, Wish } from "../io.ts";
import { begin, step } from "../machine.ts";
import { accountFingerprint } from "../roles.ts";
import type { State } from "../state.ts";
import type { Done } from "../turn.ts";
import { view } from "../view.ts";
import { type Frame, SimServer } from "./simServer.ts";
import { SymbolicEngine, Truth } from "./symbolicEngine.ts";

export type Random = () => number;

/** mulberry32: small, fast, the same everywhere. */
export function seeded(seed: number): Random {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const MEETING = "mtg_world";
const HOST_ACCOUNT = sha256(utf8("account of the host"));
const LINK: Link = {
  secret: b64(utf8("link secret 1234")),
  fingerprint: b64(accountFingerprint(HOST_ACCOUNT)),
};

export interface MemberOptions {
  readonly isHost?: boolean;
  readonly hasLink?: boolean;
  readonly entry?: "open" | "lobby";
  readonly history?: number;
  readonly account?: Uint8Array;
  /** A personal link of the host's: whose. The same name on two devices is one person's link. */
  readonly invitedAs?: string;
  readonly invitation?: Partial<InvitationFacts>;
  readonly knownDevices?: ReadonlyMap<string, string>;
  readonly template?: Template;
  readonly blocked?: readonly Uint8Array[];
}

/** The host's certificate for `name`. */
export function invitationOf(name: string, other: Partial<InvitationFacts> = {}): InvitationFacts {
  return {
    meetingId: MEETING,
    key: sha256(utf8(`invitation of ${name}`)),
    role: "attendee",
    expiresAt: 0,
    name: utf8(name.padEnd(29)),
    accountKey: HOST_ACCOUNT,
    signature: new Uint8Array(64),
    ...other,
  };
}

type ServerItem = { readonly frame: Frame } | { readonly end: true };

export class Client {
  readonly name: string;
  readonly setup: Setup;
  state: State;
  engine: SymbolicEngine;
  connection: number | null = null;
  /** A socket that is being opened. */
  isConnecting = false;
  wakeAt: number | null = null;
  toServer: Frame[] = [];
  fromServer: ServerItem[] = [];
  call: Extract<Effect, { type: "call" }> | null = null;
  readonly notices: SealedNotice[] = [];
  readonly outcomes = new Map<number, string>();
  keys: { sending: number; secret: string } = { sending: -1, secret: "" };
  /** epoch -> secret */
  readonly installed = new Map<number, string>();
  /** Epochs whose keys came with the word to forget who is not in it. */
  readonly urgent = new Set<number>();
  mediaConnects = 0;
  isStopped = false;
  nextWish = 0;
  readonly isHost: boolean;

  constructor(name: string, options: MemberOptions, truth: Truth) {
    this.name = name;
    this.isHost = options.isHost === true;
    const signatureKey = sha256(utf8(`device of ${name}`));
    const accountKey = this.isHost ? HOST_ACCOUNT : (options.account ?? null);
    const link = options.hasLink === false ? null : LINK;
    const invitation =
      options.invitedAs === undefined ? null : invitationOf(options.invitedAs, options.invitation);
    this.setup = {
      meetingId: MEETING,
      name,
      colour: 3,
      signatureKey,
      accountKey,
      invitation:
        invitation === null ? null : { facts: invitation, binding: new Uint8Array(64).fill(1) },
      link,
      policy: {
        ...beginning(options.template ?? "none"),
        ...(options.entry === undefined ? {} : { entry: options.entry }),
        history: options.history ?? 0,
      },
      blocked: options.blocked ?? [],
      title: null,
      keyNotes: [],
      knownAccounts: [],
      knownDevices: options.knownDevices ?? new Map(),
    };
    this.state = begin(this.setup);
    this.engine = new SymbolicEngine({ signatureKey, accountKey, invitation, link, name }, truth);
  }
}

export class World {
  readonly truth = new Truth();
  readonly server: SimServer;
  readonly clients: Client[] = [];
  readonly problems: string[] = [];
  now = 1_000;
  steps = 0;
  readonly #random: Random;
  #nextConnection = 0;
  readonly #trace: string[] = [];
  isTracing = false;

  constructor(random: Random = seeded(1)) {
    this.#random = random;
    this.server = new SimServer(
      (connection, frame) => {
        const client = this.#of(connection);
        // As it would be after a wire: text and back.
        if (client !== undefined) client.fromServer.push({ frame });
      },
      (connection) => this.#of(connection)?.fromServer.push({ end: true }),
    );
  }

  get trace(): string {
    return this.#trace.join("\n");
  }

  #note(line: string): Done {
    if (this.isTracing) this.#trace.push(`${this.now} ${line}`);
  }

  #of(connection: number): Client | undefined {
    return this.clients.find((client) => client.connection === connection);
  }

  join(name: string, options: MemberOptions = {}): Client {
    const client = new Client(name, options, this.truth);
    this.clients.push(client);
    this.input(client, { type: "start" });
    return client;
  }

  input(client: Client, input: Input): Done {
    this.steps += 1;
    const { state, effects } = step(client.state, input, this.now);
    if (this.isTracing) {
      this.#note(
        `${client.name} <- ${brief(input)} [${state.stage} ${state.group?.facts.epoch ?? "-"}]`,
      );
    }
    client.state = state;
    for (const effect of effects) this.#run(client, effect);
    this.#check(client);
  }

  wish(client: Client, what: Wish): number {
    client.nextWish += 1;
    this.input(client, { type: "wish", wish: client.nextWish, what });
    return client.nextWish;
  }

  #run(client: Client, effect: Effect): Done {
    if (this.isTracing) this.#note(`${client.name} -> ${brief(effect)}`);
    switch (effect.type) {
      case "connect":
        client.isConnecting = true;
        return;
      case "disconnect":
        client.isConnecting = false;
        return this.#cut(client);
      case "send":
        if (client.connection !== null) client.toServer.push(effect.frame);
        return;
      case "call":
        if (client.call !== null) this.problems.push(`${client.name} has two calls open`);
        client.call = effect;
        return;
      case "wake":
        client.wakeAt = effect.at;
        return;
      case "keys-receive": {
        const own = effect.keys.get(view(client.state).selfIdentity ?? "");
        const [secret = ""] = new TextDecoder().decode(own).split(" ");
        client.installed.set(effect.epoch, secret);
        if (effect.isUrgent) client.urgent.add(effect.epoch);
        return;
      }
      case "keys-send":
        client.keys = {
          sending: effect.epoch,
          secret: client.installed.get(effect.epoch) ?? "",
        };
        return;
      case "media-connect":
        client.mediaConnects += 1;
        return;
      case "stop":
        client.isStopped = true;
        client.keys = { sending: -1, secret: "" };
        return;
      case "notice":
        client.notices.push(effect.notice);
        return;
      case "outcome":
        if (client.outcomes.has(effect.wish)) {
          this.problems.push(`${client.name} heard twice of wish ${effect.wish}`);
        }
        client.outcomes.set(effect.wish, effect.outcome);
        return;
      default:
        return;
    }
  }

  /** The socket is gone, with everything on its way. */
  #cut(client: Client): Done {
    const { connection } = client;
    client.connection = null;
    client.toServer = [];
    client.fromServer = [];
    if (connection !== null) this.server.lost(connection);
  }

  // What can happen.

  openSocket(client: Client): Done {
    client.isConnecting = false;
    this.#nextConnection += 1;
    client.connection = this.#nextConnection;
    this.input(client, { type: "opened" });
  }

  breakSocket(client: Client): Done {
    this.#cut(client);
    this.input(client, { type: "closed" });
  }

  deliverUp(client: Client): Done {
    const frame = client.toServer.shift();
    if (frame === undefined || client.connection === null) return;
    this.server.receive(client.connection, client.isHost ? "host" : "guest", frame);
  }

  deliverDown(client: Client): Done {
    const item = client.fromServer.shift();
    if (item === undefined) return;
    if ("frame" in item) this.input(client, { type: "frame", frame: item.frame });
    else {
      client.connection = null;
      client.toServer = [];
      client.fromServer = [];
      this.input(client, { type: "closed" });
    }
  }

  answer(client: Client): Done {
    const { call } = client;
    if (call === null) return;
    client.call = null;
    let answer: unknown;
    try {
      answer = client.engine.answer(call.call, call.ask as never);
    } catch {
      return this.input(client, { type: "failed", id: call.id });
    }
    this.input(client, { type: "answered", id: call.id, answer });
  }

  /** Closes the tab and opens the page again: the device key stays, all else is forgotten. */
  reload(client: Client): Done {
    this.#cut(client);
    client.state = begin(client.setup);
    const { device } = client.engine;
    client.engine = new SymbolicEngine({ ...device, link: client.setup.link }, this.truth);
    client.call = null;
    client.isConnecting = false;
    client.wakeAt = null;
    client.isStopped = false;
    client.outcomes.clear();
    client.nextWish = 0;
    client.keys = { sending: -1, secret: "" };
    this.input(client, { type: "start" });
  }

  restartServer(): Done {
    for (const client of this.clients) if (client.connection !== null) this.breakSocket(client);
  }

  /** To the next moment at which somebody wants to be woken, this one too; at most `most` ms on. */
  passTime(most = 1_000): Done {
    const wakes = this.clients.flatMap((client) => client.wakeAt ?? []);
    this.now = Math.min(this.now + most, ...wakes.map((at) => Math.max(at, this.now)));
    this.server.tick(this.now);
    for (const client of this.clients) {
      if (client.wakeAt !== null && client.wakeAt <= this.now) {
        client.wakeAt = null;
        this.input(client, { type: "tick" });
      }
    }
  }

  /** Everything that is on its way arrives, in any order across members. */
  flush(most = 20_000): Done {
    for (let turn = 0; turn < most; turn += 1) {
      const moves = this.moves();
      const move = moves[Math.floor(this.#random() * moves.length)];
      if (move === undefined) return;
      move();
    }
    this.problems.push("never quiet");
  }

  moves(): (() => void)[] {
    const moves: (() => void)[] = [];
    for (const client of this.clients) {
      if (client.isConnecting) moves.push(() => this.openSocket(client));
      if (client.toServer.length > 0) moves.push(() => this.deliverUp(client));
      if (client.fromServer.length > 0) moves.push(() => this.deliverDown(client));
      if (client.call !== null) moves.push(() => this.answer(client));
    }
    return moves;
  }

  /** Without faults for `ms`. */
  run(ms: number): Done {
    const until = this.now + ms;
    this.flush();
    while (this.now < until) {
      this.passTime(Math.min(until - this.now, 5_000));
      this.flush();
    }
  }

  // What must never be otherwise.

  #check(client: Client): Done {
    const { state, engine } = client;
    const sealed = state.stage === "member" && state.sealedAt !== null;
    if (!sealed || client.call !== null) return;
    const seal = view(state);
    if (seal.seal.type !== "sealed") return;
    const key = b64(client.setup.signatureKey);
    const roster = this.truth.rosters.get(engine.group?.secret ?? "");
    if (roster?.has(key) !== true) this.problems.push(`${client.name} is sealed without a group`);
    if (state.group?.facts.epoch !== engine.group?.epoch) {
      this.problems.push(`${client.name} is not in its engine's epoch`);
    }
    const hearing = this.truth.rosters.get(client.keys.secret);
    const shown = seal.members.length;
    if (hearing !== undefined && hearing.size > shown) {
      this.problems.push(`${client.name} is heard by ${hearing.size} and shows ${shown}`);
    }
  }
}

function brief(value: object): string {
  const text = JSON.stringify(value, (_key, field: unknown) => {
    if (field instanceof Uint8Array) return `<${field.length}>`;
    return typeof field === "string" && field.length > 60 ? `${field.slice(0, 20)}…` : field;
  });
  return text.slice(0, 300);
}

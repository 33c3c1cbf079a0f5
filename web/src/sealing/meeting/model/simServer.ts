/**
 * The delivery service of docs/reference/sealing-protocol.md, 7, as far as members can tell: one
 * winner an epoch, blind fan-out, replay, seats. In memory, without a network, for tests.
 */

import { commitHash } from "../roles.ts";
import type { Done } from "../turn.ts";

export type Frame = Readonly<Record<string, unknown>> & { readonly t: string };

interface Seat {
  readonly id: string;
  readonly resume: string;
  readonly account: "host" | "guest";
  state: "outside" | "knocking" | "member" | "gone";
  connection: number | null;
  lostAt: number | null;
  identity: string;
  role: string;
  knock: Frame | null;
  acked: number;
}

interface Entry {
  readonly seq: number;
  readonly frame: Frame;
  readonly from: string;
  /** Who was a member when it came. */
  readonly to: ReadonlySet<string>;
}

interface Instance {
  readonly id: string;
  epoch: number;
  seq: number;
  log: Entry[];
  settled: number;
  last: { hash: string; epoch: number; from: string; nacks: Set<string> } | null;
  emptySince: number | null;
}

const TICKET = { url: "wss://media", token: "token" };
const CHALLENGE = "A".repeat(39);
const LOST_MS = 40_000;
const EMPTY_MS = 60_000;

export class SimServer {
  instance: Instance | null = null;
  readonly seats = new Map<string, Seat>();
  /** `epoch` winners of all instances, to check that there is one each. */
  readonly winners = new Map<string, number>();
  /** invitation -> device that keeps it */
  readonly bindings = new Map<string, string>();
  /** What hosts wanted muted, in order. */
  readonly mutes: { readonly seat: string; readonly source: string }[] = [];
  silences = 0;
  /** What permits are answered with; null: they are taken. */
  permitError: string | null = null;
  readonly permits: { readonly all: number; readonly seats: unknown }[] = [];
  /** Knocks have to bring work, whatever it is. */
  isCrowded = false;
  readonly #out: (connection: number, frame: Frame) => void;
  readonly #close: (connection: number) => void;
  #next = 0;
  now = 0;

  constructor(
    out: (connection: number, frame: Frame) => void,
    close: (connection: number) => void,
  ) {
    this.#out = out;
    this.#close = close;
  }

  #send(seat: Seat, frame: Frame): Done {
    if (seat.connection !== null) this.#out(seat.connection, frame);
  }

  #members(): Seat[] {
    return [...this.seats.values()].filter((seat) => seat.state === "member");
  }

  #all(frame: Frame, except: Seat | null = null): Done {
    for (const seat of this.#members()) if (seat !== except) this.#send(seat, frame);
  }

  seatOf(connection: number): Seat | undefined {
    return [...this.seats.values()].find((seat) => seat.connection === connection);
  }

  /** Time passes: who is lost for long is out, an empty instance ends. */
  tick(now: number): Done {
    this.now = now;
    for (const seat of this.seats.values()) {
      const isMember = seat.state === "member";
      const isGone = seat.lostAt !== null && now - seat.lostAt >= (isMember ? 600_000 : LOST_MS);
      if (isGone && seat.state !== "gone") this.#drop(seat, "left");
    }
    const { instance } = this;
    if (instance === null) return;
    const isEmpty = !this.#members().some((seat) => seat.lostAt === null);
    if (!isEmpty) instance.emptySince = null;
    else if (instance.emptySince === null) instance.emptySince = now;
    else if (now - instance.emptySince >= EMPTY_MS) this.#end();
  }

  #end(): Done {
    this.instance = null;
    for (const seat of this.seats.values()) {
      if (seat.state === "knocking") {
        this.#send(seat, { t: "denied", reason: "ended" });
        seat.state = "outside";
      }
      if (seat.state === "member") seat.state = "gone";
      if (seat.state === "outside") this.#send(seat, { t: "instance", instance: null });
    }
  }

  #drop(seat: Seat, presence: "left" | null): Done {
    const was = seat.state;
    seat.state = "gone";
    if (was === "knocking") this.#all({ t: "knock_gone", seat: seat.id });
    if (was === "member" && presence !== null) {
      this.#all({ t: "presence", seat: seat.id, state: presence });
      this.#settle();
    }
  }

  lost(connection: number): Done {
    const seat = this.seatOf(connection);
    if (seat === undefined) return;
    seat.connection = null;
    seat.lostAt = this.now;
    if (seat.state === "member") {
      this.#all({ t: "presence", seat: seat.id, state: "lost" });
      this.#settle();
    } else this.#drop(seat, null);
  }

  receive(connection: number, account: "host" | "guest", frame: Frame): Done {
    const seat = this.seatOf(connection);
    if (seat === undefined) {
      if (frame.t === "hello") this.#hello(connection, account, frame);
      return;
    }
    const n = frame["n"];
    const error = (code: string) => this.#send(seat, { t: "error", n, code, detail: "" });
    const ok = (more: object = {}) => this.#send(seat, { t: "ok", n, ...more });
    switch (frame.t) {
      case "create":
        return this.#create(seat, frame, ok, error);
      case "knock":
        if (this.instance?.id !== frame["instance"]) return error("no_instance");
        if (this.isCrowded && frame["work"] === undefined) {
          const asked = { code: "work", challenge: CHALLENGE, bits: 16 };
          return this.#send(seat, { t: "error", n, detail: "", ...asked });
        }
        seat.state = "knocking";
        seat.knock = {
          t: "knock",
          seat: seat.id,
          key_package: frame["key_package"],
          intro: frame["intro"],
          proof: frame["proof"],
          sign: frame["sign"],
          bound: this.#bind(frame),
          note: null,
        };
        ok();
        this.#send(seat, { t: "waiting", members: this.#members().length });
        return this.#all(seat.knock);
      case "note":
        if (seat.state !== "knocking" || seat.knock === null) return error("unknown_seat");
        seat.knock = { ...seat.knock, note: frame["note"] };
        ok();
        return this.#all(seat.knock);
      case "leave":
        ok();
        this.#drop(seat, "left");
        return this.#shut(seat);
      case "pong":
        return;
    }
    if (seat.state !== "member" || this.instance === null) return error("forbidden");
    this.#member(seat, this.instance, frame, ok, error);
  }

  /** The first device that comes with an invitation keeps it. */
  #bind(frame: Frame): string | null {
    const { invitation, device } = frame as { invitation?: string; device?: string };
    if (invitation === undefined || device === undefined) return null;
    if (!this.bindings.has(invitation)) this.bindings.set(invitation, device);
    return this.bindings.get(invitation) ?? null;
  }

  #shut(seat: Seat): Done {
    if (seat.connection === null) return;
    this.#close(seat.connection);
    seat.connection = null;
  }

  #member(
    seat: Seat,
    instance: Instance,
    frame: Frame,
    ok: (more?: object) => void,
    error: (code: string) => void,
  ): Done {
    switch (frame.t) {
      case "commit":
        return this.#commit(seat, instance, frame, ok, error);
      case "message": {
        if (Math.abs(Number(frame["epoch"]) - instance.epoch) > 3) return error("epoch");
        const seq = this.#log(seat, instance, { ...frame, t: "message", n: undefined });
        return ok({ seq });
      }
      case "ack":
        seat.acked = Number(frame["epoch"]);
        return this.#settle();
      case "nack":
        return this.#nack(seat, instance, String(frame["hash"]), Number(frame["epoch"]));
      case "deny": {
        const denied = this.seats.get(String(frame["seat"]));
        if (denied?.state !== "knocking") return error("unknown_seat");
        denied.state = "outside";
        this.#send(denied, { t: "denied", reason: "denied" });
        this.#all({ t: "knock_gone", seat: denied.id });
        return ok();
      }
      case "ticket":
        return ok({ ticket: TICKET });
      case "grant":
        return ok();
      case "permit":
        if (this.permitError !== null) return error(this.permitError);
        this.permits.push({ all: Number(frame["all"]), seats: frame["seats"] });
        return ok();
      case "silence":
        this.silences += 1;
        return ok();
      case "mute":
        this.mutes.push({ seat: String(frame["seat"]), source: String(frame["source"]) });
        return ok();
    }
  }

  #hello(connection: number, account: "host" | "guest", frame: Frame): Done {
    const old = [...this.seats.values()].find((seat) => seat.resume === frame["resume"]);
    const isResumed = old !== undefined && old.state !== "gone";
    this.#next += 1;
    const seat: Seat = isResumed
      ? old
      : {
          id: `seat${this.#next}`,
          resume: `resume${this.#next}`,
          account,
          state: "outside",
          connection: null,
          lostAt: null,
          identity: "",
          role: "member",
          knock: null,
          acked: -1,
        };
    if (isResumed) this.#shut(seat);
    seat.connection = connection;
    const wasLost = seat.lostAt !== null;
    seat.lostAt = null;
    this.seats.set(seat.id, seat);
    this.#send(seat, {
      t: "hello",
      seat: seat.id,
      resume: seat.resume,
      resumed: isResumed,
      role: account,
      instance: this.instance?.id ?? null,
      seq: this.instance?.seq ?? 0,
      ping_s: 20,
    });
    if (!isResumed || seat.state !== "member") return;
    if (wasLost) this.#all({ t: "presence", seat: seat.id, state: "live" }, seat);
    for (const entry of this.instance?.log ?? []) {
      const isFor = entry.to.has(seat.id) && entry.seq > Number(frame["since"]);
      if (isFor) this.#send(seat, entry.frame);
    }
    this.#presences(seat);
    this.#knocks(seat);
  }

  #presences(to: Seat): Done {
    for (const seat of this.seats.values()) {
      if (seat === to || seat.identity === "") continue;
      const state = seat.state === "gone" ? "left" : seat.lostAt === null ? "live" : "lost";
      this.#send(to, { t: "presence", seat: seat.id, state });
    }
  }

  #knocks(to: Seat): Done {
    for (const seat of this.seats.values()) {
      if (seat.state === "knocking" && seat.knock !== null) this.#send(to, seat.knock);
    }
  }

  #create(
    seat: Seat,
    frame: Frame,
    ok: (more: object) => void,
    error: (code: string) => void,
  ): Done {
    if (this.instance !== null) return error("exists");
    this.instance = {
      id: String(frame["instance"]),
      epoch: 0,
      seq: 0,
      log: [],
      settled: -1,
      last: null,
      emptySince: null,
    };
    seat.state = "member";
    seat.identity = String(frame["identity"]);
    ok({ ticket: TICKET });
    for (const other of this.seats.values()) {
      if (other.state === "outside") {
        this.#send(other, { t: "instance", instance: this.instance.id });
      }
    }
  }

  #log(seat: Seat, instance: Instance, frame: Frame): number {
    instance.seq += 1;
    const { seq } = instance;
    const whole = { ...frame, seq, from: seat.id };
    const isCommit = frame.t === "commit";
    const to = this.#members().filter((other) => isCommit || other !== seat);
    instance.log.push({
      seq,
      frame: whole,
      from: seat.id,
      to: new Set(to.map((other) => other.id)),
    });
    for (const other of to) this.#send(other, whole);
    return seq;
  }

  #commit(
    seat: Seat,
    instance: Instance,
    frame: Frame,
    ok: (more: object) => void,
    error: (code: string) => void,
  ): Done {
    if (frame["epoch"] !== instance.epoch) return error("conflict");
    const admitted = frame["admitted"] as readonly { seat: string; identity: string }[];
    const removed = frame["removed"] as readonly { seat: string; why: string }[];
    if (admitted.some((one) => this.seats.get(one.seat)?.state !== "knocking")) {
      return error("unknown_seat");
    }
    for (const { seat: id, why } of removed) {
      const target = this.seats.get(id);
      const isLive = target?.state === "member" && target.lostAt === null;
      if (isLive && (why === "left" || why === "lost")) return error("forbidden");
    }
    const key = `${instance.id} ${instance.epoch}`;
    this.winners.set(key, (this.winners.get(key) ?? 0) + 1);
    const bytes = String(frame["bytes"]);
    const hash = commitHash(Uint8Array.from(Buffer.from(bytes, "base64url")));
    instance.last = { hash, epoch: instance.epoch, from: seat.id, nacks: new Set() };
    const { epoch } = instance;
    instance.epoch += 1;
    const seq = this.#log(seat, instance, { t: "commit", epoch, bytes, admitted, removed });
    ok({ seq });
    for (const { seat: id, why } of removed) {
      const target = this.seats.get(id);
      if (target === undefined || target === seat) continue;
      const wasMember = target.state === "member";
      target.state = "gone";
      if (wasMember) this.#send(target, { t: "removed", why });
      this.#shut(target);
    }
    const newcomers = admitted.flatMap(({ seat: id }) => this.seats.get(id) ?? []);
    for (const { seat: id, identity } of admitted) {
      const target = this.seats.get(id);
      if (target === undefined) continue;
      target.state = "member";
      target.identity = identity;
      target.acked = instance.epoch;
    }
    for (const target of newcomers) this.#welcome(target, seq, instance.epoch, frame["welcome"]);
  }

  /** With the seats of all who are in, those who came by the same commit too. */
  #welcome(target: Seat, seq: number, epoch: number, bytes: unknown): Done {
    this.#all({ t: "knock_gone", seat: target.id }, target);
    this.#send(target, {
      t: "welcome",
      seq,
      epoch,
      bytes,
      identity: target.identity,
      ticket: TICKET,
      seats: [...this.seats.values()]
        .filter((other) => other.identity !== "" && other.state === "member")
        .map((other) => ({
          seat: other.id,
          identity: other.identity,
          is_live: other.lostAt === null,
          role: other.role,
        })),
    });
    this.#knocks(target);
  }

  #settle(): Done {
    const { instance } = this;
    if (instance === null || instance.settled >= instance.epoch) return;
    const live = this.#members().filter((seat) => seat.lostAt === null);
    if (live.length === 0 || live.some((seat) => seat.acked < instance.epoch)) return;
    instance.settled = instance.epoch;
    this.#all({ t: "settled", epoch: instance.epoch });
  }

  #nack(seat: Seat, instance: Instance, hash: string, epoch: number): Done {
    const { last } = instance;
    if (last === null || last.hash !== hash || last.epoch !== epoch || last.from === seat.id) {
      return;
    }
    last.nacks.add(seat.id);
    const others = this.#members().filter((other) => other.id !== last.from);
    if (last.nacks.size * 2 <= others.length) return;
    instance.epoch = epoch;
    instance.last = null;
    instance.log = instance.log.filter(
      (entry) => entry.frame.t !== "commit" || hashOf(entry) !== hash,
    );
    const offender = this.seats.get(last.from);
    if (offender !== undefined) {
      this.#shut(offender);
      this.#drop(offender, "left");
    }
    this.#all({ t: "reopened", epoch, hash });
  }
}

function hashOf(entry: Entry): string {
  return commitHash(Uint8Array.from(Buffer.from(String(entry.frame["bytes"]), "base64url")));
}

/**
 * One step of the machine while it runs: the state so far and the effects so far. Lives for a
 * single `step`; nothing outside the machine sees it.
 */

import type { Outcome, SealedNotice, SealedPhase } from "../contract.ts";
import type { CallName, Calls, Effect } from "./io.ts";
import type { Dropped, Job, Next, Person, Request, State, TimerName } from "./state.ts";
import { writeFrame } from "./wire.ts";

/** Nothing: handlers hand a step over by `return next(t)`. */
export type Done = ReturnType<() => void>;

/** More than any honest server sends while a call is open; what comes beyond is dropped. */
const MAX_JOBS = 5_000;

export class Turn {
  state: State;
  readonly now: number;
  readonly effects: Effect[] = [];

  constructor(state: State, now: number) {
    this.state = state;
    this.now = now;
  }

  set(patch: Partial<State>): void {
    this.state = { ...this.state, ...patch };
  }

  emit(effect: Effect): void {
    this.effects.push(effect);
  }

  notice(notice: SealedNotice): void {
    this.emit({ type: "notice", notice });
  }

  outcome(wish: number | null, outcome: Outcome): void {
    if (wish !== null) this.emit({ type: "outcome", wish, outcome });
  }

  /** The lane is ours: one call is open at a time. */
  ask<K extends CallName>(call: K, ask: Calls[K]["ask"], next: Next): void {
    const id = this.state.nextCall;
    this.set({ nextCall: id + 1, open: { id, next } });
    this.emit({ type: "call", id, call, ask } as Effect);
  }

  send(t: string, fields: Readonly<Record<string, unknown>>): void {
    this.emit({ type: "send", frame: writeFrame(t, fields) });
  }

  request(t: string, fields: Readonly<Record<string, unknown>>, request: Request): void {
    const n = this.state.nextN;
    this.set({ nextN: n + 1, requests: new Map(this.state.requests).set(n, request) });
    this.send(t, { n, ...fields });
  }

  job(job: Job): void {
    if (this.state.jobs.length >= MAX_JOBS) this.drop("frame");
    else this.set({ jobs: [...this.state.jobs, job] });
  }

  timer(name: TimerName, at: number | null): void {
    const timers = new Map(this.state.timers);
    if (at === null) timers.delete(name);
    else timers.set(name, at);
    this.set({ timers });
  }

  drop(what: Dropped): void {
    const { dropped } = this.state;
    this.set({ dropped: { ...dropped, [what]: dropped[what] + 1 } });
  }

  person(identity: string, patch: Partial<Person>): void {
    const person = this.state.people.get(identity);
    if (person === undefined) return;
    this.set({ people: new Map(this.state.people).set(identity, { ...person, ...patch }) });
  }
}

export type OverReason = Extract<SealedPhase, { type: "over" }>["reason"];

/** The end, whatever for: nothing works after it. */
export function finish(t: Turn, reason: OverReason): void {
  const { state } = t;
  t.outcome(state.noteWish, "failed");
  for (const request of state.requests.values()) {
    if (request.type === "message") t.outcome(request.out.wish, "failed");
    if (request.type === "deny") t.outcome(request.wish, "failed");
  }
  for (const out of state.outbox) t.outcome(out.wish, "failed");
  const next = state.open?.next;
  if (next?.type === "boxed" || next?.type === "protected") t.outcome(next.out.wish, "failed");
  for (const wishes of state.removals.values())
    for (const wish of wishes) t.outcome(wish, "failed");
  for (const wish of state.policyPatch?.wishes ?? []) t.outcome(wish, "failed");
  for (const { wish } of state.admits) t.outcome(wish, "failed");
  t.set({
    stage: "over",
    over: state.stage === "leaving" ? "left" : reason,
    jobs: [],
    requests: new Map(),
    outbox: [],
    removals: new Map(),
    policyPatch: null,
    admits: [],
    noteWish: null,
    door: new Map(),
    timers: new Map(),
    atDoor: null,
    isConnected: false,
    isGreeted: false,
    problems: [],
  });
  t.emit({ type: "disconnect" });
  t.emit({ type: "stop" });
}

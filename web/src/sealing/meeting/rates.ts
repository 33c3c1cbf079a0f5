/**
 * How much one person, and all of them together, may say in a while (docs/reference/limits.md). What
 * comes faster is not shown here, whatever the sender's client does; our own client holds itself to
 * less, so that jitter on the way makes nobody look like a flood. The generic cell rate algorithm:
 * of each rate one number is kept, the time at which it is out of debt.
 */

import type { Wish } from "./io.ts";
import type { Outgoing, Person } from "./state.ts";
import type { Turn } from "./turn.ts";

export interface Rate {
  readonly atOnce: number;
  readonly everyMs: number;
}

type Kind = "talk" | "chat-react" | "react" | "hand";

/** Of one person, as receivers see it. */
export const PERSON: Readonly<Record<Kind, Rate>> = {
  talk: { atOnce: 20, everyMs: 1_000 },
  "chat-react": { atOnce: 20, everyMs: 500 },
  react: { atOnce: 10, everyMs: 500 },
  hand: { atOnce: 6, everyMs: 1_000 },
};

/** Of oneself: half of it at once, and then as much. */
export const OWN: Readonly<Record<Kind, Rate>> = {
  talk: { atOnce: 10, everyMs: 1_000 },
  "chat-react": { atOnce: 10, everyMs: 500 },
  react: { atOnce: 5, everyMs: 500 },
  hand: { atOnce: 3, everyMs: 1_000 },
};

/** Of all others together. */
export const ROOM: Readonly<Record<Kind, Rate>> = {
  talk: { atOnce: 200, everyMs: 50 },
  "chat-react": { atOnce: 200, everyMs: 50 },
  react: { atOnce: 60, everyMs: 50 },
  hand: { atOnce: 400, everyMs: 50 },
};

/** The same person is spoken of again after so long without too much. */
const CALM_MS = 60_000;
/** Longer than the server is silent: nothing was taken in, and what was said meanwhile comes now. */
const SILENCE_MS = 25_000;
const CATCH_UP_MS = 10_000;
const MOST_KEPT = 2_000;
const EVERYBODY = "";

export interface Rates {
  /** `who kind` -> when it is out of debt. */
  readonly clearAt: ReadonlyMap<string, number>;
  /** identity, or empty for all together -> when it last was too much. */
  readonly tooMuchAt: ReadonlyMap<string, number>;
  /** When the last frame came. */
  readonly heardAt: number | null;
  /** What was said in `ms` without us comes at once. */
  readonly grace: { readonly ms: number; readonly at: number } | null;
}

export const NO_RATES: Rates = {
  clearAt: new Map(),
  tooMuchAt: new Map(),
  heardAt: null,
  grace: null,
};

const KINDS: Readonly<Record<string, Kind>> = {
  chat: "talk",
  edit: "talk",
  delete: "talk",
  resend: "talk",
  "chat-edit": "talk",
  "chat-delete": "talk",
  "chat-react": "chat-react",
  react: "react",
  hand: "hand",
};

const kindOf = (name: string): Kind | undefined => KINDS[name];

/** Out of debt then, after this one; null: too much. */
function after(before: number | undefined, rate: Rate, now: number, more = 0): number | null {
  const next = Math.max(before ?? now, now) + rate.everyMs;
  return next - now > rate.atOnce * rate.everyMs + more ? null : next;
}

function owe(t: Turn, debts: readonly (readonly [string, number])[]): void {
  const { rates } = t.state;
  const all = [...rates.clearAt, ...debts];
  // Who owes nothing needs no entry.
  const kept = all.length > MOST_KEPT ? all.filter(([, at]) => at > t.now) : all;
  t.set({ rates: { ...rates, clearAt: new Map(kept) } });
}

/** A frame came: after a silence, or a resume, what was missed comes all at once. */
export function noteFrame(t: Turn, isResumed: boolean): void {
  const { rates } = t.state;
  const silence = t.now - (rates.heardAt ?? t.now);
  const isLong = isResumed || silence > SILENCE_MS;
  const grace = isLong ? { ms: silence, at: t.now } : rates.grace;
  t.set({ rates: { ...rates, heardAt: t.now, grace } });
}

/** Whether what this person says now is within the rates. If not, it is to be dropped. */
export function isHeard(t: Turn, person: Person, name: string): boolean {
  const kind = kindOf(name);
  if (kind === undefined) return true;
  const { clearAt, grace } = t.state.rates;
  const more = grace !== null && t.now - grace.at < CATCH_UP_MS ? grace.ms : 0;
  const keys = [`${person.identity} ${kind}`, `${EVERYBODY} ${kind}`] as const;
  const own = after(clearAt.get(keys[0]), PERSON[kind], t.now, more);
  if (own === null) return tooMuch(t, person);
  const all = after(clearAt.get(keys[1]), ROOM[kind], t.now, more);
  if (all === null) return tooMuch(t, null);
  owe(t, [
    [keys[0], own],
    [keys[1], all],
  ]);
  return true;
}

function tooMuch(t: Turn, person: Person | null): false {
  const { rates } = t.state;
  const who = person?.identity ?? EVERYBODY;
  const last = rates.tooMuchAt.get(who);
  const tooMuchAt = new Map([...rates.tooMuchAt].filter(([, at]) => t.now - at < CALM_MS));
  t.set({ rates: { ...rates, tooMuchAt: tooMuchAt.set(who, t.now) } });
  if (last === undefined || t.now - last >= CALM_MS) {
    t.notice({ type: "too-much", identity: person?.identity ?? null, name: person?.name ?? null });
  }
  return false;
}

/** Whether this person is quicker than anybody types; counted if not. */
export function isTooFast(t: Turn, { type }: Wish): boolean {
  const kind = kindOf(type);
  if (kind === undefined) return false;
  const key = `own ${kind}`;
  const next = after(t.state.rates.clearAt.get(key), OWN[kind], t.now);
  if (next === null) return true;
  owe(t, [[key, next]]);
  return false;
}

/** When this may go out: what was written without a socket does not go out all at once. */
export function paceOf(t: Turn, { content }: Outgoing): number {
  const kind = kindOf(content.k);
  if (kind === undefined) return t.now;
  const { atOnce, everyMs } = OWN[kind];
  return (t.state.rates.clearAt.get(`sent ${kind}`) ?? t.now) + everyMs - atOnce * everyMs;
}

export function noteSent(t: Turn, { content }: Outgoing): void {
  const kind = kindOf(content.k);
  if (kind === undefined) return;
  const key = `sent ${kind}`;
  const before = Math.max(t.state.rates.clearAt.get(key) ?? t.now, t.now);
  owe(t, [[key, before + OWN[kind].everyMs]]);
}

/**
 * Whether what is shown is what is: silence of people whose media flow, members who see another
 * group, media of nobody's, in the clear, or that nobody can open. Decides the reasons of "not sealed".
 */

import type { SealProblem } from "../contract.ts";
import type { Input } from "./io.ts";
import { ownIdentity } from "./people.ts";
import type { State } from "./state.ts";
import { beat } from "./talk.ts";
import type { Turn } from "./turn.ts";

const SILENCE_MS = 30_000;
/** A newcomer's media may be there a moment before its Add, a leaver's after its Remove. */
const STRANGER_MS = 5_000;
const BEAT_MS = 10_000;
const WATCH_MS = 5_000;

export function onMedia(t: Turn, media: Extract<Input, { readonly type: "media" }>): void {
  const strangers = new Map<string, number>();
  for (const identity of media.connected) {
    strangers.set(identity, t.state.strangers.get(identity) ?? t.now);
  }
  const { flowing, plaintext, hasUnopened } = media;
  t.set({ flowing, plaintext, hasUnopened, strangers });
}

export function problems(state: State, now: number): readonly SealProblem[] {
  if (state.stage !== "member") return [];
  const self = ownIdentity(state);
  const others = [...state.people.values()].filter(({ identity }) => identity !== self);
  const flowing = new Set(state.flowing);
  const isSilent = others.some(
    ({ identity, heardAt }) => flowing.has(identity) && now - heardAt > SILENCE_MS,
  );
  const isCutOff = state.awaySince !== null && now - state.awaySince > SILENCE_MS;
  const isWithheld = isSilent || isCutOff || others.some(({ isMismatched }) => isMismatched);
  const isStrange = [...state.strangers].some(
    ([identity, since]) => !state.people.has(identity) && now - since > STRANGER_MS,
  );
  return [
    ...(isWithheld ? ["withheld" as const] : []),
    ...(state.plaintext.length > 0 ? ["plaintext" as const] : []),
    ...(isStrange ? ["stranger" as const] : []),
    ...(state.hasUnopened ? ["unopened" as const] : []),
  ];
}

/** After every step: what has changed about it is told once. */
export function watch(t: Turn): void {
  const before = t.state.problems;
  const now = problems(t.state, t.now);
  const fresh = now.filter((problem) => !before.includes(problem));
  if (fresh.length === 0 && now.length === before.length) return;
  t.set({ problems: now });
  for (const reason of fresh) t.notice({ type: "seal-lost", reason });
  if (now.length === 0 && t.state.stage === "member") t.notice({ type: "sealed-again" });
}

export function watchDue(t: Turn): void {
  t.timer("watch", t.now + WATCH_MS);
}

export function beatDue(t: Turn): void {
  t.timer("beat", t.now + BEAT_MS);
  const { stage, isGreeted, pasts } = t.state;
  const [past] = pasts;
  if (stage === "member" && isGreeted && past !== undefined) beat(t, past);
}

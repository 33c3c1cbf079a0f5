/**
 * A sealed meeting as seen by one member: `step` takes what happened and the time, and answers the
 * next state and what to do. Sans-IO: no socket, timer, key or page in here. Whatever a server or a
 * member sends, it answers; it never throws.
 *
 * Everything that needs the engine goes through one lane, in order of arrival: a job asks, the
 * answer comes back as an input, the job goes on. Other inputs are taken in between.
 */

import { onAnswer, onFailure } from "./answers.ts";
import { scheduleCommit } from "./commits.ts";
import { onClosed, onOpened, start } from "./connection.ts";
import { onFrame } from "./dispatch.ts";
import { breakSeal } from "./epochs.ts";
import type { Effect, Input } from "./io.ts";
import { runJob } from "./jobs.ts";
import { nextOutgoing } from "./outbox.ts";
import type { State } from "./state.ts";
import { runTimers } from "./timers.ts";
import { type Done, Turn } from "./turn.ts";
import { onMedia, watch } from "./watch.ts";
import { onWish } from "./wishes.ts";

export { begin } from "./state.ts";

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export function step(state: State, input: Input, now: number): Step {
  const t = new Turn(state, now);
  if (state.stage === "over") {
    if (input.type === "wish") onWish(t, input.wish, input.what);
    return { state: t.state, effects: t.effects };
  }
  take(t, input);
  pump(t);
  fetchTicket(t);
  wake(t);
  return { state: t.state, effects: t.effects };
}

function take(t: Turn, input: Input): Done {
  switch (input.type) {
    case "start":
      return start(t);
    case "opened":
      return onOpened(t);
    case "closed":
      return onClosed(t);
    case "frame":
      return onFrame(t, input.frame);
    case "answered":
    case "failed": {
      const { open } = t.state;
      if (open?.id !== input.id) return;
      t.set({ open: null });
      return input.type === "answered"
        ? onAnswer(t, open.next, input.answer)
        : onFailure(t, open.next);
    }
    case "wish":
      return onWish(t, input.wish, input.what);
    case "tick":
      return runTimers(t);
    case "media":
      return onMedia(t, input);
    case "no-encryption":
      return breakSeal(t, "no-encryption");
    case "ticket-wanted":
      return t.set({ isTicketWanted: true });
    case "known-accounts":
      t.set({ setup: { ...t.state.setup, knownAccounts: input.accounts } });
  }
}

/** Starts what the lane has time for. Every job either asks something or is over at once. */
function pump(t: Turn): void {
  while (t.state.open === null && t.state.stage !== "over") {
    scheduleCommit(t);
    const [job, ...rest] = t.state.jobs;
    if (job !== undefined) {
      t.set({ jobs: rest });
      runJob(t, job);
    } else if (!nextOutgoing(t)) break;
  }
  if (t.state.stage !== "over") watch(t);
}

/** As soon as there is a socket to ask by; again when the answer was lost with one, or was no. */
function fetchTicket(t: Turn): void {
  const { isTicketWanted, isGreeted, stage, timers, requests } = t.state;
  if (!isTicketWanted || !isGreeted || stage !== "member" || timers.has("ticket")) return;
  if ([...requests.values()].some(({ type }) => type === "ticket")) return;
  t.request("ticket", {}, { type: "ticket" });
}

function wake(t: Turn): void {
  const due = [...t.state.timers.values()];
  const at = due.length === 0 ? null : Math.min(...due);
  if (at === t.state.wokenAt) return;
  t.set({ wokenAt: at });
  t.emit({ type: "wake", at });
}

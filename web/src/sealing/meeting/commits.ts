/**
 * Commits of others as they come in, and one's own as they win or lose
 * (docs/reference/sealing-protocol.md, 3, 4 and 7). The server decides which commit an epoch gets;
 * what a commit does is judged here and in the engine.
 */

import type { Applied, Refused, Staged } from "../engine/contract.ts";
import { isSame } from "./bytes.ts";
import { resync, sendCommit, startOver } from "./connection.ts";
import { removeFromDoor } from "./door.ts";
import { breakSeal, enterEpoch, onUndone } from "./epochs.ts";
import { own, personOfLeaf } from "./people.ts";
import { changesOf, nextDue, planAt, resolve } from "./plan.ts";
import { commitHash } from "./roles.ts";
import type { LastCommit, Plan, State } from "./state.ts";
import { type Done, finish, type Turn } from "./turn.ts";
import { isRemovedByHost, isUnjust } from "./verdict.ts";
import type { FrameOf } from "./wire.ts";

/** For the others to vote on a commit that cannot be. */
const VERDICT_MS = 3_000;
/** For the link to come to who has not got it. */
const PSK_MS = 2_000;
/** A commit that was taken out of the race is tried again after so long. */
const BACK_OFF_MS = 1_000;
const MOST_NACKS = 16;
const MOST_FAILURES = 3;

type CommitFrame = FrameOf<"commit">;

/** Puts a commit on the lane when one is due, else asks to be woken for it. */
export function scheduleCommit(t: Turn): Done {
  const { stage, isGreeted, own, jobs } = t.state;
  if (stage !== "member" || !isGreeted || own !== null) return t.timer("commit", null);
  const due = nextDue(t.state);
  if (due === null || due > t.now) return t.timer("commit", due);
  t.timer("commit", null);
  if (!jobs.some((job) => job.type === "make-commit")) t.job({ type: "make-commit" });
}

export function runMakeCommit(t: Turn): void {
  const { state } = t;
  if (state.stage !== "member" || state.own !== null || state.group === null) return;
  const plan = planAt(state, t.now);
  if (plan === null) return;
  const { epoch } = state.group.facts;
  t.ask("commit", { changes: changesOf(state.group, plan) }, { type: "staged", plan, epoch });
}

export function onStaged(t: Turn, plan: Plan, epoch: number, answer: Staged | Refused): Done {
  if (answer.type === "refused") return onRefusedPlan(t, plan);
  const own = { epoch, commit: answer.commit, welcome: answer.welcome, plan };
  t.set({ own });
  if (t.state.isGreeted) sendCommit(t, own);
}

/** Nothing of it can be: whoever was to be added is dropped, the rest is tried again later. */
export function onRefusedPlan(t: Turn, plan: Plan): void {
  t.set({ commitAfter: t.now + BACK_OFF_MS });
  for (const entry of plan.adds) {
    t.drop("knock");
    removeFromDoor(t, entry.seat, false);
  }
  if (plan.adds.length === 0) resolve(t, plan, "failed");
}

export function onCommitError(t: Turn, code: string): void {
  const { own } = t.state;
  // The winner comes as an event; it may well be this one, sent twice.
  if (own === null || code === "conflict") return;
  t.timer("commit-lost", null);
  if (code === "full") for (const entry of own.plan.adds) removeFromDoor(t, entry.seat, false);
  if (code === "unknown_seat") for (const entry of own.plan.adds) countFailure(t, entry.seat);
  if (code === "forbidden") resolve(t, own.plan, "failed");
  t.set({ commitAfter: t.now + BACK_OFF_MS });
  t.job({ type: "discard" });
}

/** One of them is gone; that is told soon. Who is never told of is dropped. */
function countFailure(t: Turn, seat: string): Done {
  const entry = t.state.door.get(seat);
  if (entry === undefined) return;
  const failures = entry.failures + 1;
  if (failures >= MOST_FAILURES) return removeFromDoor(t, seat, false);
  t.set({ door: new Map(t.state.door).set(seat, { ...entry, failures }) });
}

/** Neither an answer nor a winner. */
export function onCommitLost(t: Turn): void {
  t.timer("commit-lost", null);
  resync(t, t.state.seq);
}

export function runDiscard(t: Turn): void {
  if (t.state.own === null) return;
  t.set({ own: null });
  t.ask("discard", {}, { type: "discarded", frame: null });
}

export function runCommit(t: Turn, frame: CommitFrame): Done {
  const { group, own, stage } = t.state;
  if (stage !== "member" || group === null) return;
  const { epoch } = group.facts;
  if (frame.epoch < epoch) return t.drop("commit");
  if (frame.epoch > epoch) return resync(t, Math.min(t.state.seq, frame.seq - 1));
  if (own !== null && isSame(own.commit, frame.bytes)) {
    t.ask("merge", {}, { type: "merged", frame, plan: own.plan });
  } else if (own !== null) {
    t.set({ own: null });
    t.timer("commit-lost", null);
    t.ask("discard", {}, { type: "discarded", frame });
  } else apply(t, frame);
}

export function apply(t: Turn, frame: CommitFrame): void {
  t.ask("apply", { commit: frame.bytes }, { type: "applied", frame });
}

export function onMerged(t: Turn, frame: CommitFrame, plan: Plan, applied: Applied): Done {
  if (applied.type === "removed") return startOver(t);
  const admitted = plan.adds.map((entry) => entry.seat);
  t.set({ own: null });
  resolve(t, plan, "done");
  for (const seat of admitted) removeFromDoor(t, seat, true);
  enterEpoch(t, {
    applied,
    bytes: frame.bytes,
    isByUs: true,
    admitted: frame.admitted,
    removed: frame.removed,
  });
}

export function onApplied(t: Turn, frame: CommitFrame, answer: Applied | Refused): Done {
  if (answer.type === "refused") return onRefused(t, frame, answer);
  if (answer.type === "removed") return onRemoved(t, frame, answer.by, answer.isReplaced);
  const { people } = t.state;
  const sender = personOfLeaf(people, answer.commit.sender);
  const isReplaced = (leaf: number) => {
    const key = answer.before.roster.find((facts) => facts.leaf === leaf)?.signatureKey;
    return answer.commit.adds.some((add) => key !== undefined && isSame(add.signatureKey, key));
  };
  const removes = answer.commit.removes.filter((leaf) => !isReplaced(leaf));
  const targets = [...people.values()].filter(({ leaf }) => removes.includes(leaf.leaf));
  if (targets.some((target) => isUnjust(sender, target, frame.removed))) nack(t, frame);
  for (const { seat } of frame.admitted) removeFromDoor(t, seat, true);
  if (sender !== null) t.person(sender.identity, { heardAt: t.now });
  const { bytes, admitted, removed } = frame;
  enterEpoch(t, { applied: answer, bytes, isByUs: false, admitted, removed });
}

function nack(t: Turn, frame: CommitFrame): void {
  const hash = commitHash(frame.bytes);
  t.set({ nacked: [...t.state.nacked, `${frame.epoch}:${hash}`].slice(-MOST_NACKS) });
  t.send("nack", { epoch: frame.epoch, hash });
}

function onRefused(t: Turn, frame: CommitFrame, refused: Refused): Done {
  t.drop("commit");
  if (refused.reason === "no-psk" && t.state.held === null) {
    t.set({ held: frame });
    return t.timer("psk", t.now + PSK_MS);
  }
  nack(t, frame);
  // Garbage is garbage. What a member signed, or what looks as if, must not stand.
  if (refused.reason === "forged" || refused.reason === "forbidden") {
    if (!t.state.timers.has("verdict")) t.timer("verdict", t.now + VERDICT_MS);
  }
}

export function onVerdict(t: Turn): void {
  breakSeal(t, "forbidden-change");
}

/** The link never came: in again by the door, from where one's device is known. */
export function onPskTimeout(t: Turn): void {
  startOver(t);
}

function onRemoved(t: Turn, frame: CommitFrame, by: number, isReplaced: boolean): Done {
  const { people, group } = t.state;
  // The same device is in from elsewhere: another tab.
  if (isReplaced) return finish(t, "elsewhere");
  const sender = personOfLeaf(people, by);
  const self = own(t.state);
  if (group === null || self === null || isRemovedByHost(sender, self, frame.removed)) {
    return finish(t, "removed");
  }
  t.set({ stage: "cut", sealedAt: null });
  if (!isUnjust(sender, self, frame.removed)) return startOver(t);
  nack(t, frame);
  t.set({ last: cutBy(t.state, frame, by, group) });
  t.timer("cut", t.now + VERDICT_MS);
}

function cutBy(
  state: State,
  frame: CommitFrame,
  sender: number,
  before: LastCommit["before"],
): LastCommit {
  const { people, pasts, removedKeys } = state;
  return { hash: commitHash(frame.bytes), before, people, pasts, sender, removedKeys };
}

/** An epoch goes back only where this client voted for it: else a server could undo a Remove. */
export function runReopened(t: Turn, frame: FrameOf<"reopened">): Done {
  const { nacked, last, group, stage } = t.state;
  if (stage !== "member" && stage !== "cut") return;
  const isVoted = nacked.includes(`${frame.epoch}:${frame.hash}`);
  const isLast = last?.hash === frame.hash && last.before.facts.epoch === frame.epoch;
  if (!isLast || group === null) {
    // Never taken in, and now nobody has.
    if (isVoted) t.timer("verdict", null);
    else t.drop("commit");
  } else if (isVoted) t.ask("undo", {}, { type: "undone", last, epoch: group.facts.epoch });
  else startOver(t);
}

export function onUndo(t: Turn, undone: Parameters<typeof onUndone>[1], isUndone: boolean): void {
  if (isUndone) onUndone(t, undone);
  else startOver(t);
}

/**
 * From one epoch to the next: who is in, which frame keys are installed, used and forgotten
 * (docs/reference/sealing-protocol.md, 6), and the way back when a commit is undone.
 */

import type { SealBreak } from "../contract.ts";
import { FORGET_MS, SWITCH_MS } from "../frames/keySchedule.ts";
import { b64, isSame } from "./bytes.ts";
import { denyShut } from "./door.ts";
import { tellFreeze } from "./freeze.ts";
import { decodeContext } from "./meetingContext.ts";
import { noteRights } from "./notices.ts";
import { enqueue } from "./outbox.ts";
import {
  type Admission,
  afterCommit,
  keptOf,
  newPerson,
  noteDevices,
  noteLeader,
  own,
  ownIdentity,
  pastOf,
  personOfLeaf,
  withPast,
} from "./people.ts";
import { tellPermissions, tellPermissionsAnew } from "./permits.ts";
import { commitHash, identityOf, isBlocked } from "./roles.ts";
import type { AppliedCommit, Group, KeyEpoch, LastCommit, Person, State } from "./state.ts";
import { type Done, finish, type Turn } from "./turn.ts";
import { isRemovedByHost } from "./verdict.ts";
import type { FrameOf, Ticket } from "./wire.ts";

const BEAT_MS = 10_000;
const WATCH_MS = 5_000;
const COMMIT_EVERY_MS = 300;
const HISTORY_MS = 60_000;

/** Text and media stop, for good. */
export function breakSeal(t: Turn, reason: SealBreak): void {
  t.set({ broken: { reason, at: t.now } });
  finish(t, "broken");
}

/** In a group that is ours, as its creator or by a Welcome. */
export function enterGroup(
  t: Turn,
  group: Group,
  seats: ReadonlyMap<string, { readonly seat: string; readonly is_live: boolean }>,
  ticket: Ticket | null,
): void {
  const { state } = t;
  const people = new Map<string, Person>();
  for (const leaf of group.facts.roster) {
    const isSelf = leaf.leaf === group.facts.ownLeaf;
    const identity = identityOf(leaf.signatureKey, group.facts.groupId);
    const seat = isSelf ? undefined : seats.get(identity);
    const old = state.people.get(identity);
    const person = newPerson(leaf, group, t.now, {
      seat: isSelf ? state.seat : (seat?.seat ?? null),
      presence: seat?.is_live === false ? "lost" : "live",
      hasLink: state.matchesLink === true && isSame(leaf.signatureKey, group.context.creatorKey),
      ...(old === undefined ? {} : keptOf(old)),
      ...(isSelf
        ? { name: state.setup.name, colour: state.setup.colour, hasLink: state.link !== null }
        : {}),
    });
    people.set(identity, person);
  }
  t.set({
    stage: "member",
    group,
    people,
    hasBeenInside: true,
    awaySince: t.state.isGreeted ? null : t.state.awaySince,
    attempts: 0,
    resyncs: 0,
    badWelcomes: 0,
    atDoor: null,
    pasts: [pastOf(group)],
    epochAt: t.now,
    pskEpoch: group.facts.isLinkBound === true ? group.facts.epoch : -1,
    last: null,
    frozen: null,
    settledEpoch: -1,
    leavers: [],
    healedAt: t.now,
    healedLeaf: -1,
    historyUntil: t.now + HISTORY_MS,
    keyEpochs: t.state.keyEpochs.map((keys) => ({ ...keys, forgetAt: t.now + FORGET_MS })),
    sendingEpoch: -1,
    sealedAt: null,
    linkSentTo: new Set(),
    isLeaderLost: false,
  });
  noteLeader(t);
  tellPermissionsAnew(t, seats.size === 0);
  t.timer("door", null);
  t.timer("forget", t.state.keyEpochs.length === 0 ? null : t.now + FORGET_MS);
  t.timer("beat", t.now + BEAT_MS);
  t.timer("watch", t.now + WATCH_MS);
  askKeys(t, true, ticket);
}

function askKeys(t: Turn, isUrgent: boolean, ticket: Ticket | null): void {
  noteDevices(t);
  const identities = [...t.state.people.keys()];
  t.ask("frameKeys", { identities }, { type: "keys", isUrgent, ticket });
}

export interface Change {
  readonly applied: AppliedCommit;
  readonly bytes: Uint8Array;
  readonly isByUs: boolean;
  readonly admitted: FrameOf<"commit">["admitted"];
  readonly removed: FrameOf<"commit">["removed"];
}

/** A commit has been taken in, one's own or another's. */
export function enterEpoch(t: Turn, change: Change): Done {
  const { applied, isByUs } = change;
  const { state } = t;
  const context = decodeContext(applied.after.meeting);
  if (state.group === null || context === null) return breakSeal(t, "forbidden-change");
  const group: Group = { facts: applied.after, context };
  const { commit } = applied;
  const admission: Admission = {
    commit,
    now: t.now,
    isByUs,
    seats: new Map(change.admitted.map(({ identity, seat }) => [identity, seat])),
  };
  const people = afterCommit(state.people, group, admission);
  const isNew = (identity: string) => people.get(identity)?.sinceEpoch === applied.after.epoch;
  const gone = [...state.people.values()].filter((person) => !people.has(person.identity));
  const sender = personOfLeaf(state.people, commit.sender);
  const isByHost = gone.some((person) => isRemovedByHost(sender, person, change.removed));
  t.set({
    group,
    people,
    pasts: withPast(state.pasts, group),
    epochAt: t.now,
    resyncs: 0,
    pskEpoch: commit.psks.length > 0 ? applied.after.epoch : state.pskEpoch,
    own: null,
    held: null,
    commitAfter: isByUs ? t.now + COMMIT_EVERY_MS : Math.min(state.commitAfter, t.now),
    last: {
      hash: commitHash(change.bytes),
      before: state.group,
      people: state.people,
      pasts: state.pasts,
      sender: commit.sender,
      removedKeys: state.removedKeys,
    },
    // Who came anew is given the link anew.
    linkSentTo: new Set([...state.linkSentTo].filter((identity) => !isNew(identity))),
    leavers: [...state.leavers, ...gone.map((person) => ({ person, epoch: applied.after.epoch }))],
  });
  t.timer("commit-lost", null);
  t.timer("psk", null);
  noteLeader(t);
  for (const person of gone) noteGone(t, person, isRemovedByHost(sender, person, change.removed));
  letBackIn(t, state.group, group);
  if (commit.adds.length > 0) greet(t);
  const isEmpty = commit.adds.length === 0 && commit.removes.length === 0;
  if (isEmpty && commit.meeting === null) {
    t.set({ healedAt: t.now, healedLeaf: commit.sender });
  }
  if (commit.meeting !== null) {
    t.notice({ type: "policy-changed", by: sender?.name ?? "" });
    noteRights(t, own(state), sender?.name ?? "");
    denyShut(t);
  }
  tellPermissions(t);
  askKeys(t, isByHost, null);
}

/** Who was blocked and is no more may knock again. */
function letBackIn(t: Turn, before: Group, { context }: Group): void {
  const free = before.context.policy.blocked.filter(
    (signatureKey) => !isBlocked({ signatureKey }, context.policy),
  );
  if (free.length === 0) return;
  const removedKeys = new Set(t.state.removedKeys);
  for (const key of free) removedKeys.delete(b64(key));
  t.set({ removedKeys });
}

function noteGone(t: Turn, person: Person, isByHost: boolean): void {
  const key = b64(person.leaf.signatureKey);
  const { formerKeys, removedKeys } = t.state;
  if (isByHost) t.set({ removedKeys: new Set(removedKeys).add(key) });
  else t.set({ formerKeys: new Set(formerKeys).add(key) });
  for (const wish of t.state.removals.get(person.identity) ?? []) t.outcome(wish, "done");
  const removals = new Map(t.state.removals);
  removals.delete(person.identity);
  t.set({ removals });
  t.notice({ type: "member-left", identity: person.identity, name: person.name ?? "" });
}

/** Newcomers are told who everybody is, spread over time; raised hands in their order. */
function greet(t: Turn): void {
  const self = own(t.state);
  if (self === null || t.state.timers.has("profile")) return;
  const { handAt } = self;
  const hands = [...t.state.people.values()].flatMap((person) => person.handAt ?? []);
  const rank =
    handAt === null
      ? hands.length + rankInRoster(t.state, self)
      : hands.filter((other) => other < handAt).length;
  t.timer("profile", t.now + 20 * rank);
}

function rankInRoster(state: State, self: Person): number {
  return [...state.people.values()].filter((person) => person.leaf.leaf < self.leaf.leaf).length;
}

export function sayProfile(t: Turn): void {
  const { box, setup } = t.state;
  t.timer("profile", null);
  if (box === null) return;
  tellFreeze(t);
  enqueue(t, { k: "profile", name: setup.name, colour: setup.colour, box: b64(box) });
  if (own(t.state)?.handAt !== null) enqueue(t, { k: "hand", up: true });
}

export function onKeys(
  t: Turn,
  next: { readonly isUrgent: boolean; readonly ticket: Ticket | null },
  keys: ReadonlyMap<string, Uint8Array>,
): Done {
  const { group } = t.state;
  const identity = ownIdentity(t.state);
  if (group === null || identity === null || !keys.has(identity)) {
    return breakSeal(t, "no-encryption");
  }
  const { epoch } = group.facts;
  t.emit({ type: "keys-receive", epoch, index: epoch % 256, keys, isUrgent: next.isUrgent });
  const made: KeyEpoch = {
    epoch,
    own: identity,
    identities: [...keys.keys()],
    at: t.now,
    forgetAt: null,
  };
  t.set({ keyEpochs: [...t.state.keyEpochs, made] });
  t.send("ack", { epoch });
  const isFirst = t.state.sendingEpoch < 0;
  if (isFirst || next.isUrgent || t.state.settledEpoch === epoch) sendWith(t, made);
  else armSwitch(t);
  if (next.ticket !== null) {
    t.set({ isTicketWanted: false });
    t.emit({ type: "media-connect", identity, ticket: next.ticket });
  }
  if (t.state.box === null) t.ask("boxKey", {}, { type: "box", group });
  else afterBox(t, group, isFirst);
}

export function onBox(t: Turn, group: Group, box: Uint8Array | null): void {
  t.set({ box });
  afterBox(t, group, true);
}

function afterBox(t: Turn, group: Group, isFirst: boolean): void {
  if (isFirst) {
    sayProfile(t);
    if (t.state.link !== null) enqueue(t, { k: "link-held" });
  }
  const { groupId, authenticator } = group.facts;
  t.ask("codes", { groupId, context: group.context, authenticator }, { type: "codes" });
}

/** Whose personal links the newcomers came by, once the lane is free. */
export function askInvitedNames(t: Turn): void {
  const unnamed = [...t.state.people.values()].flatMap(({ identity, leaf, invitedAs }) => {
    const { invitation } = leaf;
    const hasName = invitation !== null && invitation.name.length > 0;
    return invitedAs === null && hasName ? [{ identity, invitation }] : [];
  });
  if (t.state.link === null || unnamed.length === 0) return;
  const invitations = unnamed.map(({ invitation }) => invitation);
  const identities = unnamed.map(({ identity }) => identity);
  t.ask("invitedNames", { invitations }, { type: "invited-names", identities });
}

export function onInvitedNames(
  t: Turn,
  identities: readonly string[],
  names: readonly (string | null)[],
): void {
  for (const [at, identity] of identities.entries()) {
    // "" is remembered: what does not open now never will.
    t.person(identity, { invitedAs: names[at] ?? "" });
  }
}

/** Keys that wait for their turn to be sent with, oldest first. */
function waiting(state: State): readonly KeyEpoch[] {
  return state.keyEpochs.filter(
    (keys) => keys.forgetAt === null && keys.epoch > state.sendingEpoch,
  );
}

function armSwitch(t: Turn): void {
  const [oldest] = waiting(t.state);
  t.timer("switch", oldest === undefined ? null : oldest.at + SWITCH_MS);
}

/** The wait is over: the newest key that has been with the others for that long. */
export function switchDue(t: Turn): void {
  const due = waiting(t.state).filter((keys) => keys.at + SWITCH_MS <= t.now);
  const newest = due.at(-1);
  if (newest === undefined) armSwitch(t);
  else sendWith(t, newest);
}

export function onSettled(t: Turn, epoch: number): void {
  t.set({ settledEpoch: epoch });
  const settled = waiting(t.state).findLast((keys) => keys.epoch === epoch);
  if (settled !== undefined) sendWith(t, settled);
}

function sendWith(t: Turn, { epoch, own: identity }: KeyEpoch): void {
  t.emit({ type: "keys-send", epoch, index: epoch % 256, identity });
  t.send("using", { epoch });
  t.set({
    sendingEpoch: epoch,
    sealedAt: t.state.sealedAt ?? t.now,
    leavers: t.state.leavers.filter((leaver) => leaver.epoch > epoch),
    keyEpochs: t.state.keyEpochs.map((made) =>
      made.epoch < epoch && made.forgetAt === null
        ? { ...made, forgetAt: t.now + FORGET_MS }
        : made,
    ),
  });
  armSwitch(t);
  armForget(t);
}

function armForget(t: Turn): void {
  const due = t.state.keyEpochs.flatMap((keys) => keys.forgetAt ?? []);
  t.timer("forget", due.length === 0 ? null : Math.min(...due));
}

export function forgetDue(t: Turn): void {
  const isDue = (keys: KeyEpoch) => keys.forgetAt !== null && keys.forgetAt <= t.now;
  const kept = t.state.keyEpochs.filter((keys) => !isDue(keys));
  for (const keys of t.state.keyEpochs.filter(isDue)) {
    // A group entered anew may have come to the same index: those keys are in use.
    if (kept.some((other) => other.epoch % 256 === keys.epoch % 256)) continue;
    const { epoch, identities } = keys;
    t.emit({ type: "keys-forget", epoch, index: epoch % 256, identities });
  }
  t.set({ keyEpochs: kept });
  armForget(t);
}

/** The engine is back before the last commit; so is everything here. */
export function onUndone(
  t: Turn,
  { last, epoch }: { readonly last: LastCommit; readonly epoch: number },
): void {
  const { stage } = t.state;
  for (const name of ["cut", "verdict"] as const) t.timer(name, null);
  if (stage === "cut") t.set({ stage: "member", last: null });
  else goBack(t, last, epoch);
  for (const { identity, leaf } of t.state.people.values()) {
    if (leaf.leaf === last.sender) t.person(identity, { presence: "left", awayAt: t.now });
  }
  if (stage !== "cut") askKeys(t, true, null);
}

function goBack(t: Turn, last: LastCommit, epoch: number): Done {
  const people = new Map(
    [...last.people].map(([identity, was]) => {
      const now = t.state.people.get(identity) ?? was;
      return [identity, { ...now, leaf: was.leaf, role: was.role, sinceEpoch: was.sinceEpoch }];
    }),
  );
  const before = last.before.facts.epoch;
  const isVoid = (keys: KeyEpoch) => keys.epoch === epoch || keys.epoch === before;
  for (const { identities } of t.state.keyEpochs.filter((keys) => keys.epoch === epoch)) {
    t.emit({ type: "keys-forget", epoch, index: epoch % 256, identities });
  }
  t.set({
    group: last.before,
    people,
    pasts: last.pasts,
    removedKeys: last.removedKeys,
    last: null,
    own: null,
    epochAt: t.now,
    settledEpoch: -1,
    sendingEpoch: Math.min(t.state.sendingEpoch, before),
    leavers: t.state.leavers.filter((leaver) => leaver.epoch !== epoch),
    keyEpochs: t.state.keyEpochs.filter((keys) => !isVoid(keys)),
  });
}

/**
 * What there is to commit, whose turn it is, and when. Pure. Members agree on the order without a
 * word: the lowest living leaf first, each next one two seconds later.
 */

import type { InvitationStanding, Outcome } from "../contract.ts";
import type { Changes } from "../engine/contract.ts";
import { b64, isSame } from "./bytes.ts";
import { isComingBack } from "./judge.ts";
import { encodeContext, type Policy } from "./meetingContext.ts";
import { isLed, isModerator, own, rankAmong } from "./people.ts";
import { patched } from "./policy.ts";
import { doesCount, isBlocked, isHostOf, isOfThisHost } from "./roles.ts";
import type { DoorEntry, Group, Invited, Person, Plan, State } from "./state.ts";
import type { Turn } from "./turn.ts";

export const MOST_MEMBERS = 200;
const TURN_MS = 2_000;
const LOST_MS = 30_000;
const HEAL_MS = 300_000;
/** A newcomer without the link gets so long to say that it holds it; then it has to come back. */
const LINK_MS = 10_000;

interface Item {
  readonly at: number;
  readonly add?: DoorEntry;
  readonly withPsk?: boolean;
  readonly remove?: Person;
  readonly why?: "left" | "lost" | "removed";
  readonly policy?: Policy;
}

function items(state: State, group: Group, self: Person): readonly Item[] {
  const rank = rankAmong(state);
  const turn = (since: number, place = rank) => Math.max(since, state.epochAt) + TURN_MS * place;
  return [
    ...removals(state, self, turn),
    ...adds(state, group, self, turn),
    ...policyItem(state, group, self),
    { at: healTurn(state, self) },
  ];
}

function removals(state: State, self: Person, turn: (since: number) => number): readonly Item[] {
  const found: Item[] = [];
  for (const person of state.people.values()) {
    if (person === self) continue;
    if (state.removals.has(person.identity)) found.push({ at: 0, remove: person, why: "removed" });
    else if (person.presence === "left") {
      found.push({ at: turn(person.awayAt), remove: person, why: "left" });
    } else if (person.presence === "lost") {
      found.push({ at: turn(person.awayAt + LOST_MS), remove: person, why: "lost" });
    }
  }
  return found;
}

function adds(
  state: State,
  group: Group,
  self: Person,
  turn: (since: number, place?: number) => number,
): readonly Item[] {
  const room = MOST_MEMBERS - group.facts.roster.length;
  const found: Item[] = [];
  for (const add of state.door.values()) {
    const key = add.facts.signatureKey;
    if (isShut(group, add)) continue;
    const old = group.facts.roster.find((leaf) => isSame(leaf.signatureKey, key));
    const isFormer = state.formerKeys.has(b64(key));
    if (old !== undefined) {
      if (isSame(key, self.leaf.signatureKey)) continue;
      if (isComingBack(old, add.facts) || isModerator(self)) found.push({ at: turn(add.at), add });
    } else if (room <= 0) continue;
    else if (add.isAdmitted) found.push({ at: 0, add });
    else if (entersFreely(state, group, add) && state.link !== null) {
      const at = Math.max(turn(add.at), linkedAt(state));
      found.push({ at, add, withPsk: true });
    } else if (isFormer && isModerator(self) && !isRefusedInvitation(group, add)) {
      found.push({ at: turn(add.at, rankAmong(state, isModerator)), add });
    }
  }
  return found;
}

/** When every newcomer holds the link, or has had the time to. */
function linkedAt(state: State): number {
  const waits = [...state.people.values()].flatMap((person) => person.awaitsLinkSince ?? []);
  return Math.max(0, ...waits.map((since) => since + LINK_MS));
}

/** A device that stays outside, whoever presses Admit; never a host's. */
export function isShut({ context }: Group, { facts }: Pick<DoorEntry, "facts">): boolean {
  return isBlocked(facts, context.policy) && !isHostOf(facts, context);
}

/** Who waits at the door for a person to decide. */
export function isAsking(state: State, entry: DoorEntry): boolean {
  const { group } = state;
  if (group === null || entry.isAdmitted || isShut(group, entry)) return false;
  const { signatureKey } = entry.facts;
  const isInside = group.facts.roster.some((leaf) => isSame(leaf.signatureKey, signatureKey));
  const comesBack = state.formerKeys.has(b64(signatureKey)) && !isRefusedInvitation(group, entry);
  return !isInside && !comesBack && !entersFreely(state, group, entry);
}

/** May come in without anybody's press: by the link, or by a personal one on its own device. */
function entersFreely(state: State, group: Group, entry: DoorEntry): boolean {
  const { policy } = group.context;
  if (!entry.hasProof) return false;
  if (isHostOf(entry.facts, group.context)) return true;
  if (policy.isLocked || state.isLeaderLost) return false;
  if (entry.invited === null) return policy.entry === "open";
  return (
    entry.invited.isVouched &&
    (policy.entry === "open" || isLed(state)) &&
    standingOf(group, entry.invited) === "good"
  );
}

function isRefusedInvitation(group: Group, { invited }: DoorEntry): boolean {
  return invited !== null && !doesCount(invited.facts, group.context);
}

/** What this invitation is worth here, on the device that knocks with it. */
export function standingOf(group: Group, invited: Invited): InvitationStanding {
  const { facts } = invited;
  if (!isOfThisHost(facts, group.context)) return "foreign";
  if (!doesCount(facts, group.context)) return "revoked";
  if (invited.isExpired) return "expired";
  const isHeld = group.facts.roster.some(
    (leaf) => leaf.invitation !== null && isSame(leaf.invitation.key, facts.key),
  );
  return isHeld || !invited.isVouched ? "other-device" : "good";
}

/** Who sees this guest and may let them in: who leads, and who holds the same invitation. */
export function mayAdmit(state: State, entry: DoorEntry): boolean {
  const self = own(state);
  if (isModerator(self)) return true;
  const held = self?.leaf.invitation ?? null;
  const { group } = state;
  if (held === null || entry.invited === null || group === null) return false;
  const isOwn = isSame(held.key, entry.invited.facts.key);
  return isOwn && !group.context.policy.isLocked && doesCount(held, group.context);
}

function policyItem(state: State, group: Group, self: Person): readonly Item[] {
  const { policyPatch } = state;
  if (policyPatch === null || !isModerator(self)) return [];
  return [{ at: 0, policy: patched(group, policyPatch, self.role === "host") }];
}

/** Everybody renews its own leaf, one every five minutes, in the order of leaves. */
function healTurn(state: State, self: Person): number {
  const order = (person: Person) =>
    person.leaf.leaf > state.healedLeaf ? person.leaf.leaf : person.leaf.leaf + 1_000_000;
  let place = 0;
  for (const person of state.people.values()) {
    if (person.presence === "live" && order(person) < order(self)) place += 1;
  }
  return state.healedAt + HEAL_MS + TURN_MS * place;
}

function present(state: State): readonly Item[] {
  const self = own(state);
  return state.group === null || self === null ? [] : items(state, state.group, self);
}

/** When this client has to commit next; null: it is in no group. */
export function nextDue(state: State): number | null {
  const due = present(state).map((item) => item.at);
  return due.length === 0 ? null : Math.max(Math.min(...due), state.commitAfter);
}

/** Everything that is due, in one commit. Null: nothing is. */
export function planAt(state: State, now: number): Plan | null {
  const due = present(state).filter((item) => item.at <= now);
  if (due.length === 0 || now < state.commitAfter || state.group === null) return null;
  const entering = due.flatMap(({ add, withPsk = false }) =>
    add === undefined ? [] : [{ add, withPsk }],
  );
  const byHand = entering.filter(({ withPsk }) => !withPsk);
  // The PSK binds a whole commit; who may not hold the link goes first, without it.
  const chosen = byHand.length > 0 ? byHand : entering;
  const entries = oneByOne(oncePerDevice(chosen.map(({ add }) => add)));
  const room = MOST_MEMBERS - state.group.facts.roster.length;
  const added = entries.filter((entry, at) => at < room || replacedBy(state, entry) !== null);
  const removed = new Map<string, Person>();
  const why = new Map<string, "left" | "lost" | "removed" | "replaced">();
  for (const item of due) {
    if (item.remove === undefined || item.why === undefined) continue;
    removed.set(item.remove.identity, item.remove);
    why.set(item.remove.identity, item.why);
  }
  for (const entry of added) {
    const old = replacedBy(state, entry);
    if (old === null) continue;
    removed.set(old.identity, old);
    why.set(old.identity, "replaced");
  }
  return {
    adds: added,
    removes: [...removed.values()],
    why,
    policy: due.find((item) => item.policy !== undefined)?.policy ?? null,
    policyWishes: state.policyPatch?.wishes ?? [],
    withPsk: byHand.length === 0 && added.length > 0,
  };
}

/** After the server did not know one of them each goes alone, so that the others come in. */
function oneByOne(entries: readonly DoorEntry[]): readonly DoorEntry[] {
  if (!entries.some((entry) => entry.failures > 0)) return entries;
  return [...entries].sort((a, b) => a.failures - b.failures).slice(0, 1);
}

/** A device that knocked twice comes in by its last knock. */
function oncePerDevice(entries: readonly DoorEntry[]): readonly DoorEntry[] {
  const last = new Map(entries.map((entry) => [b64(entry.facts.signatureKey), entry]));
  return [...last.values()];
}

function replacedBy(state: State, entry: DoorEntry): Person | null {
  for (const person of state.people.values()) {
    if (isSame(person.leaf.signatureKey, entry.facts.signatureKey)) return person;
  }
  return null;
}

export function changesOf(group: Group, plan: Plan): Changes {
  return {
    adds: plan.adds.map((entry) => entry.keyPackage),
    removes: plan.removes.map((person) => person.leaf.leaf),
    meeting: plan.policy === null ? null : encodeContext({ ...group.context, policy: plan.policy }),
    withPsk: plan.withPsk,
  };
}

/** Tells the wishes that a plan served. */
export function resolve(t: Turn, plan: Plan, outcome: Outcome): void {
  const removals = new Map(t.state.removals);
  for (const { identity } of plan.removes) {
    for (const wish of removals.get(identity) ?? []) t.outcome(wish, outcome);
    removals.delete(identity);
  }
  t.set({ removals });
  const { policyPatch } = t.state;
  if (plan.policy === null || policyPatch === null) return;
  for (const wish of plan.policyWishes) t.outcome(wish, outcome);
  const wishes = policyPatch.wishes.filter((wish) => !plan.policyWishes.includes(wish));
  // What was wished while the commit was on its way stays wished.
  t.set({ policyPatch: wishes.length === 0 ? null : { ...policyPatch, wishes } });
}

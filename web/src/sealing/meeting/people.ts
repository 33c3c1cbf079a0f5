/** Who is in the group: one `Person` a leaf, kept from epoch to epoch. Pure. */

import type { CommitFacts, LeafFacts } from "../engine/contract.ts";
import { b64, isSame } from "./bytes.ts";
import { tellPermissions } from "./permits.ts";
import {
  identityOf,
  invitationIdOf,
  isOfThisHost,
  partOf,
  permissionsOf,
  roleOf,
  rosterHash,
} from "./roles.ts";
import type { Group, Past, Person, State } from "./state.ts";
import type { Turn } from "./turn.ts";
import type { FrameOf } from "./wire.ts";

/** Epochs back from which messages can still be opened. */
const PASTS = 4;

export function newPerson(
  leaf: LeafFacts,
  group: Group,
  now: number,
  place: Partial<Person>,
): Person {
  return {
    identity: identityOf(leaf.signatureKey, group.facts.groupId),
    leaf,
    ...rightsOf(leaf, group),
    name: null,
    invitedAs: null,
    colour: 0,
    box: null,
    joinedAt: now,
    sinceEpoch: group.facts.epoch,
    hasLink: false,
    awaitsLinkSince: null,
    isAddedByUs: false,
    handAt: null,
    seat: null,
    presence: "live",
    awayAt: now,
    heardAt: now,
    isMismatched: false,
    ...place,
  };
}

function rightsOf(leaf: LeafFacts, { context }: Group) {
  return {
    role: roleOf(leaf, context),
    part: partOf(leaf, context),
    may: permissionsOf(leaf, context),
  };
}

/** What stays true of a device that comes back into the same sitting, whatever lets it in again. */
export function keptOf(person: Person): Partial<Person> {
  const { name, invitedAs, colour, joinedAt, hasLink } = person;
  return { name, invitedAs, colour, joinedAt, hasLink };
}

export interface Admission {
  readonly commit: CommitFacts;
  readonly now: number;
  readonly isByUs: boolean;
  /** identity -> seat */
  readonly seats: ReadonlyMap<string, string>;
}

/** The people after a commit, in the order in which they came. */
export function afterCommit(
  people: ReadonlyMap<string, Person>,
  group: Group,
  admission: Admission,
): ReadonlyMap<string, Person> {
  const { commit, now, seats } = admission;
  const next = new Map<string, Person>();
  const byKey = new Map(group.facts.roster.map((leaf) => [b64(leaf.signatureKey), leaf]));
  const added = new Set(commit.adds.map((add) => b64(add.signatureKey)));
  for (const person of people.values()) {
    const leaf = byKey.get(b64(person.leaf.signatureKey));
    if (leaf === undefined || added.has(b64(leaf.signatureKey))) continue;
    next.set(person.identity, { ...person, leaf, ...rightsOf(leaf, group) });
  }
  for (const [key, leaf] of byKey) {
    const identity = identityOf(leaf.signatureKey, group.facts.groupId);
    if (next.has(identity)) continue;
    const old = people.get(identity);
    const place: Partial<Person> = {
      seat: seats.get(identity) ?? null,
      isAddedByUs: admission.isByUs,
      awaitsLinkSince: commit.psks.length === 0 && added.has(key) ? now : null,
      ...(old === undefined ? {} : keptOf(old)),
    };
    next.set(identity, newPerson(leaf, group, now, place));
  }
  return next;
}

export function pastOf(group: Group): Past {
  const { epoch, roster, authenticator } = group.facts;
  return { epoch, roster, auth: authenticator.slice(0, 8), rosterHash: rosterHash(roster) };
}

export function withPast(pasts: readonly Past[], group: Group): readonly Past[] {
  return [pastOf(group), ...pasts].slice(0, PASTS);
}

export function ownIdentity({ group, setup }: State): string | null {
  return group === null ? null : identityOf(setup.signatureKey, group.facts.groupId);
}

export function own(state: State): Person | null {
  return state.people.get(ownIdentity(state) ?? "") ?? null;
}

export function personOfLeaf(people: ReadonlyMap<string, Person>, leaf: number): Person | null {
  for (const person of people.values()) if (person.leaf.leaf === leaf) return person;
  return null;
}

export function personOfSeat(state: State, seat: string): Person | null {
  for (const person of state.people.values()) if (person.seat === seat) return person;
  return null;
}

export function personOfKey(state: State, key: Uint8Array): Person | null {
  for (const person of state.people.values()) {
    if (isSame(person.leaf.signatureKey, key)) return person;
  }
  return null;
}

/**
 * Whose turn it is among those who could: 0 for the lowest leaf whose connection lives. One's own
 * connection counts as living.
 */
export function rankAmong(state: State, isAble: (person: Person) => boolean = () => true): number {
  const self = own(state);
  let rank = 0;
  for (const person of state.people.values()) {
    const isBefore = self !== null && person.leaf.leaf < self.leaf.leaf;
    if (isBefore && person.presence === "live" && isAble(person)) rank += 1;
  }
  return rank;
}

export function runPresence(t: Turn, { seat, state }: FrameOf<"presence">): void {
  const person = personOfSeat(t.state, seat);
  if (person === null || person.identity === ownIdentity(t.state)) return;
  // A goodbye that its sender signed is not taken back by the server.
  if (person.presence === state || person.presence === "left") return;
  t.person(person.identity, { presence: state, awayAt: t.now });
  noteLeader(t);
  // Who speaks to the server for the room may be another one now.
  tellPermissions(t);
}

export function isModerator(person: Person | null): boolean {
  return person !== null && person.role !== "member";
}

/** A host or co-host is here and connected. */
export function isLed({ people }: Pick<State, "people">): boolean {
  return [...people.values()].some((person) => isModerator(person) && person.presence === "live");
}

/**
 * Losing the connection of the last who leads shuts the door until one is back, also after their
 * leaf is removed. Who leaves by a goodbye leaves the door as it is.
 */
export function noteLeader(t: Turn): void {
  const isLost = [...t.state.people.values()].some(
    (person) => isModerator(person) && person.presence === "lost",
  );
  const isLeaderLost = !isLed(t.state) && (isLost || t.state.isLeaderLost);
  if (isLeaderLost !== t.state.isLeaderLost) t.set({ isLeaderLost });
}

/** Which device first carried an invitation of this host is remembered for as long as the visit. */
export function noteDevices(t: Turn): void {
  const { group, people, firstDevices } = t.state;
  const next = new Map(firstDevices);
  for (const { leaf } of people.values()) {
    const { invitation, signatureKey } = leaf;
    if (group === null || invitation === null) continue;
    if (!isOfThisHost(invitation, group.context)) continue;
    const id = b64(invitationIdOf(invitation));
    if (!next.has(id)) next.set(id, b64(signatureKey));
  }
  if (next.size !== firstDevices.size) t.set({ firstDevices: next });
}

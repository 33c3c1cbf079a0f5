/**
 * "First stop, then ask": a host or co-host stops everything for a moment, decides who stays, and
 * takes the others out in one commit (docs/reference/sealing-protocol.md, 5). What others say while
 * everything is stopped is not heard here, whatever their clients do.
 */

import { ofGuest, ofPerson, patchPolicy, shut } from "./blocked.ts";
import { deny } from "./door.ts";
import type { Wish } from "./io.ts";
import { enqueue } from "./outbox.ts";
import { isModerator, own, ownIdentity } from "./people.ts";
import type { Group, Person, State } from "./state.ts";
import type { Done, Turn } from "./turn.ts";

/** Who has stopped everything; null: it goes on. Ends with their being here. */
export function frozenBy({ frozen, people }: State): Person | null {
  const person = frozen === null ? undefined : people.get(frozen.by);
  return person !== undefined && isModerator(person) && person.presence !== "left" ? person : null;
}

/** Whether what this person says now is not to be heard. */
export function isStopped(state: State, person: Person): boolean {
  return frozenBy(state) !== null && !isModerator(person);
}

export function onFreeze(t: Turn, person: Person, isOn: boolean): Done {
  if (!isModerator(person)) return t.drop("message");
  setFrozen(t, person, isOn);
}

function setFrozen(t: Turn, person: Person, isOn: boolean): void {
  const { identity, name } = person;
  const was = frozenBy(t.state) !== null;
  t.set({ frozen: isOn ? { by: identity, at: t.now } : null });
  if (was !== isOn) t.notice({ type: isOn ? "frozen" : "thawed", by: name ?? "" });
}

export function wishFreeze(t: Turn, wish: number, self: Person, isOn: boolean): void {
  setFrozen(t, self, isOn);
  const { outbox } = t.state;
  enqueue(t, { k: "freeze", on: isOn }, { wish });
  // Before whatever else waits to be said.
  t.set({ outbox: [...t.state.outbox.slice(-1), ...outbox] });
  // The media server silences them too, in case a browser does not obey.
  if (isOn && t.state.isGreeted) t.request("silence", {}, { type: "silence" });
}

/** Who comes in while everything is stopped is told so. */
export function tellFreeze(t: Turn): void {
  if (t.state.frozen?.by === ownIdentity(t.state)) enqueue(t, { k: "freeze", on: true });
}

export function wishClean(
  t: Turn,
  wish: number,
  what: Extract<Wish, { readonly type: "clean" }>,
): void {
  const self = own(t.state);
  const { group, people } = t.state;
  const goes = what.identities.flatMap((identity) => {
    const person = people.get(identity);
    const isSafe = self?.role === "cohost" && person?.role === "host";
    return person === undefined || person === self || isSafe ? [] : [person];
  });
  const removals = new Map(t.state.removals);
  // One commit, one answer: with the lock.
  for (const { identity } of goes) removals.set(identity, removals.get(identity) ?? []);
  t.set({ removals });
  const guests = what.seats.flatMap((seat) => t.state.door.get(seat) ?? []);
  const out = [...goes.map((person) => ofPerson(t.state, person)), ...guests.map(ofGuest)];
  const { blocked } = shut((group as Group).context, out);
  const revoked = new Map(what.invitations.map((id) => [id, true]));
  patchPolicy(t, { isLocked: true, revoked, blocked }, [wish]);
  if (!t.state.isGreeted) return;
  for (const { seat } of guests) deny(t, seat, null);
}

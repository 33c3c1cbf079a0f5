/**
 * What the pages see of the machine's state (`Sealed`). Pure: unchanged parts are the very objects
 * of the view before, so that a page draws only what changed. Never says "sealed" for who is in no
 * group.
 */

import type {
  DoorGuest,
  InvitedAs,
  Sealed,
  SealedMember,
  SealedPhase,
  SealState,
} from "../contract.ts";
import { b64 } from "./bytes.ts";
import { frozenBy } from "./freeze.ts";
import { ownIdentity } from "./people.ts";
import { isAsking, mayAdmit, standingOf } from "./plan.ts";
import { invitationIdOf, isOfThisHost } from "./roles.ts";
import type { DoorEntry, Person, State } from "./state.ts";

function isAlike(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) =>
      isAlike((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]),
    )
  );
}

/** `next`, or what was there before if it says the same. */
function shared<T>(before: T | undefined, next: T): T {
  return before !== undefined && isAlike(before, next) ? before : next;
}

/** The same for lists, item by item. */
function sharedList<T>(
  before: readonly T[] | undefined,
  next: readonly T[],
  idOf: (item: T) => string,
): readonly T[] {
  if (before === undefined) return next;
  const known = new Map(before.map((item) => [idOf(item), item]));
  const items = next.map((item) => shared(known.get(idOf(item)), item));
  const isSame = items.length === before.length && items.every((item, at) => item === before[at]);
  return isSame ? before : items;
}

export function view(state: State, before?: Sealed): Sealed {
  const policy = state.group?.context.policy ?? state.setup.policy;
  const { entry, isLocked, history, template, attendees } = policy;
  return {
    phase: shared(before?.phase, phase(state)),
    seal: shared(before?.seal, seal(state)),
    selfIdentity: ownIdentity(state),
    members: sharedList(before?.members, members(state), (member) => member.identity),
    door: sharedList(before?.door, door(state), (guest) => guest.seat),
    // Entries change only by being replaced.
    chat: state.chat,
    unread: state.unread,
    codes: state.codes,
    policy: shared(before?.policy, { entry, isLocked, history, template, attendees }),
    blocked: sharedList(before?.blocked, blocked(state), (key) => key),
    isLeaderLost: state.isLeaderLost,
    frozen: shared(before?.frozen, frozen(state)),
    title: state.setup.title,
    keyNotes: state.setup.keyNotes,
  };
}

function blocked({ group }: State): readonly string[] {
  return group === null ? [] : group.context.policy.blocked.map(b64);
}

function frozen(state: State): Sealed["frozen"] {
  const person = frozenBy(state);
  if (person === null || state.frozen === null) return null;
  const isOwn = person.identity === ownIdentity(state);
  return { by: person.name ?? "", isOwn, since: state.frozen.at };
}

function phase(state: State): SealedPhase {
  const { stage, over, awaySince, atDoor, hasBeenInside, open } = state;
  if (over !== null) return { type: "over", reason: over };
  if (atDoor?.isShown === true) {
    const { ownWords: words, ownNote: note, link } = state;
    const canWrite = stage === "knocking" && link !== null;
    return { type: "waiting", members: atDoor.members, words, note, canWrite };
  }
  if (!hasBeenInside) return { type: "entering", isCrowded: open?.next.type === "worked" };
  const isInside = stage === "member" || stage === "leaving";
  if (isInside && awaySince === null) return { type: "inside" };
  return { type: "reconnecting", since: awaySince ?? state.epochAt };
}

function seal(state: State): SealState {
  const { broken, stage, sealedAt, problems } = state;
  if (broken !== null) return { type: "broken", ...broken };
  if (stage === "over") return { type: "ended" };
  const isInside = stage === "member" || stage === "leaving";
  if (!isInside || sealedAt === null) return { type: "coming" };
  return problems.length > 0
    ? { type: "not-sealed", reasons: problems }
    : { type: "sealed", since: sealedAt };
}

function members(state: State): readonly SealedMember[] {
  const self = ownIdentity(state);
  const hands = [...state.people.values()]
    .filter((person) => person.handAt !== null)
    .sort((a, b) => Number(a.handAt) - Number(b.handAt));
  const seen = (person: Person, isLeaving: boolean): SealedMember => {
    const place = hands.indexOf(person);
    return {
      identity: person.identity,
      name: person.name,
      colour: person.colour,
      role: person.role,
      part: person.part,
      may: person.may,
      verification: verification(state, person),
      invited: invitedAs(state, person),
      isSelf: person.identity === self,
      joinedAt: person.joinedAt,
      handPlace: place < 0 ? null : place + 1,
      isLeaving,
      isLost: person.presence === "lost",
    };
  };
  const leaving = state.leavers
    .filter(({ person }) => !state.people.has(person.identity))
    .map(({ person }) => seen(person, true));
  const here = [...state.people.values()].map((person) => seen(person, person.presence === "left"));
  return [...here, ...leaving].sort((a, b) => a.joinedAt - b.joinedAt);
}

function verification(state: State, person: Person): SealedMember["verification"] {
  if (person.role === "host") return "host";
  const { accountKey } = person.leaf;
  if (accountKey !== null && state.setup.knownAccounts.includes(b64(accountKey))) return "account";
  if (invitedAs(state, person) !== null) return "invitation";
  return person.hasLink ? "link" : "door";
}

/** The personal invitation of this room's host that their device carries. */
function invitedAs(state: State, { leaf, invitedAs: name }: Person): InvitedAs | null {
  const { group } = state;
  const { invitation, signatureKey } = leaf;
  if (invitation === null || group === null || !isOfThisHost(invitation, group.context))
    return null;
  return invitedBy(state, b64(invitationIdOf(invitation)), name || null, signatureKey);
}

function invitedBy(
  { firstDevices }: State,
  id: string,
  name: string | null,
  key: Uint8Array,
): InvitedAs {
  const device = b64(key);
  return { id, name, device, isOtherDevice: (firstDevices.get(id) ?? device) !== device };
}

function door(state: State): readonly DoorGuest[] {
  const { group } = state;
  if (group === null) return [];
  return [...state.door.values()]
    .filter((entry) => isAsking(state, entry) && mayAdmit(state, entry))
    .map((entry) => ({
      seat: entry.seat,
      name: entry.name,
      colour: entry.colour,
      proof: proofOf(state, entry),
      invited:
        entry.invited === null
          ? null
          : {
              ...invitedBy(
                state,
                b64(invitationIdOf(entry.invited.facts)),
                entry.invited.name,
                entry.facts.signatureKey,
              ),
              standing: standingOf(group, entry.invited),
            },
      note: entry.note,
      words: entry.words,
      knockedAt: entry.at,
    }));
}

function proofOf(state: State, { facts, hasProof, invited }: DoorEntry): DoorGuest["proof"] {
  const { accountKey } = facts;
  if (accountKey !== null && state.setup.knownAccounts.includes(b64(accountKey))) return "account";
  if (invited !== null && hasProof && state.group !== null) {
    if (standingOf(state.group, invited) === "good") return "invitation";
  }
  return hasProof ? "link" : "unknown";
}

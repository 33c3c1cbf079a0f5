/** Devices that stay outside: by a press at the door, or with who is taken out. Pure but for the turn. */

import { b64 } from "./bytes.ts";
import type { MeetingContext } from "./meetingContext.ts";
import { invitationIdOf, isHostOf, isOfThisHost } from "./roles.ts";
import { type DoorEntry, NO_PATCH, type Person, type PolicyPatch } from "./state.ts";
import type { Turn } from "./turn.ts";

type Facts = Pick<Person["leaf"], "signatureKey" | "accountKey" | "invitation">;

/**
 * What keeps these out from the next commit on: their devices, and the links of those who are the
 * owners of their links. A link that was passed on goes on working for whom it was made.
 */
export function shut(
  context: MeetingContext,
  people: readonly { readonly facts: Facts; readonly isOwner: boolean }[],
): Pick<PolicyPatch, "blocked" | "revoked"> {
  const outside = people.filter(({ facts }) => !isHostOf(facts, context));
  const links = outside.flatMap(({ facts, isOwner }) =>
    isOwner && facts.invitation !== null && isOfThisHost(facts.invitation, context)
      ? [b64(invitationIdOf(facts.invitation))]
      : [],
  );
  return {
    blocked: new Map(outside.map(({ facts }) => [b64(facts.signatureKey), true])),
    revoked: new Map(links.map((id) => [id, true])),
  };
}

export function ofPerson({ firstDevices }: Turn["state"], { leaf }: Person) {
  const { invitation, signatureKey } = leaf;
  const id = invitation === null ? "" : b64(invitationIdOf(invitation));
  const isOwner = (firstDevices.get(id) ?? b64(signatureKey)) === b64(signatureKey);
  return { facts: leaf, isOwner };
}

export function ofGuest({ facts, invited }: DoorEntry) {
  return { facts, isOwner: invited?.isVouched === true };
}

/** Joins what is wished of the policy to what is wished already. */
export function patchPolicy(
  t: Turn,
  patch: Partial<Omit<PolicyPatch, "wishes">>,
  wishes: readonly number[],
): void {
  const old = t.state.policyPatch ?? NO_PATCH;
  const joined = <K, V>(a: ReadonlyMap<K, V>, b?: ReadonlyMap<K, V>) =>
    new Map([...a, ...(b ?? [])]);
  t.set({
    policyPatch: {
      ...old,
      ...patch,
      revoked: joined(old.revoked, patch.revoked),
      cohosts: joined(old.cohosts, patch.cohosts),
      people: joined(old.people, patch.people),
      blocked: joined(old.blocked, patch.blocked),
      wishes: [...old.wishes, ...wishes],
    },
  });
}

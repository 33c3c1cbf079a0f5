/**
 * Who is who in a group, from nothing but what the group itself says: roles, identities, and the
 * short hashes that members compare. Pure.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import type { Part, SealedRole } from "../contract.ts";
import type { InvitationFacts, LeafFacts } from "../engine/contract.ts";
import { EVERYTHING, LISTENERS_LACK } from "../permissions.ts";
import { b64, concat, isSame, utf8 } from "./bytes.ts";
import type { MeetingContext, Policy, Standing } from "./meetingContext.ts";

export const LINK_PSK_ID = utf8("conclave link v1");

/**
 * 16 bytes of a key's hash, kept as long as the key: at every step it is asked of every member whose
 * invitation counts. Nothing here changes a key.
 */
function shortHash(label: string): (key: Uint8Array) => Uint8Array {
  const known = new WeakMap<Uint8Array, Uint8Array>();
  return (key) => {
    const hash = known.get(key) ?? sha256(concat(utf8(label), key)).slice(0, 16);
    known.set(key, hash);
    return hash;
  };
}

/** Protocol, 1. */
export const accountFingerprint = shortHash("conclave account v1");

const invitationHash = shortHash("conclave invitation id v1");

/** Protocol, 2: the LiveKit identity too. */
export function identityOf(signatureKey: Uint8Array, instance: Uint8Array): string {
  return b64(sha256(concat(signatureKey, instance))).slice(0, 22);
}

/** Protocol, 2: 16 bytes. */
export function invitationIdOf({ key }: Pick<InvitationFacts, "key">): Uint8Array {
  return invitationHash(key);
}

/** Made for this meeting by the account that its link names. */
export function isOfThisHost(
  invitation: InvitationFacts,
  context: Pick<MeetingContext, "meetingId" | "hostFingerprint">,
): boolean {
  return (
    isSame(utf8(invitation.meetingId), context.meetingId) &&
    isSame(accountFingerprint(invitation.accountKey), context.hostFingerprint)
  );
}

/** This meeting's, by its host, and not revoked. */
export function doesCount(invitation: InvitationFacts, context: MeetingContext): boolean {
  if (!isOfThisHost(invitation, context)) return false;
  const id = invitationIdOf(invitation);
  return !context.policy.revoked.some((revoked) => isSame(revoked, id));
}

/** By the account key that the link names. */
export function isHostOf(
  { accountKey }: Pick<LeafFacts, "accountKey">,
  { hostFingerprint }: Pick<MeetingContext, "hostFingerprint">,
): boolean {
  return accountKey !== null && isSame(accountFingerprint(accountKey), hostFingerprint);
}

type Bearer = Pick<LeafFacts, "signatureKey" | "accountKey" | "invitation">;

export function roleOf(leaf: Bearer, context: MeetingContext): SealedRole {
  if (isHostOf(leaf, context)) return "host";
  const { invitation, signatureKey } = leaf;
  if (invitation?.role === "cohost" && doesCount(invitation, context)) return "cohost";
  return context.policy.cohosts.some((key) => isSame(key, signatureKey)) ? "cohost" : "member";
}

const standings = new WeakMap<Policy, ReadonlyMap<string, Standing>>();

/** What was said of this one; asked of every member after every commit. */
export function standingIn(policy: Policy, signatureKey: Uint8Array): Standing | null {
  let known = standings.get(policy);
  if (known === undefined) {
    known = new Map(policy.people.map((standing) => [b64(standing.key), standing]));
    standings.set(policy, known);
  }
  return known.size === 0 ? null : (known.get(b64(signatureKey)) ?? null);
}

/** As what somebody came, before anybody here has said otherwise. */
export function invitedPart({ invitation }: Pick<Bearer, "invitation">, context: MeetingContext) {
  const role = invitation === null || !doesCount(invitation, context) ? null : invitation.role;
  return role === null || role === "cohost" ? "attendee" : role;
}

export function partOf(leaf: Bearer, context: MeetingContext): Part {
  return standingIn(context.policy, leaf.signatureKey)?.part ?? invitedPart(leaf, context);
}

/** What a part may do by itself, in bits. */
export function permissionsOfPart(part: Part, { attendees }: Policy): number {
  if (part === "presenter") return EVERYTHING;
  return part === "listener" ? attendees & ~LISTENERS_LACK : attendees;
}

/** What this member may do, in bits. Who leads may everything. */
export function permissionsOf(leaf: Bearer, context: MeetingContext): number {
  if (roleOf(leaf, context) !== "member") return EVERYTHING;
  const { more, less } = standingIn(context.policy, leaf.signatureKey) ?? { more: 0, less: 0 };
  return (permissionsOfPart(partOf(leaf, context), context.policy) | more) & ~less;
}

export function isBlocked({ signatureKey }: Pick<Bearer, "signatureKey">, policy: Policy): boolean {
  return policy.blocked.some((key) => isSame(key, signatureKey));
}

/** The first 8 bytes, as beats carry them. */
export function rosterHash(roster: readonly LeafFacts[]): Uint8Array {
  return sha256(concat(...roster.map((leaf) => leaf.signatureKey))).slice(0, 8);
}

export function commitHash(commit: Uint8Array): string {
  return b64(sha256(commit));
}

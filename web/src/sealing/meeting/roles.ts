/**
 * Who is who in a group, from nothing but what the group itself says: roles, identities, and the
 * short hashes that members compare. Pure.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import type { SealedRole } from "../contract.ts";
import type { LeafFacts } from "../engine/contract.ts";
import { b64, concat, isSame, utf8 } from "./bytes.ts";
import type { MeetingContext } from "./meetingContext.ts";

export const LINK_PSK_ID = utf8("conclave link v1");

/** Protocol, 1. */
export function accountFingerprint(accountKey: Uint8Array): Uint8Array {
  return sha256(concat(utf8("conclave account v1"), accountKey)).slice(0, 16);
}

/** Protocol, 2: the LiveKit identity too. */
export function identityOf(signatureKey: Uint8Array, instance: Uint8Array): string {
  return b64(sha256(concat(signatureKey, instance))).slice(0, 22);
}

export function roleOf(
  leaf: Pick<LeafFacts, "signatureKey" | "accountKey">,
  context: Pick<MeetingContext, "hostFingerprint" | "policy">,
): SealedRole {
  if (
    leaf.accountKey !== null &&
    isSame(accountFingerprint(leaf.accountKey), context.hostFingerprint)
  ) {
    return "host";
  }
  return context.policy.cohosts.some((key) => isSame(key, leaf.signatureKey)) ? "cohost" : "member";
}

/** The first 8 bytes, as beats carry them. */
export function rosterHash(roster: readonly LeafFacts[]): Uint8Array {
  return sha256(concat(...roster.map((leaf) => leaf.signatureKey))).slice(0, 8);
}

export function commitHash(commit: Uint8Array): string {
  return b64(sha256(commit));
}

/**
 * The personal link by which somebody stands at the door: what the host has signed, and what it is
 * worth now. Nothing is bound to a device by looking: that happens with the first knock.
 */

import { fetchInvitation } from "../api/queries.ts";
import { fromB64, isSame } from "../sealing/keys/bytes.ts";
import {
  decodeInvitation,
  type Invitation,
  invitationId,
  invitationKey,
  invitedName,
} from "../sealing/keys/invitation.ts";
import { deriveLinkKeys, hostFingerprint, type LinkSecret } from "../sealing/keys/link.ts";

export type Personal =
  /** Opens nothing any more, or is not known: the person is told so, and asks for another. */
  | { readonly type: "dead"; readonly why: "revoked" | "expired" | "unknown" }
  | {
      readonly type: "invited";
      readonly facts: Invitation;
      readonly seed: Uint8Array;
      /** As the host wrote it. */
      readonly name: string | null;
      /** The device key that keeps it; null: nobody has come with it. */
      readonly device: Uint8Array | null;
    };

/** Rejects when the server does not answer. */
export async function lookAtPersonalLink(
  meetingId: string,
  link: LinkSecret,
  seed: Uint8Array,
): Promise<Personal> {
  const key = await invitationKey(seed, meetingId);
  const found = await fetchInvitation(meetingId, await invitationId(key.publicKey));
  const bytes = found === null ? null : fromB64(found.certificate);
  const facts = bytes && decodeInvitation(bytes);
  if (found === null || facts === null) return { type: "dead", why: "unknown" };
  // Another host's certificate would be worth nothing inside.
  const isOurs =
    facts.meetingId === meetingId &&
    isSame(facts.key, key.publicKey) &&
    isSame(await hostFingerprint(facts.accountKey), link.fingerprint);
  if (!isOurs) return { type: "dead", why: "unknown" };
  if (found.state === "revoked" || found.state === "expired") {
    return { type: "dead", why: found.state };
  }
  const name = await invitedName(await deriveLinkKeys(link.secret, meetingId), facts);
  const device = found.device === null ? null : fromB64(found.device);
  return { type: "invited", facts, seed, name, device };
}

/** For the door: whose link it is, and on which device it stands. */
export interface PersonalFacts {
  readonly name: string | null;
  readonly device: "none" | "this" | "other";
}

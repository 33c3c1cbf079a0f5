/** Who is to get a link of their own after a room was cleaned. Pure. */

import type { SealedMember } from "../../../sealing/contract.ts";
import type { FreshFor } from "../../invite/contract.ts";
import type { Candidate } from "./cleaning.ts";

/**
 * Everybody who stays, hosts apart: whether the link they have is still good is the server's to say,
 * too. Nameless ones are left out, for a link is made in somebody's name.
 */
export function freshFor(
  { stayed, gone }: { readonly stayed: readonly Candidate[]; readonly gone: readonly Candidate[] },
  members: readonly SealedMember[],
): readonly FreshFor[] {
  const inOtherHands = new Set(gone.map(({ invitationId }) => invitationId));
  return stayed.flatMap(({ id, isFixed, isAtDoor, invitedAs, invitationId, name: typed }) => {
    const member = members.find(({ identity }) => identity === id);
    const name = invitedAs ?? typed;
    if (isFixed || isAtDoor || name === null || member === undefined) return [];
    const isLeaked =
      invitationId !== null &&
      (inOtherHands.has(invitationId) || member.invited?.isOtherDevice === true);
    const role = member.role === "cohost" ? "cohost" : member.part;
    return [{ identity: id, name, role, invitation: invitationId, isLeaked } as const];
  });
}

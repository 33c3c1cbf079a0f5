/** New links for people who are in the room: who needs one, and what it is to be. Pure. */
import type { NewInvited } from "../../../vault/invitations.ts";
import type { FreshFor } from "../contract.ts";
import { type InvitedRow, renewedEnd, type Standing } from "./rows.ts";

/** Opens nothing any more, or is in other hands. */
const SPENT: ReadonlySet<Standing["type"]> = new Set([
  "revoked",
  "expired",
  "passed-on",
  "other-device",
]);

/** Who came by the link for everybody, or by one that is not theirs alone. */
export function needing(
  people: readonly FreshFor[],
  rows: readonly InvitedRow[],
): readonly FreshFor[] {
  const standings = new Map(rows.map(({ id, standing }) => [id, standing.type]));
  return people.filter(({ invitation, isLeaked }) => {
    if (invitation === null || isLeaked) return true;
    const standing = standings.get(invitation);
    // One that is on no list opens nothing.
    return standing === undefined || SPENT.has(standing);
  });
}

/** It lasts as long from now as the one before did from then. `now` in milliseconds. */
export function freshOf(
  { name, role, invitation }: FreshFor,
  rows: readonly InvitedRow[],
  now: number,
): NewInvited {
  const row = rows.find(({ id }) => id === invitation);
  return { name, role, expiresAt: row === undefined ? 0 : renewedEnd(row, now) };
}

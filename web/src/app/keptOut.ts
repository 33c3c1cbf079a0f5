/**
 * Devices that a host has shut out stay outside in the meeting's later sittings too: what the group
 * says is kept in the vault, and what the vault knows is said to a group that others have begun.
 */

import type { Sealed } from "../sealing/contract.ts";

export interface KeptOutPorts {
  /** As the vault has them; base64url device keys. */
  readonly kept: readonly string[];
  readonly keep: (keys: readonly string[]) => void;
  readonly block: (keys: readonly string[]) => void;
}

type Seen = Pick<Sealed, "phase" | "blocked" | "members">;

/** To be told of every change of the sealed meeting, by its host's client. */
export function createKeptOut({ kept, keep, block }: KeptOutPorts): (sealed: Seen) => void {
  let known: readonly string[] = kept;
  /** What the group said last; null: not inside yet. */
  let before: readonly string[] | null = null;
  return ({ phase, blocked, members }) => {
    if (phase.type !== "inside" || blocked === before) return;
    const isHost = members.some((member) => member.isSelf && member.role === "host");
    if (!isHost) return;
    const isFirst = before === null;
    // Only a host can have taken somebody off the group's list.
    const isForgiven = before?.some((key) => !blocked.includes(key)) === true;
    before = blocked;
    const next = isForgiven ? blocked : [...new Set([...known, ...blocked])];
    if (next.length !== known.length || next.some((key) => !known.includes(key))) keep(next);
    known = next;
    const missing = known.filter((key) => !blocked.includes(key));
    if (isFirst && missing.length > 0) block(missing);
  };
}

/**
 * Whom a meeting's host has invited, as the vault keeps it (docs/reference/sealing-protocol.md, 9),
 * and the changes one makes to it. Pure; must never take entries of another shape.
 */

import { fromB64 } from "../keys/bytes.ts";
import { INVITED_ROLES, type InvitedRole, SEED_BYTES } from "../keys/invitation.ts";
import type { VaultChange, VaultContent, VaultMeeting } from "./content.ts";

export interface VaultInvited {
  /** base64url, 16 bytes: whoever has it is the invited person. */
  readonly seed: string;
  readonly name: string;
  readonly role: InvitedRole;
  /** Seconds since the epoch; 0: as long as the meeting. */
  readonly until: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** base64url, 32 bytes: the first device that was seen with it; absent: none yet. */
  readonly device?: string;
}

/** Of one meeting; the server keeps no more. */
export const MOST_INVITED = 1_000;

/** Null: is none. Fields that this version does not know are not kept. */
export function readInvited(value: unknown): VaultInvited | null {
  if (typeof value !== "object" || value === null) return null;
  const { seed, name, role, until, at, device } = value as Record<string, unknown>;
  if (!isBytes(seed, SEED_BYTES) || typeof name !== "string" || typeof at !== "number") return null;
  if (!INVITED_ROLES.includes(role as InvitedRole)) return null;
  if (!Number.isSafeInteger(until) || (until as number) < 0) return null;
  const entry = { seed, name, role: role as InvitedRole, until: until as number, at };
  if (device === undefined) return entry;
  return isBytes(device, 32) ? { ...entry, device } : null;
}

function isBytes(value: unknown, length: number): value is string {
  return typeof value === "string" && fromB64(value)?.length === length;
}

export function invitedOf(content: VaultContent, meetingId: string): readonly VaultInvited[] {
  return content.meetings.find(({ id }) => id === meetingId)?.invited ?? [];
}

/**
 * All of them or, where that would be more than `MOST_INVITED`, one of them is none or the meeting
 * is gone, none: look whether they are there. One with a known seed is there already.
 */
export function addInvited(meetingId: string, added: readonly VaultInvited[]): VaultChange {
  // What cannot be read again would make the whole vault unreadable.
  const areGood = added.every((entry) => readInvited(entry) !== null);
  return changeInvited(meetingId, (before) => {
    if (!areGood) return before;
    const known = new Set(before.map(({ seed }) => seed));
    const all = [...before, ...added.filter(({ seed }) => !known.has(seed))];
    return all.length > MOST_INVITED ? before : all;
  });
}

/** `devices` by seed; what is no device key is left out. One that is there stays: the first counts. */
export function pinDevices(meetingId: string, devices: ReadonlyMap<string, string>): VaultChange {
  return changeInvited(meetingId, (before) =>
    before.map((entry) => {
      const device = devices.get(entry.seed);
      return entry.device === undefined && isBytes(device, 32) ? { ...entry, device } : entry;
    }),
  );
}

/** The next device that is seen with it is the first again. */
export function unpinDevice(meetingId: string, wanted: string): VaultChange {
  return changeInvited(meetingId, (before) =>
    before.map((entry) => {
      if (entry.seed !== wanted) return entry;
      const { device: _, ...others } = entry;
      return others;
    }),
  );
}

function changeInvited(
  meetingId: string,
  change: (before: readonly VaultInvited[]) => readonly VaultInvited[],
): VaultChange {
  const changed = (meeting: VaultMeeting): VaultMeeting =>
    meeting.id === meetingId ? { ...meeting, invited: change(meeting.invited ?? []) } : meeting;
  return (content) => ({ ...content, meetings: content.meetings.map(changed) });
}

/**
 * GroupContext extension 0xF0C0 (docs/reference/sealing-protocol.md, 3): what a group says about its
 * meeting, in bytes that every implementation writes alike. Pure; must never guess at what is not
 * exactly right.
 */

import { Reader, vector } from "../keys/vectors.ts";
import { compareBytes, concat } from "./bytes.ts";

export interface Policy {
  readonly entry: "open" | "lobby";
  readonly isLocked: boolean;
  /** How many of the last chat messages a newcomer is given. */
  readonly history: number;
  /** Signature keys, ascending. */
  readonly cohosts: readonly Uint8Array[];
  /** Ids of personal invitations that count no more, 16 bytes each, ascending. */
  readonly revoked: readonly Uint8Array[];
}

export interface MeetingContext {
  readonly meetingId: Uint8Array;
  readonly instance: Uint8Array;
  readonly creatorKey: Uint8Array;
  /** Zeros when the creator came without the link. */
  readonly hostFingerprint: Uint8Array;
  readonly mac: Uint8Array;
  readonly policy: Policy;
}

export const MAX_COHOSTS = 200;
export const MAX_REVOKED = 500;

/** What the MAC is over: all fields before it. */
export function macInput(context: Omit<MeetingContext, "mac" | "policy">): Uint8Array {
  return concat(
    Uint8Array.of(1),
    vector(context.meetingId),
    context.instance,
    context.creatorKey,
    context.hostFingerprint,
  );
}

export function encodeContext(context: MeetingContext): Uint8Array {
  const { policy } = context;
  return concat(
    macInput(context),
    context.mac,
    Uint8Array.of(
      policy.entry === "open" ? 0 : 1,
      policy.isLocked ? 1 : 0,
      policy.history >> 8,
      policy.history & 0xff,
    ),
    vector(concat(...policy.cohosts)),
    vector(concat(...policy.revoked)),
  );
}

/** Null unless these are exactly the bytes of a ConclaveMeeting. */
export function decodeContext(bytes: Uint8Array): MeetingContext | null {
  const reader = new Reader(bytes);
  try {
    if (reader.number(1, 1) !== 1) return null;
    const meetingId = reader.vector();
    const instance = reader.take(16);
    const creatorKey = reader.take(32);
    const hostFingerprint = reader.take(16);
    const mac = reader.take(32);
    const policy: Policy = {
      entry: reader.number(1, 1) === 0 ? "open" : "lobby",
      isLocked: reader.number(1, 1) === 1,
      history: reader.number(2, 0xffff),
      cohosts: reader.ascending(32, MAX_COHOSTS, compareBytes),
      revoked: reader.ascending(16, MAX_REVOKED, compareBytes),
    };
    reader.end();
    return { meetingId, instance, creatorKey, hostFingerprint, mac, policy };
  } catch {
    return null;
  }
}

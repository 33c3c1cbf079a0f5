/**
 * GroupContext extension 0xF0C0 (docs/reference/sealing-protocol.md, 3): what a group says about its
 * meeting, in bytes that every implementation writes alike. Pure; must never guess at what is not
 * exactly right.
 */

import type { Part } from "../contract.ts";
import { Damaged, number, Reader, vector } from "../keys/vectors.ts";
import { TEMPLATES, type Template } from "../templates.ts";
import { compareBytes, concat } from "./bytes.ts";

/** What one person is and may do here beside what everybody may. */
export interface Standing {
  /** Signature key, 32 bytes. */
  readonly key: Uint8Array;
  readonly part: Part;
  /** Permissions, in bits: also these, and not these. */
  readonly more: number;
  readonly less: number;
}

export interface Policy {
  readonly entry: "open" | "lobby";
  readonly isLocked: boolean;
  /** How many of the last chat messages a newcomer is given. */
  readonly history: number;
  /** Signature keys, ascending. */
  readonly cohosts: readonly Uint8Array[];
  /** Ids of personal invitations that count no more, 16 bytes each, ascending. */
  readonly revoked: readonly Uint8Array[];
  /** As what the room began. */
  readonly template: Template;
  /** What an attendee may do, in bits. */
  readonly attendees: number;
  /** By key, ascending. */
  readonly people: readonly Standing[];
  /** Signature keys of devices that stay outside, ascending. */
  readonly blocked: readonly Uint8Array[];
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
export const MAX_PEOPLE = 200;
export const MAX_BLOCKED = 200;
const STANDING_BYTES = 37;
/** As in invitations; a co-host is in a list of its own. */
const PARTS: Readonly<Record<Part, number>> = { attendee: 0, presenter: 2, listener: 3 };

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
    Uint8Array.of(TEMPLATES.indexOf(policy.template)),
    number(policy.attendees, 2),
    vector(concat(...policy.people.map(encodeStanding))),
    vector(concat(...policy.blocked)),
  );
}

function encodeStanding({ key, part, more, less }: Standing): Uint8Array {
  return concat(key, Uint8Array.of(PARTS[part]), number(more, 2), number(less, 2));
}

function decodeStanding(bytes: Uint8Array): Standing {
  const reader = new Reader(bytes);
  const key = reader.take(32);
  const role = reader.number(1, 3);
  const part = (Object.keys(PARTS) as Part[]).find((name) => PARTS[name] === role);
  if (part === undefined) throw new Damaged();
  return { key, part, more: reader.number(2, 0xffff), less: reader.number(2, 0xffff) };
}

function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(a.subarray(0, 32), b.subarray(0, 32));
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
      template: TEMPLATES[reader.number(1, TEMPLATES.length - 1)] as Template,
      attendees: reader.number(2, 0xffff),
      people: reader.ascending(STANDING_BYTES, MAX_PEOPLE, compareKeys).map(decodeStanding),
      blocked: reader.ascending(32, MAX_BLOCKED, compareBytes),
    };
    reader.end();
    return { meetingId, instance, creatorKey, hostFingerprint, mac, policy };
  } catch {
    return null;
  }
}

/**
 * GroupContext extension 0xF0C0 (docs/reference/sealing-protocol.md, 3): what a group says about its
 * meeting, in bytes that every implementation writes alike. Pure; must never guess at what is not
 * exactly right.
 */

import { compareBytes, concat } from "./bytes.ts";

export interface Policy {
  readonly entry: "open" | "lobby";
  readonly isLocked: boolean;
  /** How many of the last chat messages a newcomer is given. */
  readonly history: number;
  /** Signature keys, ascending. */
  readonly cohosts: readonly Uint8Array[];
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

/** `opaque<V>` (RFC 9420, 2.1.2). */
function vector(bytes: Uint8Array): Uint8Array {
  return concat(
    bytes.length < 0x40
      ? Uint8Array.of(bytes.length)
      : Uint8Array.of(0x40 | (bytes.length >> 8), bytes.length & 0xff),
    bytes,
  );
}

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
  );
}

class Damaged extends Error {}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new Damaged();
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  /** A number of `length` bytes, at most `most`. */
  number(length: number, most: number): number {
    const value = this.take(length).reduce((sum, byte) => sum * 256 + byte, 0);
    if (value > most) throw new Damaged();
    return value;
  }

  vector(): Uint8Array {
    const first = this.number(1, 0x7f);
    if (first < 0x40) return this.take(first);
    const length = (first & 0x3f) * 256 + this.number(1, 0xff);
    // Only the shortest way to write a length is right.
    if (length < 0x40) throw new Damaged();
    return this.take(length);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new Damaged();
  }
}

function readCohosts(bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes.length % 32 !== 0 || bytes.length > MAX_COHOSTS * 32) throw new Damaged();
  const keys = Array.from({ length: bytes.length / 32 }, (_, at) =>
    bytes.slice(at * 32, at * 32 + 32),
  );
  for (const [at, key] of keys.entries()) {
    const next = keys[at + 1];
    if (next !== undefined && compareBytes(key, next) >= 0) throw new Damaged();
  }
  return keys;
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
      cohosts: readCohosts(reader.vector()),
    };
    reader.end();
    return { meetingId, instance, creatorKey, hostFingerprint, mac, policy };
  } catch {
    return null;
  }
}

/**
 * Structures as the sealing protocol writes them: numbers in network order and vectors with their
 * length before them (RFC 9420, 2.1.2). Pure; a `Reader` throws `Damaged` for anything but the one
 * way in which something is written.
 */

import { concat } from "./bytes.ts";

/** The longest vector that two bytes can tell the length of. */
const MAX_VECTOR = 0x3fff;

/** `opaque<V>` with at most 16,383 bytes. Throws `RangeError` for more. */
export function vector(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_VECTOR) throw new RangeError("too long for a vector");
  return concat(
    bytes.length < 0x40
      ? Uint8Array.of(bytes.length)
      : Uint8Array.of(0x40 | (bytes.length >> 8), bytes.length & 0xff),
    bytes,
  );
}

/** `value` in `length` bytes, the most significant first. */
export function number(value: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let rest = value;
  for (let at = length - 1; at >= 0; at--) {
    bytes[at] = rest % 0x100;
    rest = Math.floor(rest / 0x100);
  }
  return bytes;
}

export class Damaged extends Error {}

export class Reader {
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
    const value = this.take(length).reduce((sum, byte) => sum * 0x100 + byte, 0);
    if (value > most) throw new Damaged();
    return value;
  }

  vector(): Uint8Array {
    const first = this.number(1, 0x7f);
    if (first < 0x40) return this.take(first);
    const length = (first & 0x3f) * 0x100 + this.number(1, 0xff);
    // Only the shortest way to write a length is right.
    if (length < 0x40) throw new Damaged();
    return this.take(length);
  }

  /** Items of `size` bytes, ascending and at most `most` of them, one after the other in a vector. */
  ascending(size: number, most: number, compare: (a: Uint8Array, b: Uint8Array) => number) {
    const bytes = this.vector();
    if (bytes.length % size !== 0 || bytes.length > most * size) throw new Damaged();
    const items = Array.from({ length: bytes.length / size }, (_, at) =>
      bytes.slice(at * size, at * size + size),
    );
    for (const [at, item] of items.entries()) {
      const next = items[at + 1];
      if (next !== undefined && compare(item, next) >= 0) throw new Damaged();
    }
    return items;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new Damaged();
  }
}

/** Small helpers for bytes. */
import { bytesToBase64 } from "ts-mls/util/byteArray.js";

const encoder = new TextEncoder();

export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** A key for maps; never for comparing secrets. */
export const asText = (bytes: Uint8Array): string => bytesToBase64(bytes);

/** For public values; secrets are compared where they are verified. */
export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** WebCrypto takes no views of shared memory; nothing here is one. */
export const source = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes as Uint8Array<ArrayBuffer>;

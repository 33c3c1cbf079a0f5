/**
 * The vault key's second form in this browser, for the one moment in which a further device is given
 * it (docs/decisions/0013): wrapped with a key that never leaves WebCrypto. The first form, which
 * everything else works with, cannot be read out.
 */

import { concat, randomBytes, source, utf8 } from "../keys/bytes.ts";

const AES = { name: "AES-GCM", length: 256 } as const;
const NONCE = 12;

export interface Spare {
  readonly lock: CryptoKey;
  readonly wrapped: Uint8Array;
}

export function isSpare(value: unknown): value is Spare {
  if (typeof value !== "object" || value === null) return false;
  const { lock, wrapped } = value as Partial<Spare>;
  return (
    lock instanceof CryptoKey && lock.usages.includes("unwrapKey") && wrapped instanceof Uint8Array
  );
}

function params(nonce: Uint8Array): AesGcmParams {
  return { name: "AES-GCM", iv: source(nonce), additionalData: utf8("conclave vault spare v1") };
}

/** `exportable`: the vault key while it is made or restored; not kept. */
export async function makeSpare(exportable: CryptoKey): Promise<Spare> {
  const lock = await crypto.subtle.generateKey(AES, false, ["wrapKey", "unwrapKey"]);
  const nonce = randomBytes(NONCE);
  const sealed = await crypto.subtle.wrapKey("raw", exportable, lock, params(nonce));
  return { lock, wrapped: concat(nonce, new Uint8Array(sealed)) };
}

/** Null: damaged. */
export async function openSpare({ lock, wrapped }: Spare): Promise<CryptoKey | null> {
  try {
    return await crypto.subtle.unwrapKey(
      "raw",
      source(wrapped.slice(NONCE)),
      lock,
      params(wrapped.slice(0, NONCE)),
      AES,
      true,
      ["encrypt", "decrypt"],
    );
  } catch {
    return null;
  }
}

/** The key's 32 bytes for as long as `use` takes; overwritten after that. */
export async function withBytes<T>(
  exportable: CryptoKey,
  use: (bytes: Uint8Array) => Promise<T>,
): Promise<T> {
  const bytes = new Uint8Array(await crypto.subtle.exportKey("raw", exportable));
  try {
    return await use(bytes);
  } finally {
    bytes.fill(0);
  }
}

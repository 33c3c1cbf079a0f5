/**
 * The vault's cryptography (docs/reference/sealing-protocol.md, 9). The vault key is made, wrapped
 * and unwrapped inside WebCrypto, and what works with it cannot read it out. Our own code sees it
 * only while a further device is given it: see `spare.ts`.
 *
 * Stored at the server: wrapped vault key (60 bytes) || nonce (12) || sealed content.
 */

import { concat, randomBytes, source, utf8 } from "../keys/bytes.ts";
import { decodeContent, encodeContent, type VaultContent } from "./content.ts";
import { makeSpare, type Spare } from "./spare.ts";

const NONCE = 12;
const TAG = 16;
const WRAPPED = NONCE + 32 + TAG;
const AES = { name: "AES-GCM", length: 256 } as const;
/** What the server takes. */
const MAX_BYTES = 1024 * 1024;

/** The two parts of what is stored; null: too short, or too long, to be one. */
export function splitStored(
  bytes: Uint8Array,
): { readonly wrapped: Uint8Array; readonly blob: Uint8Array } | null {
  if (bytes.length < WRAPPED + NONCE + TAG || bytes.length > MAX_BYTES) return null;
  return { wrapped: bytes.slice(0, WRAPPED), blob: bytes.slice(WRAPPED) };
}

/** Null: more than the server takes. */
export function joinStored(wrapped: Uint8Array, blob: Uint8Array): Uint8Array | null {
  const bytes = concat(wrapped, blob);
  return bytes.length > MAX_BYTES ? null : bytes;
}

/** From the secret in the recovery words. */
export async function wrappingKey(recoverySecret: Uint8Array): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", source(recoverySecret), "HKDF", false, [
    "deriveKey",
  ]);
  const hkdf = {
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(0),
    info: utf8("conclave recovery v1"),
  };
  return crypto.subtle.deriveKey(hkdf, base, AES, false, ["wrapKey", "unwrapKey"]);
}

function wrapParams(nonce: Uint8Array): AesGcmParams {
  return { name: "AES-GCM", iv: source(nonce), additionalData: utf8("conclave vault key v1") };
}

/** The vault key as this browser keeps it. */
export interface VaultKey {
  /** Cannot be read out. */
  readonly key: CryptoKey;
  readonly spare: Spare;
}

/** A fresh vault key, and the same wrapped. `made` and `nonce`: for test vectors. */
export async function makeVaultKey(
  wrapping: CryptoKey,
  made?: CryptoKey,
  nonce = randomBytes(NONCE),
): Promise<VaultKey & { readonly wrapped: Uint8Array }> {
  const exportable = made ?? (await crypto.subtle.generateKey(AES, true, ["encrypt", "decrypt"]));
  const sealed = await crypto.subtle.wrapKey("raw", exportable, wrapping, wrapParams(nonce));
  const wrapped = concat(nonce, new Uint8Array(sealed));
  const restored = await unwrapVaultKey(wrapping, wrapped);
  if (restored === null) throw new Error("the browser cannot read what it has just written");
  return { ...restored, wrapped };
}

/** Null: these are other words, or the wrapped key is damaged. */
export async function unwrapVaultKey(
  wrapping: CryptoKey,
  wrapped: Uint8Array,
): Promise<VaultKey | null> {
  const unwrap = (isExtractable: boolean) =>
    crypto.subtle.unwrapKey(
      "raw",
      source(wrapped.slice(NONCE)),
      wrapping,
      wrapParams(wrapped.slice(0, NONCE)),
      AES,
      isExtractable,
      ["encrypt", "decrypt"],
    );
  try {
    return { key: await unwrap(false), spare: await makeSpare(await unwrap(true)) };
  } catch {
    return null;
  }
}

/** From another device of the same person; null: no 32 bytes. */
export async function importVaultKey(bytes: Uint8Array): Promise<VaultKey | null> {
  if (bytes.length !== AES.length / 8) return null;
  const read = (isExtractable: boolean) =>
    crypto.subtle.importKey("raw", source(bytes), AES, isExtractable, ["encrypt", "decrypt"]);
  return { key: await read(false), spare: await makeSpare(await read(true)) };
}

function blobParams(nonce: Uint8Array): AesGcmParams {
  return { name: "AES-GCM", iv: source(nonce), additionalData: utf8("conclave vault v1") };
}

export async function sealContent(
  key: CryptoKey,
  content: VaultContent,
  nonce = randomBytes(NONCE),
): Promise<Uint8Array> {
  const plain = source(encodeContent(content));
  return concat(nonce, new Uint8Array(await crypto.subtle.encrypt(blobParams(nonce), key, plain)));
}

/** Null: damaged, or sealed with another key. */
export async function openContent(key: CryptoKey, blob: Uint8Array): Promise<VaultContent | null> {
  try {
    const params = blobParams(blob.slice(0, NONCE));
    const plain = await crypto.subtle.decrypt(params, key, source(blob.slice(NONCE)));
    return decodeContent(new Uint8Array(plain));
  } catch {
    return null;
  }
}

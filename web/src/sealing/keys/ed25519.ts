/**
 * Ed25519 by WebCrypto where the browser has it, by noble where not (loaded only then). Asks the
 * browser once.
 */

import type { DeviceKey } from "../engine/contract.ts";
import { concat, source } from "./bytes.ts";

const PKCS8_PREFIX = Uint8Array.of(
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x04,
  0x22,
  0x04,
  0x20,
);

const noble = async () => (await import("@noble/curves/ed25519.js")).ed25519;

let isNative: Promise<boolean> | undefined;

async function askTheBrowser(): Promise<boolean> {
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}

/** Whether WebCrypto has Ed25519. */
export function hasEd25519(): Promise<boolean> {
  isNative ??= askTheBrowser();
  return isNative;
}

/** For tests: the browser is asked again. */
export function askAgain(): void {
  isNative = undefined;
}

/** The private key cannot be read out again, except without WebCrypto's help. */
export async function generateKey(): Promise<DeviceKey> {
  if (!(await hasEd25519())) {
    const { secretKey, publicKey } = (await noble()).keygen();
    return { type: "raw", seed: secretKey, publicKey };
  }
  const pair = (await crypto.subtle.generateKey("Ed25519", false, [
    "sign",
    "verify",
  ])) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { type: "webcrypto", privateKey: pair.privateKey, publicKey };
}

export async function sign(key: DeviceKey, content: Uint8Array): Promise<Uint8Array> {
  if (key.type === "raw") return (await noble()).sign(content, key.seed);
  return new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, source(content)));
}

/** False for keys and signatures of any shape that do not fit. */
export async function verify(
  publicKey: Uint8Array,
  content: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    if (!(await hasEd25519())) {
      return (await noble()).verify(signature, content, publicKey, { zip215: false });
    }
    const key = await crypto.subtle.importKey("raw", source(publicKey), "Ed25519", false, [
      "verify",
    ]);
    return await crypto.subtle.verify("Ed25519", key, source(signature), source(content));
  } catch {
    return false;
  }
}

/** A seed as PKCS#8 (RFC 8410), the form in which keys are kept in the vault. */
export function toPkcs8(seed: Uint8Array): Uint8Array {
  return concat(PKCS8_PREFIX, seed);
}

/** The key in these bytes, not extractable where WebCrypto can hold it; null: is none. */
export async function fromPkcs8(pkcs8: Uint8Array): Promise<DeviceKey | null> {
  const isShaped =
    pkcs8.length === PKCS8_PREFIX.length + 32 &&
    PKCS8_PREFIX.every((byte, at) => byte === pkcs8[at]);
  if (!isShaped) return null;
  const seed = pkcs8.slice(PKCS8_PREFIX.length);
  // WebCrypto gives no public key for a private one: computed here.
  const publicKey = (await noble()).getPublicKey(seed);
  if (!(await hasEd25519())) return { type: "raw", seed, publicKey };
  const privateKey = await crypto.subtle.importKey("pkcs8", source(pkcs8), "Ed25519", false, [
    "sign",
  ]);
  return { type: "webcrypto", privateKey, publicKey };
}

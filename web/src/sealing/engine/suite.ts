/**
 * Suite 0x0001 for ts-mls: X25519, AES-128-GCM, SHA-256, Ed25519. WebCrypto where the browser has
 * the algorithm, noble where not. Short hashes and derivations are synchronous: a key change of 50
 * members makes a thousand of them, and each would be a round trip to another thread.
 *
 * Imports single modules of ts-mls, never its index: that one brings every suite with it.
 */

import { expand, extract } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import type { Hpke } from "ts-mls/crypto/hpke.js";
import { makeGenericHpke } from "ts-mls/crypto/implementation/hpke.js";
import type { Signature } from "ts-mls/crypto/signature.js";
import { constantTimeEqual } from "ts-mls/util/constantTimeCompare.js";
import { hasNative, hpkeSuite } from "../keys/hpke.ts";
import { source } from "./bytes.ts";
import type { DeviceKey } from "./contract.ts";
import { EngineFailed } from "./errors.ts";

export const SUITE_NAME = "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519";

/** Above this WebCrypto's hash is faster than ours, round trip included. */
const LONG = 8192;

async function aes(usage: "encrypt" | "decrypt", key: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", source(key), "AES-GCM", false, [usage]);
}

const aead = {
  async encrypt(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array) {
    const params = { name: "AES-GCM", iv: source(nonce), additionalData: source(aad) };
    return new Uint8Array(
      await crypto.subtle.encrypt(params, await aes("encrypt", key), source(plain)),
    );
  },
  async decrypt(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array) {
    const params = { name: "AES-GCM", iv: source(nonce), additionalData: source(aad) };
    return new Uint8Array(
      await crypto.subtle.decrypt(params, await aes("decrypt", key), source(sealed)),
    );
  },
};

async function makeHpke(isNative: boolean): Promise<Hpke> {
  const algorithm = {
    kem: "DHKEM-X25519-HKDF-SHA256",
    kdf: "HKDF-SHA256",
    aead: "AES128GCM",
  } as const;
  return makeGenericHpke(algorithm, aead, await hpkeSuite(isNative));
}

type Verify = Signature["verify"];

const verifyNatively: Verify = async (publicKey, message, signature) => {
  try {
    const key = await crypto.subtle.importKey("raw", source(publicKey), "Ed25519", false, [
      "verify",
    ]);
    return await crypto.subtle.verify("Ed25519", key, source(signature), source(message));
  } catch {
    return false;
  }
};

async function verifyOurselves(): Promise<Verify> {
  const { ed25519 } = await import("@noble/curves/ed25519.js");
  return async (publicKey, message, signature) => {
    try {
      return ed25519.verify(signature, message, publicKey, { zip215: false });
    } catch {
      return false;
    }
  };
}

async function signer(device: DeviceKey): Promise<(message: Uint8Array) => Promise<Uint8Array>> {
  if (device.type === "webcrypto") {
    const { privateKey } = device;
    return async (message) =>
      new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, source(message)));
  }
  const { seed } = device;
  const { ed25519 } = await import("@noble/curves/ed25519.js");
  return async (message) => ed25519.sign(message, seed);
}

/** Which algorithms to take from WebCrypto; asked of the browser when left out. */
export interface Native {
  readonly ed25519: boolean;
  readonly x25519: boolean;
}

/** Signs with the device key, whatever key it is handed: states of the group hold none. */
export async function makeSuite(device: DeviceKey, native?: Native): Promise<CiphersuiteImpl> {
  const [ed25519, x25519] = native
    ? [native.ed25519, native.x25519]
    : await Promise.all([hasNative("Ed25519"), hasNative("X25519")]);
  const sign = await signer(device);
  return {
    name: SUITE_NAME,
    kdf: {
      extract: async (salt, ikm) => extract(sha256, ikm, salt),
      expand: async (prk, info, length) => expand(sha256, prk, info, length),
      size: 32,
    },
    hash: {
      async digest(data) {
        if (data.length < LONG) return sha256(data);
        return new Uint8Array(await crypto.subtle.digest("SHA-256", source(data)));
      },
      mac: async (key, data) => hmac(sha256, key, data),
      verifyMac: async (key, mac, data) => constantTimeEqual(hmac(sha256, key, data), mac),
    },
    hpke: await makeHpke(x25519),
    rng: { randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    signature: {
      sign: (_key, message) => sign(message),
      verify: ed25519 ? verifyNatively : await verifyOurselves(),
      async keygen() {
        throw new EngineFailed("device keys are made outside");
      },
    },
  };
}

/**
 * HPKE (RFC 9180) with X25519, HKDF-SHA256 and AES-128-GCM. WebCrypto where the browser has X25519,
 * the library's own where not.
 */
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";

/** Whether the browser's own cryptography has it; both came late. */
export async function hasNative(algorithm: "Ed25519" | "X25519"): Promise<boolean> {
  const usages: KeyUsage[] = algorithm === "Ed25519" ? ["sign", "verify"] : ["deriveBits"];
  try {
    await crypto.subtle.generateKey({ name: algorithm }, false, usages);
    return true;
  } catch {
    return false;
  }
}

/** `isNative`: whether to take X25519 from WebCrypto. */
export async function hpkeSuite(isNative: boolean): Promise<CipherSuite> {
  const kem = isNative
    ? new DhkemX25519HkdfSha256()
    : new (await import("@hpke/dhkem-x25519")).DhkemX25519HkdfSha256();
  return new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes128Gcm() });
}

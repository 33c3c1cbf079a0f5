/**
 * Who a leaf says it is (docs/reference/sealing-protocol.md, 2): nobody known, or a device that an
 * account has certified. Pure, for workers and for Node. Must never take a leaf of another shape.
 */

import type { DeviceKey } from "../engine/contract.ts";
import { b64, concat, sha256, utf8 } from "./bytes.ts";
import { sign, verify } from "./ed25519.ts";

export interface Credential {
  /** 32 bytes. */
  readonly accountKey: Uint8Array;
  /** 64 bytes. */
  readonly certificate: Uint8Array;
}

export type Checked =
  | { readonly ok: true; readonly accountKey: Uint8Array | null }
  | { readonly ok: false };

const VERSION = 1;
/** `version`, and two empty vectors. */
const GUEST = Uint8Array.of(VERSION, 0, 0);
/** `version`, the length 32; then, after 32 bytes, the length 64 in two bytes (RFC 9420, 2.1.2). */
const HEAD = Uint8Array.of(VERSION, 32);
const MIDDLE = Uint8Array.of(0x40, 64);
const LENGTH = HEAD.length + 32 + MIDDLE.length + 64;

/** Null: a guest. */
export function encodeCredential(credential: Credential | null): Uint8Array {
  if (credential === null) return GUEST.slice();
  return concat(HEAD, credential.accountKey, MIDDLE, credential.certificate);
}

/** Undefined unless these are exactly the bytes of a ConclaveCredential; null: a guest's. */
export function decodeCredential(bytes: Uint8Array): Credential | null | undefined {
  if (startsWith(bytes, GUEST, 0) && bytes.length === GUEST.length) return null;
  const accountEnd = HEAD.length + 32;
  const isShaped =
    bytes.length === LENGTH && startsWith(bytes, HEAD, 0) && startsWith(bytes, MIDDLE, accountEnd);
  if (!isShaped) return undefined;
  return {
    accountKey: bytes.slice(HEAD.length, accountEnd),
    certificate: bytes.slice(accountEnd + MIDDLE.length),
  };
}

function startsWith(bytes: Uint8Array, part: Uint8Array, at: number): boolean {
  return part.every((byte, place) => bytes[at + place] === byte);
}

function certified(deviceKey: Uint8Array): Uint8Array {
  return concat(utf8("conclave device v1"), deviceKey);
}

/** The account's word that this device is its own. */
export async function certify(account: DeviceKey, deviceKey: Uint8Array): Promise<Credential> {
  const certificate = await sign(account, certified(deviceKey));
  return { accountKey: account.publicKey, certificate };
}

/** Of a leaf with this identity and signature key. */
export async function checkCredential(
  identity: Uint8Array,
  signatureKey: Uint8Array,
): Promise<Checked> {
  const credential = decodeCredential(identity);
  if (credential === undefined) return { ok: false };
  if (credential === null) return { ok: true, accountKey: null };
  const { accountKey, certificate } = credential;
  const isGood = await verify(accountKey, certified(signatureKey), certificate);
  return isGood ? { ok: true, accountKey } : { ok: false };
}

/** A member's name for the server and the media engine: new in each sitting. */
export async function memberIdentity(
  signatureKey: Uint8Array,
  instance: Uint8Array,
): Promise<string> {
  return b64(await sha256(signatureKey, instance)).slice(0, 22);
}

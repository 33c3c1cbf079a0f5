/**
 * Who a leaf says it is (docs/reference/sealing-protocol.md, 2): nobody known, a device that an
 * account has certified, a device to which somebody's invitation is bound, or both. Pure, for workers and for Node. Must never take a leaf of another shape.
 */

import type { DeviceKey } from "../engine/contract.ts";
import { b64, concat, sha256, utf8 } from "./bytes.ts";
import { sign, verify } from "./ed25519.ts";
import { checkBound, type Invitation } from "./invitation.ts";
import { Reader, vector } from "./vectors.ts";

export interface Credential {
  /** 32 bytes. */
  readonly accountKey: Uint8Array;
  /** 64 bytes. */
  readonly certificate: Uint8Array;
}

/** What a leaf can say of its owner; both null: a guest who came by the link or the door. */
export interface Claims {
  readonly account: Credential | null;
  /** A `Bound` invitation as written. */
  readonly bound: Uint8Array | null;
}

export type Checked =
  | {
      readonly ok: true;
      readonly accountKey: Uint8Array | null;
      readonly invitation: Invitation | null;
    }
  | { readonly ok: false };

/** Without an invitation; and with one. */
const PLAIN = 1;
const INVITED = 2;

export function encodeCredential({ account, bound }: Claims): Uint8Array {
  return concat(
    Uint8Array.of(bound === null ? PLAIN : INVITED),
    vector(account?.accountKey ?? new Uint8Array()),
    vector(account?.certificate ?? new Uint8Array()),
    ...(bound === null ? [] : [vector(bound)]),
  );
}

/** Null unless these are exactly the bytes of a ConclaveCredential. */
export function decodeCredential(bytes: Uint8Array): Claims | null {
  const reader = new Reader(bytes);
  try {
    const version = reader.number(1, INVITED);
    const accountKey = reader.vector();
    const certificate = reader.vector();
    const bound = version === INVITED ? reader.vector() : null;
    reader.end();
    if (version < PLAIN || bound?.length === 0) return null;
    if (accountKey.length === 0 && certificate.length === 0) return { account: null, bound };
    if (accountKey.length !== 32 || certificate.length !== 64) return null;
    return { account: { accountKey, certificate }, bound };
  } catch {
    return null;
  }
}

function certified(deviceKey: Uint8Array): Uint8Array {
  return concat(utf8("conclave device v1"), deviceKey);
}

/** The account's word that this device is its own. */
export async function certify(account: DeviceKey, deviceKey: Uint8Array): Promise<Credential> {
  const certificate = await sign(account, certified(deviceKey));
  return { accountKey: account.publicKey, certificate };
}

/** Whether it is that account's word for this device. */
export function isCertified(
  { accountKey, certificate }: Credential,
  deviceKey: Uint8Array,
): Promise<boolean> {
  return verify(accountKey, certified(deviceKey), certificate);
}

/** Of a leaf with this identity and signature key. */
export async function checkCredential(
  identity: Uint8Array,
  signatureKey: Uint8Array,
): Promise<Checked> {
  const claims = decodeCredential(identity);
  if (claims === null) return { ok: false };
  const { account, bound } = claims;
  if (account !== null && !(await isCertified(account, signatureKey))) return { ok: false };
  const invitation = bound === null ? null : await checkBound(bound, signatureKey);
  if (bound !== null && invitation === null) return { ok: false };
  return { ok: true, accountKey: account?.accountKey ?? null, invitation };
}

/** A member's name for the server and the media engine: new in each sitting. */
export async function memberIdentity(
  signatureKey: Uint8Array,
  instance: Uint8Array,
): Promise<string> {
  return b64(await sha256(signatureKey, instance)).slice(0, 22);
}

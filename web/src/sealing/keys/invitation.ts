/**
 * Personal invitations (docs/reference/sealing-protocol.md, 2): a certificate by the host's account
 * for a key that only this person's link yields, and the binding of that key to one device. Pure,
 * for workers and for Node. Must never take bytes of another shape, nor log a seed or a name.
 */

import type { DeviceKey, InvitationFacts } from "../engine/contract.ts";
import { b64, concat, fromUtf8, randomBytes, sha256, source, utf8 } from "./bytes.ts";
import { fromPkcs8, sign, toPkcs8, verify } from "./ed25519.ts";
import { openInvited, sealInvited } from "./intro.ts";
import type { LinkKeys } from "./link.ts";
import { number, Reader, vector } from "./vectors.ts";

export type Invitation = InvitationFacts;
export type InvitedRole = Invitation["role"];

/** What a leaf's credential says of how its owner came. */
export interface Bound {
  /** As written, without the binding. */
  readonly invitation: Uint8Array;
  /** 64 bytes. */
  readonly binding: Uint8Array;
}

export interface MadeInvitation {
  /** 16 bytes, for the link; whoever has them is the invited person. */
  readonly seed: Uint8Array;
  readonly id: string;
  readonly bytes: Uint8Array;
}

export const SEED_BYTES = 16;
/** In the order of their numbers in the protocol (2). */
export const INVITED_ROLES: readonly InvitedRole[] = [
  "attendee",
  "cohost",
  "presenter",
  "listener",
];
const MAX_MEETING_ID = 40;
const MAX_NAME = 512;

function fields(invitation: Omit<Invitation, "signature">): Uint8Array {
  return concat(
    Uint8Array.of(1),
    vector(utf8(invitation.meetingId)),
    invitation.key,
    Uint8Array.of(INVITED_ROLES.indexOf(invitation.role)),
    number(invitation.expiresAt, 8),
    vector(invitation.name),
    invitation.accountKey,
  );
}

function signed(invitation: Omit<Invitation, "signature">): Uint8Array {
  return concat(utf8("conclave invitation v1"), fields(invitation));
}

export function encodeInvitation(invitation: Invitation): Uint8Array {
  return concat(fields(invitation), invitation.signature);
}

/** Null unless these are exactly the bytes of an Invitation. Signatures are not looked at. */
export function decodeInvitation(bytes: Uint8Array): Invitation | null {
  const reader = new Reader(bytes);
  try {
    reader.number(1, 1);
    if (bytes[0] !== 1) return null;
    const meetingId = fromUtf8(reader.vector());
    const key = reader.take(32);
    const role = INVITED_ROLES[reader.number(1, INVITED_ROLES.length - 1)] as InvitedRole;
    const expiresAt = reader.number(8, Number.MAX_SAFE_INTEGER);
    const name = reader.vector();
    const accountKey = reader.take(32);
    const signature = reader.take(64);
    reader.end();
    if (meetingId === null || meetingId.length > MAX_MEETING_ID) return null;
    if (name.length > MAX_NAME || (name.length > 0 && name.length < 29)) return null;
    return { meetingId, key, role, expiresAt, name, accountKey, signature };
  } catch {
    return null;
  }
}

/** Of an invitation that was read; whether the account in it made it. */
export function isSignedByAccount(invitation: Invitation): Promise<boolean> {
  return verify(invitation.accountKey, signed(invitation), invitation.signature);
}

/** Protocol, 2: 22 characters, known to the server. */
export async function invitationId(key: Uint8Array): Promise<string> {
  return b64((await sha256(utf8("conclave invitation id v1"), key)).slice(0, 16));
}

/** The key that a personal link yields. */
export async function invitationKey(seed: Uint8Array, meetingId: string): Promise<DeviceKey> {
  const base = await crypto.subtle.importKey("raw", source(seed), "HKDF", false, ["deriveBits"]);
  const params = {
    name: "HKDF",
    hash: "SHA-256",
    salt: utf8(meetingId),
    info: utf8("conclave invitation v1"),
  };
  const secret = new Uint8Array(await crypto.subtle.deriveBits(params, base, 256));
  return (await fromPkcs8(toPkcs8(secret))) as DeviceKey;
}

/** A fresh invitation for one person, signed by the host's account. */
export async function makeInvitation(
  account: DeviceKey,
  keys: LinkKeys,
  about: {
    readonly name: string | null;
    readonly role: InvitedRole;
    readonly expiresAt: number;
  },
  seed = randomBytes(SEED_BYTES),
  nonce = randomBytes(12),
): Promise<MadeInvitation> {
  const { meetingId } = keys;
  const { publicKey: key } = await invitationKey(seed, meetingId);
  const name =
    about.name === null ? new Uint8Array() : await sealInvited(keys, key, about.name, nonce);
  const unsigned = {
    meetingId,
    key,
    role: about.role,
    expiresAt: about.expiresAt,
    name,
    accountKey: account.publicKey,
  };
  const signature = await sign(account, signed(unsigned));
  return { seed, id: await invitationId(key), bytes: encodeInvitation({ ...unsigned, signature }) };
}

/** The invited person's name as the host wrote it; null: none, or not to be opened with this link. */
export function invitedName(keys: LinkKeys, invitation: Invitation): Promise<string | null> {
  return openInvited(keys, invitation.key, invitation.name);
}

function bindingInput(meetingId: string, deviceKey: Uint8Array): Uint8Array {
  return concat(utf8("conclave binding v1"), utf8(meetingId), deviceKey);
}

/** The invited person's word that this device is theirs. */
export function bind(
  key: DeviceKey,
  meetingId: string,
  deviceKey: Uint8Array,
): Promise<Uint8Array> {
  return sign(key, bindingInput(meetingId, deviceKey));
}

export function encodeBound({ invitation, binding }: Bound): Uint8Array {
  return concat(vector(invitation), binding);
}

export function decodeBound(bytes: Uint8Array): Bound | null {
  const reader = new Reader(bytes);
  try {
    const invitation = reader.vector();
    const binding = reader.take(64);
    reader.end();
    return { invitation, binding };
  } catch {
    return null;
  }
}

/** The invitation by which this device comes; null: forged, of another device, or of no account. */
export async function checkBound(
  bytes: Uint8Array,
  deviceKey: Uint8Array,
): Promise<Invitation | null> {
  const bound = decodeBound(bytes);
  const invitation = bound && decodeInvitation(bound.invitation);
  if (bound === null || invitation === null) return null;
  const [isSigned, isBound] = await Promise.all([
    isSignedByAccount(invitation),
    verify(invitation.key, bindingInput(invitation.meetingId, deviceKey), bound.binding),
  ]);
  return isSigned && isBound ? invitation : null;
}

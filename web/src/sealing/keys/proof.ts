/**
 * What proves the link: at the door, and that a group was made by somebody who has it
 * (docs/reference/sealing-protocol.md, 3 and 4); and what a knock's signature is over.
 */

import { concat, sha256, source, utf8 } from "./bytes.ts";
import type { LinkKeys } from "./link.ts";

/** KeyPackageRef, and the sitting it is for. */
export interface Knock {
  readonly ref: Uint8Array;
  readonly instance: Uint8Array;
}

function knockInput(meetingId: string, { ref, instance }: Knock): Uint8Array {
  return concat(utf8("conclave knock v1"), ref, utf8(meetingId), instance);
}

function meetingInput(fields: Uint8Array): Uint8Array {
  return concat(utf8("conclave meeting v1"), fields);
}

async function mac(key: CryptoKey, input: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, source(input)));
}

function verify(key: CryptoKey, tag: Uint8Array, input: Uint8Array): Promise<boolean> {
  return crypto.subtle.verify("HMAC", key, source(tag), source(input));
}

export function makeProof(keys: LinkKeys, knock: Knock): Promise<Uint8Array> {
  return mac(keys.admission, knockInput(keys.meetingId, knock));
}

export function verifyProof(keys: LinkKeys, knock: Knock, proof: Uint8Array): Promise<boolean> {
  return verify(keys.admission, proof, knockInput(keys.meetingId, knock));
}

/** What the device key signs; needs no link. `intro` and `proof` may be empty. */
export async function knockContent(
  meetingId: string,
  knock: Knock,
  intro: Uint8Array,
  proof: Uint8Array,
): Promise<Uint8Array> {
  return concat(knockInput(meetingId, knock), await sha256(intro, proof));
}

/** `fields`: the encoded ConclaveMeeting up to, and without, its MAC. */
export function makeMeetingMac(keys: LinkKeys, fields: Uint8Array): Promise<Uint8Array> {
  return mac(keys.admission, meetingInput(fields));
}

export function verifyMeetingMac(
  keys: LinkKeys,
  fields: Uint8Array,
  tag: Uint8Array,
): Promise<boolean> {
  return verify(keys.admission, tag, meetingInput(fields));
}

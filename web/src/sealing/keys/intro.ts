/**
 * Names at the door, the title and the plan at the meeting's row, sealed with the intro key
 * (docs/reference/sealing-protocol.md, 1 and 4). What does not open, or opens to something else, is
 * null: the door then shows three words instead, the list an unnamed meeting.
 */

import { concat, fromUtf8, randomBytes, source, utf8 } from "./bytes.ts";
import type { LinkKeys } from "./link.ts";
import { readableName, readableNote, readableTitle } from "./readable.ts";

export interface Intro {
  readonly name: string;
  /** 0 to 11. */
  readonly colour: number;
}

const NONCE = 12;
const TAG = 16;
const MAX_TITLE_BYTES = 1_024;
const MAX_INTRO_BYTES = 2_048;
const MAX_INVITED_BYTES = 512;
const MAX_NOTE_BYTES = 1_050;
const MAX_PLAN_BYTES = 4_096;

async function seal(
  key: CryptoKey,
  nonce: Uint8Array,
  aad: Uint8Array,
  value: unknown,
): Promise<Uint8Array> {
  const params = { name: "AES-GCM", iv: source(nonce), additionalData: source(aad) };
  const sealed = await crypto.subtle.encrypt(params, key, utf8(JSON.stringify(value)));
  return concat(nonce, new Uint8Array(sealed));
}

/** The JSON object inside, of version 1; null for anything else. */
async function open(
  key: CryptoKey,
  aad: Uint8Array,
  sealed: Uint8Array,
  most: number,
): Promise<Record<string, unknown> | null> {
  if (sealed.length < NONCE + TAG || sealed.length > most) return null;
  const params = {
    name: "AES-GCM",
    iv: source(sealed.slice(0, NONCE)),
    additionalData: source(aad),
  };
  try {
    const plain = await crypto.subtle.decrypt(params, key, source(sealed.slice(NONCE)));
    const value: unknown = JSON.parse(fromUtf8(new Uint8Array(plain)) ?? "");
    return typeof value === "object" && value !== null && "v" in value && value.v === 1
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function titleAad(keys: LinkKeys): Uint8Array {
  return utf8(`conclave title v1${keys.meetingId}`);
}

function planAad(keys: LinkKeys): Uint8Array {
  return utf8(`conclave plan v1${keys.meetingId}`);
}

function invitedAad(keys: LinkKeys, invitationKey: Uint8Array): Uint8Array {
  return concat(utf8(`conclave invited v1${keys.meetingId}`), invitationKey);
}

function noteAad(keys: LinkKeys, ref: Uint8Array): Uint8Array {
  return concat(utf8(`conclave note v1${keys.meetingId}`), ref);
}

function introAad(keys: LinkKeys, instance: Uint8Array): Uint8Array {
  return concat(utf8(`conclave intro v1${keys.meetingId}`), instance);
}

/** Null: nothing to show, or too long to be stored. */
export async function sealTitle(
  keys: LinkKeys,
  title: string,
  nonce = randomBytes(NONCE),
): Promise<Uint8Array | null> {
  const readable = readableTitle(title);
  if (readable === null) return null;
  const sealed = await seal(keys.intro, nonce, titleAad(keys), { v: 1, title: readable });
  return sealed.length > MAX_TITLE_BYTES ? null : sealed;
}

export async function openTitle(keys: LinkKeys, sealed: Uint8Array): Promise<string | null> {
  const value = await open(keys.intro, titleAad(keys), sealed, MAX_TITLE_BYTES);
  return readableTitle(value?.["title"]);
}

/** `name` has to be one that `readableName` takes. */
export function sealIntro(
  keys: LinkKeys,
  instance: Uint8Array,
  intro: Intro,
  nonce = randomBytes(NONCE),
): Promise<Uint8Array> {
  const { name, colour } = intro;
  return seal(keys.intro, nonce, introAad(keys, instance), { v: 1, name, colour });
}

export async function openIntro(
  keys: LinkKeys,
  instance: Uint8Array,
  sealed: Uint8Array,
): Promise<Intro | null> {
  const value = await open(keys.intro, introAad(keys, instance), sealed, MAX_INTRO_BYTES);
  const name = readableName(value?.["name"]);
  const colour = value?.["colour"];
  const isColour = Number.isInteger(colour) && Number(colour) >= 0 && Number(colour) <= 11;
  return name !== null && isColour ? { name, colour: Number(colour) } : null;
}

/** When a meeting takes place and what it is about. Null: too long to be stored. */
export async function sealPlan(
  keys: LinkKeys,
  content: Readonly<Record<string, unknown>>,
  nonce = randomBytes(NONCE),
): Promise<Uint8Array | null> {
  const sealed = await seal(keys.intro, nonce, planAad(keys), { v: 1, ...content });
  return sealed.length > MAX_PLAN_BYTES ? null : sealed;
}

/** As it was written: what is in it is still to be read. */
export function openPlan(
  keys: LinkKeys,
  sealed: Uint8Array,
): Promise<Readonly<Record<string, unknown>> | null> {
  return open(keys.intro, planAad(keys), sealed, MAX_PLAN_BYTES);
}

/** The name in a personal invitation, for everybody with the link; `name` as `readableName` takes. */
export function sealInvited(
  keys: LinkKeys,
  invitationKey: Uint8Array,
  name: string,
  nonce = randomBytes(NONCE),
): Promise<Uint8Array> {
  return seal(keys.intro, nonce, invitedAad(keys, invitationKey), { v: 1, name });
}

export async function openInvited(
  keys: LinkKeys,
  invitationKey: Uint8Array,
  sealed: Uint8Array,
): Promise<string | null> {
  const value = await open(keys.intro, invitedAad(keys, invitationKey), sealed, MAX_INVITED_BYTES);
  return readableName(value?.["name"]);
}

/**
 * A line from in front of the door to who may open it; `ref`: of the KeyPackage that knocks. Null:
 * nothing in it, or too long to be passed on.
 */
export async function sealNote(
  keys: LinkKeys,
  ref: Uint8Array,
  text: string,
  nonce = randomBytes(NONCE),
): Promise<Uint8Array | null> {
  const readable = readableNote(text);
  if (readable === null) return null;
  const sealed = await seal(keys.intro, nonce, noteAad(keys, ref), { v: 1, text: readable });
  return sealed.length > MAX_NOTE_BYTES ? null : sealed;
}

export async function openNote(
  keys: LinkKeys,
  ref: Uint8Array,
  sealed: Uint8Array,
): Promise<string | null> {
  const value = await open(keys.intro, noteAad(keys, ref), sealed, MAX_NOTE_BYTES);
  return readableNote(value?.["text"]);
}

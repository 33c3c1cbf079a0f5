/**
 * What is in the vault (docs/reference/sealing-protocol.md, 9), and the changes one makes to it.
 * A change is a function of the content: on a conflict it is applied to what the other device has
 * stored, so nothing of either is lost. Pure; must never take content of another shape.
 */

import { b64, fromB64, fromUtf8, utf8 } from "../keys/bytes.ts";
import { MOST_INVITED, readInvited, type VaultInvited } from "./invited.ts";

export interface VaultMeeting {
  readonly id: string;
  /** Link secret, base64url. */
  readonly secret: string;
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Oldest first; absent: nobody was invited yet. */
  readonly invited?: readonly VaultInvited[];
  /** Device keys that stay outside, base64url, oldest first; absent: none. */
  readonly blocked?: readonly string[];
}

/** Of one meeting; a group's policy holds no more. */
export const MOST_BLOCKED = 200;

/** An account key that this person has compared. */
export interface VaultPin {
  /** base64url. */
  readonly key: string;
  readonly name: string;
  readonly at: number;
}

export interface VaultContent {
  readonly account: { readonly pkcs8: Uint8Array; readonly publicKey: Uint8Array };
  /** Oldest first. */
  readonly meetings: readonly VaultMeeting[];
  readonly pins: readonly VaultPin[];
}

export type VaultChange = (content: VaultContent) => VaultContent;

export function encodeContent({ account, meetings, pins }: VaultContent): Uint8Array {
  const stored = { key: b64(account.pkcs8), public: b64(account.publicKey) };
  return utf8(JSON.stringify({ v: 1, account: stored, meetings, pins }));
}

/** Null: is none. Fields that this version does not know are not kept. */
export function decodeContent(bytes: Uint8Array): VaultContent | null {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes) ?? "");
  } catch {
    return null;
  }
  if (!isRecord(value) || value["v"] !== 1 || !isRecord(value["account"])) return null;
  const pkcs8 = bytesOf(value["account"]["key"]);
  const publicKey = bytesOf(value["account"]["public"]);
  const meetings = listOf(value["meetings"], readMeeting);
  const pins = listOf(value["pins"], readPin);
  if (!pkcs8 || publicKey?.length !== 32 || !meetings || !pins) return null;
  return { account: { pkcs8, publicKey }, meetings, pins };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bytesOf(value: unknown): Uint8Array | null {
  return typeof value === "string" ? fromB64(value) : null;
}

function listOf<T>(value: unknown, read: (entry: unknown) => T | null): readonly T[] | null {
  if (!Array.isArray(value)) return null;
  const entries = value.map(read);
  return entries.every((entry) => entry !== null) ? (entries as T[]) : null;
}

function readMeeting(value: unknown): VaultMeeting | null {
  if (!isRecord(value)) return null;
  const { id, secret, title, at } = value;
  if (typeof id !== "string" || typeof title !== "string" || typeof at !== "number") return null;
  if (bytesOf(secret)?.length !== 16) return null;
  const invited = optionalList(value["invited"], readInvited, MOST_INVITED);
  const blocked = optionalList(value["blocked"], readDeviceKey, MOST_BLOCKED);
  if (invited === null || blocked === null) return null;
  return {
    id,
    secret: secret as string,
    title,
    at,
    ...(invited === undefined ? {} : { invited }),
    ...(blocked === undefined ? {} : { blocked }),
  };
}

/** Undefined: absent. */
function optionalList<T>(value: unknown, read: (entry: unknown) => T | null, most: number) {
  if (value === undefined) return undefined;
  const found = listOf(value, read);
  return found === null || found.length > most ? null : found;
}

function readDeviceKey(value: unknown): string | null {
  return bytesOf(value)?.length === 32 ? (value as string) : null;
}

function readPin(value: unknown): VaultPin | null {
  if (!isRecord(value)) return null;
  const { key, name, at } = value;
  if (bytesOf(key)?.length !== 32 || typeof name !== "string" || typeof at !== "number") {
    return null;
  }
  return { key: key as string, name, at };
}

/** Replaces one of the same id. */
export function addMeeting(meeting: VaultMeeting): VaultChange {
  return (content) => ({
    ...content,
    meetings: [...content.meetings.filter(({ id }) => id !== meeting.id), meeting],
  });
}

/** Nothing, when another device has removed it. */
export function renameMeeting(id: string, title: string): VaultChange {
  return (content) => ({
    ...content,
    meetings: content.meetings.map((entry) => (entry.id === id ? { ...entry, title } : entry)),
  });
}

/** Exactly these stay outside from now on; what is no device key is left out. */
export function setBlocked(id: string, keys: readonly string[]): VaultChange {
  const blocked = keys.filter((key) => readDeviceKey(key) !== null).slice(-MOST_BLOCKED);
  return (content) => ({
    ...content,
    meetings: content.meetings.map((entry) => (entry.id === id ? { ...entry, blocked } : entry)),
  });
}

export function removeMeetings(ids: readonly string[]): VaultChange {
  return (content) => ({
    ...content,
    meetings: content.meetings.filter(({ id }) => !ids.includes(id)),
  });
}

/** Replaces one of the same key: the name may have changed. */
export function pinAccount(pin: VaultPin): VaultChange {
  return (content) => ({
    ...content,
    pins: [...content.pins.filter(({ key }) => key !== pin.key), pin],
  });
}

export function unpinAccount(key: string): VaultChange {
  return (content) => ({ ...content, pins: content.pins.filter((pin) => pin.key !== key) });
}

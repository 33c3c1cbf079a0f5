/**
 * What members say to each other inside the group (docs/reference/sealing-protocol.md, 5): JSON in
 * MLS application messages, read strictly, written within bounds.
 */

import { fromUtf8, utf8 } from "./bytes.ts";
import {
  BAD,
  bytes,
  count,
  flag,
  list,
  nullable,
  object,
  oneOf,
  type Shape,
  tagged,
  text,
} from "./shape.ts";

export const MAX_CONTENT = 32_768;
export const MAX_TEXT = 4_000;
export const MAX_NAME = 64;
export const MAX_EMOJI = 32;
export const MAX_HISTORY = 500;

const id = text(22, 22);
const words = text(MAX_TEXT, 1);
const emoji = text(MAX_EMOJI, 1);
const colour = (value: unknown) =>
  count(value) !== BAD && (value as number) < 12 ? (value as number) : BAD;

const TALK = {
  chat: { id, text: words, reply: nullable(id) },
  "chat-edit": { id, text: words },
  "chat-delete": { id },
  "chat-react": { id, emoji, on: flag },
} as const satisfies Readonly<Record<string, Shape>>;

const past = object({
  id,
  from: text(64, 1),
  name: text(MAX_NAME),
  text: words,
  at: count,
  reply: nullable(id),
});

const parseMessage = tagged("k", {
  ...TALK,
  profile: { name: text(MAX_NAME, 1), colour, box: bytes(32) },
  beat: { auth: bytes(8), roster: bytes(8) },
  bye: {},
  react: { emoji },
  hand: { up: flag },
  order: {
    what: oneOf("mute", "ask-unmute", "stop-video", "stop-share", "lower-hand"),
    to: text(64, 1),
  },
  /** A host or co-host stops everything for a moment, or lets it go on. */
  freeze: { on: flag },
  private: { box: bytes() },
  "link-held": {},
});

const parsePrivate = tagged("k", {
  ...TALK,
  link: { secret: text(64, 1), fingerprint: text(64, 1) },
  history: { messages: list(past, MAX_HISTORY) },
});

export type Message = Exclude<ReturnType<typeof parseMessage>, typeof BAD>;
export type PrivateMessage = Exclude<ReturnType<typeof parsePrivate>, typeof BAD>;
export type Talk = Extract<PrivateMessage, { readonly k: keyof typeof TALK }>;
export type PastMessage = Exclude<ReturnType<typeof past>, typeof BAD>;

function read<T>(content: Uint8Array, parse: (value: unknown) => T | typeof BAD): T | null {
  if (content.length > MAX_CONTENT) return null;
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(content) ?? "");
  } catch {
    return null;
  }
  if ((value as { v?: unknown } | null)?.v !== 1) return null;
  const message = parse(value);
  return message === BAD ? null : message;
}

/** Null for what is no message, or of a kind unknown here. */
export function readMessage(content: Uint8Array): Message | null {
  return read(content, parseMessage);
}

/** What was inside a `private`. */
export function readPrivate(content: Uint8Array): PrivateMessage | null {
  return read(content, parsePrivate);
}

export type Content = { readonly k: string } & Readonly<Record<string, unknown>>;

export function writeMessage(content: Content): Uint8Array {
  return utf8(JSON.stringify({ v: 1, ...content }));
}

/**
 * The chat as this person sees it. Messages are kept within bounds; who wrote what is what the
 * group's signatures say, never what a message says.
 */

import type { ChatState } from "../contract.ts";
import { utf8 } from "./bytes.ts";
import type { PastMessage, Talk } from "./messages.ts";
import type { ChatEntry, Person } from "./state.ts";
import type { Done, Turn } from "./turn.ts";

const MOST_MESSAGES = 1_000;
const MOST_EMOJIS = 20;
/** What fits into a private message with all that is around it. */
const MOST_HISTORY_BYTES = 23_000;

interface Author {
  readonly identity: string;
  readonly name: string;
  readonly isOwn: boolean;
  readonly isTrusted: boolean;
}

export function authorOf(person: Person, isOwn: boolean): Author {
  const isTrusted = isOwn || person.role !== "member";
  return { identity: person.identity, name: person.name ?? "", isOwn, isTrusted };
}

type Peer = { readonly identity: string; readonly name: string } | null;

function entryOf(
  t: Turn,
  message: { readonly id: string; readonly text: string; readonly reply: string | null },
  author: Author,
  more: Partial<ChatEntry>,
): ChatEntry {
  return {
    id: message.id,
    ...author,
    text: message.text,
    sentAt: t.now,
    state: "sent",
    isEdited: false,
    isDeleted: false,
    replyTo: message.reply,
    privateWith: null,
    reactions: [],
    isFromBefore: false,
    peer: null,
    ...more,
  };
}

function keep(t: Turn, chat: readonly ChatEntry[]): void {
  t.set({ chat: chat.slice(-MOST_MESSAGES) });
}

function change(t: Turn, id: string, patch: (entry: ChatEntry) => ChatEntry): void {
  t.set({ chat: t.state.chat.map((entry) => (entry.id === id ? patch(entry) : entry)) });
}

export function find(t: Turn, id: string): ChatEntry | undefined {
  return t.state.chat.find((entry) => entry.id === id);
}

export function setChatState(t: Turn, id: string, state: ChatState): void {
  change(t, id, (entry) => ({ ...entry, state }));
}

/** One's own words, before anybody has them. */
export function write(
  t: Turn,
  message: { readonly id: string; readonly text: string; readonly reply: string | null },
  author: Author,
  privateWith: Peer,
): void {
  const peer = privateWith?.identity ?? null;
  const entry = entryOf(t, message, author, { state: "sending", privateWith, peer });
  keep(t, [...t.state.chat, entry]);
}

/** What somebody said, to everybody or (`isPrivate`) to us alone. Also one's own changes. */
export function hear(t: Turn, talk: Talk, author: Author, isPrivate: boolean): Done {
  const known = find(t, talk.id);
  if (talk.k === "chat") {
    if (known !== undefined) return;
    const privateWith = isPrivate ? { identity: author.identity, name: author.name } : null;
    const peer = privateWith?.identity ?? null;
    keep(t, [...t.state.chat, entryOf(t, talk, author, { privateWith, peer })]);
    t.set({ unread: t.state.unread + 1 });
    t.notice({ type: "chat", id: talk.id, name: author.name, isPrivate });
    return;
  }
  // What two people say is changed between those two, what all heard before all.
  const isHere =
    known !== undefined &&
    (isPrivate ? known.peer === author.identity || author.isOwn : known.peer === null);
  if (!isHere || known.isDeleted) return;
  if (talk.k === "chat-react") return reactTo(t, known, talk.emoji, talk.on, author.identity);
  if (known.identity !== author.identity || known.isFromBefore) return;
  if (talk.k === "chat-edit") {
    change(t, talk.id, (entry) => ({ ...entry, text: talk.text, isEdited: true }));
  } else {
    change(t, talk.id, (entry) => ({ ...entry, text: "", reactions: [], isDeleted: true }));
  }
}

function reactTo(t: Turn, known: ChatEntry, emoji: string, on: boolean, by: string): void {
  const old = known.reactions.find((reaction) => reaction.emoji === emoji);
  const others = (old?.identities ?? []).filter((identity) => identity !== by);
  const identities = on ? [...others, by] : others;
  if (old === undefined && (!on || known.reactions.length >= MOST_EMOJIS)) return;
  const reactions =
    old === undefined
      ? [...known.reactions, { emoji, identities }]
      : known.reactions
          .map((reaction) => (reaction === old ? { emoji, identities } : reaction))
          .filter((reaction) => reaction.identities.length > 0);
  change(t, known.id, (entry) => ({ ...entry, reactions }));
}

/** The last messages that everybody heard, for a newcomer. */
export function history(t: Turn, most: number): readonly PastMessage[] {
  const told: PastMessage[] = [];
  let size = 0;
  const all = t.state.chat.filter(
    (entry) => entry.peer === null && !entry.isDeleted && entry.state === "sent",
  );
  for (const entry of all.slice(-most).reverse()) {
    const { id, identity: from, name, text, sentAt: at, replyTo: reply } = entry;
    const message = { id, from, name, text, at, reply };
    size += utf8(JSON.stringify(message)).length;
    if (size > MOST_HISTORY_BYTES) break;
    told.unshift(message);
  }
  return told;
}

/** Handed over by another member: shown as such, and never as anybody's signed word. */
export function hearHistory(t: Turn, messages: readonly PastMessage[]): void {
  const known = new Set(t.state.chat.map((entry) => entry.id));
  const fresh = messages.filter(({ id }) => !known.has(id) && known.add(id));
  const entries = fresh.map((message) =>
    entryOf(
      t,
      message,
      { identity: message.from, name: message.name, isOwn: false, isTrusted: false },
      { sentAt: Math.min(message.at, t.now), isFromBefore: true },
    ),
  );
  keep(t, [...entries, ...t.state.chat]);
}

/** What stands in a message: where its links are, how long it may be, what a reaction looks like. */

export const MESSAGE_LIMIT = 4_000;

export interface TextPart {
  readonly text: string;
  /** An https or http address; null for plain words. */
  readonly href: string | null;
}

const LINK = /https?:\/\/[^\s<>"'`{}|\\^]+/giu;
/** What ends a sentence belongs to the sentence, not to the address. */
const TRAILING = /[.,;:!?…)\]}'"“”»]+$/u;

/** The message in pieces. A piece is a link only when its address is one that browsers agree on. */
export function textParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const address = balanced(match[0]);
    const href = addressOf(address);
    if (href === null) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index), href: null });
    parts.push({ text: address, href });
    end = match.index + address.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), href: null });
  return parts;
}

/** Without the sentence's signs; a closing bracket stays when it was opened inside. */
function balanced(found: string): string {
  const cut = found.replace(TRAILING, "");
  const rest = found.slice(cut.length);
  const opened = (cut.match(/\(/g)?.length ?? 0) - (cut.match(/\)/g)?.length ?? 0);
  return opened > 0 && rest.startsWith(")") ? `${cut})` : cut;
}

function addressOf(text: string): string | null {
  try {
    const url = new URL(text);
    // A name before the host hides where it leads.
    return url.username === "" && url.password === "" && url.hostname !== "" ? url.href : null;
  } catch {
    return null;
  }
}

/** Characters over the limit; 0 when it fits. */
export function excess(text: string): number {
  return Math.max(0, [...text.trim()].length - MESSAGE_LIMIT);
}

/** The reactions that the product offers: what is sent, and what is drawn for it. */
export const REACTIONS = [
  { id: "thumb", emoji: "👍" },
  { id: "clap", emoji: "👏" },
  { id: "heart", emoji: "❤️" },
  { id: "smile", emoji: "🙂" },
] as const;

export type ReactionId = (typeof REACTIONS)[number]["id"];

export function reactionOf(emoji: string): ReactionId | null {
  return REACTIONS.find((reaction) => reaction.emoji === emoji)?.id ?? null;
}

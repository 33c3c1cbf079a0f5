/** What a link to a room looks like, and what people paste in its place. No DOM. */

const MEETING_ID = /^mtg_[a-z0-9]{8,64}$/;
const PATH = /^\/m\/([^/?#]+)\/?$/;

export type MeetingReference =
  | { kind: "meeting"; id: string }
  | { kind: "foreign"; host: string }
  | { kind: "unreadable" }
  | { kind: "empty" };

export function exampleLink(origin: string): string {
  return `${origin}/m/mtg_…`;
}

export function meetingPath(id: string): string {
  return `/m/${id}`;
}

/** Reads a whole link, one without its scheme, a path, or the bare id; `origin` is our own. */
export function parseMeetingReference(text: string, origin: string): MeetingReference {
  // Messengers wrap links in brackets and quotation marks, and end sentences behind them.
  const cleaned = text.trim().replace(/^[<("'„“»«]+|[>)"'“”«».,;]+$/gu, "");
  if (cleaned === "") return { kind: "empty" };
  const bare = asId(cleaned);
  if (bare) return { kind: "meeting", id: bare };
  const url = asUrl(cleaned, origin);
  const part = url && PATH.exec(url.pathname)?.[1];
  const id = part && asId(part);
  if (!url || !id) return { kind: "unreadable" };
  return url.host === new URL(origin).host
    ? { kind: "meeting", id }
    : { kind: "foreign", host: url.host };
}

function asId(text: string): string | null {
  const id = text.toLowerCase();
  return MEETING_ID.test(id) ? id : null;
}

function asUrl(text: string, origin: string): URL | null {
  const hasScheme = /^https?:\/\//i.test(text);
  const candidate =
    hasScheme || text.startsWith("/") ? text : `https://${text.replace(/^m\//, "/m/")}`;
  try {
    const url = text.startsWith("m/") ? new URL(`/${text}`, origin) : new URL(candidate, origin);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}

/** What a link to a room looks like, and what people paste in its place. No DOM. */

/** `mtg_` and 128 bits in Crockford's base32, which has no i, l, o, u. */
const MEETING_ID = /^mtg_[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const PATH = /^\/m\/([^/?#]+)\/?$/;

export type MeetingReference =
  /** `fragment`: what stood behind the `#`, with it; empty without one. Secret: never sent or logged. */
  | { kind: "meeting"; id: string; fragment: string }
  | { kind: "foreign"; host: string }
  | { kind: "unreadable" }
  | { kind: "empty" };

export function exampleLink(origin: string): string {
  return `${origin}/m/mtg_…`;
}

export function meetingPath(id: string, fragment = ""): string {
  return `/m/${id}${fragment}`;
}

/** Reads a whole link, one without its scheme, a path, or the bare id; `origin` is our own. */
export function parseMeetingReference(text: string, origin: string): MeetingReference {
  // Messengers wrap links in brackets and quotation marks, and end sentences behind them.
  const cleaned = text.trim().replace(/^[<("'„“»«]+|[>)"'“”«».,;]+$/gu, "");
  if (cleaned === "") return { kind: "empty" };
  const [address = "", ...more] = cleaned.split("#");
  const fragment = more.length > 0 ? `#${more.join("#")}` : "";
  const bare = asId(address);
  if (bare) return { kind: "meeting", id: bare, fragment };
  const url = asUrl(address, origin);
  const part = url && PATH.exec(url.pathname)?.[1];
  const id = part && asId(part);
  if (!url || !id) return { kind: "unreadable" };
  return url.host === new URL(origin).host
    ? { kind: "meeting", id, fragment }
    : { kind: "foreign", host: url.host };
}

function asId(text: string): string | null {
  const [prefix, body, ...more] = text.toLowerCase().split("_");
  if (prefix !== "mtg" || body === undefined || more.length > 0) return null;
  // Crockford's rule for what was read off a screen and typed.
  const id = `mtg_${body.replace(/[il]/g, "1").replaceAll("o", "0")}`;
  return MEETING_ID.test(id) ? id : null;
}

function asUrl(text: string, origin: string): URL | null {
  const full = /^https?:\/\//i.test(text) || text.startsWith("/");
  const path = text.startsWith("m/") ? `/${text}` : text;
  try {
    return new URL(full || path !== text ? path : `https://${text}`, origin);
  } catch {
    return null;
  }
}

/**
 * Names and titles that came from somebody else, made fit to be shown: no control characters, no
 * turning of the line, one line (but for notes to what is planned), bounded. Null: nothing is left to show.
 */

/** Control, format (but the joiner that emoji need), surrogates, private use, line separators. */
const UNSAFE = /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
/** The same but for what parts words and lines. */
const HIDDEN = /(?![\u200d\n\r\t])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
const MAX_NAME = 60;
const MAX_TITLE = 120;
const MAX_NOTE = 200;

function readable(value: unknown, most: number): string | null {
  if (typeof value !== "string" || value.length > 4_000) return null;
  const text = value.normalize("NFC").replace(UNSAFE, " ").replace(/\s+/gu, " ").trim();
  const cut = [...text].slice(0, most).join("").trim();
  return /[^\s\u200d]/u.test(cut) ? cut : null;
}

export function readableName(value: unknown): string | null {
  return readable(value, MAX_NAME);
}

export function readableTitle(value: unknown): string | null {
  return readable(value, MAX_TITLE);
}

/** A line from in front of the door. */
export function readableNote(value: unknown): string | null {
  return readable(value, MAX_NOTE);
}

/** Something longer that somebody wrote, with its lines; what cannot be seen is left out. */
export function readableText(text: string): string {
  return text.normalize("NFC").replace(HIDDEN, "").trim();
}

/** Whether `readableText` leaves something out of it. */
export function hasHidden(text: string): boolean {
  return text.search(HIDDEN) >= 0;
}

/** Several lines: a note to what is planned. `most`: characters. */
export function readableParagraphs(value: unknown, most: number): string | null {
  if (typeof value !== "string" || value.length > 4 * most) return null;
  const lines = value
    .normalize("NFC")
    .split(/\r\n|[\n\r\u2028\u2029]/u)
    .map((line) => line.replace(UNSAFE, " ").trimEnd());
  // No page of empty lines between two words.
  const text = lines
    .join("\n")
    .replace(/\n{3,}/gu, "\n\n")
    .trim();
  const cut = [...text].slice(0, most).join("").trim();
  return /[^\s\u200d]/u.test(cut) ? cut : null;
}

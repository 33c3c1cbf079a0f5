/**
 * JSON in the one way in which it is signed (docs/reference/report-format.md): RFC 8785, and no
 * number but whole ones, so that every language writes the same bytes. Pure.
 */

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };

/** Half of a pair alone: no UTF-8 can hold it. */
const HALF = /\p{Cs}/gu;

/** Throws `RangeError` for a fraction, a number that is not safe, or half of a surrogate pair. */
export function canonical(value: Json): string {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new RangeError("no whole number");
  }
  if (typeof value === "string" && !value.isWellFormed()) throw new RangeError("no text");
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name] as Json)}`);
  return `{${members.join(",")}}`;
}

const isList = (value: object): value is readonly Json[] => Array.isArray(value);

/** What stands behind the `#` of a link to a room is a key to it, and no report's business. */
const KEY = /(mtg_\w{1,40}\/?)#[\w.~%-]*/gi;

/** `writable`, without the keys of rooms in it. */
export function withoutKeys(text: string, most: number): string {
  return writable(text.replace(KEY, "$1#…"), most);
}

/** At most `most` UTF-16 units of it, with nothing in it that cannot be written. */
export function writable(text: string, most: number): string {
  return text.slice(0, most).replace(HALF, "\uFFFD");
}

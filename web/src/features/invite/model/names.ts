/**
 * Names out of what a host has typed or pasted: one on each line, or a table from a spreadsheet.
 * Takes any text, in time that grows with its length. Pure.
 */
import { readableName } from "../../../sealing/keys/readable.ts";

export interface ReadNames {
  /** Fit to be shown, each once, in order. */
  readonly names: readonly string[];
  readonly leftOut: LeftOut;
}

/** How many rows gave no name, and why. */
export interface LeftOut {
  /** The row has no name in it. */
  readonly empty: number;
  /** Nothing of it can be shown, or it is longer than a name. */
  readonly unreadable: number;
  /** Twice in this text. */
  readonly twice: number;
  /** Has a link already. */
  readonly known: number;
  /** More than there is room for. */
  readonly tooMany: number;
}

/** Whole names, and parts of them, as heads of columns; in lower case. */
const WHOLE = ["name", "full name", "fullname", "vollständiger name", "vor- und nachname"];
const FIRST = ["vorname", "first name", "firstname", "given name", "rufname"];
const LAST = ["nachname", "familienname", "last name", "lastname", "surname", "family name"];

const MAX_ROWS = 5_000;
const DELIMITERS = ["\t", ";", ","] as const;
type Delimiter = (typeof DELIMITERS)[number];

/** `known`: who has a link already; `room`: how many more there may be. */
export function readNames(text: string, known: readonly string[], room: number): ReadNames {
  const rows = tableOf(text);
  const nameOf = columnsOf(rows[0] ?? []);
  const people = nameOf === null ? rows : rows.slice(1);
  const taken = new Set(known.map(sameName));
  const seen = new Set<string>();
  const names: string[] = [];
  const leftOut = { empty: 0, unreadable: 0, twice: 0, known: 0, tooMany: 0 };
  for (const [place, row] of people.entries()) {
    const cell = nameOf === null ? (row[0] ?? "") : nameOf(row);
    const name = readableName(cell);
    if (place >= MAX_ROWS) leftOut.tooMany += 1;
    else if (cell.trim() === "") leftOut.empty += 1;
    else if (name === null) leftOut.unreadable += 1;
    else if (seen.has(sameName(name))) leftOut.twice += 1;
    else if (taken.has(sameName(name))) leftOut.known += 1;
    else if (names.length >= room) leftOut.tooMany += 1;
    else {
      seen.add(sameName(name));
      names.push(name);
    }
  }
  return { names, leftOut };
}

/** Two names that people would take for the same. */
function sameName(name: string): string {
  return name
    .normalize("NFKC")
    .replace(/\p{Cf}/gu, "")
    .toLocaleLowerCase("en")
    .trim();
}

/** Null: the first row is no head. */
function columnsOf(head: readonly string[]): ((row: readonly string[]) => string) | null {
  const titles = head.map((cell) => cell.trim().toLowerCase());
  const find = (wanted: readonly string[]) => titles.findIndex((title) => wanted.includes(title));
  const whole = find(WHOLE);
  const [first, last] = [find(FIRST), find(LAST)];
  // "Name" beside "Vorname" is the family name.
  const parts = first >= 0 && last < 0 && whole >= 0 ? [first, whole] : [first, last];
  if (parts.every((at) => at < 0)) return whole < 0 ? null : (row) => row[whole] ?? "";
  if (whole >= 0 && !parts.includes(whole)) return (row) => row[whole] ?? "";
  return (row) =>
    parts
      .map((at) => row[at]?.trim() ?? "")
      .filter(Boolean)
      .join(" ");
}

/** Rows with something in them. */
function tableOf(pasted: string): string[][] {
  const text = pasted.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  const delimiter = delimiterOf(text);
  const rows = delimiter === null ? text.split("\n").map((line) => [line]) : cells(text, delimiter);
  return rows.filter((row) => row.some((cell) => cell.trim() !== ""));
}

/** What parts the columns; null: these are lines. As in "Vogel, Hanna", a comma with a space behind
 * it parts nothing, unless it stands in a head. */
function delimiterOf(text: string): Delimiter | null {
  const line = text.split("\n").find((one) => one.trim() !== "") ?? "";
  const bare = line.replace(/"[^"]*"/g, '""');
  const found = DELIMITERS.find((one) => bare.includes(one));
  if (found === undefined) return bare.includes('""') ? "," : null;
  const isTable = found !== "," || /,\S/.test(bare) || columnsOf(bare.split(found)) !== null;
  return isTable ? found : null;
}

/** RFC 4180, with any of the delimiters. A quote that is never closed is a letter like others. */
function cells(text: string, delimiter: Delimiter): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  let areQuotesRead = true;
  while (at <= text.length) {
    const quoted = areQuotesRead && text[at] === '"' ? readQuoted(text, at) : null;
    // From here on no other can be closed: reading each to the end would take for ever.
    if (quoted === null && text[at] === '"') areQuotesRead = false;
    const from = quoted?.end ?? at;
    let end = from;
    while (end < text.length && text[end] !== delimiter && text[end] !== "\n") end += 1;
    row.push((quoted?.cell ?? "") + text.slice(from, end));
    if (text[end] !== delimiter) {
      rows.push(row);
      row = [];
    }
    at = end + 1;
  }
  return rows;
}

function readQuoted(text: string, start: number): { cell: string; end: number } | null {
  let at = start + 1;
  while (at < text.length) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return null;
    if (text[quote + 1] !== '"') {
      return { cell: text.slice(start + 1, quote).replaceAll('""', '"'), end: quote + 1 };
    }
    at = quote + 2;
  }
  return null;
}

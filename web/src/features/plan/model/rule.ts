/**
 * Recurrence rules (RFC 5545, 3.3.10), as far as this product writes them and a little further:
 * anything else is not understood, and never guessed at. Pure.
 */
import { type Day, dayOf, parseDate } from "./days.ts";

export const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
export type Frequency = "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY";

export interface ByDay {
  /** 0 is Monday. */
  readonly weekday: number;
  /** Which one of the month, from its end when negative; 0: each of them. */
  readonly nth: number;
}

export type End =
  | { readonly type: "never" }
  | { readonly type: "count"; readonly count: number }
  /** The last day, on a clock in the plan's zone. */
  | { readonly type: "date"; readonly day: Day }
  /** Milliseconds since the epoch. */
  | { readonly type: "instant"; readonly ms: number };

export interface Rule {
  readonly frequency: Frequency;
  readonly interval: number;
  readonly end: End;
  readonly byDay: readonly ByDay[];
  /** 1 to 31, and -31 to -1 from the month's end. */
  readonly byMonthDay: readonly number[];
}

export const MAX_RULE = 200;
export const MAX_COUNT = 1_000;
const MAX_INTERVAL = 400;
const FREQUENCIES: readonly Frequency[] = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];
const KNOWN = new Set(["FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "WKST"]);

/** Null: is no rule, or one that this product does not understand. */
export function parseRule(text: string): Rule | null {
  if (text.length > MAX_RULE) return null;
  const parts = new Map<string, string>();
  for (const part of text.toUpperCase().split(";")) {
    const [name = "", value, ...more] = part.split("=");
    if (!KNOWN.has(name) || !value || more.length > 0 || parts.has(name)) return null;
    parts.set(name, value);
  }
  const frequency = FREQUENCIES.find((known) => known === parts.get("FREQ"));
  const interval = numberIn(parts.get("INTERVAL") ?? "1", 1, MAX_INTERVAL);
  const end = readEnd(parts.get("COUNT"), parts.get("UNTIL"));
  const byDay = listOf(parts.get("BYDAY"), readByDay);
  const byMonthDay = listOf(parts.get("BYMONTHDAY"), readMonthDay);
  if (!frequency || interval === null || !end || !byDay || !byMonthDay) return null;
  // Weeks begin on Monday here; another beginning may mean other days.
  if ((parts.get("WKST") ?? "MO") !== "MO") return null;
  const rule = { frequency, interval, end, byDay, byMonthDay };
  return isUnderstood(rule) ? rule : null;
}

function isUnderstood({ frequency, byDay, byMonthDay }: Rule): boolean {
  const hasNth = byDay.some(({ nth }) => nth !== 0);
  switch (frequency) {
    case "DAILY":
    case "WEEKLY":
      return !hasNth && byMonthDay.length === 0;
    case "MONTHLY":
      return byDay.length === 0 || byMonthDay.length === 0;
    case "YEARLY":
      return byDay.length === 0 && byMonthDay.length === 0;
  }
}

export function formatRule({ frequency, interval, end, byDay, byMonthDay }: Rule): string {
  const parts = [`FREQ=${frequency}`];
  if (interval !== 1) parts.push(`INTERVAL=${interval}`);
  if (byDay.length > 0) {
    const days = byDay.map(({ nth, weekday }) => `${nth === 0 ? "" : nth}${WEEKDAYS[weekday]}`);
    parts.push(`BYDAY=${days.join(",")}`);
  }
  if (byMonthDay.length > 0) parts.push(`BYMONTHDAY=${byMonthDay.join(",")}`);
  if (end.type === "count") parts.push(`COUNT=${end.count}`);
  if (end.type === "date") parts.push(`UNTIL=${compact(end.day * 86_400_000).slice(0, 8)}`);
  if (end.type === "instant") parts.push(`UNTIL=${compact(end.ms)}`);
  return parts.join(";");
}

/** `YYYYMMDDTHHMMSSZ`. */
export function compact(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
}

function readEnd(count: string | undefined, until: string | undefined): End | null {
  if (count !== undefined && until !== undefined) return null;
  if (count !== undefined) {
    const times = numberIn(count, 1, MAX_COUNT);
    return times === null ? null : { type: "count", count: times };
  }
  if (until === undefined) return { type: "never" };
  const found = /^(\d{4})(\d{2})(\d{2})(?:T([01]\d|2[0-3])([0-5]\d)([0-5]\d)Z)?$/.exec(until);
  const day = found && parseDate(`${found[1]}-${found[2]}-${found[3]}`);
  if (found === null || day === null) return null;
  if (found[4] === undefined) return { type: "date", day };
  const seconds = Number(found[4]) * 3_600 + Number(found[5]) * 60 + Number(found[6]);
  return { type: "instant", ms: day * 86_400_000 + seconds * 1_000 };
}

function listOf<T>(text: string | undefined, read: (item: string) => T | null): T[] | null {
  if (text === undefined) return [];
  const items = text.split(",");
  if (new Set(items).size !== items.length) return null;
  const found = items.map(read);
  return found.every((item) => item !== null) ? (found as T[]) : null;
}

function readByDay(text: string): ByDay | null {
  const found = /^(-?[1-5])?([A-Z]{2})$/.exec(text);
  const weekday = WEEKDAYS.indexOf(found?.[2] as (typeof WEEKDAYS)[number]);
  return weekday < 0 ? null : { weekday, nth: Number(found?.[1] ?? 0) };
}

function readMonthDay(text: string): number | null {
  const value = /^-?\d{1,2}$/.test(text) ? Number(text) : 0;
  return value !== 0 && Math.abs(value) <= 31 ? value : null;
}

function numberIn(text: string, least: number, most: number): number | null {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : -1;
  return value >= least && value <= most ? value : null;
}

/** The day of a month that `BYMONTHDAY` means; null: this month has none. */
export function monthDay(year: number, month: number, wanted: number, length: number): Day | null {
  return dayOf(year, month, wanted > 0 ? wanted : length + 1 + wanted);
}

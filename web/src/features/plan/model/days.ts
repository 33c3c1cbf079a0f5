/** Days as numbers since 1 January 1970, and how dates and local times are written. No zone here. */

export type Day = number;

/** What plans may name: farther away nobody plans, and a loop has an end. */
export const FIRST_DAY: Day = 0;
export const LAST_DAY: Day = Date.UTC(2200, 0, 1) / 86_400_000;
export const DAY_MS = 86_400_000;

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const LOCAL = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):([0-5]\d)$/;

/** `month` counts from 1. Null: there is no such day. */
export function dayOf(year: number, month: number, date: number): Day | null {
  const ms = Date.UTC(year, month - 1, date);
  const made = new Date(ms);
  const isSame = made.getUTCMonth() === month - 1 && made.getUTCDate() === date;
  return isSame && made.getUTCFullYear() === year ? ms / DAY_MS : null;
}

export function partsOf(day: Day): { year: number; month: number; date: number } {
  const made = new Date(day * DAY_MS);
  return { year: made.getUTCFullYear(), month: made.getUTCMonth() + 1, date: made.getUTCDate() };
}

/** 0 is Monday. */
export function weekdayOf(day: Day): number {
  // 1 January 1970 was a Thursday.
  return (((day + 3) % 7) + 7) % 7;
}

export function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

export function parseDate(text: string): Day | null {
  const found = DATE.exec(text);
  if (found === null) return null;
  const day = dayOf(Number(found[1]), Number(found[2]), Number(found[3]));
  return day !== null && day >= FIRST_DAY && day < LAST_DAY ? day : null;
}

export function formatDate(day: Day): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

export const isDate = (text: string): boolean => parseDate(text) !== null;

/** A time on some clock: the day, and minutes since its midnight. */
export interface Local {
  readonly day: Day;
  readonly minute: number;
}

export function parseLocal(text: string): Local | null {
  const found = LOCAL.exec(text);
  const day = found === null ? null : parseDate(found[1] ?? "");
  return found === null || day === null
    ? null
    : { day, minute: Number(found[2]) * 60 + Number(found[3]) };
}

export const isLocal = (text: string): boolean => parseLocal(text) !== null;

export function formatLocal({ day, minute }: Local): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${formatDate(day)}T${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

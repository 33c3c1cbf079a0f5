/**
 * When a planned meeting takes place. A series keeps its time on the clock over a change to summer
 * time. Every loop is bounded: a rule that never comes again ends the search. Pure.
 */
import {
  DAY_MS,
  type Day,
  daysInMonth,
  formatDate,
  LAST_DAY,
  type Local,
  parseLocal,
  partsOf,
  weekdayOf,
} from "./days.ts";
import type { Plan } from "./plan.ts";
import { monthDay, type Rule } from "./rule.ts";
import { instantOf, localAt } from "./zones.ts";

export interface Occurrence {
  /** `YYYY-MM-DD` in the plan's zone; what `except` names. */
  readonly date: string;
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
}

type Timed = Pick<Plan, "start" | "zone" | "minutes" | "rule" | "except">;

/** Periods without a day in them, after which there are no more: 31 May is there every year. */
const MAX_EMPTY = 100;

/** All that end after `from`, in order. Endless where the series is: take as many as are needed. */
export function* occurrences(plan: Timed, from: number): Generator<Occurrence> {
  const start = parseLocal(plan.start);
  if (start === null) return;
  const except = new Set(plan.except);
  const length = plan.minutes * 60_000;
  for (const day of daysOf(plan, start, from)) {
    const date = formatDate(day);
    if (except.has(date)) continue;
    const at = instantOf({ day, minute: start.minute }, plan.zone);
    if (at + length > from) yield { date, start: at, end: at + length };
  }
}

/** Null: there is none any more. */
export function nextOccurrence(plan: Timed, from: number): Occurrence | null {
  for (const found of occurrences(plan, from)) return found;
  return null;
}

export function nextOccurrences(plan: Timed, from: number, most: number): Occurrence[] {
  const found: Occurrence[] = [];
  for (const one of occurrences(plan, from)) {
    if (found.push(one) >= most) break;
  }
  return found;
}

/** When the last one is over, whether it is left out or not; null: never. */
export function endOfAll(plan: Timed): number | null {
  if (plan.rule !== null && plan.rule.end.type === "never") return null;
  const start = parseLocal(plan.start);
  if (start === null) return 0;
  let last: Day = start.day;
  for (const day of daysOf(plan, start, Number.NEGATIVE_INFINITY)) last = day;
  return instantOf({ day: last, minute: start.minute }, plan.zone) + plan.minutes * 60_000;
}

/** The days of a series from about `from` on, those that are left out too. */
function* daysOf({ rule, zone }: Timed, start: Local, from: number): Generator<Day> {
  if (rule === null) {
    yield start.day;
    return;
  }
  const isPast = pastOf(rule, zone, start.minute);
  // Two days cover every length and every zone.
  const fromDay = Number.isFinite(from) ? Math.floor(from / DAY_MS) - 2 : start.day;
  let count = 0;
  for (const day of seriesOf(rule, start.day, fromDay)) {
    if (isPast(day)) return;
    count += 1;
    if (rule.end.type === "count" && count > rule.end.count) return;
    yield day;
  }
}

function pastOf({ end }: Rule, zone: string, minute: number): (day: Day) => boolean {
  if (end.type === "date") return (day) => day > end.day;
  if (end.type !== "instant") return () => false;
  const last = localAt(end.ms, zone).day;
  return (day) => day > last || (day === last && instantOf({ day, minute }, zone) > end.ms);
}

/** The first day counts, whatever the rule says of it (RFC 5545, 3.8.5.3). */
function* seriesOf(rule: Rule, first: Day, from: Day): Generator<Day> {
  // What is counted is counted from the beginning.
  const skipped = rule.end.type === "count" ? 0 : Math.max(0, from - first);
  if (skipped === 0) yield first;
  let period = Math.max(0, Math.floor(skipped / (PERIOD_DAYS[rule.frequency] * rule.interval)) - 1);
  for (let empty = 0; empty < MAX_EMPTY; period++) {
    const days = daysIn(rule, first, period * rule.interval);
    if (days === null) return;
    const fitting = days.filter((day) => day > first || (day === first && skipped > 0));
    empty = fitting.length > 0 ? 0 : empty + 1;
    yield* fitting;
  }
}

/** At most so long, so that a jump never lands behind what is looked for. */
const PERIOD_DAYS = { DAILY: 1, WEEKLY: 7, MONTHLY: 31, YEARLY: 366 } as const;

/** In one day, week, month or year after the first one's, in order. Null: too far away. */
function daysIn(rule: Rule, first: Day, after: number): readonly Day[] | null {
  const { frequency, byDay, byMonthDay } = rule;
  const { year, month, date } = partsOf(first);
  if (frequency === "DAILY") {
    const day = first + after;
    if (day >= LAST_DAY) return null;
    const isIn = byDay.length === 0 || byDay.some(({ weekday }) => weekday === weekdayOf(day));
    return isIn ? [day] : [];
  }
  if (frequency === "WEEKLY") {
    const monday = first - weekdayOf(first) + after * 7;
    if (monday >= LAST_DAY) return null;
    const weekdays = byDay.length === 0 ? [weekdayOf(first)] : byDay.map(({ weekday }) => weekday);
    return [...weekdays].sort((a, b) => a - b).map((weekday) => monday + weekday);
  }
  const months = (frequency === "YEARLY" ? after * 12 : after) + month - 1;
  const inYear = year + Math.floor(months / 12);
  const inMonth = (months % 12) + 1;
  if (inYear >= partsOf(LAST_DAY).year) return null;
  const length = daysInMonth(inYear, inMonth);
  const days =
    byDay.length > 0
      ? byDay.flatMap(({ weekday, nth }) => weekdaysIn(inYear, inMonth, length, weekday, nth))
      : (byMonthDay.length > 0 ? byMonthDay : [date]).map((wanted) =>
          monthDay(inYear, inMonth, wanted, length),
        );
  return [...new Set(days.filter((day) => day !== null))].sort((a, b) => a - b);
}

function weekdaysIn(
  year: number,
  month: number,
  length: number,
  weekday: number,
  nth: number,
): readonly (Day | null)[] {
  const all = Array.from({ length }, (_, at) => monthDay(year, month, at + 1, length)).filter(
    (day) => day !== null && weekdayOf(day) === weekday,
  );
  if (nth === 0) return all;
  return [all.at(nth > 0 ? nth - 1 : nth) ?? null];
}

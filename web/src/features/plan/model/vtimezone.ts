/**
 * A zone as calendar files describe it (RFC 5545, 3.6.5), from the offsets that the browser knows:
 * changes that keep to a rule year after year as that rule, others one by one. Pure.
 */
import { DAY_MS, daysInMonth, type Local, partsOf, weekdayOf } from "./days.ts";
import { WEEKDAYS } from "./rule.ts";
import { offsetAt } from "./zones.ts";

/** A change of a zone's clock. */
interface Change {
  readonly at: number;
  /** Milliseconds ahead of UTC before and after it. */
  readonly from: number;
  readonly to: number;
}

/** No zone changes its clock twice within so long. */
const STEP_MS = 7 * DAY_MS;
/** The change before the first date is wanted too; it is at most so long ago where there are some. */
const BEFORE_MS = 400 * DAY_MS;
const MINUTE_MS = 60_000;

/** The lines of a VTIMEZONE, without folding. `from`, `to`: what the calendar has to know. */
export function timeZoneLines(zone: string, from: number, to: number): readonly string[] {
  const begin = from - BEFORE_MS;
  const changes = changesOf(zone, begin, to);
  const first = offsetAt(begin, zone);
  const lines = ["BEGIN:VTIMEZONE", `TZID:${zone}`];
  lines.push(...observance("STANDARD", "19700101T000000", { at: 0, from: first, to: first }, []));
  for (const group of groupsOf(changes)) lines.push(...observanceOf(group));
  lines.push("END:VTIMEZONE");
  return lines;
}

function changesOf(zone: string, begin: number, end: number): readonly Change[] {
  const changes: Change[] = [];
  let before = offsetAt(begin, zone);
  for (let at = begin; at < end; at += STEP_MS) {
    const after = offsetAt(at + STEP_MS, zone);
    if (after === before) continue;
    changes.push({ at: momentOf(zone, at, at + STEP_MS, before), from: before, to: after });
    before = after;
  }
  return changes;
}

/** To the minute: when the offset stops being `before`. */
function momentOf(zone: string, from: number, to: number, before: number): number {
  let low = Math.floor(from / MINUTE_MS);
  let high = Math.ceil(to / MINUTE_MS);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle * MINUTE_MS, zone) === before) low = middle;
    else high = middle;
  }
  return high * MINUTE_MS;
}

/** Those between the same offsets, in order. */
function groupsOf(changes: readonly Change[]): readonly (readonly Change[])[] {
  const groups = new Map<string, Change[]>();
  for (const change of changes) {
    const key = `${change.from} ${change.to}`;
    groups.set(key, [...(groups.get(key) ?? []), change]);
  }
  return [...groups.values()];
}

function observanceOf(group: readonly Change[]): readonly string[] {
  const [first] = group;
  if (first === undefined) return [];
  const kind = first.to > first.from ? "DAYLIGHT" : "STANDARD";
  const rule = yearlyRule(group);
  const more =
    rule !== null
      ? [`RRULE:${rule}`]
      : group.slice(1).map((change) => `RDATE:${written(shownBefore(change))}`);
  return observance(kind, written(shownBefore(first)), first, more);
}

function observance(
  kind: "STANDARD" | "DAYLIGHT",
  start: string,
  { from, to }: Change,
  more: readonly string[],
): readonly string[] {
  return [
    `BEGIN:${kind}`,
    `DTSTART:${start}`,
    ...more,
    `TZOFFSETFROM:${offset(from)}`,
    `TZOFFSETTO:${offset(to)}`,
    `END:${kind}`,
  ];
}

/** What the clock shows at a change, still by the offset before it. */
function shownBefore({ at, from }: Change): Local {
  const shown = at + from;
  const day = Math.floor(shown / DAY_MS);
  return { day, minute: Math.floor((shown - day * DAY_MS) / MINUTE_MS) };
}

/** Null: these changes keep to none that has held in every one of these years. */
function yearlyRule(group: readonly Change[]): string | null {
  const shown = group.map(shownBefore);
  const [first] = shown;
  if (first === undefined || shown.length < 3) return null;
  const places = shown.map(placeOf);
  const [place] = places;
  const isSteady = shown.every(
    ({ day, minute }, at) =>
      minute === first.minute &&
      weekdayOf(day) === weekdayOf(first.day) &&
      partsOf(day).month === partsOf(first.day).month &&
      partsOf(day).year === partsOf(first.day).year + at,
  );
  if (!isSteady || place === undefined) return null;
  const weekday = WEEKDAYS[weekdayOf(first.day)];
  const month = partsOf(first.day).month;
  const nth = places.every(({ isLast }) => isLast)
    ? -1
    : places.every((one) => one.nth === place.nth)
      ? place.nth
      : null;
  return nth === null ? null : `FREQ=YEARLY;BYMONTH=${month};BYDAY=${nth}${weekday}`;
}

function placeOf({ day }: Local): { nth: number; isLast: boolean } {
  const { year, month, date } = partsOf(day);
  return { nth: Math.ceil(date / 7), isLast: date + 7 > daysInMonth(year, month) };
}

function written({ day, minute }: Local): string {
  return new Date(day * DAY_MS + minute * MINUTE_MS)
    .toISOString()
    .slice(0, 19)
    .replace(/[-:]/g, "");
}

/** `+HHMM`, and seconds where history has them. */
function offset(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000);
  const two = (value: number) => String(value).padStart(2, "0");
  const whole = `${two(Math.floor(seconds / 3_600))}${two(Math.floor(seconds / 60) % 60)}`;
  return `${ms < 0 ? "-" : "+"}${whole}${seconds % 60 === 0 ? "" : two(seconds % 60)}`;
}

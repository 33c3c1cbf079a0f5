/**
 * Clocks of the world, by what the browser knows of them (Intl). A time that a change to summer time
 * leaves out moves forward by the gap; of one that comes twice, the first is meant (RFC 5545, 3.3.5).
 */
import { DAY_MS, type Local } from "./days.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

/** Throws `RangeError` for a zone that the browser does not know. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    era: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formats.set(zone, made);
  return made;
}

/** Names alone: offsets (`+02:00`) know no summer time, and calendar files take none. */
export function isZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** This device's. */
export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** Milliseconds that a clock there is ahead of UTC at this moment. */
export function offsetAt(ms: number, zone: string): number {
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, value]),
  );
  const number = (name: string) => Number(parts[name]);
  const shown = Date.UTC(
    number("year"),
    number("month") - 1,
    number("day"),
    number("hour"),
    number("minute"),
    number("second"),
  );
  return shown - Math.floor(ms / 1_000) * 1_000;
}

export function localAt(ms: number, zone: string): Local {
  const shown = ms + offsetAt(ms, zone);
  const day = Math.floor(shown / DAY_MS);
  return { day, minute: Math.floor((shown - day * DAY_MS) / 60_000) };
}

export function instantOf({ day, minute }: Local, zone: string): number {
  const shown = day * DAY_MS + minute * 60_000;
  // No zone is farther than a day from UTC, and none changes its clock twice within two.
  const before = offsetAt(shown - DAY_MS, zone);
  const after = offsetAt(shown + DAY_MS, zone);
  const fitting = [shown - before, shown - after].filter((ms) => ms + offsetAt(ms, zone) === shown);
  // In a gap nothing fits: by the clock before it, the time has moved forward by the gap.
  return fitting.length > 0 ? Math.min(...fitting) : shown - before;
}

/** Whether the clock shows this time at all. */
export function exists(local: Local, zone: string): boolean {
  const { day, minute } = localAt(instantOf(local, zone), zone);
  return day === local.day && minute === local.minute;
}

/** The list of what is planned: by day, as this device's clock has it. Pure. */
import { DAY_MS, weekdayOf } from "./days.ts";
import { localAt } from "./zones.ts";

export const GROUPS = ["today", "tomorrow", "week", "later", "over"] as const;
export type Group = (typeof GROUPS)[number];

/** `next`: of the next one, null: there is none any more. `now`: both in milliseconds. */
export function groupOf(next: number | null, now: number, zone: string): Group {
  if (next === null) return "over";
  const today = localAt(now, zone).day;
  const day = localAt(next, zone).day;
  // One that began yesterday and goes on is today's affair.
  if (day <= today) return "today";
  if (day === today + 1) return "tomorrow";
  return day <= today - weekdayOf(today) + 6 ? "week" : "later";
}

/** The next whole hour on this device's clock, as a plan begins with. */
export function nextFullHour(now: number, zone: string): { day: number; minute: number } {
  const { day, minute } = localAt(now, zone);
  const next = (Math.floor(minute / 60) + 1) * 60;
  return next < DAY_MS / 60_000 ? { day, minute: next } : { day: day + 1, minute: 0 };
}

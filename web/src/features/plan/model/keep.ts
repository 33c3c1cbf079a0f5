/** How long the server keeps a planned meeting: all that it learns of when it takes place. Pure. */
import { DAY_MS } from "./days.ts";
import { endOfAll } from "./occurrences.ts";
import type { Plan } from "./plan.ts";

export type Keeping =
  | { readonly keep: "always"; readonly keep_until: null }
  | { readonly keep: "until"; readonly keep_until: string };

/** Late comers, and whoever reads the note afterwards. */
const AFTER_DAYS = 7;
/** The server's bound is a day farther: clocks differ. */
const FARTHEST_DAYS = 2 * 365;

export const FARTHEST_MS = (FARTHEST_DAYS - AFTER_DAYS) * DAY_MS;

/** A series without end, or with one that is farther than the server keeps, stays until its host
 * cancels it. */
export function keepingOf(plan: Plan, now: number): Keeping {
  const end = endOfAll(plan);
  if (end === null || end - now > FARTHEST_MS) return { keep: "always", keep_until: null };
  // Of one that is over already: a day is left to look at it.
  const until = Math.max(end + AFTER_DAYS * DAY_MS, now + DAY_MS);
  return { keep: "until", keep_until: new Date(until).toISOString() };
}

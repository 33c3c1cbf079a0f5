/** What the form holds, and the plan that comes of it or what is wrong with it. Pure. */
import type { MeetingEntry } from "../../../api/types.ts";
import type { Template } from "../../../sealing/templates.ts";
import {
  type Day,
  formatDate,
  formatLocal,
  parseDate,
  parseLocal,
  partsOf,
  weekdayOf,
} from "./days.ts";
import { nextFullHour } from "./groups.ts";
import { FARTHEST_MS } from "./keep.ts";
import { nextOccurrence } from "./occurrences.ts";
import type { Plan } from "./plan.ts";
import { type End, formatRule, MAX_COUNT, type Rule } from "./rule.ts";
import { exists, instantOf } from "./zones.ts";

export const REPEATS = [
  "never",
  "daily",
  "weekly",
  "fortnightly",
  "monthly",
  "nth",
  "yearly",
] as const;
/** `kept`: a rule that the form cannot make, as it was. */
export type Repeat = (typeof REPEATS)[number] | "kept";

export const LENGTHS = [15, 30, 45, 60, 90, 120, 180, 240] as const;

export interface Draft {
  readonly title: string;
  readonly note: string;
  /** `YYYY-MM-DD`; null: none chosen. */
  readonly date: string | null;
  /** `HH:MM`; null: none chosen. */
  readonly time: string | null;
  readonly zone: string;
  readonly minutes: number;
  readonly repeat: Repeat;
  /** Of `weekly` and `fortnightly`, beside the start's own; 0 is Monday. */
  readonly weekdays: readonly number[];
  readonly ends: "never" | "date" | "count";
  readonly endDate: string | null;
  readonly count: number;
  readonly template: Template;
  readonly entry: MeetingEntry;
  readonly except: readonly string[];
  /** Of `kept`. */
  readonly rule: Rule | null;
}

export type DraftFault =
  | "no-date"
  | "no-time"
  | "past"
  | "too-far"
  | "no-end"
  | "end-before"
  | "count"
  | "none-left";

export type ReadDraft =
  | { readonly type: "plan"; readonly plan: Plan }
  | { readonly type: "fault"; readonly fault: DraftFault };

export function newDraft(now: number, zone: string): Draft {
  const start = formatLocal(nextFullHour(now, zone));
  return {
    title: "",
    note: "",
    date: start.slice(0, 10),
    time: start.slice(11),
    zone,
    minutes: 45,
    repeat: "never",
    weekdays: [],
    ends: "never",
    endDate: null,
    count: 10,
    template: "none",
    entry: "open",
    except: [],
    rule: null,
  };
}

export function draftOf(plan: Plan, entry: MeetingEntry): Draft {
  const { title, note, start, zone, minutes, template, except, rule } = plan;
  const day = parseLocal(start)?.day ?? 0;
  const own = weekdayOf(day);
  const end = rule?.end ?? { type: "never" };
  return {
    title,
    note,
    date: start.slice(0, 10),
    time: start.slice(11),
    zone,
    minutes,
    repeat: repeatOf(rule, day),
    weekdays: rule?.byDay.map(({ weekday }) => weekday).filter((one) => one !== own) ?? [],
    ends: end.type === "never" || end.type === "count" ? end.type : "date",
    endDate: end.type === "date" ? formatDate(end.day) : null,
    count: end.type === "count" ? end.count : 10,
    template,
    entry,
    except,
    rule,
  };
}

function repeatOf(rule: Rule | null, day: Day): Repeat {
  if (rule === null) return "never";
  // An end that is a moment was made elsewhere: the form shows days.
  if (rule.end.type === "instant") return "kept";
  const bare = formatRule({ ...rule, end: { type: "never" } });
  const made = REPEATS.find((repeat) => {
    const weekdays = rule.byDay.map(({ weekday }) => weekday);
    const same = ruleOf(repeat, day, weekdays, { type: "never" });
    return same !== null && formatRule(same) === bare;
  });
  return made ?? "kept";
}

/** Null: once. */
function ruleOf(repeat: Repeat, day: Day, weekdays: readonly number[], end: End): Rule | null {
  const rule = { interval: 1, end, byDay: [], byMonthDay: [] } as const;
  const { date } = partsOf(day);
  switch (repeat) {
    case "never":
    case "kept":
      return null;
    case "daily":
      return { ...rule, frequency: "DAILY" };
    case "weekly":
    case "fortnightly": {
      const all = [...new Set([...weekdays, weekdayOf(day)])].sort((a, b) => a - b);
      const byDay = all.map((weekday) => ({ weekday, nth: 0 }));
      return { ...rule, frequency: "WEEKLY", interval: repeat === "weekly" ? 1 : 2, byDay };
    }
    case "monthly":
      return { ...rule, frequency: "MONTHLY", byMonthDay: [date] };
    case "nth":
      return {
        ...rule,
        frequency: "MONTHLY",
        byDay: [{ weekday: weekdayOf(day), nth: nthOf(day) }],
      };
    case "yearly":
      return { ...rule, frequency: "YEARLY" };
  }
}

/** Which one of its month; the fifth, which most months lack, is the last. */
export function nthOf(day: Day): number {
  const nth = Math.ceil(partsOf(day).date / 7);
  return nth === 5 ? -1 : nth;
}

/** `isNew`: its first date has to be ahead too, and not only the next one. */
export function readDraft(draft: Draft, now: number, isNew: boolean): ReadDraft {
  const fault = (found: DraftFault): ReadDraft => ({ type: "fault", fault: found });
  const day = draft.date === null ? null : parseDate(draft.date);
  if (day === null) return fault("no-date");
  const local = parseLocal(`${draft.date}T${draft.time}`);
  if (local === null) return fault("no-time");
  const first = instantOf(local, draft.zone);
  if (isNew && first < now) return fault("past");
  if (first - now > FARTHEST_MS) return fault("too-far");
  const end = endOf(draft, day);
  if (typeof end === "string") return fault(end);
  const kept = draft.repeat === "kept" ? draft.rule : null;
  const rule = kept ?? ruleOf(draft.repeat, day, draft.weekdays, end);
  const plan: Plan = {
    title: draft.title,
    note: draft.note,
    start: formatLocal(local),
    zone: draft.zone,
    isZoneKnown: true,
    minutes: draft.minutes,
    rule,
    template: draft.template,
    except: rule === null ? [] : draft.except,
  };
  const next = nextOccurrence(plan, now);
  if (next === null) return fault(first < now ? "past" : "none-left");
  return { type: "plan", plan };
}

function endOf({ repeat, ends, endDate, count }: Draft, first: Day): End | DraftFault {
  if (repeat === "never" || repeat === "kept" || ends === "never") return { type: "never" };
  if (ends === "count") {
    const isFit = Number.isInteger(count) && count >= 1 && count <= MAX_COUNT;
    return isFit ? { type: "count", count } : "count";
  }
  const day = endDate === null ? null : parseDate(endDate);
  if (day === null) return "no-end";
  return day < first ? "end-before" : { type: "date", day };
}

/** `HH:MM` that the clock shows in place of one that a change to summer time leaves out. */
export function movedTo({ date, time, zone }: Draft): { readonly at: number } | null {
  const local = date === null || time === null ? null : parseLocal(`${date}T${time}`);
  return local === null || exists(local, zone) ? null : { at: instantOf(local, zone) };
}

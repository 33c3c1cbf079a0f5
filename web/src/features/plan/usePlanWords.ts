/** Words about plans that several parts need: when, how often, what went wrong. */
import { useTranslation } from "react-i18next";
import { useErrorText } from "../../api/useErrorText.ts";
import { useLocale } from "../../i18n/index.ts";
import { DAY_MS, type Day, parseLocal, partsOf, weekdayOf } from "./model/days.ts";
import type { Occurrence } from "./model/occurrences.ts";
import type { Plan } from "./model/plan.ts";
import type { Rule } from "./model/rule.ts";
import { localAt, ownZone } from "./model/zones.ts";
import { NotPlanned } from "./planning.ts";

export function useFaultText(): (fault: unknown) => string {
  const { t } = useTranslation("plan");
  const errorText = useErrorText();
  return (fault) => (fault instanceof NotPlanned ? t(`fault.${fault.why}`) : errorText(fault));
}

export interface PlanWords {
  /** `19:00`. */
  time(ms: number, zone: string): string;
  /** `Tuesday, 1 December`; with the year when it is another one. */
  day(ms: number, zone: string): string;
  /** `1 December 2026`, of a date without a zone. */
  date(day: Day): string;
  /** `Tuesday`. 0 is Monday. */
  weekday(weekday: number, form?: "long" | "short"): string;
  /** `45 minutes`, `1 h 30 min`. */
  length(minutes: number): string;
  /** `Tuesday, 1 December, 19:00 to 20:30`. */
  when(occurrence: Occurrence, zone: string): string;
  /** `in 5 minutes`, `today at 19:00`, or the day with the time. */
  until(ms: number, now: number, zone: string): string;
  /** The same on the clock of the plan's zone; null: it shows the same. */
  elsewhere(occurrence: Occurrence, plan: Plan): string | null;
  /** `Every week on Tuesday, until 1 March 2027`; null: once. */
  series(plan: Pick<Plan, "start" | "rule">): string | null;
}

/** 5 January 1970 was a Monday. */
const A_MONDAY = 4;

export function usePlanWords(): PlanWords {
  const { t } = useTranslation("plan");
  const locale = useLocale();
  const format = (options: Intl.DateTimeFormatOptions, ms: number) =>
    new Intl.DateTimeFormat(locale, options).format(ms);
  const list = (words: string[]) =>
    new Intl.ListFormat(locale, { type: "conjunction" }).format(words);

  const time: PlanWords["time"] = (ms, zone) =>
    format({ hour: "2-digit", minute: "2-digit", timeZone: zone }, ms);
  const day: PlanWords["day"] = (ms, zone) => {
    const isThisYear =
      format({ year: "numeric", timeZone: zone }, ms) ===
      format({ year: "numeric", timeZone: zone }, Date.now());
    return format(
      {
        weekday: "long",
        day: "numeric",
        month: "long",
        timeZone: zone,
        ...(isThisYear ? {} : { year: "numeric" }),
      },
      ms,
    );
  };
  const date: PlanWords["date"] = (of) =>
    format({ dateStyle: "long", timeZone: "UTC" }, of * DAY_MS);
  const weekday: PlanWords["weekday"] = (of, form = "long") =>
    format({ weekday: form, timeZone: "UTC" }, (A_MONDAY + of) * DAY_MS);

  const when: PlanWords["when"] = ({ start, end }, zone) =>
    t("when", { day: day(start, zone), from: time(start, zone), to: time(end, zone) });

  const until: PlanWords["until"] = (ms, now, zone) => {
    const minutes = Math.ceil((ms - now) / 60_000);
    if (minutes <= 60) {
      return new Intl.RelativeTimeFormat(locale, { numeric: "always" }).format(minutes, "minute");
    }
    const away = localAt(ms, zone).day - localAt(now, zone).day;
    if (away === 0) return t("at.today", { time: time(ms, zone) });
    if (away === 1) return t("at.tomorrow", { time: time(ms, zone) });
    return t("at.day", { day: day(ms, zone), time: time(ms, zone) });
  };

  const elsewhere: PlanWords["elsewhere"] = (occurrence, plan) => {
    const own = ownZone();
    const there = when(occurrence, plan.zone);
    return there === when(occurrence, own)
      ? null
      : t("there", { zone: zoneName(plan.zone), when: there });
  };

  function often({ frequency, interval, byDay, byMonthDay }: Rule, start: Day): string {
    const count = interval;
    if (frequency === "DAILY") {
      if (byDay.length === 0) return t("often.daily", { count });
      return t("often.weekly", { count: 1, days: list(byDay.map((one) => weekday(one.weekday))) });
    }
    if (frequency === "WEEKLY") {
      const days = byDay.length > 0 ? byDay.map((one) => one.weekday) : [weekdayOf(start)];
      return t("often.weekly", { count, days: list(days.map((one) => weekday(one))) });
    }
    if (frequency === "YEARLY") {
      const shown = format({ day: "numeric", month: "long", timeZone: "UTC" }, start * DAY_MS);
      return t("often.yearly", { count, date: shown });
    }
    if (byDay.length > 0) {
      const days = byDay.map(({ weekday: of, nth }) => nthText(of, nth));
      return t("often.nth", { count, days: list(days) });
    }
    const days = byMonthDay.length > 0 ? byMonthDay : [partsOf(start).date];
    const shown = days.map((one) =>
      one > 0 ? t("often.day", { day: one }) : t("often.fromEnd", { day: -one }),
    );
    return t("often.monthly", { count, days: list(shown) });
  }

  function nthText(of: number, nth: number): string {
    const name = weekday(of);
    if (nth === 0) return t("often.each", { weekday: name });
    if (nth < -1) return t("often.nthLast", { nth: -nth, weekday: name });
    return t(`often.nths.${nth === -1 ? "last" : (nth as 1 | 2 | 3 | 4 | 5)}`, { weekday: name });
  }

  const series: PlanWords["series"] = ({ start, rule }) => {
    const first = parseLocal(start)?.day;
    if (rule === null || first === undefined) return null;
    const text = often(rule, first);
    const { end } = rule;
    if (end.type === "count") return t("often.count", { text, count: end.count });
    if (end.type === "date") return t("often.until", { text, date: date(end.day) });
    if (end.type === "instant")
      return t("often.until", { text, date: date(Math.floor(end.ms / DAY_MS)) });
    return text;
  };

  return {
    time,
    day,
    date,
    weekday,
    length: (minutes) => {
      const hours = Math.floor(minutes / 60);
      const rest = minutes % 60;
      if (hours === 0) return t("length.minutes", { count: rest });
      return rest === 0
        ? t("length.hours", { count: hours })
        : t("length.both", { hours, minutes: rest });
    },
    when,
    until,
    elsewhere,
    series,
  };
}

export function zoneName(zone: string): string {
  return zone.replaceAll("_", " ");
}

import { useLocale } from "../../../i18n/index.ts";

/** A day; a day and a time. In the person's own way. */
export function useDates(): { day(date: string): string; moment(date: string): string } {
  const locale = useLocale();
  const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  return {
    day: (date) => day.format(new Date(date)),
    moment: (date) => moment.format(new Date(date)),
  };
}

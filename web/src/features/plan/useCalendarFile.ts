/** The calendar file of a plan, in the language of the page. */
import { useTranslation } from "react-i18next";
import { showToast } from "../../design/index.ts";
import { saveFile } from "../../saveFile.ts";
import { calendarFile } from "./model/ics.ts";
import type { Plan } from "./model/plan.ts";

export interface CalendarWish {
  readonly meetingId: string;
  readonly plan: Plan;
  /** The whole link, with its key. */
  readonly link: string;
}

export interface CalendarFiles {
  text(wish: CalendarWish): string;
  /** Hands it to the person, and says so. */
  save(wish: CalendarWish): void;
}

export function useCalendarFile(): CalendarFiles {
  const { t } = useTranslation("plan");
  const text = ({ meetingId, plan, link }: CalendarWish) =>
    calendarFile({
      meetingId,
      host: location.host,
      plan,
      fallbackTitle: t("untitled"),
      link,
      linkText: t("calendar.link"),
      now: Date.now(),
    });
  return {
    text,
    save: (wish) => {
      saveFile(fileName(wish.plan.title || t("untitled")), text(wish), "text/calendar");
      showToast(t("calendar.saved"));
    },
  };
}

/** Letters and digits of any script; what systems take amiss becomes a hyphen. */
function fileName(title: string): string {
  const kept = title
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return `${kept === "" ? "meeting" : kept}.ics`;
}

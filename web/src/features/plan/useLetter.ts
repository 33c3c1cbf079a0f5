/** An invitation as a letter, in the language of the page. */
import { useTranslation } from "react-i18next";
import type { RunningMeeting } from "../../api/types.ts";
import { nextOccurrence } from "./model/occurrences.ts";
import type { Plan } from "./model/plan.ts";
import { useCalendarFile } from "./useCalendarFile.ts";
import { usePlanWords, zoneName } from "./usePlanWords.ts";

export interface LetterText {
  readonly subject: string;
  readonly text: string;
  readonly ics: string;
}

/** To whom: null: to everybody, with the link for everybody. */
export interface Addressee {
  readonly name: string;
  readonly link: string;
}

export function useLetter(
  meeting: RunningMeeting,
  plan: Plan,
  openLink: string,
): (to: Addressee | null) => LetterText {
  const { t } = useTranslation("plan");
  const words = usePlanWords();
  const calendar = useCalendarFile();
  const title = plan.title || t("untitled");
  const next = nextOccurrence(plan, Date.now());
  const series = words.series(plan);
  const when = next === null ? null : `${words.when(next, plan.zone)} (${zoneName(plan.zone)})`;
  return (to) => {
    const link = to?.link ?? openLink;
    const about = [title, when, series].filter((line) => line !== null).join("\n");
    const parts = [
      to === null ? t("mail.greeting") : t("mail.greetingName", { name: to.name }),
      t("mail.invited"),
      about,
      plan.note,
      `${t(to === null ? "mail.linkOpen" : "mail.linkPersonal")}\n${link}`,
      t("mail.closing"),
    ];
    return {
      // What joins the parts of an emoji is no sign of a letter's head.
      subject: title.replaceAll("\u200d", ""),
      text: `${parts.filter((part) => part !== "").join("\n\n")}\n`,
      ics: calendar.text({ meetingId: meeting.id, plan, link }),
    };
  };
}

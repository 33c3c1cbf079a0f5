/** Words of the invite dialog that several of its parts need. */
import { useTranslation } from "react-i18next";
import { useErrorText } from "../../api/useErrorText.ts";
import { useLocale } from "../../i18n/index.ts";
import { MOST_INVITED } from "../../sealing/vault/invited.ts";
import { NotInvited, RoomNotTold } from "./useInvitations.ts";

/** What went wrong, in the person's own words. */
export function useFaultText(): (fault: unknown) => string {
  const { t } = useTranslation("invite");
  const errorText = useErrorText();
  return (fault) => {
    if (fault instanceof RoomNotTold) return t("fault.room");
    if (!(fault instanceof NotInvited)) return errorText(fault);
    return t(`fault.${fault.why}`, { most: MOST_INVITED });
  };
}

/** Day and time, as people here write them. */
export function useMoment(): (date: Date | string) => string {
  const format = new Intl.DateTimeFormat(useLocale(), { dateStyle: "medium", timeStyle: "short" });
  return (date) => {
    const moment = new Date(date);
    return Number.isNaN(moment.getTime()) ? "" : format.format(moment);
  };
}

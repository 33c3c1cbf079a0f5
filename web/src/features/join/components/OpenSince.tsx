import { useTranslation } from "react-i18next";
import { useLocale } from "../../../i18n/index.ts";

export function OpenSince({ openedAt }: { openedAt: string }) {
  const { t } = useTranslation("join");
  const locale = useLocale();
  const opened = new Date(openedAt);
  if (Number.isNaN(opened.getTime())) return null;
  const isToday = opened.toDateString() === new Date().toDateString();
  const time = new Intl.DateTimeFormat(locale, {
    hour: "2-digit",
    minute: "2-digit",
    ...(isToday ? {} : { day: "numeric", month: "long" }),
  }).format(opened);
  return <p className="mut num">{t("since", { time })}</p>;
}

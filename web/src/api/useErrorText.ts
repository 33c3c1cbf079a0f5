import { useTranslation } from "react-i18next";
import { asApiError } from "./errors.ts";

/** From here on it is said in minutes. */
const LONG_S = 90;

/** An error in the person's own words: what happened and what can be done. */
export function useErrorText(): (error: unknown) => string {
  const { t } = useTranslation("errors");
  return (error) => {
    const { code, retryAfterMs } = asApiError(error);
    if (code === "limit_reached") {
      const seconds = Math.max(1, Math.ceil((retryAfterMs ?? 5000) / 1000));
      return seconds > LONG_S
        ? t("limit_reached_long", { count: Math.ceil(seconds / 60) })
        : t("limit_reached", { count: seconds });
    }
    return t(code);
  };
}

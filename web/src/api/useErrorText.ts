import { useTranslation } from "react-i18next";
import { asApiError } from "./errors.ts";

/** An error in the person's own words: what happened and what can be done. */
export function useErrorText(): (error: unknown) => string {
  const { t } = useTranslation("errors");
  return (error) => {
    const { code, retryAfterMs } = asApiError(error);
    if (code === "limit_reached") {
      return t("limit_reached", { count: Math.max(1, Math.ceil((retryAfterMs ?? 5000) / 1000)) });
    }
    return t(code);
  };
}

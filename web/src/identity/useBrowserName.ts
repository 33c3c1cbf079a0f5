import { useTranslation } from "react-i18next";

/** The server's "Firefox on Linux" in the person's language. */
export function useBrowserName(): (text: string) => string {
  const { t } = useTranslation("common");
  return (text) => {
    const [, browser, system] = /^(.+) on (.+)$/.exec(text) ?? [];
    return browser === undefined || system === undefined
      ? text
      : t("browserOn", { browser, system });
  };
}

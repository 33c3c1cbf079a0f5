import { useTranslation } from "react-i18next";
import { showToast } from "./design/index.ts";

/** Copies a link and says whether it worked. Without the clipboard (http:) it says what to do. */
export function useCopyLink(): (link: string) => Promise<void> {
  const { t } = useTranslation("common");
  return async (link) => {
    try {
      await navigator.clipboard.writeText(link);
      showToast(t("linkCopied"));
    } catch {
      showToast(t("linkNotCopied"));
    }
  };
}

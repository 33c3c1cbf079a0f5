import { useTranslation } from "react-i18next";
import { showToast } from "./design/index.ts";

/** Without https there is no clipboard API; the old command needs a marked text on the page. */
function copyByCommand(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "vh";
  field.readOnly = true;
  const focused = document.activeElement;
  document.body.append(field);
  field.select();
  const hasCopied = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return hasCopied;
}

/** Whether it worked. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByCommand(text);
  }
}

/** Copies a link and says whether it worked; if not, what to do. */
export function useCopyLink(): (link: string) => Promise<void> {
  const { t } = useTranslation("common");
  return async (link) => showToast(t((await copyText(link)) ? "linkCopied" : "linkNotCopied"));
}

import { useTranslation } from "react-i18next";
import { Button, Dialog, showToast } from "../../../design/index.ts";
import { saveFile } from "../../../saveFile.ts";
import { copyText } from "../../../useCopyLink.ts";

export interface RecoveryCodesDialogProps {
  codes: readonly string[];
  onClose(): void;
}

/** The codes, once: on paper, in a file, or copied. The server keeps nothing that could show them again. */
export function RecoveryCodesDialog({ codes, onClose }: RecoveryCodesDialogProps) {
  const { t } = useTranslation("signin");
  const copy = async (): Promise<void> => {
    const hasCopied = await copyText(codes.join("\n"));
    showToast(t(hasCopied ? "codes.copied" : "codes.notCopied"));
  };
  const intro = t("codes.file", { host: location.host });
  return (
    <Dialog
      isOpen
      isAlert
      isWide
      title={t("codes.title")}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" icon="copy" onPress={() => void copy()}>
            {t("codes.copy")}
          </Button>
          <Button
            variant="line"
            icon="download"
            onPress={() =>
              saveFile("conclave-recovery-codes.txt", `${intro}\n\n${codes.join("\n")}\n`)
            }
          >
            {t("codes.save")}
          </Button>
          <Button variant="line" onPress={() => print()}>
            {t("codes.print")}
          </Button>
          <Button variant="primary" onPress={onClose}>
            {t("codes.done")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("codes.text")}</p>
      <ul className="codesheet printed" aria-label={t("codes.list")} translate="no">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

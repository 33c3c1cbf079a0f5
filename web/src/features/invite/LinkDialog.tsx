import { useTranslation } from "react-i18next";
import { Button, Dialog, QrCode, TextField } from "../../design/index.ts";
import { useCopyLink } from "../../useCopyLink.ts";

export interface LinkDialogProps {
  name: string;
  link: string;
  onClose(): void;
}

/** One person's link, to be photographed or copied. */
export function LinkDialog({ name, link, onClose }: LinkDialogProps) {
  const { t } = useTranslation("invite");
  const copyLink = useCopyLink();
  return (
    <Dialog
      isOpen
      title={t("link.title", { name })}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t("link.close")}</Button>
          <Button variant="primary" icon="copy" onPress={() => void copyLink(link)}>
            {t("link.copy")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("link.text")}</p>
      <div className="invite__qr">
        <QrCode text={link} label={t("link.qr", { name })} />
      </div>
      <TextField label={t("link.field")} value={link} isReadOnly />
    </Dialog>
  );
}

import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Dialog } from "../../design/index.ts";

export interface ReleaseDialogProps {
  name: string;
  /** Whether it was done; what went wrong has been said. */
  onYes(): Promise<boolean>;
  onClose(): void;
}

/** Asks first: whoever comes next with the link has it. */
export function ReleaseDialog({ name, onYes, onClose }: ReleaseDialogProps) {
  const { t } = useTranslation(["invite", "common"]);
  const [isBusy, setBusy] = useState(false);
  const release = async () => {
    setBusy(true);
    const isDone = await onYes();
    setBusy(false);
    if (isDone) onClose();
  };
  return (
    <Dialog
      isOpen
      isAlert
      title={t("release.title", { name })}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t("common:cancel")}</Button>
          <Button variant="primary" isBusy={isBusy} onPress={() => void release()}>
            {t("release.yes")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("release.text", { name })}</p>
    </Dialog>
  );
}

import { useTranslation } from "react-i18next";
import { Button, Dialog, QrCode, showToast } from "../../../design/index.ts";
import { useLanguage } from "../../../i18n/index.ts";
import { Fault } from "../../../identity/Fault.tsx";
import { type NewDeviceState, useNewDevice } from "./useNewDevice.ts";

export interface NewDeviceDialogProps {
  userId: string;
  onClose(): void;
}

/** On the browser without keys: a code for the other one, then three words. */
export default function NewDeviceDialog({ userId, onClose }: NewDeviceDialogProps) {
  const { t } = useTranslation(["devices", "common"]);
  const { state, confirm, refuse } = useNewDevice(userId, () => {
    onClose();
    showToast(t("new.done"));
  });
  const isOver = state.at === "stopped" || state.at === "failed";
  const close = (): void => {
    if (!isOver) refuse();
    onClose();
  };
  return (
    <Dialog
      isOpen
      isAlert
      title={t("new.title")}
      onClose={close}
      actions={
        <>
          <Button variant="line" onPress={close}>
            {state.at === "comparing" ? t("differ") : isOver ? t("close") : t("common:cancel")}
          </Button>
          {state.at === "comparing" && (
            <Button variant="primary" isBusy={state.isSame} onPress={confirm}>
              {state.isSame ? t("new.waiting") : t("same")}
            </Button>
          )}
        </>
      }
    >
      <div aria-live="polite">
        <Content state={state} />
      </div>
    </Dialog>
  );
}

function Content({ state }: { state: NewDeviceState }) {
  const { t } = useTranslation("devices");
  switch (state.at) {
    case "making":
      return <p className="dialog__text">{t("new.making")}</p>;
    case "showing":
      return (
        <>
          <p className="dialog__text">{t("new.text")}</p>
          <div className="devlink">
            <QrCode text={state.address} label={t("new.qr")} />
            <ol className="devlink__ways">
              <li>{t("new.scan")}</li>
              <li>{t("new.orOpen")}</li>
            </ol>
          </div>
        </>
      );
    case "comparing":
      return (
        <>
          <p className="dialog__text">{t("new.compare")}</p>
          <Words words={state.words} />
          <p className="dialog__text">{t("new.byCode")}</p>
        </>
      );
    case "stopped":
      return <p className="dialog__text">{t(`stopped.${state.why}`)}</p>;
    case "failed":
      return <Fault fault={state.fault} where="act" />;
  }
}

/** Three words, large enough to be read from one screen to the other. */
export function Words({ words }: { words: readonly string[] }) {
  const { t } = useTranslation("devices");
  const language = useLanguage();
  return (
    <ol className="devwords" aria-label={t("words")} lang={language} translate="no">
      {words.map((word, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a word may stand in two places
        <li key={at}>{word}</li>
      ))}
    </ol>
  );
}

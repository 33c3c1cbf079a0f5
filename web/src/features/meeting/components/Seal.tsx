import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Dialog, Icon, IconButton } from "../../../design/index.ts";
import { useMeeting, useView } from "./context.tsx";

const FOLDABLE_AFTER_MS = 10_000;

/** Says that the room is not sealed, and why. After ten seconds it can be folded to the badge. */
export function SealNotice() {
  const { t } = useTranslation("meeting");
  const { view } = useMeeting();
  const isFolded = useView((state) => state.isNoticeFolded);
  const [canFold, setCanFold] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setCanFold(true), FOLDABLE_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  if (isFolded) return null;
  return (
    <div className="notice">
      <Icon name="seal-broken" size={22} />
      <span className="grow">{t("seal.line")}</span>
      <Button
        className="notice__btn"
        size="dense"
        variant="quiet"
        onPress={() => view.show("seal")}
      >
        {t("seal.details")}
      </Button>
      {canFold && (
        <IconButton
          icon="chev-up"
          size="dense"
          label={t("seal.fold")}
          onPress={() => view.setState({ isNoticeFolded: true })}
        />
      )}
    </div>
  );
}

/** What "not sealed" means, truthfully: who can see and hear this room. */
export function SealDialog() {
  const { t } = useTranslation("meeting");
  const { view } = useMeeting();
  const isOpen = useView((state) => state.dialog === "seal");
  return (
    <Dialog
      title={t("seal.title")}
      isOpen={isOpen}
      onClose={() => view.show(null)}
      actions={
        <Button variant="primary" onPress={() => view.show(null)}>
          {t("seal.close")}
        </Button>
      }
    >
      <p className="dialog__text">{t("seal.what")}</p>
      <p className="dialog__text">{t("seal.but")}</p>
      <p className="dialog__text">{t("seal.trust")}</p>
    </Dialog>
  );
}

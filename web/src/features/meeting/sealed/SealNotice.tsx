import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Dialog, Icon, IconButton, SEAL_ICON } from "../../../design/index.ts";
import { useLocale } from "../../../i18n/index.ts";
import { useMeeting, useView } from "../components/context.tsx";
import { useSealed } from "./context.tsx";

const FOLDABLE_AFTER_MS = 10_000;

/** Says why the room is not sealed. After ten seconds it can be folded to the badge. */
export function SealNotice() {
  const { t } = useTranslation("sealed");
  const { view } = useMeeting();
  const seal = useSealed((sealed) => sealed.seal);
  const isFolded = useView((state) => state.isNoticeFolded);
  const reason = seal.type === "not-sealed" ? (seal.reasons[0] ?? null) : null;
  const [canFold, setCanFold] = useState(false);
  useEffect(() => {
    // Another reason is news: the bar unfolds for it.
    setCanFold(false);
    view.setState({ isNoticeFolded: false });
    if (reason === null) return;
    const timer = setTimeout(() => setCanFold(true), FOLDABLE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [reason, view]);
  if (reason === null || isFolded) return null;
  return (
    <div className="notice">
      <Icon name="seal-broken" size={22} />
      <span className="grow">{t(`problem.${reason}`)}</span>
      <Button
        className="notice__btn"
        size="dense"
        variant="quiet"
        onPress={() => view.show("seal")}
      >
        {t("problem.details")}
      </Button>
      {canFold && (
        <IconButton
          icon="chev-up"
          size="dense"
          label={t("problem.fold")}
          onPress={() => view.setState({ isNoticeFolded: true })}
        />
      )}
    </div>
  );
}

/** Everything has stopped: there is nothing to go back to. */
export function SealBroken() {
  const { t } = useTranslation("sealed");
  const { session } = useMeeting();
  const locale = useLocale();
  const seal = useSealed((sealed) => sealed.seal);
  if (seal.type !== "broken") return null;
  const time = new Date(seal.at).toLocaleTimeString(locale);
  const leave = () => void session.leave();
  return (
    <Dialog
      isAlert
      title={t("broken.title")}
      isOpen
      onClose={leave}
      actions={
        <Button variant="danger" onPress={leave}>
          {t("broken.leave")}
        </Button>
      }
    >
      <div className="sealhead">
        <Icon name={SEAL_ICON.broken} size={44} className="seal--broken" />
        <p className="dialog__text">{t(`broken.${seal.reason}`)}</p>
      </div>
      <p className="sm mut3 num">{t("broken.when", { time, reason: seal.reason })}</p>
    </Dialog>
  );
}

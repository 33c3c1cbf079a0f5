import { lazy, Suspense, useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, showToast } from "../../design/index.ts";
import { withLaterTexts } from "../../i18n/index.ts";
import { keyRingOf, openKeyRing } from "../../vault/session.ts";
import type { KeyRingView } from "../../vault/view.ts";
import { Notice } from "./Notice.tsx";
import { RestoreDialog } from "./RestoreDialog.tsx";
import { WordsDialog } from "./WordsDialog.tsx";

// Needed now and then: no part of the first load.
const AskNotice = lazy(() => import("./devices/AskNotice.tsx"));
const NewDeviceDialog = lazy(() => withLaterTexts(import("./devices/NewDeviceDialog.tsx")));

/** What has to be said about the key ring, if anything. Never stands in the way of a room. */
export function KeyNotice({ userId, keys }: { userId: string; keys: KeyRingView }) {
  switch (keys.status) {
    case "locked":
      return <LockedNotice userId={userId} />;
    case "damaged":
      return <DamagedNotice />;
    case "repairable":
      return <RepairNotice userId={userId} />;
    case "unavailable":
      return <UnavailableNotice userId={userId} />;
    case "unable":
      return <UnableNotice />;
    case "open":
      return (
        <>
          <Suspense>
            <AskNotice userId={userId} />
          </Suspense>
          <WordsNotice userId={userId} keys={keys} />
        </>
      );
    default:
      return null;
  }
}

function WordsNotice({ userId, keys }: { userId: string; keys: KeyRingView }) {
  const { t } = useTranslation("vault");
  const [isShown, setShown] = useState(false);
  if (!keys.hasUnwrittenWords && !isShown) {
    return keys.isRemembered ? null : (
      <p className="keynote__line sm c-caution">{t("words.remindForgetful")}</p>
    );
  }
  return (
    <>
      <Notice
        icon="pen"
        title={t("words.remindTitle")}
        action={
          <Button size="dense" onPress={() => setShown(true)}>
            {t("words.show")}
          </Button>
        }
      >
        {t("words.remindText")} {!keys.isRemembered && t("words.remindForgetful")}
      </Notice>
      {isShown && <WordsDialog userId={userId} onClose={() => setShown(false)} />}
    </>
  );
}

function LockedNotice({ userId }: { userId: string }) {
  const { t } = useTranslation("vault");
  const [way, setWay] = useState<"words" | "device" | null>(null);
  const close = useCallback(() => setWay(null), []);
  return (
    <>
      <Notice
        icon="lock"
        title={t("locked.title")}
        action={
          <>
            <Button size="dense" icon="device" onPress={() => setWay("device")}>
              {t("locked.device")}
            </Button>
            <Button size="dense" icon="keyhole" onPress={() => setWay("words")}>
              {t("locked.button")}
            </Button>
          </>
        }
      >
        {t("locked.text")}
      </Notice>
      {way === "words" && <RestoreDialog userId={userId} onClose={close} />}
      {way === "device" && (
        <Suspense>
          <NewDeviceDialog userId={userId} onClose={close} />
        </Suspense>
      )}
    </>
  );
}

function DamagedNotice() {
  const { t } = useTranslation("vault");
  return (
    <Notice icon="alert" title={t("damaged.title")}>
      {t("damaged.text")}
    </Notice>
  );
}

function RepairNotice({ userId }: { userId: string }) {
  const { t } = useTranslation("vault");
  const [isBusy, setBusy] = useState(false);
  const repair = async (): Promise<void> => {
    setBusy(true);
    const status = await keyRingOf(userId)
      .then((ring) => ring.repair())
      .catch(() => "unavailable");
    showToast(t(status === "open" ? "damaged.repaired" : "damaged.notRepaired"));
    setBusy(false);
  };
  return (
    <Notice
      icon="alert"
      title={t("damaged.title")}
      action={
        <Button size="dense" isBusy={isBusy} onPress={() => void repair()}>
          {isBusy ? t("damaged.repairing") : t("damaged.repair")}
        </Button>
      }
    >
      {t("damaged.repairText")}
    </Notice>
  );
}

function UnavailableNotice({ userId }: { userId: string }) {
  const { t } = useTranslation(["vault", "common"]);
  const [isBusy, setBusy] = useState(false);
  const retry = async (): Promise<void> => {
    setBusy(true);
    await openKeyRing(userId);
    setBusy(false);
  };
  return (
    <Notice
      icon="alert"
      title={t("unavailable.title")}
      action={
        <Button size="dense" isBusy={isBusy} onPress={() => void retry()}>
          {t("common:retry")}
        </Button>
      }
    >
      {t("unavailable.text")}
    </Notice>
  );
}

function UnableNotice() {
  const { t } = useTranslation("vault");
  return (
    <Notice icon="alert" title={t("unable.title")}>
      {t("unable.text")}
    </Notice>
  );
}

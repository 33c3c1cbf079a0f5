import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeviceLink } from "../../../api/deviceLinks.ts";
import { Button, Dialog, Icon, showToast } from "../../../design/index.ts";
import { useLanguage, useLocale } from "../../../i18n/index.ts";
import { Fault } from "../../../identity/Fault.tsx";
import { NotProven } from "../../../identity/fresh.ts";
import { useBrowserName } from "../../../identity/useBrowserName.ts";
import type { OldDevice } from "../../../sealing/keys/deviceLink.ts";
import { loadWords } from "../../../sealing/words/wordList.ts";
import { keyRingOf } from "../../../vault/session.ts";
import { answer, giveUp, type Stop, Stopped, send } from "./exchange.ts";
import { Words } from "./NewDeviceDialog.tsx";

export interface HandOverDialogProps {
  userId: string;
  link: DeviceLink;
  /** From the QR code of the new device: then nothing has to be compared. */
  secret: Uint8Array | null;
  onClose(): void;
}

type State =
  /** Is this browser able to at all? */
  | { readonly at: "looking" }
  | { readonly at: "unable" }
  | { readonly at: "asking" }
  | { readonly at: "waiting" }
  | { readonly at: "comparing"; readonly device: OldDevice; readonly words: readonly string[] }
  | { readonly at: "sending" }
  | { readonly at: "stopped"; readonly why: Stop }
  | { readonly at: "failed"; readonly fault: unknown };

/** On the browser that has the keys: who asks for them, and one press. */
export default function HandOverDialog({ userId, link, secret, onClose }: HandOverDialogProps) {
  const { t } = useTranslation(["devices", "common"]);
  const language = useLanguage();
  const [state, setState] = useState<State>({ at: "looking" });
  const over = useRef(new AbortController());

  useEffect(() => {
    over.current = new AbortController();
    const { signal } = over.current;
    keyRingOf(userId)
      .then((ring) => ring.withVaultKey(async () => true))
      .catch(() => null)
      .then((isAble) => {
        if (!signal.aborted) setState({ at: isAble ? "asking" : "unable" });
      });
    return () => over.current.abort();
  }, [userId]);

  function run(work: () => Promise<void>, before: State): void {
    work().catch((fault: unknown) => {
      if (over.current.signal.aborted) return;
      if (fault instanceof NotProven) setState(before);
      else if (fault instanceof Stopped) {
        setState({ at: "stopped", why: fault.why });
        void giveUp(link.id);
      } else setState({ at: "failed", fault });
    });
  }

  async function hand(device: OldDevice): Promise<void> {
    setState({ at: "sending" });
    const ring = await keyRingOf(userId);
    const sent = await ring.withVaultKey(async (bytes) => {
      await send(link.id, device, bytes);
      return true;
    });
    if (sent === null) return setState({ at: "unable" });
    onClose();
    showToast(t("hand.done"));
  }

  const start = (): void =>
    run(async () => {
      setState({ at: "waiting" });
      const device = await answer(link, secret, over.current.signal);
      if (secret !== null) return hand(device);
      const words = await device.words(await loadWords(language));
      if (words !== null) setState({ at: "comparing", device, words });
    }, state);
  const refuse = (): void => {
    if (state.at !== "stopped") void giveUp(link.id);
    onClose();
  };

  return (
    <Dialog
      isOpen
      isAlert
      title={t("hand.title")}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={refuse}>
            {state.at === "comparing"
              ? t("differ")
              : state.at === "asking" || state.at === "waiting"
                ? t("hand.refuse")
                : t("close")}
          </Button>
          {state.at === "asking" && (
            <Button variant="primary" icon="keyhole" onPress={start}>
              {secret === null ? t("hand.words") : t("hand.go")}
            </Button>
          )}
          {(state.at === "waiting" || state.at === "sending") && (
            <Button variant="primary" isBusy>
              {t(`hand.${state.at}`)}
            </Button>
          )}
          {state.at === "comparing" && (
            <Button
              variant="primary"
              icon="keyhole"
              onPress={() => run(() => hand(state.device), state)}
            >
              {t("hand.same")}
            </Button>
          )}
        </>
      }
    >
      <div aria-live="polite">
        {state.at === "unable" && <p className="dialog__text">{t("hand.unable")}</p>}
        {state.at === "stopped" && <p className="dialog__text">{t(`stopped.${state.why}`)}</p>}
        {state.at === "failed" && <Fault fault={state.fault} where="act" />}
        {(state.at === "asking" || state.at === "waiting" || state.at === "sending") && (
          <>
            <p className="dialog__text">{t("hand.text")}</p>
            <Who link={link} />
            <p className="dialog__text">{secret === null ? t("hand.byWords") : t("hand.byCode")}</p>
          </>
        )}
        {state.at === "comparing" && (
          <>
            <p className="dialog__text">{t("hand.compare")}</p>
            <Words words={state.words} />
          </>
        )}
      </div>
    </Dialog>
  );
}

function Who({ link }: { link: DeviceLink }) {
  const browserName = useBrowserName();
  const locale = useLocale();
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "short" }).format(
    new Date(link.created_at),
  );
  return (
    <div className="devwho">
      <Icon name="device" size={28} />
      <div>
        <p className="b">{browserName(link.browser)}</p>
        <p className="sm mut">{[link.place, time].filter((part) => part !== "").join(" · ")}</p>
      </div>
    </div>
  );
}

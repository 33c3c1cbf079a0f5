import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import type { DeviceLink } from "../../../api/deviceLinks.ts";
import { Button, CalmPage, useSlowly } from "../../../design/index.ts";
import { Fault } from "../../../identity/Fault.tsx";
import { parseLinkCode } from "../../../sealing/keys/deviceLink.ts";
import { useFragment } from "../../../useFragment.ts";
import { useKeyRing } from "../../../vault/useKeyRing.ts";
import { findAsked, type Stop, Stopped } from "./exchange.ts";
import HandOverDialog from "./HandOverDialog.tsx";

type State =
  | { readonly at: "looking" }
  | { readonly at: "found"; readonly link: DeviceLink }
  | { readonly at: "stopped"; readonly why: Stop | "damaged" }
  | { readonly at: "failed"; readonly fault: unknown };

/** `/link#<code>`: the QR code of a new device, opened on one that has the keys. */
export default function LinkPage({ userId }: { userId: string }) {
  const { t } = useTranslation("devices");
  const [, navigate] = useLocation();
  const code = useFragment(parseLinkCode);
  const [state, setState] = useState<State>({ at: "looking" });
  const keys = useKeyRing(userId);
  const isSlow = useSlowly();
  const isOpen = keys.status === "open";

  useEffect(() => {
    if (!isOpen) return;
    let isHere = true;
    const show = (next: State) => {
      if (isHere) setState(next);
    };
    if (code === null) show({ at: "stopped", why: "damaged" });
    else
      findAsked(code).then(
        (link) => show({ at: "found", link }),
        (fault: unknown) =>
          show(
            fault instanceof Stopped ? { at: "stopped", why: fault.why } : { at: "failed", fault },
          ),
      );
    return () => {
      isHere = false;
    };
  }, [code, isOpen]);

  const leave = (): void => navigate("/", { replace: true });
  const toStart = <Button onPress={leave}>{t("toStart")}</Button>;
  if (keys.status !== "open" && keys.status !== "opening") {
    return (
      <CalmPage
        title={t("link.title")}
        icon="lock"
        heading={t("link.locked.heading")}
        text={t("link.locked.text")}
        actions={toStart}
      />
    );
  }
  if (state.at === "stopped" || state.at === "failed") {
    return (
      <CalmPage
        title={t("link.title")}
        icon="alert"
        heading={t("link.stopped")}
        text={
          state.at === "stopped" ? (
            <p role="alert">{t(`stopped.${state.why}`)}</p>
          ) : (
            <Fault fault={state.fault} where="act" />
          )
        }
        actions={toStart}
      />
    );
  }
  return (
    <>
      <CalmPage
        title={t("link.title")}
        icon="device"
        heading={t("link.heading")}
        text={isSlow && state.at === "looking" ? <p role="status">{t("link.looking")}</p> : null}
      />
      {state.at === "found" && (
        <HandOverDialog
          userId={userId}
          link={state.link}
          secret={code?.secret ?? null}
          onClose={leave}
        />
      )}
    </>
  );
}

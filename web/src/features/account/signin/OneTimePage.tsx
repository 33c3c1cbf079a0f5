import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { lookAtWelcome, takeWelcome, type Welcome } from "../../../api/account.ts";
import { asApiError } from "../../../api/errors.ts";
import { signedIn, useSession } from "../../../api/queries.ts";
import { useErrorText } from "../../../api/useErrorText.ts";
import { Button, CalmPage, useSlowly } from "../../../design/index.ts";
import { useLocale } from "../../../i18n/index.ts";
import { Fault } from "../../../identity/Fault.tsx";
import { useAct } from "../../../identity/useAct.ts";
import { useFragment } from "../../../useFragment.ts";
import "../account.css";

/** `/welcome#<token>`: an invitation, or the way back to an account; looked at before it is used. */
export default function OneTimePage() {
  const { t } = useTranslation(["signin", "common"]);
  const token = useFragment((fragment) => fragment.slice(1));
  const [found, setFound] = useState<Welcome | null>(null);
  const look = useAct();
  const { run } = look;
  const hasLooked = useRef(false);
  const errorText = useErrorText();
  const isSlow = useSlowly();

  const start = (): void => run(async () => setFound(await lookAtWelcome(token)));
  useEffect(() => {
    if (token === "" || hasLooked.current) return;
    hasLooked.current = true;
    start();
  });

  const status = look.fault === null ? null : asApiError(look.fault).status;
  if (token === "" || status === 404) {
    const state = token === "" ? "missing" : "gone";
    return (
      <CalmPage
        title={t("welcome.title")}
        icon="keyhole"
        heading={t(`welcome.${state}.heading`)}
        text={t(`welcome.${state}.text`)}
      />
    );
  }
  if (look.fault !== null) {
    return (
      <CalmPage
        title={t("welcome.title")}
        icon="alert"
        heading={t("welcome.failed")}
        text={<p role="alert">{errorText(look.fault)}</p>}
        actions={
          <Button variant="primary" onPress={start}>
            {t("common:retry")}
          </Button>
        }
      />
    );
  }
  if (found === null) {
    return (
      <main id="main" className="calm">
        {isSlow && <p role="status">{t("welcome.looking")}</p>}
      </main>
    );
  }
  return <Invited token={token} found={found} />;
}

function Invited({ token, found }: { token: string; found: Welcome }) {
  const { t } = useTranslation("signin");
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const session = useSession();
  const locale = useLocale();
  const act = useAct();
  const until = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short" }).format(
    new Date(found.expires_at),
  );
  const text = found.kind === "reset" ? t("welcome.reset.text") : t(`welcome.as.${found.role}`);
  return (
    <CalmPage
      title={t("welcome.title")}
      icon="keyhole"
      heading={t(`welcome.${found.kind}.heading`)}
      text={
        <>
          <p>{text}</p>
          {found.login !== null && (
            <p className="b">{t("welcome.login", { login: found.login })}</p>
          )}
          <p className="sm mut">{t("welcome.until", { until })}</p>
          {session.data && <p className="sm c-caution">{t("welcome.other")}</p>}
          <Fault fault={act.fault} where="act" />
        </>
      }
      actions={
        <Button
          variant="primary"
          size="large"
          isBusy={act.isBusy}
          onPress={() =>
            act.run(async () => {
              signedIn(client, (await takeWelcome(token)).user);
              navigate("/set-up", { replace: true });
            })
          }
        >
          {t(`welcome.${found.kind}.button`)}
        </Button>
      }
    />
  );
}

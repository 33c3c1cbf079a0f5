import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { register } from "../../../api/account.ts";
import { signedIn, useRegistration, useSession } from "../../../api/queries.ts";
import { Button, CalmPage } from "../../../design/index.ts";
import { Fault } from "../../../identity/Fault.tsx";
import { useAct } from "../../../identity/useAct.ts";
import "../account.css";

/** `/register`: an account for whoever asks, where the server allows that. */
export default function RegisterPage() {
  const { t } = useTranslation("signin");
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const session = useSession();
  const isOpen = useRegistration();
  const act = useAct();
  if (session.isPending) return <main id="main" className="calm" />;
  if (!isOpen) {
    return (
      <CalmPage
        title={t("registering.title")}
        icon="keyhole"
        heading={t("registering.closed.heading")}
        text={t("registering.closed.text")}
        actions={<Button onPress={() => navigate("/sign-in")}>{t("title")}</Button>}
      />
    );
  }
  return (
    <CalmPage
      title={t("registering.title")}
      icon="user-plus"
      heading={t("registering.heading")}
      text={
        <>
          <p>{t("registering.text")}</p>
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
              signedIn(client, (await register()).user);
              navigate("/set-up", { replace: true });
            })
          }
        >
          {t("welcome.invitation.button")}
        </Button>
      }
    />
  );
}

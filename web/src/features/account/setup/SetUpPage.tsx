import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { fetchAccount, makeRecoveryCodes } from "../../../api/account.ts";
import { useSession } from "../../../api/queries.ts";
import { Button, PageTitle } from "../../../design/index.ts";
import { Fault } from "../../../identity/Fault.tsx";
import { withFresh } from "../../../identity/fresh.ts";
import { passkeyHindrance } from "../../../identity/passkeys.ts";
import { useAct } from "../../../identity/useAct.ts";
import { ownAct } from "../ownActs.ts";
import { addNewPasskey } from "./newPasskey.ts";
import { PasswordDialog } from "./PasswordDialog.tsx";
import { RecoveryCodesDialog } from "./RecoveryCodesDialog.tsx";
import "../account.css";

/** `/set-up`: how one will come back. A passkey, or password and code; then codes for bad days. */
export default function SetUpPage() {
  const { t } = useTranslation("signin");
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const session = useSession();
  const user = session.data;
  const hindrance = passkeyHindrance();
  const act = useAct();
  const [isChoosing, setChoosing] = useState(false);
  const [codes, setCodes] = useState<readonly string[] | null>(null);

  useEffect(() => {
    if (user === null) navigate("/sign-in", { replace: true });
  }, [user, navigate]);

  const finish = async (): Promise<void> => {
    setChoosing(false);
    // Who comes back to an account has codes on paper: they stay good.
    const { recovery_codes_left: left } = await fetchAccount();
    if (left > 0) navigate("/", { replace: true });
    else setCodes((await ownAct(client, () => withFresh(makeRecoveryCodes))).codes);
  };

  if (!user) return <main id="main" className="entry" />;
  return (
    <main id="main" className="entry">
      <div className="entry__in">
        <PageTitle title={t("setUp.title")}>{t("setUp.heading")}</PageTitle>
        <p className="entry__lead">
          {hindrance === null ? t("setUp.text") : t("setUp.noPasskeys")}
        </p>
        {hindrance === null && (
          <div className="entry__way">
            <Button
              variant="primary"
              size="large"
              icon="keyhole"
              isBusy={act.isBusy}
              onPress={() => act.run(() => ownAct(client, addNewPasskey).then(finish))}
            >
              {act.isBusy ? t("passkey.waiting") : t("setUp.passkey")}
            </Button>
          </div>
        )}
        <Fault fault={act.fault} where="passkey" />
        <section className="entry__ways" aria-labelledby="other-ways">
          <h2 className="label" id="other-ways">
            {t("setUp.other")}
          </h2>
          <ul>
            <li>
              <Button
                variant={hindrance === null ? "quiet" : "primary"}
                icon="lock"
                onPress={() => setChoosing(true)}
              >
                {t("setUp.password")}
              </Button>
            </li>
            <li>
              <Button variant="quiet" icon="clock" onPress={() => navigate("/")}>
                {t("setUp.later")}
              </Button>
            </li>
          </ul>
          <p className="sm mut">{t(`setUp.laterText.${user.role}`)}</p>
        </section>
      </div>
      {isChoosing && (
        <PasswordDialog
          login={user.login}
          onSet={() => act.run(finish)}
          onClose={() => setChoosing(false)}
        />
      )}
      {codes !== null && (
        <RecoveryCodesDialog codes={codes} onClose={() => navigate("/", { replace: true })} />
      )}
    </main>
  );
}

import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import {
  askForPasskey,
  type SignedIn,
  signInByPasskey,
  signInByPassword,
  signInByRecoveryCode,
} from "../../../api/account.ts";
import { signedIn, useHasMoved, useRegistration, useSession } from "../../../api/queries.ts";
import { Button, Icon, PageTitle, TextField } from "../../../design/index.ts";
import { pageAfterSignIn } from "../../../identity/afterSignIn.ts";
import { Fault, type Where } from "../../../identity/Fault.tsx";
import { PasswordAndCode } from "../../../identity/PasswordAndCode.tsx";
import { answerWithPasskey, passkeyHindrance } from "../../../identity/passkeys.ts";
import { useAct } from "../../../identity/useAct.ts";
import "../account.css";

type Way = "passkey" | "password" | "recovery";
const WAYS: readonly Way[] = ["passkey", "password", "recovery"];

/** `/sign-in`: passkey first, the other ways below it. */
export default function SignInPage() {
  const { t } = useTranslation("signin");
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const session = useSession();
  const hasMoved = useHasMoved();
  const isOpen = useRegistration();
  const hindrance = passkeyHindrance();
  const [way, setWay] = useState<Way>(hindrance === null ? "passkey" : "password");
  const act = useAct();
  const isIn = session.data !== null && session.data !== undefined;

  useEffect(() => {
    if (isIn) navigate(pageAfterSignIn(), { replace: true });
  }, [isIn, navigate]);

  const enter = (work: () => Promise<SignedIn>): void =>
    act.run(async () => signedIn(client, (await work()).user));
  const choose = (next: Way): void => {
    act.forget();
    setWay(next);
  };

  return (
    <main id="main" className="entry">
      <div className="entry__in">
        <PageTitle title={t("title")}>{t("heading")}</PageTitle>
        {hasMoved && (
          <p className="fault" role="status">
            <Icon name="info" size={20} />
            <span>{t("moved")}</span>
          </p>
        )}
        {way === "passkey" && (
          <section className="stack entry__way">
            <p className="mut">{t("passkey.text")}</p>
            <Button
              variant="primary"
              size="large"
              icon="keyhole"
              isBusy={act.isBusy}
              onPress={() =>
                enter(async () => {
                  const { challenge_id, options } = await askForPasskey();
                  return signInByPasskey(challenge_id, await answerWithPasskey(options));
                })
              }
            >
              {act.isBusy ? t("passkey.waiting") : t("passkey.button")}
            </Button>
          </section>
        )}
        {way === "password" && (
          <PasswordForm
            isBusy={act.isBusy}
            hindrance={hindrance === null ? null : t(`passkeyFault.${hindrance}`)}
            onSubmit={(given) => enter(() => signInByPassword(given))}
          />
        )}
        {way === "recovery" && (
          <RecoveryForm
            isBusy={act.isBusy}
            onSubmit={(code) => enter(() => signInByRecoveryCode(code))}
          />
        )}
        <Fault fault={act.fault} where={way satisfies Where} />
        <section className="entry__ways" aria-labelledby="other-ways">
          <h2 className="label" id="other-ways">
            {t("otherWays")}
          </h2>
          <ul>
            {WAYS.filter((other) => other !== way).map((other) => (
              <li key={other}>
                <Button variant="quiet" icon={ICONS[other]} onPress={() => choose(other)}>
                  {t(`ways.${other}`)}
                </Button>
              </li>
            ))}
          </ul>
          <p className="sm mut">
            {isOpen ? <Link href="/register">{t("register")}</Link> : t("noAccount")}
          </p>
        </section>
      </div>
    </main>
  );
}

const ICONS = { passkey: "keyhole", password: "lock", recovery: "pen" } as const;

interface PasswordFormProps {
  isBusy: boolean;
  /** Why there are no passkeys on this page. */
  hindrance: string | null;
  onSubmit(given: { login: string; password: string; code: string }): void;
}

function PasswordForm({ isBusy, hindrance, onSubmit }: PasswordFormProps) {
  const { t } = useTranslation("signin");
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  return (
    <form
      className="stack entry__way"
      noValidate
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        onSubmit({ login, password, code });
      }}
    >
      {hindrance !== null && <p className="mut">{hindrance}</p>}
      <TextField
        label={t("password.login")}
        value={login}
        onChange={setLogin}
        autoComplete="username"
        autoCorrect="off"
        spellCheck="false"
        autoFocus
      />
      <PasswordAndCode
        login={null}
        password={password}
        code={code}
        onPassword={setPassword}
        onCode={setCode}
      />
      <Button type="submit" variant="primary" size="large" isBusy={isBusy}>
        {isBusy ? t("busy") : t("password.button")}
      </Button>
    </form>
  );
}

interface RecoveryFormProps {
  isBusy: boolean;
  onSubmit(code: string): void;
}

function RecoveryForm({ isBusy, onSubmit }: RecoveryFormProps) {
  const { t } = useTranslation("signin");
  const [code, setCode] = useState("");
  return (
    <form
      className="stack entry__way"
      noValidate
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        onSubmit(code);
      }}
    >
      <p className="mut">{t("recovery.text")}</p>
      <TextField
        label={t("recovery.code")}
        placeholder="XXXXX-XXXXX-XXXXX-XXXXX"
        value={code}
        onChange={setCode}
        autoComplete="off"
        autoCorrect="off"
        spellCheck="false"
        autoFocus
      />
      <Button type="submit" variant="primary" size="large" isBusy={isBusy}>
        {isBusy ? t("busy") : t("recovery.button")}
      </Button>
    </form>
  );
}

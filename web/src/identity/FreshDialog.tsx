import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { askForPasskeyAgain, proveByPasskey, proveByPassword, useAccount } from "../api/account.ts";
import { Button, Dialog, useSlowly } from "../design/index.ts";
import { Fault } from "./Fault.tsx";
import { PasswordAndCode } from "./PasswordAndCode.tsx";
import { answerWithPasskey } from "./passkeys.ts";
import { useAct } from "./useAct.ts";

export interface FreshDialogProps {
  onAnswer(isProven: boolean): void;
}

/** Passkey by one press; password and code below it. */
export default function FreshDialog({ onAnswer }: FreshDialogProps) {
  const { t } = useTranslation(["signin", "common"]);
  const account = useAccount();
  const form = useId();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [isTyping, setTyping] = useState(false);
  const act = useAct();
  const isSlow = useSlowly();
  const hasPasskey = (account.data?.passkeys.length ?? 0) > 0;
  const hasPassword = account.data?.password.is_set === true;
  const isForm = hasPassword && (isTyping || !hasPasskey);

  const byPasskey = (): void =>
    act.run(async () => {
      const { challenge_id, options } = await askForPasskeyAgain();
      await proveByPasskey(challenge_id, await answerWithPasskey(options));
      onAnswer(true);
    });
  const byPassword = (): void =>
    act.run(async () => {
      await proveByPassword({ password, code });
      onAnswer(true);
    });

  return (
    <Dialog
      isOpen
      isAlert
      title={t("fresh.title")}
      onClose={() => onAnswer(false)}
      actions={
        <>
          <Button variant="line" onPress={() => onAnswer(false)}>
            {t("common:cancel")}
          </Button>
          {isForm && (
            <Button type="submit" form={form} variant="primary" isBusy={act.isBusy}>
              {t("fresh.go")}
            </Button>
          )}
          {hasPasskey && !isForm && (
            <Button variant="primary" icon="keyhole" isBusy={act.isBusy} onPress={byPasskey}>
              {t("fresh.passkey")}
            </Button>
          )}
        </>
      }
    >
      <p className="dialog__text">
        {account.data === undefined || hasPasskey || hasPassword
          ? t("fresh.text")
          : t("fresh.nothing")}
      </p>
      {account.data === undefined && isSlow && (
        <p className="dialog__text" role="status">
          {t("fresh.loading")}
        </p>
      )}
      {isForm && (
        <form
          id={form}
          className="dialog__form"
          noValidate
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            byPassword();
          }}
        >
          <PasswordAndCode
            login={account.data?.user.login ?? null}
            password={password}
            code={code}
            onPassword={setPassword}
            onCode={setCode}
          />
        </form>
      )}
      {hasPasskey && hasPassword && !isForm && (
        <p className="dialog__text">
          <Button variant="quiet" size="dense" onPress={() => setTyping(true)}>
            {t("fresh.otherWay")}
          </Button>
        </p>
      )}
      <Fault fault={act.fault ?? (account.isError ? account.error : null)} where="fresh" />
    </Dialog>
  );
}

import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  beginPassword,
  confirmPassword,
  type PasswordSetUp,
  setLogin,
} from "../../../api/account.ts";
import { asApiError } from "../../../api/errors.ts";
import { Button, Dialog, QrCode, showToast, TextField } from "../../../design/index.ts";
import { Fault } from "../../../identity/Fault.tsx";
import { withFresh } from "../../../identity/fresh.ts";
import { KnownLogin } from "../../../identity/KnownLogin.tsx";
import { CodeField } from "../../../identity/PasswordAndCode.tsx";
import { useAct } from "../../../identity/useAct.ts";
import { copyText } from "../../../useCopyLink.ts";
import { ownAct } from "../ownActs.ts";

const SHORTEST = 12;

export interface PasswordDialogProps {
  /** Null: has to be chosen here, for a password belongs to a name. */
  login: string | null;
  /** In use now. */
  onSet(): void;
  onClose(): void;
}

/** A password, then the app that shows its codes: in use when the first code is right. */
export function PasswordDialog(props: PasswordDialogProps) {
  const [setUp, setSetUp] = useState<PasswordSetUp | null>(null);
  return setUp === null ? (
    <ChooseDialog {...props} onBegun={setSetUp} />
  ) : (
    <CodeDialog {...props} setUp={setUp} onBack={() => setSetUp(null)} />
  );
}

function ChooseDialog({
  login,
  onBegun,
  onClose,
}: PasswordDialogProps & { onBegun(setUp: PasswordSetUp): void }) {
  const { t } = useTranslation(["signin", "common"]);
  const form = useId();
  const act = useAct();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [wrong, setWrong] = useState<{ name?: string; password?: string }>({});

  function submit(event: FormEvent): void {
    event.preventDefault();
    const isNamed = login !== null || name.trim() !== "";
    const isLong = [...password].length >= SHORTEST;
    setWrong({
      ...(isNamed ? {} : { name: t("setPassword.noName") }),
      ...(isLong ? {} : { password: t("setPassword.short") }),
    });
    if (!isNamed || !isLong) return;
    act.run(async () => {
      try {
        if (login === null) await withFresh(() => setLogin(name.trim()));
        onBegun(await withFresh(() => beginPassword(password)));
      } catch (error) {
        const { code } = asApiError(error);
        if (code === "password") setWrong({ password: t("setPassword.weak") });
        else if (code === "login") setWrong({ name: t("setPassword.badName") });
        else throw error;
      }
    });
  }

  return (
    <Dialog
      isOpen
      isAlert
      title={t("setPassword.title")}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("common:cancel")}
          </Button>
          <Button type="submit" form={form} variant="primary" isBusy={act.isBusy}>
            {t("setPassword.next")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("setPassword.text")}</p>
      <form id={form} className="dialog__form" noValidate onSubmit={submit}>
        {login === null ? (
          <TextField
            label={t("setPassword.name")}
            hint={t("setPassword.nameHint")}
            value={name}
            onChange={setName}
            error={wrong.name}
            autoComplete="username"
            autoCorrect="off"
            spellCheck="false"
            autoFocus
          />
        ) : (
          <KnownLogin login={login} />
        )}
        <TextField
          label={t("setPassword.password")}
          hint={t("setPassword.passwordHint")}
          type="password"
          value={password}
          onChange={(text) => {
            setPassword(text);
            setWrong({});
          }}
          error={wrong.password}
          autoComplete="new-password"
          autoFocus={login !== null}
        />
      </form>
      <Fault fault={act.fault} where="act" />
    </Dialog>
  );
}

function CodeDialog({
  setUp,
  onSet,
  onBack,
  onClose,
}: PasswordDialogProps & { setUp: PasswordSetUp; onBack(): void }) {
  const { t } = useTranslation(["signin", "common"]);
  const client = useQueryClient();
  const form = useId();
  const act = useAct();
  const [code, setCode] = useState("");
  const copy = async (): Promise<void> => {
    const hasCopied = await copyText(setUp.secret);
    showToast(t(hasCopied ? "setPassword.copied" : "setPassword.notCopied"));
  };
  return (
    <Dialog
      isOpen
      isAlert
      title={t("setPassword.codeTitle")}
      onClose={onClose}
      actions={
        <>
          <Button variant="quiet" onPress={onBack}>
            {t("setPassword.back")}
          </Button>
          <Button type="submit" form={form} variant="primary" isBusy={act.isBusy}>
            {t("setPassword.done")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("setPassword.codeText")}</p>
      <div className="setup__totp">
        <QrCode text={setUp.uri} label={t("setPassword.qr")} />
        <div className="stack">
          <p className="sm mut">{t("setPassword.typed")}</p>
          <p>
            <code className="setup__secret">{inFours(setUp.secret)}</code>
          </p>
          <div>
            <Button variant="line" size="dense" icon="copy" onPress={() => void copy()}>
              {t("setPassword.copy")}
            </Button>
          </div>
        </div>
      </div>
      <form
        id={form}
        className="dialog__form"
        noValidate
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          act.run(async () => {
            const digits = code.replace(/\s/g, "");
            await ownAct(client, () => withFresh(() => confirmPassword(setUp.setup_id, digits)));
            onSet();
          });
        }}
      >
        <CodeField
          label={t("setPassword.code")}
          hint={t("setPassword.codeHint")}
          value={code}
          onChange={setCode}
        />
      </form>
      <Fault fault={act.fault} where="code" />
    </Dialog>
  );
}

/** Easier to read off and to type. */
function inFours(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, "$1 ");
}

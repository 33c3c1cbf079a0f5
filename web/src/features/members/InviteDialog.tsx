import { type FormEvent, useId, useState } from "react";
import { Label, Radio, RadioGroup } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { inviteMember } from "../../api/members.ts";
import type { Role } from "../../api/types.ts";
import { Button, Dialog, Switch, TextField } from "../../design/index.ts";
import { useLanguage } from "../../i18n/index.ts";
import { Fault } from "../../identity/Fault.tsx";
import type { MadeLink } from "./MembersPage.tsx";
import { useMembersAct } from "./useMembersAct.ts";

export interface InviteDialogProps {
  canMail: boolean;
  onMade(link: MadeLink): void;
  onClose(): void;
}

const ROLES = ["member", "operator"] as const;

/** Whom, as what, and how the link gets there. */
export function InviteDialog({ canMail, onMade, onClose }: InviteDialogProps) {
  const { t } = useTranslation(["members", "common"]);
  const language = useLanguage();
  const act = useMembersAct();
  const form = useId();
  const [role, setRole] = useState<Role>("member");
  const [login, setLogin] = useState("");
  const [wantsMail, setWantsMail] = useState(canMail);
  const [error, setError] = useState<string>();
  const isAddress = /^\S+@\S+$/.test(login.trim());

  function submit(event: FormEvent): void {
    event.preventDefault();
    const mail = canMail && wantsMail;
    if (mail && !isAddress) {
      setError(t("invite.noAddress"));
      return;
    }
    act.run(
      () =>
        inviteMember({ role, login: login.trim() === "" ? null : login.trim(), mail, language }),
      ({ url, expires_at, mailed, mail_error }) =>
        onMade({ url, expires_at, why: "invitation", isMailed: mailed, mailError: mail_error }),
    );
  }

  return (
    <Dialog
      isOpen
      isAlert
      title={t("invite.title")}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("common:cancel")}
          </Button>
          <Button type="submit" form={form} variant="primary" isBusy={act.isBusy}>
            {canMail && wantsMail ? t("invite.send") : t("invite.make")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("invite.text")}</p>
      <form id={form} className="dialog__form" noValidate onSubmit={submit}>
        <RadioGroup
          className="choices"
          value={role}
          onChange={(value) => setRole(value === "operator" ? "operator" : "member")}
        >
          <Label className="label">{t("invite.role")}</Label>
          {ROLES.map((value) => (
            <Radio key={value} className="choice" value={value}>
              <span className="choice__dot" />
              <span>
                <span className="b">{t(`role.${value}`)}</span>
                <span className="sm mut choice__text">{t(`invite.as.${value}`)}</span>
              </span>
            </Radio>
          ))}
        </RadioGroup>
        <TextField
          label={canMail ? t("invite.address") : t("invite.name")}
          hint={t("invite.nameHint")}
          value={login}
          onChange={(text) => {
            setLogin(text);
            setError(undefined);
          }}
          error={error}
          autoComplete="off"
          autoCorrect="off"
          spellCheck="false"
        />
        {canMail && (
          <Switch isSelected={wantsMail} onChange={setWantsMail}>
            {t("invite.mail")}
          </Switch>
        )}
      </form>
      <Fault fault={act.fault} where="act" />
    </Dialog>
  );
}

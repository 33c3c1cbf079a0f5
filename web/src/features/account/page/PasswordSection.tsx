import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Account, removePassword, setLogin } from "../../../api/account.ts";
import { Button, showToast } from "../../../design/index.ts";
import { PasswordDialog } from "../setup/PasswordDialog.tsx";
import { ConfirmDialog } from "./ConfirmDialog.tsx";
import { FieldDialog } from "./FieldDialog.tsx";
import { Section } from "./Section.tsx";
import { useAccountAct } from "./useAccountAct.ts";
import { useDates } from "./useDates.ts";

type Open = "name" | "password" | "remove";

/** The sign-in name, and the password with its code that belong to it. */
export function PasswordSection({ account }: { account: Account }) {
  const { t } = useTranslation("account");
  const { day } = useDates();
  const act = useAccountAct();
  const [open, setOpen] = useState<Open | null>(null);
  const { login } = account.user;
  const { is_set: isSet, changed_at: changedAt } = account.password;
  const close = () => setOpen(null);
  const done = (text: string) => {
    close();
    showToast(text);
  };
  return (
    <Section title={t("password.title")} text={t("password.text")}>
      <ul className="acc__list">
        <li>
          <div className="grow">
            <p className="b">{t("name.title")}</p>
            <p className="sm mut acc__name">{login ?? t("name.none")}</p>
          </div>
          <Button
            size="dense"
            aria-label={login === null ? t("name.chooseLabel") : t("name.changeLabel")}
            onPress={() => setOpen("name")}
          >
            {login === null ? t("name.choose") : t("change")}
          </Button>
        </li>
        <li>
          <div className="grow">
            <p className="b">{t("password.row")}</p>
            <p className="sm mut">
              {isSet
                ? changedAt === null
                  ? t("password.set")
                  : t("password.setOn", { date: day(changedAt) })
                : t("password.none")}
            </p>
          </div>
          <Button
            size="dense"
            aria-label={isSet ? t("password.changeLabel") : t("password.addLabel")}
            onPress={() => setOpen("password")}
          >
            {isSet ? t("change") : t("password.add")}
          </Button>
          {isSet && (
            <Button
              variant="quiet"
              size="dense"
              aria-label={t("password.removeLabel")}
              onPress={() => setOpen("remove")}
            >
              {t("remove")}
            </Button>
          )}
        </li>
      </ul>
      {open === "name" && (
        <NameDialog login={login} onDone={() => done(t("name.saved"))} onClose={close} />
      )}
      {open === "password" && (
        <PasswordDialog login={login} onSet={() => done(t("password.saved"))} onClose={close} />
      )}
      {open === "remove" && (
        <ConfirmDialog
          title={t("password.removeTitle")}
          verb={t("remove")}
          act={act}
          onConfirm={() => act.run(removePassword, () => done(t("password.removed")))}
          onClose={close}
        >
          <p className="dialog__text">{t("password.removeText")}</p>
        </ConfirmDialog>
      )}
    </Section>
  );
}

interface NameDialogProps {
  login: string | null;
  onDone(): void;
  onClose(): void;
}

function NameDialog({ login, onDone, onClose }: NameDialogProps) {
  const { t } = useTranslation(["account", "signin"]);
  const act = useAccountAct();
  return (
    <FieldDialog
      title={t("name.title")}
      field={{
        label: t("name.title"),
        hint: t("signin:setPassword.nameHint"),
        autoComplete: "username",
        autoCorrect: "off",
        spellCheck: "false",
      }}
      before={login ?? ""}
      empty={t("signin:setPassword.noName")}
      act={act}
      onSave={(name) => act.run(() => setLogin(name), onDone)}
      onClose={onClose}
    />
  );
}

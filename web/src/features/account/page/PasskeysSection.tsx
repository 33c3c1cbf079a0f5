import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Account, type Passkey, removePasskey, renamePasskey } from "../../../api/account.ts";
import { Button, IconButton, showToast, Tag } from "../../../design/index.ts";
import { Fault } from "../../../identity/Fault.tsx";
import { passkeyHindrance } from "../../../identity/passkeys.ts";
import { addNewPasskey } from "../setup/newPasskey.ts";
import { ConfirmDialog } from "./ConfirmDialog.tsx";
import { FieldDialog } from "./FieldDialog.tsx";
import { Section } from "./Section.tsx";
import { useAccountAct } from "./useAccountAct.ts";
import { useDates } from "./useDates.ts";

const LONGEST = 64;

export function PasskeysSection({ account }: { account: Account }) {
  const { t } = useTranslation(["account", "signin"]);
  const act = useAccountAct();
  const { day } = useDates();
  const hindrance = passkeyHindrance();
  const [renaming, setRenaming] = useState<Passkey | null>(null);
  const [removing, setRemoving] = useState<Passkey | null>(null);
  return (
    <Section
      title={t("passkeys.title")}
      text={t("passkeys.text")}
      action={
        <Button
          size="dense"
          icon="plus"
          isBusy={act.isBusy}
          disabledReason={hindrance === null ? undefined : t(`signin:passkeyFault.${hindrance}`)}
          onPress={() => act.run(addNewPasskey, () => showToast(t("passkeys.added")))}
        >
          {t("passkeys.add")}
        </Button>
      }
    >
      <Fault fault={act.fault} where="passkey" />
      {account.passkeys.length === 0 ? (
        <p className="acc__note mut">{t("passkeys.none")}</p>
      ) : (
        <ul className="acc__list">
          {account.passkeys.map((passkey) => (
            <li key={passkey.id}>
              <div className="grow">
                <p className="b acc__name">
                  {passkey.name}
                  {passkey.is_backed_up && <Tag>{t("passkeys.synced")}</Tag>}
                </p>
                <p className="sm mut">
                  {passkey.last_used_at === null
                    ? t("passkeys.unused", { made: day(passkey.created_at) })
                    : t("passkeys.used", {
                        made: day(passkey.created_at),
                        used: day(passkey.last_used_at),
                      })}
                </p>
              </div>
              <IconButton
                icon="pen"
                label={t("passkeys.renameLabel", { name: passkey.name })}
                onPress={() => setRenaming(passkey)}
              />
              <Button
                variant="quiet"
                size="dense"
                aria-label={t("passkeys.removeLabel", { name: passkey.name })}
                onPress={() => setRemoving(passkey)}
              >
                {t("remove")}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {renaming && <RenameDialog passkey={renaming} onClose={() => setRenaming(null)} />}
      {removing && <RemoveDialog passkey={removing} onClose={() => setRemoving(null)} />}
    </Section>
  );
}

interface PasskeyDialogProps {
  passkey: Passkey;
  onClose(): void;
}

function RenameDialog({ passkey, onClose }: PasskeyDialogProps) {
  const { t } = useTranslation("account");
  const act = useAccountAct();
  return (
    <FieldDialog
      title={t("passkeys.renameTitle")}
      field={{
        label: t("passkeys.name"),
        hint: t("passkeys.nameHint"),
        maxLength: LONGEST,
        autoComplete: "off",
      }}
      before={passkey.name}
      empty={t("passkeys.nameEmpty")}
      act={act}
      onSave={(name) => act.run(() => renamePasskey(passkey.id, name), onClose)}
      onClose={onClose}
    />
  );
}

function RemoveDialog({ passkey, onClose }: PasskeyDialogProps) {
  const { t } = useTranslation("account");
  const act = useAccountAct();
  return (
    <ConfirmDialog
      title={t("passkeys.removeTitle", { name: passkey.name })}
      verb={t("remove")}
      act={act}
      onConfirm={() =>
        act.run(
          () => removePasskey(passkey.id),
          () => {
            onClose();
            showToast(t("passkeys.removed"));
          },
        )
      }
      onClose={onClose}
    >
      <p className="dialog__text">{t("passkeys.removeText")}</p>
    </ConfirmDialog>
  );
}

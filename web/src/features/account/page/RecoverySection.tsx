import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Account, makeRecoveryCodes } from "../../../api/account.ts";
import { Button } from "../../../design/index.ts";
import { Fault } from "../../../identity/Fault.tsx";
import { RecoveryCodesDialog } from "../setup/RecoveryCodesDialog.tsx";
import { ConfirmDialog } from "./ConfirmDialog.tsx";
import { Section } from "./Section.tsx";
import { useAccountAct } from "./useAccountAct.ts";

export function RecoverySection({ account }: { account: Account }) {
  const { t } = useTranslation("account");
  const act = useAccountAct();
  const [isAsking, setAsking] = useState(false);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const left = account.recovery_codes_left;
  const make = (): void =>
    act.run(makeRecoveryCodes, (made) => {
      setAsking(false);
      setCodes(made.codes);
    });
  return (
    <Section
      title={t("recovery.title")}
      text={t("recovery.text")}
      action={
        <Button
          size="dense"
          isBusy={act.isBusy}
          // The first ones replace none.
          onPress={() => (left === 0 ? make() : setAsking(true))}
        >
          {left === 0 ? t("recovery.first") : t("recovery.new")}
        </Button>
      }
    >
      <p className={left < 3 ? "acc__note c-caution" : "acc__note"}>
        {t("recovery.left", { count: left })}
      </p>
      {!isAsking && <Fault fault={act.fault} where="act" />}
      {isAsking && (
        <ConfirmDialog
          title={t("recovery.newTitle")}
          verb={t("recovery.new")}
          act={act}
          onConfirm={make}
          onClose={() => setAsking(false)}
        >
          <p className="dialog__text">{t("recovery.newText")}</p>
        </ConfirmDialog>
      )}
      {codes !== null && <RecoveryCodesDialog codes={codes} onClose={() => setCodes(null)} />}
    </Section>
  );
}

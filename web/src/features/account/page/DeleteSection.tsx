import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { type Account, deleteAccount } from "../../../api/account.ts";
import { setUser } from "../../../api/queries.ts";
import { Button, showToast, TextField } from "../../../design/index.ts";
import { withFresh } from "../../../identity/fresh.ts";
import { useAct } from "../../../identity/useAct.ts";
import { ConfirmDialog } from "./ConfirmDialog.tsx";
import { Section } from "./Section.tsx";

export function DeleteSection({ account }: { account: Account }) {
  const { t } = useTranslation("account");
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const act = useAct();
  const [isAsking, setAsking] = useState(false);
  const [typed, setTyped] = useState("");
  // A word that has to be meant; who has a name types that.
  const expected = account.user.login ?? t("delete.word");
  const isTyped = typed.trim().toLowerCase() === expected.toLowerCase();
  const erase = (): void =>
    act.run(async () => {
      await withFresh(deleteAccount);
      setUser(client, null);
      client.removeQueries({ queryKey: ["account"] });
      navigate("/", { replace: true });
      showToast(t("delete.done"));
    });
  return (
    <Section
      title={t("delete.title")}
      text={t("delete.text")}
      action={
        <Button variant="danger-line" size="dense" onPress={() => setAsking(true)}>
          {t("delete.button")}
        </Button>
      }
    >
      {isAsking && (
        <ConfirmDialog
          title={t("delete.askTitle")}
          verb={t("delete.confirm")}
          act={act}
          disabledReason={isTyped ? undefined : t("delete.typeFirst", { word: expected })}
          onConfirm={erase}
          onClose={() => {
            setAsking(false);
            setTyped("");
          }}
        >
          <p className="dialog__text">{t("delete.askText")}</p>
          <div className="dialog__form">
            <TextField
              label={t("delete.type", { word: expected })}
              value={typed}
              onChange={setTyped}
              autoComplete="off"
              autoCorrect="off"
              spellCheck="false"
            />
          </div>
        </ConfirmDialog>
      )}
    </Section>
  );
}

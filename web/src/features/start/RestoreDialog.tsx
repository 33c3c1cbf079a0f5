import { type FormEvent, useId, useState } from "react";
import { FieldError, Label, TextArea, TextField } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Button, Dialog, showToast } from "../../design/index.ts";
import { useLanguage } from "../../i18n/index.ts";
import type { Restored } from "../../vault/keyRing.ts";
import { keyRingOf } from "../../vault/session.ts";

const LONGEST_SHOWN = 24;

/** The 24 words from the paper. Says which one is wrong and what it may have been. */
export function RestoreDialog({ userId, onClose }: { userId: string; onClose(): void }) {
  const { t } = useTranslation(["vault", "common"]);
  const language = useLanguage();
  const form = useId();
  const [text, setText] = useState("");
  const [fault, setFault] = useState<string>();
  const [isOpening, setOpening] = useState(false);
  const faultText = useFaultText();

  async function open(): Promise<void> {
    setOpening(true);
    const restored = await keyRingOf(userId)
      .then((ring) => ring.restore(text, language))
      .catch((): Restored => ({ type: "unavailable" }));
    setOpening(false);
    setFault(faultText(restored));
    if (restored.type !== "open") return;
    onClose();
    showToast(t("restore.done"));
  }

  return (
    <Dialog
      isOpen
      isAlert
      title={t("restore.title")}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("common:cancel")}
          </Button>
          <Button type="submit" form={form} variant="primary" isBusy={isOpening}>
            {isOpening ? t("restore.opening") : t("restore.open")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("restore.text")}</p>
      <form
        id={form}
        className="dialog__form"
        noValidate
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          if (text.trim() === "") setFault(t("restore.empty"));
          else if (!isOpening) void open();
        }}
      >
        <TextField
          className="field"
          value={text}
          onChange={(value) => {
            setText(value);
            setFault(undefined);
          }}
          isInvalid={fault !== undefined}
          autoComplete="off"
          spellCheck="false"
          autoFocus
        >
          <Label className="label">{t("restore.label")}</Label>
          <div className="input">
            <TextArea rows={6} autoCapitalize="none" autoCorrect="off" />
          </div>
          <FieldError className="hint hint--error">{fault}</FieldError>
        </TextField>
      </form>
    </Dialog>
  );
}

function useFaultText(): (restored: Restored) => string | undefined {
  const { t } = useTranslation("vault");
  return (restored) => {
    switch (restored.type) {
      case "open":
        return undefined;
      case "count":
        return t("restore.count", { count: restored.count });
      case "unknown-word": {
        const typed = restored.typed.slice(0, LONGEST_SHOWN);
        const unknown = t("restore.unknown", { number: restored.at + 1, typed });
        const words = restored.nearest.join(", ");
        return words === "" ? unknown : `${unknown} ${t("restore.nearest", { words })}`;
      }
      default:
        return t(`restore.${restored.type}`);
    }
  };
}

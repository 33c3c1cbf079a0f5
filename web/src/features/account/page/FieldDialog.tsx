import { type ComponentProps, type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Dialog, TextField } from "../../../design/index.ts";
import { Fault } from "../../../identity/Fault.tsx";
import type { Act } from "../../../identity/useAct.ts";

type Field = Omit<ComponentProps<typeof TextField>, "value" | "onChange" | "error">;

export interface FieldDialogProps {
  title: string;
  field: Field;
  /** What stands in the field at first. */
  before: string;
  /** Said when nothing stands in it. */
  empty: string;
  act: Pick<Act, "isBusy" | "fault">;
  /** Without spaces around it, never empty. */
  onSave(text: string): void;
  onClose(): void;
}

/** One line of text, to be changed and saved. */
export function FieldDialog(props: FieldDialogProps) {
  const { title, field, before, empty, act, onSave, onClose } = props;
  const { t } = useTranslation(["account", "common"]);
  const form = useId();
  const [text, setText] = useState(before);
  const [isEmpty, setEmpty] = useState(false);

  function save(event: FormEvent): void {
    event.preventDefault();
    const kept = text.trim();
    setEmpty(kept === "");
    if (kept !== "") onSave(kept);
  }

  return (
    <Dialog
      isOpen
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("common:cancel")}
          </Button>
          <Button type="submit" form={form} variant="primary" isBusy={act.isBusy}>
            {t("save")}
          </Button>
        </>
      }
    >
      <form id={form} className="dialog__form" noValidate onSubmit={save}>
        <TextField
          {...field}
          value={text}
          onChange={setText}
          error={isEmpty ? empty : undefined}
          autoFocus
        />
      </form>
      <Fault fault={act.fault} where="act" />
    </Dialog>
  );
}

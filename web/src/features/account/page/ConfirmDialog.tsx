import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button, Dialog } from "../../../design/index.ts";
import { Fault } from "../../../identity/Fault.tsx";
import type { Act } from "../../../identity/useAct.ts";

export interface ConfirmDialogProps {
  title: string;
  /** What goes, and what stays. */
  children: ReactNode;
  /** What the press does, in one or two words. */
  verb: string;
  act: Pick<Act, "isBusy" | "fault">;
  /** Why it cannot be done yet. */
  disabledReason?: string | undefined;
  onConfirm(): void;
  onClose(): void;
}

/** The question before something is taken away. */
export function ConfirmDialog({
  title,
  children,
  verb,
  act,
  disabledReason,
  onConfirm,
  onClose,
}: ConfirmDialogProps) {
  const { t } = useTranslation("common");
  return (
    <Dialog
      isOpen
      isAlert
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("cancel")}
          </Button>
          <Button
            variant="danger"
            isBusy={act.isBusy}
            disabledReason={disabledReason}
            onPress={onConfirm}
          >
            {verb}
          </Button>
        </>
      }
    >
      {children}
      <Fault fault={act.fault} where="act" />
    </Dialog>
  );
}

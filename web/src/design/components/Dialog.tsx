import type { ReactNode } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";

export interface DialogProps {
  title: string;
  children: ReactNode;
  /** The buttons, in the order they are read; the decisive one last. */
  actions: ReactNode;
  isOpen: boolean;
  onClose(): void;
  /** For a question that must be answered: a press outside does not close it. */
  isAlert?: boolean;
  isWide?: boolean;
}

/** A sheet over the page. Focus starts on it, so that its title is read, and returns to the opener. */
export function Dialog({
  title,
  children,
  actions,
  isOpen,
  onClose,
  isAlert = false,
  isWide = false,
}: DialogProps) {
  return (
    <ModalOverlay
      className="scrim"
      isOpen={isOpen}
      isDismissable={!isAlert}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Modal className={isWide ? "dialog dialog--wide" : "dialog"}>
        <AriaDialog className="dialog__in" role={isAlert ? "alertdialog" : "dialog"}>
          <Heading slot="title" level={2} className="dialog__title">
            {title}
          </Heading>
          {children}
          <div className="dialog__acts">{actions}</div>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

import { useTranslation } from "react-i18next";
import { Button, Dialog } from "../../design/index.ts";
import { type CalendarWish, useCalendarFile } from "./useCalendarFile.ts";

export interface CalendarDialogProps {
  wish: CalendarWish;
  /** The link in it is one person's. */
  isPersonal?: boolean;
  onClose(): void;
}

/** What a calendar file gives away is said before it is made. */
export function CalendarDialog({ wish, isPersonal = false, onClose }: CalendarDialogProps) {
  const { t } = useTranslation(["plan", "common"]);
  const file = useCalendarFile();
  return (
    <Dialog
      isOpen
      title={t("calendar.title")}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("common:cancel")}
          </Button>
          <Button
            variant="primary"
            icon="download"
            onPress={() => {
              file.save(wish);
              onClose();
            }}
          >
            {t("calendar.save")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("calendar.text")}</p>
      <p className="dialog__text">{t(isPersonal ? "calendar.personal" : "calendar.again")}</p>
    </Dialog>
  );
}

import { useTranslation } from "react-i18next";
import type { MeetingEntry } from "../../api/types.ts";
import { Button, Dialog } from "../../design/index.ts";
import { useCopyLink } from "../../useCopyLink.ts";
import { nextOccurrence } from "./model/occurrences.ts";
import { ownZone } from "./model/zones.ts";
import { type CalendarWish, useCalendarFile } from "./useCalendarFile.ts";
import { usePlanWords } from "./usePlanWords.ts";

export interface SavedDialogProps {
  wish: CalendarWish;
  entry: MeetingEntry;
  canMail: boolean;
  onInvite(): void;
  onMail(): void;
  onClose(): void;
}

/** It is planned: now people have to hear of it. */
export function SavedDialog(props: SavedDialogProps) {
  const { wish, entry, canMail, onInvite, onMail, onClose } = props;
  const { plan, link } = wish;
  const { t } = useTranslation(["plan", "common"]);
  const words = usePlanWords();
  const file = useCalendarFile();
  const copyLink = useCopyLink();
  const next = nextOccurrence(plan, Date.now());
  const series = words.series(plan);
  return (
    <Dialog
      isOpen
      title={t("saved.title")}
      onClose={onClose}
      actions={
        <Button variant="primary" onPress={onClose}>
          {t("saved.done")}
        </Button>
      }
    >
      <div className="plan__saved">
        <p className="b start__title">{plan.title || t("untitled")}</p>
        {next !== null && <p className="num">{words.when(next, ownZone())}</p>}
        {series !== null && <p className="mut">{series}</p>}
      </div>
      <section className="plan__link">
        <h3 className="label">{t("saved.link")}</h3>
        <p className="m start__url">{link}</p>
        <p className="sm mut">{t(`saved.${entry}`)}</p>
        {series !== null && <p className="sm mut">{t("saved.stays")}</p>}
      </section>
      <div className="row row-2 wrap plan__ways">
        <Button size="dense" icon="copy" onPress={() => void copyLink(link)}>
          {t("common:copyLink")}
        </Button>
        <Button size="dense" icon="user-plus" onPress={onInvite}>
          {t("saved.personal")}
        </Button>
        {canMail && (
          <Button size="dense" icon="send" onPress={onMail}>
            {t("saved.mail")}
          </Button>
        )}
        <Button size="dense" icon="calendar" onPress={() => file.save(wish)}>
          {t("saved.calendar")}
        </Button>
      </div>
      <p className="hint">{t("calendar.text")}</p>
    </Dialog>
  );
}

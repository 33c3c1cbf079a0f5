import type { UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { asApiError } from "../../api/errors.ts";
import { useEndMeeting } from "../../api/queries.ts";
import type { RunningMeeting } from "../../api/types.ts";
import { useErrorText } from "../../api/useErrorText.ts";
import { Button, Dialog, IconButton, showToast, useSlowly } from "../../design/index.ts";
import { useLocale } from "../../i18n/index.ts";
import { meetingPath } from "../../links.ts";
import { useCopyLink } from "../../useCopyLink.ts";

export interface MeetingListProps {
  running: UseQueryResult<RunningMeeting[]>;
  /** The list stands still because the live connection is lost. */
  isStale: boolean;
}

export function MeetingList({ running, isStale }: MeetingListProps) {
  const { t } = useTranslation(["start", "common"]);
  const errorText = useErrorText();
  const isSlow = useSlowly();
  const [ending, setEnding] = useState<RunningMeeting>();

  if (running.isError && running.data === undefined) {
    return (
      <div className="start__note" role="alert">
        <p>{errorText(running.error)}</p>
        <Button size="dense" onPress={() => void running.refetch()}>
          {t("common:retry")}
        </Button>
      </div>
    );
  }
  if (running.data === undefined) {
    return <div className="start__note">{isSlow && <p role="status">{t("page.loading")}</p>}</div>;
  }
  return (
    <>
      {isStale && (
        <p className="start__stale c-caution sm" role="status">
          {t("page.notLive")}
        </p>
      )}
      {running.data.length === 0 ? (
        <p className="start__note mut">{t("page.empty")}</p>
      ) : (
        <ul className="prog">
          {running.data.map((meeting) => (
            <MeetingRow key={meeting.id} meeting={meeting} onEnd={() => setEnding(meeting)} />
          ))}
        </ul>
      )}
      <EndDialog meeting={ending} onClose={() => setEnding(undefined)} />
    </>
  );
}

function useClockTime(): (date: string) => string {
  const locale = useLocale();
  const format = new Intl.DateTimeFormat(locale, {
    hour: "2-digit",
    minute: "2-digit",
  });
  return (date) => format.format(new Date(date));
}

function MeetingRow({ meeting, onEnd }: { meeting: RunningMeeting; onEnd(): void }) {
  const { t } = useTranslation("start");
  const [, navigate] = useLocation();
  const copyLink = useCopyLink();
  const time = useClockTime()(meeting.opened_at);
  return (
    <li>
      <div className="prog__time num">
        {time}
        <small>{t("page.openedAt")}</small>
      </div>
      <div className="prog__what">
        <p className="b">{t("page.people", { count: meeting.participants })}</p>
        <p className="sm mut start__url">{meeting.url}</p>
      </div>
      <div className="prog__acts row row-2">
        <IconButton
          icon="copy"
          label={t("page.copyLabel", { time })}
          onPress={() => void copyLink(meeting.url)}
        />
        <Button
          size="dense"
          aria-label={t("page.openLabel", { time })}
          onPress={() => navigate(meetingPath(meeting.id))}
        >
          {t("page.open")}
        </Button>
        <Button
          variant="quiet"
          size="dense"
          aria-label={t("page.endLabel", { time })}
          onPress={onEnd}
        >
          {t("page.end")}
        </Button>
      </div>
    </li>
  );
}

function EndDialog({ meeting, onClose }: { meeting: RunningMeeting | undefined; onClose(): void }) {
  const { t } = useTranslation(["start", "common"]);
  const end = useEndMeeting();
  const errorText = useErrorText();
  if (!meeting) return null;
  return (
    <Dialog
      isOpen
      isAlert
      title={t("page.endTitle")}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("common:cancel")}
          </Button>
          <Button
            variant="danger"
            isBusy={end.isPending}
            onPress={() =>
              end.mutate(meeting.id, {
                onSuccess: () => {
                  onClose();
                  showToast(t("page.ended"));
                },
                onError: (error) => {
                  onClose();
                  // Somebody else was faster: what was wanted is so.
                  const isGone = asApiError(error).status === 404;
                  showToast(isGone ? t("page.ended") : errorText(error));
                },
              })
            }
          >
            {end.isPending ? t("page.ending") : t("page.end")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("page.endText", { count: meeting.participants })}</p>
    </Dialog>
  );
}

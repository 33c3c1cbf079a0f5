import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import type { RunningMeeting } from "../../api/types.ts";
import { Button, IconButton, showToast } from "../../design/index.ts";
import { useLocale } from "../../i18n/index.ts";
import { meetingPath } from "../../links.ts";
import { keepFragment } from "../../sealing/keys/address.ts";
import { copyText, useCopyLink } from "../../useCopyLink.ts";
import type { RoomKey } from "../../vault/view.ts";

export interface MeetingRowProps {
  meeting: RunningMeeting;
  /** Empty: none, or it cannot be read here. */
  title: string;
  /** Null: this browser has no key to the room. */
  roomKey: RoomKey | null;
  /** Whether there is a key is not known yet. */
  isOpening: boolean;
  onInvite(): void;
  onRename(): void;
  onEnd(): void;
}

export function MeetingRow({
  meeting,
  title,
  roomKey,
  isOpening,
  onInvite,
  onRename,
  onEnd,
}: MeetingRowProps) {
  const { t } = useTranslation(["start", "vault"]);
  const [, navigate] = useLocation();
  const time = useClockTime()(meeting.opened_at);
  const people = t("page.people", { count: meeting.participants });

  function enter(): void {
    if (roomKey !== null) keepFragment(meeting.id, roomKey.fragment);
    navigate(meetingPath(meeting.id));
  }

  return (
    <li>
      <div className="prog__time num">
        {time}
        <small>{t("page.openedAt")}</small>
      </div>
      <div className="prog__what">
        {title !== "" && <p className="b start__title">{title}</p>}
        <p className={title === "" ? "b" : "sm"}>{people}</p>
        <p className="sm mut start__url">{meeting.url}</p>
        {roomKey === null && !isOpening && <p className="sm c-caution">{t("vault:room.noKey")}</p>}
      </div>
      <div className="prog__acts row row-2 wrap">
        <CopyButton meeting={meeting} roomKey={roomKey} isOpening={isOpening} time={time} />
        {roomKey !== null && (
          <>
            <IconButton
              icon="user-plus"
              label={t("page.inviteLabel", { time })}
              onPress={onInvite}
            />
            <IconButton
              icon="pen"
              label={t("vault:room.renameLabel", { time })}
              onPress={onRename}
            />
          </>
        )}
        <IconButton
          icon="clock"
          label={t("page.happenedLabel", { time })}
          onPress={() => navigate(`/log/${meeting.id}`)}
        />
        <Button size="dense" aria-label={t("page.openLabel", { time })} onPress={enter}>
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

interface CopyButtonProps {
  meeting: RunningMeeting;
  roomKey: RoomKey | null;
  isOpening: boolean;
  time: string;
}

function CopyButton({ meeting, roomKey, isOpening, time }: CopyButtonProps) {
  const { t } = useTranslation(["start", "vault", "common"]);
  const copyLink = useCopyLink();
  if (roomKey !== null || isOpening) {
    return (
      <IconButton
        icon="copy"
        label={t("page.copyLabel", { time })}
        disabledReason={roomKey === null ? t("vault:room.wait") : undefined}
        onPress={() => void copyLink(meeting.url + (roomKey?.fragment ?? ""))}
      />
    );
  }
  const copyBare = async (): Promise<void> => {
    const hasCopied = await copyText(meeting.url);
    showToast(hasCopied ? t("vault:room.bareCopied") : t("common:linkNotCopied"));
  };
  return (
    <IconButton
      icon="copy"
      label={t("vault:room.copyBareLabel", { time })}
      onPress={() => void copyBare()}
    />
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

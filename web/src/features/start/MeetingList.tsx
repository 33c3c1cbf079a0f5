import type { UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { asApiError } from "../../api/errors.ts";
import { useEndMeeting } from "../../api/queries.ts";
import type { RunningMeeting } from "../../api/types.ts";
import { useErrorText } from "../../api/useErrorText.ts";
import { Button, Dialog, showToast, useSlowly } from "../../design/index.ts";
import type { KeyRingView } from "../../vault/view.ts";
import type { RenderInvite } from "../invite/contract.ts";
import { MeetingRow } from "./MeetingRow.tsx";
import { RenameDialog } from "./RenameDialog.tsx";
import { useTitles } from "./useRooms.ts";

export interface MeetingListProps {
  userId: string;
  /** The dialog of personal links. */
  invite: RenderInvite;
  running: UseQueryResult<RunningMeeting[]>;
  /** Of these, the ones for right now. */
  rooms: readonly RunningMeeting[];
  keys: KeyRingView;
  /** The list stands still because the live connection is lost. */
  isStale: boolean;
}

export function MeetingList({ userId, invite, running, rooms, keys, isStale }: MeetingListProps) {
  const { t } = useTranslation(["start", "common"]);
  const errorText = useErrorText();
  const isSlow = useSlowly();
  const [ending, setEnding] = useState<RunningMeeting>();
  const [renaming, setRenaming] = useState<RunningMeeting>();
  const [inviting, setInviting] = useState<RunningMeeting>();
  const titleOf = useTitles(userId, rooms, keys.rooms);

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
      {rooms.length === 0 ? (
        <p className="start__note mut">{t("page.empty")}</p>
      ) : (
        <ul className="prog">
          {rooms.map((meeting) => (
            <MeetingRow
              key={meeting.id}
              meeting={meeting}
              title={titleOf(meeting)}
              roomKey={keys.rooms.get(meeting.id) ?? null}
              isOpening={keys.status === "opening"}
              onInvite={() => setInviting(meeting)}
              onRename={() => setRenaming(meeting)}
              onEnd={() => setEnding(meeting)}
            />
          ))}
        </ul>
      )}
      {inviting &&
        invite({
          meetingId: inviting.id,
          url: inviting.url,
          title: titleOf(inviting),
          within: null,
          onClose: () => setInviting(undefined),
        })}
      {renaming && (
        <RenameDialog
          userId={userId}
          meetingId={renaming.id}
          title={titleOf(renaming)}
          onClose={() => setRenaming(undefined)}
        />
      )}
      <EndDialog meeting={ending} onClose={() => setEnding(undefined)} />
    </>
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

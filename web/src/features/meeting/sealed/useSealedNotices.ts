import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { announce, announceNow, showToast } from "../../../design/index.ts";
import type { Order } from "../../../sealing/contract.ts";
import type { Permission } from "../../../sealing/permissions.ts";
import { useMeeting } from "../components/context.tsx";
import { reactionOf } from "../model/chatText.ts";
import { knock } from "../model/knockSound.ts";
import type { OwnMedia } from "../model/media.ts";
import { useSealedMeeting } from "./context.tsx";

/** What an order does here. Nobody can switch another person on: they are asked. */
function obey(media: OwnMedia, what: Order): void {
  if (what === "mute") void media.setMicrophone(false);
  if (what === "stop-video") void media.setCamera(false);
  if (what === "stop-share") void media.setShare(false);
}

/** The one thing of it that matters most. */
function rightsWord({
  gained,
  lost,
}: {
  readonly gained: readonly Permission[];
  readonly lost: readonly Permission[];
}) {
  if (gained.includes("microphone")) return "floor";
  if (lost.includes("microphone")) return "noFloor";
  return gained.length > 0 ? "more" : "less";
}

/** Turns what happens among the people in the room into spoken words and short messages. */
export function useSealedNotices(): void {
  const { t } = useTranslation("sealed");
  const { session, view } = useMeeting();
  const meeting = useSealedMeeting();
  useEffect(
    () =>
      meeting.onNotice((notice) => {
        const { members } = meeting.store.getState();
        const self = members.find((member) => member.isSelf);
        const isLeading = self !== undefined && self.role !== "member";
        switch (notice.type) {
          case "knock":
            // Told to who may let them in, and to nobody else.
            knock();
            announce(
              notice.name === null
                ? t("announce.knockNameless")
                : t("announce.knock", { name: notice.name }),
            );
            break;
          case "note":
            announce(
              t("announce.note", { name: notice.name ?? t("door.nameless"), note: notice.note }),
            );
            break;
          case "hand":
            if (notice.identity === self?.identity) {
              showToast(t("hand.toast", { count: notice.place }));
            } else if (isLeading) {
              announce(t("announce.hand", { name: notice.name, place: notice.place }));
            }
            break;
          case "reaction": {
            const known = reactionOf(notice.emoji);
            const what = known === null ? notice.emoji : t(`react.${known}`);
            announce(t("react.by", { name: notice.name, what }));
            break;
          }
          case "chat":
            if (view.getState().panel !== "chat") {
              const key = notice.isPrivate ? "announce.chatPrivate" : "announce.chat";
              announce(t(key, { name: notice.name }));
            }
            break;
          case "order":
            obey(session.media, notice.what);
            showToast(t(`order.${notice.what}`, { name: notice.by }));
            announceNow(t(`order.${notice.what}`, { name: notice.by }));
            break;
          case "seal-lost":
            announceNow(t("announce.sealLost", { problem: t(`problem.${notice.reason}`) }));
            break;
          case "sealed-again":
            announce(t("announce.sealedAgain"));
            break;
          case "frozen":
            if (!isLeading) {
              obey(session.media, "mute");
              obey(session.media, "stop-video");
              obey(session.media, "stop-share");
            }
            announceNow(t("announce.frozen"));
            break;
          case "thawed":
            if (!isLeading) {
              showToast(t("announce.thawed"));
              announceNow(t("announce.thawed"));
            }
            break;
          case "rights": {
            const said = t(`rights.${rightsWord(notice)}`);
            showToast(said);
            announceNow(said);
            break;
          }
          case "too-much": {
            const said =
              notice.identity === null
                ? t("announce.tooMuchInAll")
                : t("announce.tooMuch", { name: notice.name ?? t("door.nameless") });
            showToast(said);
            announce(said);
            break;
          }
          case "policy-changed":
            announce(t("room.policyChanged", { name: notice.by }));
            break;
        }
      }),
    [meeting, session, view, t],
  );
}

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { sessionQuery, useRunningMeetings } from "../../api/queries.ts";
import { useLiveMeetings } from "../../api/realtime/useLiveMeetings.ts";
import type { RunningMeeting, User } from "../../api/types.ts";
import { PageTitle, useSlowly, Vow } from "../../design/index.ts";
import { useLocale } from "../../i18n/index.ts";
import { useNow } from "../../useNow.ts";
import { useKeyRing } from "../../vault/useKeyRing.ts";
import type { RenderInvite } from "../invite/contract.ts";
import type { Planning } from "../plan/contract.ts";
import { AccountNotices } from "./AccountNotices.tsx";
import { JoinForm } from "./JoinForm.tsx";
import { KeyNotice } from "./KeyNotice.tsx";
import { MeetingList } from "./MeetingList.tsx";
import { StartNow } from "./StartNow.tsx";
import { useTidyRing } from "./useRooms.ts";

export interface StartPageProps {
  user: User;
  invite: RenderInvite;
  planning: Planning;
}

/** `/` for who is signed in: start a room, plan or join one, see what is open and what is planned. */
export function StartPage({ user, invite, planning }: StartPageProps) {
  const userId = user.id;
  const { t } = useTranslation(["start", "common"]);
  const locale = useLocale();
  const now = useNow(60_000);
  const running = useRunningMeetings();
  const isLive = useLiveMeetings();
  const keys = useKeyRing(userId);
  const client = useQueryClient();
  const hasNoSession = keys.status === "signed-out";
  useEffect(() => {
    if (hasNoSession) void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
  }, [client, hasNoSession]);
  useTidyRing(userId, running.data, keys);
  const [isPlanning, setPlanning] = useState(false);
  const { rooms, planned, own } = useMemo(() => sorted(running.data), [running.data]);
  const isSlow = useSlowly();
  const today = new Intl.DateTimeFormat(locale, {
    weekday: "long",
    day: "numeric",
    month: "long",
  }).format(now);

  return (
    <main id="main" className="page">
      <header className="start__head">
        <p className="mut">{today}</p>
        <PageTitle title={t("page.title")}>
          {running.data ? t("page.heading", { count: openNow(running.data) }) : t("page.title")}
        </PageTitle>
      </header>
      <AccountNotices user={user} />
      <KeyNotice userId={userId} keys={keys} />
      <StartNow userId={userId} status={keys.status} onPlan={() => setPlanning(true)} />
      <div className="start__cols">
        <div>
          <JoinForm isLabelHidden />
          {(rooms.length > 0 || planned.length === 0) && (
            <section className="start__list" aria-labelledby="open-now">
              <h2 className="label" id="open-now">
                {t("page.list")}
              </h2>
              <MeetingList
                userId={userId}
                invite={invite}
                running={running}
                rooms={rooms}
                keys={keys}
                isStale={isSlow && !isLive && running.data !== undefined}
              />
            </section>
          )}
          {running.data !== undefined &&
            planning.planned({
              userId,
              meetings: planned,
              keys,
              invite,
              isPlanning,
              onPlanned: () => setPlanning(false),
            })}
          <p className="start__past sm">
            <Link href="/log/meetings">{t("page.past")}</Link>
          </p>
        </div>
        <aside aria-label={t("common:seal.word")}>
          {running.data !== undefined && planning.ownRoom({ userId, room: own, keys })}
          <Vow state="sealed" line={t("common:seal.line")} more={t("common:seal.more")} />
        </aside>
      </div>
    </main>
  );
}

/** Rooms for right now, what is planned, and one's own room: the server has one list of them. */
function sorted(meetings: readonly RunningMeeting[] = []) {
  const isKept = ({ keep = "while-used" }: RunningMeeting) => keep !== "while-used";
  return {
    rooms: meetings.filter((meeting) => !isKept(meeting)),
    planned: meetings.filter((meeting) => isKept(meeting) && !meeting.is_own_room),
    own: meetings.find((meeting) => meeting.is_own_room) ?? null,
  };
}

/** What is only kept for later is not open for anybody to see. */
function openNow(meetings: readonly RunningMeeting[]): number {
  return meetings.filter(
    ({ keep = "while-used", participants }) => keep === "while-used" || participants > 0,
  ).length;
}

import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { sessionQuery, useRunningMeetings } from "../../api/queries.ts";
import { useLiveMeetings } from "../../api/realtime/useLiveMeetings.ts";
import type { User } from "../../api/types.ts";
import { PageTitle, useSlowly, Vow } from "../../design/index.ts";
import { useLocale } from "../../i18n/index.ts";
import { useNow } from "../../useNow.ts";
import { useKeyRing } from "../../vault/useKeyRing.ts";
import type { RenderInvite } from "../invite/contract.ts";
import { AccountNotices } from "./AccountNotices.tsx";
import { JoinForm } from "./JoinForm.tsx";
import { KeyNotice } from "./KeyNotice.tsx";
import { MeetingList } from "./MeetingList.tsx";
import { StartNow } from "./StartNow.tsx";
import { useTidyRing } from "./useRooms.ts";

/** `/` for who is signed in: start a room, join one, see what is open. */
export function StartPage({ user, invite }: { user: User; invite: RenderInvite }) {
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
          {running.data ? t("page.heading", { count: running.data.length }) : t("page.title")}
        </PageTitle>
      </header>
      <AccountNotices user={user} />
      <KeyNotice userId={userId} keys={keys} />
      <StartNow userId={userId} status={keys.status} />
      <div className="start__cols">
        <div>
          <JoinForm isLabelHidden />
          <section className="start__list" aria-labelledby="open-now">
            <h2 className="label" id="open-now">
              {t("page.list")}
            </h2>
            <MeetingList
              userId={userId}
              invite={invite}
              running={running}
              keys={keys}
              isStale={isSlow && !isLive && running.data !== undefined}
            />
            <p className="start__past sm">
              <Link href="/log/meetings">{t("page.past")}</Link>
            </p>
          </section>
        </div>
        <aside aria-label={t("common:seal.word")}>
          <Vow state="sealed" line={t("common:seal.line")} more={t("common:seal.more")} />
        </aside>
      </div>
    </main>
  );
}

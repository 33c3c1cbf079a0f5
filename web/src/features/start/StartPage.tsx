import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { useRunningMeetings, useStartMeeting } from "../../api/queries.ts";
import { useLiveMeetings } from "../../api/realtime/useLiveMeetings.ts";
import { useErrorText } from "../../api/useErrorText.ts";
import { Button, PageTitle, showToast, useSlowly, Vow } from "../../design/index.ts";
import { useLocale } from "../../i18n/index.ts";
import { meetingPath } from "../../links.ts";
import { useNow } from "../../useNow.ts";
import { JoinForm } from "./JoinForm.tsx";
import { MeetingList } from "./MeetingList.tsx";

/** `/` for the operator: start a room, join one, see what is open. */
export function StartPage() {
  const { t } = useTranslation(["start", "common"]);
  const locale = useLocale();
  const now = useNow(60_000);
  const running = useRunningMeetings();
  const isLive = useLiveMeetings();
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
      <StartNow />
      <div className="start__cols">
        <div>
          <JoinForm isLabelHidden />
          <section className="start__list" aria-labelledby="open-now">
            <h2 className="label" id="open-now">
              {t("page.list")}
            </h2>
            <MeetingList
              running={running}
              isStale={isSlow && !isLive && running.data !== undefined}
            />
          </section>
        </div>
        <aside aria-label={t("common:seal.word")}>
          <Vow state="sealed" line={t("common:seal.line")} more={t("common:seal.more")} />
        </aside>
      </div>
    </main>
  );
}

function StartNow() {
  const { t } = useTranslation("start");
  const [, navigate] = useLocation();
  const start = useStartMeeting();
  const errorText = useErrorText();
  return (
    <section className="start__now" aria-labelledby="start-now">
      <div className="grow">
        <h2 className="h2" id="start-now">
          {t("page.now.title")}
        </h2>
        <p className="mut">{t("page.now.text")}</p>
      </div>
      <Button
        variant="primary"
        size="large"
        icon="keyhole"
        isBusy={start.isPending}
        onPress={() =>
          start.mutate(undefined, {
            onSuccess: (meeting) => navigate(meetingPath(meeting.id)),
            onError: (error) => showToast(errorText(error)),
          })
        }
      >
        {start.isPending ? t("page.starting") : t("page.start")}
      </Button>
    </section>
  );
}

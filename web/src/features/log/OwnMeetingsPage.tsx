import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { type OwnMeeting, useOwnMeetings } from "../../api/audit.ts";
import { PageTitle } from "../../design/index.ts";
import { useLocale } from "../../i18n/index.ts";
import { useKeyRing } from "../../vault/useKeyRing.ts";
import { Paged } from "./Paged.tsx";
import "./log.css";

/** `/log/meetings`: one's own meetings, also those that are over, each with what happened in it. */
export default function OwnMeetingsPage({ userId }: { userId: string }) {
  const { t } = useTranslation("log");
  const own = useOwnMeetings();
  const meetings = own.data?.pages.flatMap((page) => page.meetings) ?? [];
  const rooms = useKeyRing(userId).rooms;
  return (
    <main id="main" className="page log">
      <PageTitle title={t("own.title")}>{t("own.heading")}</PageTitle>
      <p className="log__text mut">{t("own.text")}</p>
      <Paged query={own} refusals={{}}>
        {meetings.length === 0 ? (
          <p className="log__text">{t("own.empty")}</p>
        ) : (
          <ul className="log__list">
            {meetings.map((meeting) => (
              <Row key={meeting.id} meeting={meeting} title={rooms.get(meeting.id)?.title ?? ""} />
            ))}
          </ul>
        )}
      </Paged>
    </main>
  );
}

function Row({ meeting, title }: { meeting: OwnMeeting; title: string }) {
  const { t } = useTranslation("log");
  const locale = useLocale();
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const { id, opened_at, ended_at } = meeting;
  return (
    <li>
      <div className="grow">
        <p>
          <Link className="b" href={`/log/${encodeURIComponent(id)}`}>
            {t("own.opened", { when: moment.format(new Date(opened_at)) })}
          </Link>
        </p>
        <p className="sm mut log__facts">
          {title !== "" && <bdi>{title} · </bdi>}
          {ended_at === null
            ? t("own.open")
            : t("own.ended", { when: moment.format(new Date(ended_at)) })}
        </p>
      </div>
    </li>
  );
}

import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { useAuditLog } from "../../api/audit.ts";
import { PageTitle } from "../../design/index.ts";
import { keyRingOf } from "../../vault/session.ts";
import { useKeyRing } from "../../vault/useKeyRing.ts";
import { Entries } from "./Entries.tsx";
import { Paged } from "./Paged.tsx";
import "./log.css";

/** `/log/<meeting id>`: what happened in one of one's own meetings, as far as the server knows it. */
export default function MeetingLogPage({
  userId,
  meetingId,
}: {
  userId: string;
  meetingId: string;
}) {
  const { t } = useTranslation("log");
  const log = useAuditLog(meetingId);
  const entries = log.data?.pages.flatMap((page) => page.entries) ?? [];
  const title = useKeyRing(userId).rooms.get(meetingId)?.title ?? "";
  const names = useInvitedNames(userId, meetingId);
  const known = {
    who: (id: string | null) => (id === userId ? t("you") : id),
    invited: (id: string) => names.get(id) ?? null,
  };
  return (
    <main id="main" className="page log">
      <PageTitle title={t("meeting.title")}>{t("meeting.heading")}</PageTitle>
      <p className="log__text">
        {title !== "" && <bdi className="b">{title} · </bdi>}
        <code className="log__id">{meetingId}</code>
      </p>
      <p className="log__text mut">{t("meeting.text")}</p>
      <Paged query={log} refusals={{ not_found: t("meeting.notYours") }}>
        <Entries label={t("meeting.heading")} entries={entries} known={known} isOfOneMeeting />
      </Paged>
      <p>
        <Link href="/log/meetings">{t("meeting.others")}</Link>
      </p>
    </main>
  );
}

/** By invitation. The names are on the key ring, in this browser; the server has none. */
function useInvitedNames(userId: string, meetingId: string): ReadonlyMap<string, string> {
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  useEffect(() => {
    let isHere = true;
    const look = async () => {
      const ring = await keyRingOf(userId);
      await ring.open();
      const links = await ring.invited(meetingId);
      if (isHere) setNames(new Map(links.map(({ id, name }) => [id, name])));
    };
    // Without the key ring there are entries without names.
    look().catch(() => undefined);
    return () => {
      isHere = false;
    };
  }, [userId, meetingId]);
  return names;
}

import { useTranslation } from "react-i18next";
import { useAuditLog } from "../../api/audit.ts";
import { useMembers } from "../../api/members.ts";
import { useSession } from "../../api/queries.ts";
import { PageTitle } from "../../design/index.ts";
import { Entries } from "./Entries.tsx";
import { Paged } from "./Paged.tsx";
import "./log.css";

/** `/log`: which acts that matter for security have happened, by whom and when. */
export default function LogPage() {
  const { t } = useTranslation("log");
  const log = useAuditLog();
  const entries = log.data?.pages.flatMap((page) => page.entries) ?? [];
  const members = useMembers();
  const ownId = useSession().data?.id;
  const logins = new Map(members.data?.members.map(({ id, login }) => [id, login]));

  /** The login for whom there is still one; the log itself knows the id only. */
  function who(id: string | null): string | null {
    return id === ownId ? t("you") : id === null ? null : (logins.get(id) ?? id);
  }

  return (
    <main id="main" className="page log">
      <PageTitle title={t("title")}>{t("heading")}</PageTitle>
      <p className="log__text mut">{t("text")}</p>
      <Paged query={log} refusals={{ forbidden: t("forbidden") }}>
        <Entries label={t("heading")} entries={entries} known={{ who, invited: () => null }} />
      </Paged>
    </main>
  );
}

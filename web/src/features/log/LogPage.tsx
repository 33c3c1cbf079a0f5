import { useTranslation } from "react-i18next";
import { type AuditEntry, useAuditLog } from "../../api/audit.ts";
import { asApiError } from "../../api/errors.ts";
import { useMembers } from "../../api/members.ts";
import { useSession } from "../../api/queries.ts";
import { useErrorText } from "../../api/useErrorText.ts";
import { Button, PageTitle, showToast, useSlowly } from "../../design/index.ts";
import { useLocale } from "../../i18n/index.ts";
import { copyText } from "../../useCopyLink.ts";
import { useActWords } from "./useActWords.ts";
import "./log.css";

/** `/log`: which acts that matter for security have happened, by whom and when. */
export default function LogPage() {
  const { t } = useTranslation(["log", "common"]);
  const log = useAuditLog();
  const errorText = useErrorText();
  const isSlow = useSlowly();
  const isForbidden = log.isError && asApiError(log.error).code === "forbidden";
  const entries = log.data?.pages.flatMap((page) => page.entries) ?? [];

  return (
    <main id="main" className="page log">
      <PageTitle title={t("title")}>{t("heading")}</PageTitle>
      <p className="log__text mut">{t("text")}</p>
      {log.isError && (
        <div className="log__text" role="alert">
          <p>{isForbidden ? t("forbidden") : errorText(log.error)}</p>
          {!isForbidden && (
            <Button
              size="dense"
              onPress={() => void (log.data === undefined ? log.refetch() : log.fetchNextPage())}
            >
              {t("common:retry")}
            </Button>
          )}
        </div>
      )}
      {log.isPending && isSlow && (
        <p className="log__text" role="status">
          {t("loading")}
        </p>
      )}
      {log.data && entries.length === 0 && <p className="log__text">{t("empty")}</p>}
      {entries[0] && <Newest entry={entries[0]} />}
      {entries.length > 0 && <Entries entries={entries} />}
      {log.hasNextPage && (
        <Button
          variant="line"
          isBusy={log.isFetchingNextPage}
          onPress={() => void log.fetchNextPage()}
        >
          {t("more")}
        </Button>
      )}
    </main>
  );
}

/** What somebody notes elsewhere, so that nothing before it can be changed unseen. */
function Newest({ entry: { number, hash } }: { entry: AuditEntry }) {
  const { t } = useTranslation(["log", "common"]);
  const line = t("newest.line", { number, hash });
  return (
    <section className="log__newest" aria-labelledby="log-newest">
      <h2 className="label" id="log-newest">
        {t("newest.title")}
      </h2>
      <p className="log__line">
        <code>{line}</code>
      </p>
      <p className="sm mut">{t("newest.text")}</p>
      <Button
        size="dense"
        icon="copy"
        onPress={async () =>
          showToast(t((await copyText(line)) ? "newest.copied" : "newest.notCopied"))
        }
      >
        {t("newest.copy")}
      </Button>
    </section>
  );
}

function Entries({ entries }: { entries: readonly AuditEntry[] }) {
  const { t } = useTranslation("log");
  const locale = useLocale();
  const members = useMembers();
  const ownId = useSession().data?.id;
  const { act, facts } = useActWords();
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
  const logins = new Map(members.data?.members.map(({ id, login }) => [id, login]));

  /** The login for whom there is still one; the log itself knows the id only. */
  function who(id: string | null): string | null {
    return id === ownId ? t("you") : id === null ? null : (logins.get(id) ?? id);
  }

  return (
    <ol className="log__list" reversed aria-label={t("heading")}>
      {entries.map((entry) => (
        <li key={entry.number}>
          <p className="log__number num sm mut">{entry.number}</p>
          <div className="grow">
            <p className="b">{act(entry.type)}</p>
            <p className="sm mut log__facts">
              <time dateTime={entry.at}>{moment.format(new Date(entry.at))}</time>
              {[who(entry.user_id), ...facts(entry, who), entry.meeting_id]
                .filter((fact) => fact !== null)
                .map((fact) => ` · ${fact}`)
                .join("")}
            </p>
          </div>
        </li>
      ))}
    </ol>
  );
}

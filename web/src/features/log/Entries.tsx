import { useTranslation } from "react-i18next";
import type { AuditEntry } from "../../api/audit.ts";
import { Button, showToast } from "../../design/index.ts";
import { useLocale } from "../../i18n/index.ts";
import { copyText } from "../../useCopyLink.ts";
import { type Known, useActWords } from "./useActWords.ts";

export interface EntriesProps {
  label: string;
  entries: readonly AuditEntry[];
  known: Known;
  /** All are of one meeting, which is named above them. */
  isOfOneMeeting?: boolean;
}

/** Entries of the log, newest first, with the line that makes changes visible. */
export function Entries({ label, entries, known, isOfOneMeeting = false }: EntriesProps) {
  const { t } = useTranslation("log");
  const locale = useLocale();
  const { act, facts } = useActWords();
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
  const newest = entries[0];
  if (newest === undefined) return <p className="log__text">{t("empty")}</p>;
  return (
    <>
      <Newest entry={newest} />
      <ol className="log__list" reversed aria-label={label}>
        {entries.map((entry) => (
          <li key={entry.number}>
            <p className="log__number num sm mut">{entry.number}</p>
            <div className="grow">
              <p className="b">{act(entry.type)}</p>
              <p className="sm mut log__facts">
                <time dateTime={entry.at}>{moment.format(new Date(entry.at))}</time>
                {[
                  known.who(entry.user_id),
                  ...facts(entry, known),
                  isOfOneMeeting ? null : entry.meeting_id,
                ]
                  .filter((fact) => fact !== null)
                  .map((fact) => ` · ${fact}`)
                  .join("")}
              </p>
            </div>
          </li>
        ))}
      </ol>
    </>
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

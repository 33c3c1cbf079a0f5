import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Account, type AccountNotice, noticesAreSeen } from "../../../api/account.ts";
import { sessionQuery } from "../../../api/queries.ts";
import { Button, Icon, Tag } from "../../../design/index.ts";
import { useBrowserName } from "../../../identity/useBrowserName.ts";
import { Section } from "./Section.tsx";
import { useDates } from "./useDates.ts";

const KINDS = [
  "new_device",
  "passkey_added",
  "passkey_removed",
  "password_set",
  "password_removed",
  "recovery_codes_made",
  "recovery_code_used",
  "session_moved",
  "passkey_refused",
  "sign_ins_failed",
  "role_changed",
] as const;

type Kind = (typeof KINDS)[number];

/** What nobody but the person can know to be theirs. */
const QUESTIONS: readonly Kind[] = [
  "new_device",
  "passkey_added",
  "passkey_refused",
  "recovery_code_used",
  "session_moved",
  "sign_ins_failed",
];
const SHOWN = 5;

/** What has happened with the account, and the way on for whoever did not do it. */
export function NoticesSection({ account }: { account: Account }) {
  const { t } = useTranslation("account");
  const client = useQueryClient();
  const { moment } = useDates();
  const browserName = useBrowserName();
  const [isWhole, setWhole] = useState(false);
  // What was new when the page was opened stays marked while it is read.
  const [fresh] = useState(
    () => new Set(account.notices.filter(({ is_seen }) => !is_seen).map(({ id }) => id)),
  );
  const hasFresh = fresh.size > 0;
  useEffect(() => {
    if (!hasFresh) return;
    noticesAreSeen().then(
      () => client.invalidateQueries({ queryKey: sessionQuery.queryKey }),
      // They stay new until the next time.
      () => undefined,
    );
  }, [client, hasFresh]);

  const shown = isWhole ? account.notices : account.notices.slice(0, SHOWN);
  const isAsked = shown.some(({ id, kind }) => fresh.has(id) && isQuestion(kind));
  return (
    <Section title={t("notices.title")}>
      {account.notices.length === 0 ? (
        <p className="acc__note mut">{t("notices.none")}</p>
      ) : (
        <ul className="acc__list">
          {shown.map((notice) => (
            <li key={notice.id}>
              <Icon name={isQuestion(notice.kind) ? "alert" : "info"} className="mut3" />
              <div className="grow">
                <p className="b acc__name">
                  {t(`notices.kind.${kindOf(notice)}`)}
                  {fresh.has(notice.id) && <Tag>{t("notices.new")}</Tag>}
                </p>
                <p className="sm mut">
                  {[moment(notice.at), ...facts(notice).map(browserName)].join(" · ")}
                </p>
              </div>
            </li>
          ))}
        </ul>
      )}
      {isAsked && <p className="acc__asked">{t("notices.wasItYou")}</p>}
      {account.notices.length > shown.length && (
        <Button variant="quiet" size="dense" onPress={() => setWhole(true)}>
          {t("notices.all", { count: account.notices.length })}
        </Button>
      )}
    </Section>
  );
}

function kindOf({ kind }: AccountNotice): Kind | "other" {
  return KINDS.find((known) => known === kind) ?? "other";
}

function isQuestion(kind: string): boolean {
  return QUESTIONS.some((known) => known === kind);
}

/** What the server says beside it: where, what it is called. */
function facts({ details }: AccountNotice): string[] {
  return ["name", "browser", "place"]
    .map((fact) => details[fact])
    .filter((value) => typeof value === "string" && value !== "") as string[];
}

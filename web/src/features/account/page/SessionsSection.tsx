import { useState } from "react";
import { useTranslation } from "react-i18next";
import {
  type Account,
  endOtherSessions,
  endSession,
  type SignedInPlace,
} from "../../../api/account.ts";
import { Button, Icon, showToast, Tag } from "../../../design/index.ts";
import { useBrowserName } from "../../../identity/useBrowserName.ts";
import { ConfirmDialog } from "./ConfirmDialog.tsx";
import { Section } from "./Section.tsx";
import { useAccountAct } from "./useAccountAct.ts";
import { useDates } from "./useDates.ts";

const METHODS = [
  "invitation",
  "operator_link",
  "passkey",
  "password",
  "recovery",
  "registration",
  "reset",
] as const;

export function SessionsSection({ account }: { account: Account }) {
  const { t } = useTranslation("account");
  const act = useAccountAct();
  const { moment } = useDates();
  const browserName = useBrowserName();
  const [ending, setEnding] = useState<SignedInPlace | "others" | null>(null);
  const close = () => setEnding(null);
  const here = account.sessions.filter((session) => session.is_current);
  const others = account.sessions.filter((session) => !session.is_current);

  function how(method: string): string {
    const known = METHODS.find((name) => name === method);
    return t(`sessions.by.${known ?? "other"}`);
  }

  return (
    <Section
      title={t("sessions.title")}
      text={t("sessions.text")}
      {...(others.length > 0
        ? {
            action: (
              <Button size="dense" onPress={() => setEnding("others")}>
                {t("sessions.endOthers")}
              </Button>
            ),
          }
        : {})}
    >
      <ul className="acc__list">
        {[...here, ...others].map((session) => (
          <li key={session.id}>
            <Icon name="device" className="mut3" />
            <div className="grow">
              <p className="b acc__name">
                {browserName(session.browser)}
                {session.is_current && <Tag>{t("sessions.here")}</Tag>}
              </p>
              <p className="sm mut">
                {[how(session.method), session.place].filter((part) => part !== "").join(" · ")}
              </p>
              <p className="sm mut">
                {t("sessions.when", {
                  since: moment(session.created_at),
                  seen: moment(session.last_seen_at ?? session.created_at),
                })}
              </p>
            </div>
            {!session.is_current && (
              <Button
                variant="quiet"
                size="dense"
                aria-label={t("sessions.endLabel", { browser: browserName(session.browser) })}
                onPress={() => setEnding(session)}
              >
                {t("sessions.end")}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {ending !== null && (
        <ConfirmDialog
          title={ending === "others" ? t("sessions.endOthersTitle") : t("sessions.endTitle")}
          verb={t("sessions.end")}
          act={act}
          onConfirm={() =>
            act.run(
              () => (ending === "others" ? endOtherSessions() : endSession(ending.id)),
              () => {
                close();
                showToast(t("sessions.ended"));
              },
            )
          }
          onClose={close}
        >
          <p className="dialog__text">
            {ending === "others"
              ? t("sessions.endOthersText", { count: others.length })
              : t("sessions.endText", { browser: browserName(ending.browser) })}
          </p>
        </ConfirmDialog>
      )}
    </Section>
  );
}

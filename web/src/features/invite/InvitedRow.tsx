import { memo } from "react";
import { useTranslation } from "react-i18next";
import { Icon, IconButton, type IconName, Menu, type MenuEntry, Tag } from "../../design/index.ts";
import { isLive, type InvitedRow as Row, type Standing } from "./model/rows.ts";
import { useMoment } from "./useInviteWords.ts";

export type RowAct = "copy" | "qr" | "share" | "revoke" | "restore" | "release" | "renew";

export interface InvitedRowProps {
  row: Row;
  onAct(row: Row, act: RowAct): void;
}

const MARKS: Record<Standing["type"], { icon: IconName; tone: string }> = {
  unknown: { icon: "info", tone: "mut" },
  unsent: { icon: "alert", tone: "c-caution m" },
  unused: { icon: "link", tone: "mut" },
  used: { icon: "device", tone: "c-seal" },
  "passed-on": { icon: "alert", tone: "c-caution m" },
  "other-device": { icon: "alert", tone: "c-danger m" },
  revoked: { icon: "x", tone: "mut" },
  expired: { icon: "clock", tone: "mut" },
};

/** One invited person: what became of their link, and what can be done with it. */
export const InvitedRow = memo(function InvitedRow({ row, onAct }: InvitedRowProps) {
  const { t } = useTranslation("invite");
  const name = row.name ?? t("nameless");
  const label = t("row.more", { name });
  return (
    <li className="invited" data-invitation={row.id}>
      <div className="grow">
        <p className="row row-2 wrap">
          <bdi className={isLive(row) ? "b invited__name" : "invited__name mut"}>{name}</bdi>
          {row.role !== "attendee" && <Tag>{t(`add.roles.${row.role}`)}</Tag>}
        </p>
        <StandingLine row={row} />
      </div>
      <div className="row row-2 invited__acts">
        {row.fragment !== null && isLive(row) && (
          <>
            <IconButton
              icon="copy"
              size="dense"
              label={t("row.copy", { name })}
              onPress={() => onAct(row, "copy")}
            />
            <IconButton
              icon="qr"
              size="dense"
              label={t("row.qr", { name })}
              onPress={() => onAct(row, "qr")}
            />
          </>
        )}
        <Menu
          label={label}
          trigger={<IconButton icon="more" size="dense" label={label} />}
          groups={[{ id: "all", label, entries: entriesOf() }]}
          onAction={(act) => onAct(row, act as RowAct)}
        />
      </div>
    </li>
  );

  function entriesOf(): MenuEntry[] {
    const { type } = row.standing;
    const entries: MenuEntry[] = [];
    // Where the browser cannot, copying stands in the row.
    if (row.fragment !== null && isLive(row) && typeof navigator.share === "function") {
      entries.push({ id: "share", label: t("row.share"), icon: "send" });
    }
    if (type === "used" || type === "passed-on" || type === "other-device") {
      entries.push({ id: "release", label: t("row.release"), icon: "device" });
    }
    entries.push({ id: "renew", label: t("row.renew"), icon: "link" });
    if (type === "revoked") {
      entries.push({ id: "restore", label: t("row.restore"), icon: "check" });
    } else if (type !== "unsent" && type !== "expired") {
      entries.push({ id: "revoke", label: t("row.revoke"), icon: "x", isDanger: true });
    }
    return entries;
  }
});

function StandingLine({ row }: { row: Row }) {
  const { t } = useTranslation("invite");
  const moment = useMoment();
  const { standing } = row;
  const { icon, tone } = MARKS[standing.type];
  const more = moreOf();
  return (
    <>
      <p className="sm invited__state">
        <span className={`row row-2 ${tone}`}>
          <Icon name={icon} size={16} />
          {wordsOf()}
        </span>
        {row.expiresAt > 0 && isLive(row) && (
          <span className="mut">
            {t("row.until", { when: moment(new Date(row.expiresAt * 1_000)) })}
          </span>
        )}
      </p>
      {more !== null && <p className="sm mut">{more}</p>}
      {row.fragment === null && <p className="sm mut">{t("row.elsewhere")}</p>}
    </>
  );

  function wordsOf(): string {
    if (standing.type !== "used") return t(`standing.${standing.type}`);
    const when = standing.since === null ? "" : moment(standing.since);
    return when === "" ? t("standing.usedAtSomeTime") : t("standing.used", { when });
  }

  function moreOf(): string | null {
    if (standing.type === "passed-on") {
      return t("standing.passedOnMore", { when: moment(standing.at) });
    }
    return standing.type === "other-device" ? t("standing.otherDeviceMore") : null;
  }
}

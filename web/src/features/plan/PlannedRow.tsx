import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import type { RunningMeeting } from "../../api/types.ts";
import { Button, IconButton, Menu, type MenuEntry, Tag } from "../../design/index.ts";
import { meetingPath } from "../../links.ts";
import { keepFragment } from "../../sealing/keys/address.ts";
import type { RoomKey } from "../../vault/view.ts";
import type { Group } from "./model/groups.ts";
import type { Occurrence } from "./model/occurrences.ts";
import type { Plan } from "./model/plan.ts";
import { ownZone } from "./model/zones.ts";
import { usePlanWords } from "./usePlanWords.ts";

export type RowAct = "edit" | "invite" | "link" | "calendar" | "mail" | "leave-out" | "cancel";

export interface PlannedRowProps {
  meeting: RunningMeeting;
  plan: Plan | null;
  next: Occurrence | null;
  group: Group;
  now: number;
  /** Null: this browser has no key to the room. */
  roomKey: RoomKey | null;
  isOpening: boolean;
  canMail: boolean;
  onAct(what: RowAct): void;
}

export function PlannedRow(props: PlannedRowProps) {
  const { meeting, plan, next, group, now, roomKey, isOpening, canMail, onAct } = props;
  const { t } = useTranslation(["plan", "vault"]);
  const words = usePlanWords();
  const [, navigate] = useLocation();
  const zone = ownZone();
  const title = plan?.title || roomKey?.title || t("untitled");
  const isOn = next !== null && next.start <= now;
  const isNamedByGroup = group === "today" || group === "tomorrow";

  const facts = [
    next !== null && !isNamedByGroup ? words.day(next.start, zone) : null,
    plan && words.series(plan),
  ].filter((fact) => fact !== null);

  const menu: MenuEntry[] = [];
  if (plan !== null && roomKey !== null) {
    menu.push(
      { id: "edit", label: t("row.edit"), icon: "pen" },
      { id: "invite", label: t("row.invite"), icon: "user-plus" },
      { id: "link", label: t("row.link"), icon: "copy" },
      { id: "calendar", label: t("row.calendar"), icon: "calendar" },
    );
    if (canMail) menu.push({ id: "mail", label: t("row.mail"), icon: "send" });
    if (plan.rule !== null && next !== null) {
      const date = words.day(next.start, plan.zone);
      menu.push({ id: "leave-out", label: t("row.leaveOut", { date }), icon: "clock" });
    }
  }
  menu.push({ id: "cancel", label: t("row.cancel"), icon: "x", isDanger: true });

  function enter(): void {
    if (roomKey !== null) keepFragment(meeting.id, roomKey.fragment);
    navigate(meetingPath(meeting.id));
  }

  return (
    <li data-planned={meeting.id}>
      <div className="prog__time num planned__time">
        {next !== null && words.time(next.start, zone)}
        {plan !== null && <small>{words.length(plan.minutes)}</small>}
      </div>
      <div className="prog__what">
        <p className="b start__title">
          {title}{" "}
          {plan !== null && plan.template !== "none" && <Tag>{t(`template.${plan.template}`)}</Tag>}
        </p>
        {isOn && <p className="sm c-seal b">{t("on", { count: meeting.participants })}</p>}
        {!isOn && meeting.participants > 0 && (
          <p className="sm c-seal b">{t("early", { count: meeting.participants })}</p>
        )}
        {facts.map((fact) => (
          <p key={fact} className="sm mut">
            {fact}
          </p>
        ))}
        {next !== null && plan !== null && words.elsewhere(next, plan) !== null && (
          <p className="sm mut">{words.elsewhere(next, plan)}</p>
        )}
        {plan !== null && !plan.isZoneKnown && <p className="sm c-caution">{t("unknownZone")}</p>}
        {group === "over" && <p className="sm mut">{t("overNote")}</p>}
        {roomKey === null && !isOpening && <p className="sm c-caution">{t("vault:room.noKey")}</p>}
        {roomKey !== null && plan === null && <p className="sm c-caution">{t("unreadable")}</p>}
      </div>
      <div className="prog__acts row row-2">
        <Button size="dense" aria-label={t("row.openLabel", { title })} onPress={enter}>
          {t("row.open")}
        </Button>
        <Menu
          trigger={<IconButton icon="more" label={t("row.more", { title })} />}
          label={t("row.more", { title })}
          groups={[{ id: "acts", entries: menu }]}
          onAction={(id) => onAct(id as RowAct)}
        />
      </div>
    </li>
  );
}

import { useState } from "react";
import { useTranslation } from "react-i18next";
import "./plan.css";
import { useCanMail } from "../../api/queries.ts";
import type { RunningMeeting } from "../../api/types.ts";
import { showToast } from "../../design/index.ts";
import { useCopyLink } from "../../useCopyLink.ts";
import { useNow } from "../../useNow.ts";
import { CalendarDialog } from "./CalendarDialog.tsx";
import { CancelDialog } from "./CancelDialog.tsx";
import type { PlannedRequest } from "./contract.ts";
import { LeaveOutDialog } from "./LeaveOutDialog.tsx";
import { MailDialog } from "./MailDialog.tsx";
import { GROUPS, groupOf } from "./model/groups.ts";
import { nextOccurrence, type Occurrence } from "./model/occurrences.ts";
import type { Plan } from "./model/plan.ts";
import { ownZone } from "./model/zones.ts";
import { PlanDialog } from "./PlanDialog.tsx";
import { PlannedRow, type RowAct } from "./PlannedRow.tsx";
import { SavedDialog } from "./SavedDialog.tsx";
import { usePlans } from "./usePlans.ts";

interface Planned {
  readonly meeting: RunningMeeting;
  /** Null: it cannot be read here. */
  readonly plan: Plan | null;
  readonly next: Occurrence | null;
}

type Shown =
  | { readonly what: Exclude<RowAct, "link">; readonly of: Planned }
  | { readonly what: "saved"; readonly of: Planned };

/** What is planned, by day, and what a host does with it. */
export default function PlannedList(request: PlannedRequest) {
  const { userId, meetings, keys, invite, isPlanning, onPlanned } = request;
  const { t } = useTranslation("plan");
  const now = useNow(20_000).getTime();
  const canMail = useCanMail();
  const copyLink = useCopyLink();
  const planOf = usePlans(userId, meetings, keys.rooms);
  const [shown, setShown] = useState<Shown | null>(null);
  const close = () => setShown(null);
  const zone = ownZone();

  const all: Planned[] = meetings.flatMap((meeting) => {
    const plan = planOf(meeting);
    if (plan === undefined) return [];
    return [{ meeting, plan, next: plan && nextOccurrence(plan, now) }];
  });
  const isOpening = keys.status === "opening" || all.length < meetings.length;
  const groups = GROUPS.map((group) => ({
    group,
    rows: all
      // What cannot be read here stands at the end of what is to come.
      .filter(({ plan, next }) =>
        plan === null ? group === "later" : groupOf(next?.start ?? null, now, zone) === group,
      )
      .sort((one, other) => placeOf(one) - placeOf(other)),
  })).filter(({ rows }) => rows.length > 0);
  const linkOf = ({ meeting }: Planned) =>
    meeting.url + (keys.rooms.get(meeting.id)?.fragment ?? "");

  function act(of: Planned, what: RowAct): void {
    if (what === "link") void copyLink(linkOf(of));
    else setShown({ what, of });
  }

  function saved(meeting: RunningMeeting, plan: Plan, isNew: boolean): void {
    onPlanned();
    const of = { meeting, plan, next: nextOccurrence(plan, Date.now()) };
    if (isNew) setShown({ what: "saved", of });
    else {
      close();
      showToast(t("saved.changed"));
    }
  }

  function dialog() {
    if (isPlanning) {
      return (
        <PlanDialog
          userId={userId}
          changing={null}
          onSaved={(meeting, plan) => saved(meeting, plan, true)}
          onClose={onPlanned}
        />
      );
    }
    if (shown === null) return null;
    const { of } = shown;
    const { meeting, plan, next } = of;
    if (shown.what === "cancel") return <CancelDialog meeting={meeting} onClose={close} />;
    if (plan === null) return null;
    switch (shown.what) {
      case "edit":
        return (
          <PlanDialog
            userId={userId}
            changing={{ meeting, plan }}
            onSaved={(changed, to) => saved(changed, to, false)}
            onClose={close}
          />
        );
      case "invite":
        return invite({
          meetingId: meeting.id,
          url: meeting.url,
          title: plan.title,
          within: null,
          onClose: close,
        });
      case "calendar":
        return (
          <CalendarDialog
            wish={{ meetingId: meeting.id, plan, link: linkOf(of) }}
            onClose={close}
          />
        );
      case "mail":
        return (
          <MailDialog
            userId={userId}
            meeting={meeting}
            plan={plan}
            link={linkOf(of)}
            onClose={close}
          />
        );
      case "leave-out":
        return (
          next && (
            <LeaveOutDialog
              userId={userId}
              meeting={meeting}
              plan={plan}
              next={next}
              onClose={close}
            />
          )
        );
      case "saved":
        return (
          <SavedDialog
            wish={{ meetingId: meeting.id, plan, link: linkOf(of) }}
            entry={meeting.entry ?? "open"}
            canMail={canMail}
            onInvite={() => setShown({ what: "invite", of })}
            onMail={() => setShown({ what: "mail", of })}
            onClose={close}
          />
        );
    }
  }

  return (
    <section className="start__list planned" aria-labelledby="planned">
      <h2 className="label" id="planned">
        {t("planned")}
      </h2>
      {meetings.length === 0 && <p className="start__note mut">{t("empty")}</p>}
      {meetings.length > 0 && all.length === 0 && isOpening && <div className="start__note" />}
      {groups.map(({ group, rows }) => (
        <section key={group} aria-labelledby={`planned-${group}`}>
          <h3 className="planned__group sm mut" id={`planned-${group}`}>
            {t(`group.${group}`)}
          </h3>
          <ul className="prog">
            {rows.map((one) => (
              <PlannedRow
                key={one.meeting.id}
                {...one}
                group={group}
                now={now}
                roomKey={keys.rooms.get(one.meeting.id) ?? null}
                isOpening={keys.status === "opening"}
                canMail={canMail}
                onAct={(what) => act(one, what)}
              />
            ))}
          </ul>
        </section>
      ))}
      {dialog()}
    </section>
  );
}

function placeOf({ next, plan }: Planned): number {
  return plan === null ? Number.POSITIVE_INFINITY : (next?.start ?? 0);
}

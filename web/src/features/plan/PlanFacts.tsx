import { useState } from "react";
import { useTranslation } from "react-i18next";
import "./plan.css";
import { Button } from "../../design/index.ts";
import { useNow } from "../../useNow.ts";
import { CalendarDialog } from "./CalendarDialog.tsx";
import { nextOccurrences } from "./model/occurrences.ts";
import type { Plan } from "./model/plan.ts";
import { ownZone } from "./model/zones.ts";
import { usePlanWords } from "./usePlanWords.ts";

export interface PlanFactsProps {
  meetingId: string;
  plan: Plan;
  /** By which one came. */
  link: string;
  isPersonal: boolean;
}

/** At the door: when it takes place, on one's own clock, and what it is about. */
export default function PlanFacts({ meetingId, plan, link, isPersonal }: PlanFactsProps) {
  const { t } = useTranslation("plan");
  const words = usePlanWords();
  const now = useNow(10_000).getTime();
  const [isSaving, setSaving] = useState(false);
  const zone = ownZone();
  const [next, after] = nextOccurrences(plan, now, 2);
  const isOn = next !== undefined && next.start <= now;
  const series = words.series(plan);
  const there = next === undefined ? null : words.elsewhere(next, plan);
  return (
    <div className="planfacts">
      {next === undefined ? (
        <p>{t("door.over")}</p>
      ) : (
        <p className="num b">{words.when(next, zone)}</p>
      )}
      {there !== null && <p className="sm mut num">{there}</p>}
      {series !== null && <p className="sm mut">{series}</p>}
      {!plan.isZoneKnown && <p className="sm c-caution">{t("unknownZone")}</p>}
      {next !== undefined && (
        <p className="sm" role="status">
          {isOn
            ? t("door.now", { time: words.time(next.end, zone) })
            : t("door.soon", { when: words.until(next.start, now, zone) })}
        </p>
      )}
      {isOn && after !== undefined && (
        <p className="sm mut">{t("door.next", { when: words.when(after, zone) })}</p>
      )}
      {plan.note !== "" && <p className="planfacts__note">{plan.note}</p>}
      <Button size="dense" icon="calendar" onPress={() => setSaving(true)}>
        {t("door.save")}
      </Button>
      {isSaving && (
        <CalendarDialog
          wish={{ meetingId, plan, link }}
          isPersonal={isPersonal}
          onClose={() => setSaving(false)}
        />
      )}
    </div>
  );
}

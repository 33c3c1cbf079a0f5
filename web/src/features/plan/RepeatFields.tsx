import { Checkbox, CheckboxGroup, Label } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { TextField } from "../../design/index.ts";
import { Choice } from "./fields/Choice.tsx";
import { DateField } from "./fields/DateField.tsx";
import { parseDate, partsOf, weekdayOf } from "./model/days.ts";
import { type Draft, type DraftFault, nthOf, REPEATS, type Repeat } from "./model/draft.ts";
import { usePlanWords } from "./usePlanWords.ts";

export interface RepeatFieldsProps {
  draft: Draft;
  onChange(changes: Partial<Draft>): void;
  /** What is wrong, if it is one of these. */
  saidFor(...faults: DraftFault[]): string | undefined;
}

const ENDS = ["never", "date", "count"] as const;
const WEEK = [0, 1, 2, 3, 4, 5, 6];

/** How often, on which days, and until when. */
export function RepeatFields({ draft, onChange, saidFor }: RepeatFieldsProps) {
  const { t } = useTranslation("plan");
  const words = usePlanWords();
  const day = (draft.date === null ? null : parseDate(draft.date)) ?? 0;
  const weekday = weekdayOf(day);
  const { date } = partsOf(day);
  const isWeekly = draft.repeat === "weekly" || draft.repeat === "fortnightly";
  const isSeries = draft.repeat !== "never" && draft.repeat !== "kept";

  function textOf(repeat: Repeat): string {
    switch (repeat) {
      case "monthly":
        return t("form.repeats.monthly", { day: date });
      case "nth": {
        const nth = nthOf(day);
        const which = nth === -1 ? "last" : (nth as 1 | 2 | 3 | 4);
        return t("form.repeats.nth", {
          nth: t(`often.nths.${which}`, { weekday: words.weekday(weekday) }),
        });
      }
      case "kept":
        return t("form.repeats.kept", {
          series: words.series({ start: `${draft.date}T00:00`, rule: draft.rule }) ?? "",
        });
      default:
        return t(`form.repeats.${repeat}`);
    }
  }

  return (
    <>
      <div className="plan__row">
        <Choice
          label={t("form.repeat")}
          values={draft.repeat === "kept" ? [...REPEATS, "kept"] : REPEATS}
          value={draft.repeat}
          onChange={(repeat) => onChange({ repeat, except: [] })}
          textOf={textOf}
          hint={draft.repeat === "monthly" && date > 28 ? t("form.shortMonths") : undefined}
        />
        {isSeries && (
          <Choice
            label={t("form.ends")}
            values={ENDS}
            value={draft.ends}
            onChange={(ends) => onChange({ ends })}
            textOf={(ends) => t(`form.endings.${ends}`)}
          />
        )}
        {isSeries && draft.ends === "date" && (
          <DateField
            label={t("form.endDate")}
            value={draft.endDate}
            onChange={(endDate) => onChange({ endDate })}
            error={saidFor("no-end", "end-before")}
          />
        )}
        {isSeries && draft.ends === "count" && (
          <TextField
            label={t("form.count")}
            inputMode="numeric"
            value={Number.isNaN(draft.count) ? "" : String(draft.count)}
            onChange={(text) =>
              onChange({ count: /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN })
            }
            error={saidFor("count")}
            autoComplete="off"
          />
        )}
      </div>
      {isWeekly && (
        <CheckboxGroup
          className="picks"
          // The day of the first date is one of them, always.
          value={[...new Set([...draft.weekdays, weekday])].map(String)}
          onChange={(chosen) =>
            onChange({ weekdays: chosen.map(Number).filter((one) => one !== weekday) })
          }
        >
          <Label className="label">{t("form.weekdays")}</Label>
          <div className="pick__all">
            {WEEK.map((one) => (
              <Checkbox
                key={one}
                value={String(one)}
                className="pick__one"
                isReadOnly={one === weekday}
                aria-label={words.weekday(one)}
              >
                {words.weekday(one, "short")}
              </Checkbox>
            ))}
          </div>
        </CheckboxGroup>
      )}
    </>
  );
}

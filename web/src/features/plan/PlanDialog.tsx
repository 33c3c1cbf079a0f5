import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import "./plan.css";
import { meetingsKey } from "../../api/queries.ts";
import type { RunningMeeting } from "../../api/types.ts";
import { announceNow, Button, Choices, Dialog, TextField } from "../../design/index.ts";
import { TEMPLATES } from "../../sealing/templates.ts";
import { Choice } from "./fields/Choice.tsx";
import { ClockField } from "./fields/ClockField.tsx";
import { DateField } from "./fields/DateField.tsx";
import { TextBox } from "./fields/TextBox.tsx";
import { ZoneField } from "./fields/ZoneField.tsx";
import { parseDate } from "./model/days.ts";
import {
  type Draft,
  type DraftFault,
  draftOf,
  LENGTHS,
  movedTo,
  newDraft,
  readDraft,
} from "./model/draft.ts";
import { MAX_NOTE, type Plan } from "./model/plan.ts";
import { ownZone } from "./model/zones.ts";
import { changePlan, planMeeting } from "./planning.ts";
import { RepeatFields } from "./RepeatFields.tsx";
import { useFaultText, usePlanWords, zoneName } from "./usePlanWords.ts";

export interface PlanDialogProps {
  userId: string;
  /** Null: a new one. */
  changing: { readonly meeting: RunningMeeting; readonly plan: Plan } | null;
  onSaved(meeting: RunningMeeting, plan: Plan): void;
  onClose(): void;
}

const MAX_TITLE = 120;
const ENTRIES = ["open", "invited"] as const;

/** When, how often, for whom: what is planned is sealed in this browser. */
export function PlanDialog({ userId, changing, onSaved, onClose }: PlanDialogProps) {
  const { t } = useTranslation(["plan", "common"]);
  const words = usePlanWords();
  const faultText = useFaultText();
  const client = useQueryClient();
  const form = useId();
  const [own] = useState(ownZone);
  const [first] = useState(() =>
    changing === null
      ? newDraft(Date.now(), own)
      : draftOf(changing.plan, changing.meeting.entry ?? "open"),
  );
  const [draft, setDraft] = useState(first);
  const [fault, setFault] = useState<DraftFault | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isSaving, setSaving] = useState(false);

  function change(changes: Partial<Draft>): void {
    setDraft((before) => ({ ...before, ...changes }));
    setFault(null);
    setProblem(null);
  }

  async function save(plan: Plan): Promise<void> {
    if (changing !== null) {
      await changePlan(userId, changing.meeting.id, plan, draft.entry);
      onSaved({ ...changing.meeting, entry: draft.entry }, plan);
      return;
    }
    const meeting = await planMeeting(userId, plan, draft.entry);
    onSaved({ ...meeting, entry: draft.entry }, plan);
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (isSaving) return;
    const read = readDraft(draft, Date.now(), changing === null);
    if (read.type === "fault") {
      setFault(read.fault);
      announceNow(t(`fault.${read.fault}`));
      return;
    }
    setSaving(true);
    save(read.plan)
      .catch((error: unknown) => setProblem(faultText(error)))
      .finally(() => {
        setSaving(false);
        void client.invalidateQueries({ queryKey: meetingsKey });
      });
  }

  const saidFor = (...faults: DraftFault[]) =>
    fault !== null && faults.includes(fault) ? t(`fault.${fault}`) : undefined;
  const moved = movedTo(draft);
  const lengths = [...new Set([...LENGTHS, draft.minutes])].sort((a, b) => a - b).map(String);
  return (
    <Dialog
      isOpen
      isWide
      // A press outside must not take what was typed with it.
      isAlert={draft !== first}
      title={t(changing === null ? "form.new" : "form.change")}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("common:cancel")}
          </Button>
          <Button type="submit" form={form} variant="primary" isBusy={isSaving}>
            {t(isSaving ? "form.saving" : changing === null ? "form.save" : "form.saveChange")}
          </Button>
        </>
      }
    >
      <form id={form} className="dialog__form" onSubmit={submit} noValidate>
        <TextField
          label={t("form.title")}
          hint={t("form.titleHint")}
          value={draft.title}
          onChange={(title) => change({ title })}
          maxLength={MAX_TITLE}
          autoComplete="off"
          autoFocus
        />
        <div className="plan__row">
          <DateField
            label={t("form.date")}
            value={draft.date}
            onChange={(date) => change({ date })}
            error={saidFor("no-date", "past", "too-far", "none-left")}
          />
          <ClockField
            label={t("form.time")}
            value={draft.time}
            onChange={(time) => change({ time })}
            error={saidFor("no-time")}
          />
          <Choice
            label={t("form.length")}
            values={lengths}
            value={String(draft.minutes)}
            onChange={(minutes) => change({ minutes: Number(minutes) })}
            textOf={(minutes) => words.length(Number(minutes))}
          />
        </div>
        {moved !== null && (
          <p className="sm c-caution" role="status">
            {t("form.moved", { time: words.time(moved.at, draft.zone) })}
          </p>
        )}
        <ZoneField
          label={t("form.zone")}
          value={draft.zone}
          onChange={(zone) => change({ zone })}
          hint={
            draft.zone === own ? t("form.zoneOwn") : t("form.zoneOther", { zone: zoneName(own) })
          }
        />
        <RepeatFields draft={draft} onChange={change} saidFor={saidFor} />
        {draft.except.length > 0 && (
          <div className="plan__except">
            <p className="label">{t("form.except")}</p>
            <ul>
              {draft.except.map((date) => {
                const shown = words.date(parseDate(date) ?? 0);
                return (
                  <li key={date} className="row row-2">
                    <span className="num">{shown}</span>
                    <Button
                      size="dense"
                      variant="quiet"
                      aria-label={t("form.putBackLabel", { date: shown })}
                      onPress={() => change({ except: draft.except.filter((one) => one !== date) })}
                    >
                      {t("form.putBack")}
                    </Button>
                  </li>
                );
              })}
            </ul>
          </div>
        )}
        <Choices
          label={t("form.entry")}
          values={ENTRIES}
          value={draft.entry}
          onChange={(entry) => change({ entry })}
          textOf={(entry) => t(`form.entries.${entry}`)}
          note={t(`form.entryNote.${draft.entry}`)}
        />
        <Choice
          label={t("form.template")}
          values={TEMPLATES}
          value={draft.template}
          onChange={(template) => change({ template })}
          textOf={(template) => t(`template.${template}`)}
          hint={t(`form.templateNotes.${draft.template}`)}
        />
        <TextBox
          label={t("form.note")}
          hint={t("form.noteHint")}
          value={draft.note}
          onChange={(note) => change({ note })}
          maxLength={MAX_NOTE}
        />
        <p className="c-danger sm" role="alert">
          {problem ?? ""}
        </p>
      </form>
    </Dialog>
  );
}

import { type FormEvent, useDeferredValue, useId, useMemo, useState } from "react";
import { FieldError, Label, Text, TextArea, TextField } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Button, Choices, Icon } from "../../design/index.ts";
import type { InvitedRole } from "../../sealing/keys/invitation.ts";
import { MOST_INVITED } from "../../sealing/vault/invited.ts";
import type { NewInvited } from "../../vault/invitations.ts";
import { type LeftOut, readNames } from "./model/names.ts";
import { endOf, type Lasting } from "./model/rows.ts";

export interface AddPeopleProps {
  text: string;
  onText(text: string): void;
  /** Names that have a link that opens something. */
  known: readonly string[];
  /** How many more links the meeting can have. */
  room: number;
  /** Of the last try; undefined: none. */
  fault: string | undefined;
  /** Links made so far; null: none are being made. */
  done: number | null;
  onAdd(people: readonly NewInvited[]): void;
}

const ROLES: readonly InvitedRole[] = ["attendee", "cohost", "presenter", "listener"];
const LASTINGS: readonly Lasting[] = ["meeting", "day", "week", "month"];
const NAMES_SHOWN = 4;

/** Names, typed or pasted, and what their links are good for. */
export function AddPeople({ text, onText, known, room, fault, done, onAdd }: AddPeopleProps) {
  const { t } = useTranslation("invite");
  const form = useId();
  const [role, setRole] = useState<InvitedRole>("attendee");
  const [lasting, setLasting] = useState<Lasting>("meeting");
  const [hasTried, setTried] = useState(false);
  const read = useMemo(() => (value: string) => readNames(value, known, room), [known, room]);
  // A long list is read while nothing else is to be done.
  const preview = useDeferredValue(text);
  const { names, leftOut } = useMemo(() => read(preview), [read, preview]);
  const leftOutText = useLeftOut(leftOut);
  const firstOf = useFirst();
  const isBusy = done !== null;
  const missing = text.trim() === "" ? t("add.none") : t("add.nobody");
  const error = fault ?? (hasTried && names.length === 0 ? missing : undefined);

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (isBusy) return;
    const people = read(text).names;
    setTried(people.length === 0);
    if (people.length === 0) return;
    const expiresAt = endOf(lasting, Date.now());
    onAdd(people.map((name) => ({ name, role, expiresAt })));
  }

  return (
    <form id={form} className="invite__add" noValidate onSubmit={submit}>
      <TextField
        className="field"
        value={text}
        onChange={(value) => {
          onText(value);
          setTried(false);
        }}
        isInvalid={error !== undefined}
        isReadOnly={isBusy}
        autoComplete="off"
        spellCheck="false"
      >
        <Label className="label">{t("add.label")}</Label>
        <div className="input">
          <TextArea className="invite__names" rows={4} dir="auto" autoCorrect="off" />
        </div>
        {error === undefined && (
          <Text slot="description" className="hint">
            {t("add.hint")}
          </Text>
        )}
        <FieldError className="hint hint--error">{error}</FieldError>
      </TextField>
      <p className="sm invite__preview" role="status">
        {names.length > 0 && (
          <span>{t("add.preview", { count: names.length, names: firstOf(names) })}</span>
        )}
        {leftOutText !== "" && (
          <span className="c-caution row row-2">
            <Icon name="info" size={16} />
            {t("add.leftOut", { reasons: leftOutText })}
          </span>
        )}
      </p>
      <Choices
        label={t("add.role")}
        values={ROLES}
        value={role}
        onChange={setRole}
        textOf={(one) => t(`add.roles.${one}`)}
        note={role === "attendee" ? undefined : t(`add.roleNotes.${role}`)}
      />
      <Choices
        label={t("add.lasting")}
        values={LASTINGS}
        value={lasting}
        onChange={setLasting}
        textOf={(one) => t(`add.lastings.${one}`)}
      />
      <Button type="submit" variant="primary" className="invite__make" isBusy={isBusy}>
        {done === null
          ? t("add.make", { count: names.length })
          : done === 0
            ? t("add.busy")
            : t("add.making", { done, count: names.length })}
      </Button>
    </form>
  );
}

/** The first of them by name, so that a wrong column is seen before links are made. */
function useFirst(): (names: readonly string[]) => string {
  const { t } = useTranslation("invite");
  return (names) => {
    // Isolated, so that a name in Hebrew or Arabic does not turn those beside it.
    const first = names
      .slice(0, NAMES_SHOWN)
      .map((name) => `\u2068${name}\u2069`)
      .join(", ");
    const count = names.length - NAMES_SHOWN;
    return count > 0 ? t("add.andMore", { names: first, count }) : first;
  };
}

function useLeftOut(leftOut: LeftOut): string {
  const { t } = useTranslation("invite");
  const reasons = (Object.keys(leftOut) as (keyof LeftOut)[])
    .filter((why) => leftOut[why] > 0)
    .map((why) => t(`add.why.${why}`, { count: leftOut[why], most: MOST_INVITED }));
  return reasons.join(", ");
}

import { useTranslation } from "react-i18next";
import { Button, Choices, Dialog, Switch, showToast } from "../../../design/index.ts";
import type { Outcome, Part } from "../../../sealing/contract.ts";
import { bitsOf, may, type Permission } from "../../../sealing/permissions.ts";
import { useSealed, useSealedMeeting } from "./context.tsx";

const PARTS: readonly Part[] = ["attendee", "presenter", "listener"];

const SWITCHES = [
  "microphone",
  "camera",
  "screen",
  "chat",
  "leaders",
  "private",
  "reactions",
  "hand",
] as const satisfies readonly Permission[];

function bitsFor(permission: Permission): number {
  return permission === "screen" ? bitsOf("screen", "screenAmongMany") : bitsOf(permission);
}

/** What one person is here for, and may do beside what everybody may. */
export function RightsDialog({ identity, onClose }: { identity: string | null; onClose(): void }) {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const member = useSealed((sealed) => sealed.members.find((one) => one.identity === identity));
  if (identity === null || member === undefined) return null;
  const name = member.name ?? "…";
  const tell = (outcome: Outcome) => {
    if (outcome === "gone") showToast(t("person.gone", { name }));
    else if (outcome !== "done") showToast(t("person.failed"));
  };
  return (
    <Dialog
      title={t("rights.title", { name })}
      isOpen
      onClose={onClose}
      actions={<Button onPress={onClose}>{t("rules.done")}</Button>}
    >
      <div className="stack stack-4 dialog__form">
        <Choices
          label={t("rights.part")}
          values={PARTS}
          value={member.part}
          onChange={(part) => void actions.setPart(identity, part).then(tell)}
          textOf={(part) => t(`rights.parts.${part}`)}
          note={t(`rights.partNotes.${member.part}`)}
        />
        <fieldset className="stack stack-2">
          <legend className="label">{t("rights.may")}</legend>
          {SWITCHES.map((id) => (
            <Switch
              key={id}
              isSelected={may(member.may, id)}
              onChange={(isOn) => void actions.allow(identity, bitsFor(id), isOn).then(tell)}
            >
              {t(`rules.may.${id}`)}
            </Switch>
          ))}
        </fieldset>
      </div>
    </Dialog>
  );
}

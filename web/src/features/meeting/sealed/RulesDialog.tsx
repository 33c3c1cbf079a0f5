import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Choices, Dialog, Icon, Switch, showToast } from "../../../design/index.ts";
import type { Outcome, RoomPolicy } from "../../../sealing/contract.ts";
import { bitsOf, may, type Permission, withPermissions } from "../../../sealing/permissions.ts";
import { RULES, TEMPLATES, type Template } from "../../../sealing/templates.ts";
import { useIsHost, useSealed, useSealedMeeting } from "./context.tsx";

/** How many of the last messages a newcomer is given, where the host wants that. */
const HISTORY = 50;

const SWITCHES = [
  "microphone",
  "camera",
  "private",
  "reactions",
  "hand",
] as const satisfies readonly Permission[];

const SHARES = ["all", "few", "none"] as const;
const WRITES = ["all", "leaders", "none"] as const;

/** What everybody may do in this room: by a template, and one by one. */
export function RulesDialog({ isOpen, onClose }: { isOpen: boolean; onClose(): void }) {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const policy = useSealed((sealed) => sealed.policy);
  const { template, attendees, entry, history } = policy;
  const tell = (outcome: Outcome) => {
    if (outcome !== "done") showToast(t("person.failed"));
  };
  const set = (change: Partial<RoomPolicy>) => void actions.setPolicy(change).then(tell);
  const allow = (bits: number, isAllowed: boolean) =>
    set({ attendees: withPermissions(attendees, bits, isAllowed) });
  const follow = (next: Template) => set({ ...RULES[next], template: next });
  return (
    <Dialog
      title={t("rules.title")}
      isOpen={isOpen}
      onClose={onClose}
      actions={<Button onPress={onClose}>{t("rules.done")}</Button>}
    >
      <div className="stack stack-4 dialog__form">
        <Choices
          label={t("rules.template")}
          values={TEMPLATES}
          value={template}
          onChange={follow}
          textOf={(one) => t(`rules.templates.${one}`)}
          note={t(`rules.templateNotes.${template}`)}
        />
        <fieldset className="stack stack-2">
          <legend className="label">{t("rules.everybody")}</legend>
          {SWITCHES.map((one) => (
            <Switch
              key={one}
              isSelected={may(attendees, one)}
              onChange={(isOn) => allow(bitsOf(one), isOn)}
            >
              {t(`rules.may.${one}`)}
            </Switch>
          ))}
        </fieldset>
        <Choices
          label={t("rules.share")}
          values={SHARES}
          value={shareOf(attendees)}
          onChange={(value) => set({ attendees: withShare(attendees, value) })}
          textOf={(one) => t(`rules.shares.${one}`)}
        />
        <Choices
          label={t("rules.write")}
          values={WRITES}
          value={writeOf(attendees)}
          onChange={(value) => set({ attendees: withWrite(attendees, value) })}
          textOf={(one) => t(`rules.writes.${one}`)}
        />
        <fieldset className="stack stack-2">
          <legend className="label">{t("rules.door")}</legend>
          <Switch
            isSelected={entry === "lobby"}
            onChange={(isOn) => set({ entry: isOn ? "lobby" : "open" })}
          >
            {t("room.lobbyOn")}
          </Switch>
          <Switch
            isSelected={history > 0}
            onChange={(isOn) => set({ history: isOn ? HISTORY : 0 })}
          >
            {t("room.history")}
          </Switch>
        </fieldset>
        <KeptOut />
      </div>
    </Dialog>
  );
}

/** Devices that do not come in again; only a host forgives. */
function KeptOut() {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const count = useSealed((sealed) => sealed.blocked.length);
  const isHost = useIsHost();
  const [isAsking, setAsking] = useState(false);
  if (count === 0) return null;
  const forgive = () => {
    setAsking(false);
    void actions.unblock().then((outcome) => {
      showToast(t(outcome === "done" ? "rules.forgiven" : "person.failed"));
    });
  };
  return (
    <div className="row row-2 wrap">
      <Icon name="lock" size={16} />
      <span className="grow sm">{t("rules.keptOut", { count })}</span>
      {isHost && !isAsking && (
        <Button size="dense" onPress={() => setAsking(true)}>
          {t("rules.forgive")}
        </Button>
      )}
      {isAsking && (
        <Button size="dense" variant="danger-line" onPress={forgive}>
          {t("rules.forgiveYes")}
        </Button>
      )}
    </div>
  );
}

function shareOf(bits: number): (typeof SHARES)[number] {
  if (may(bits, "screenAmongMany")) return "all";
  return may(bits, "screen") ? "few" : "none";
}

function withShare(bits: number, share: (typeof SHARES)[number]): number {
  const without = withPermissions(bits, bitsOf("screen", "screenAmongMany"), false);
  if (share === "none") return without;
  return without | (share === "all" ? bitsOf("screen", "screenAmongMany") : bitsOf("screen"));
}

function writeOf(bits: number): (typeof WRITES)[number] {
  if (may(bits, "chat")) return "all";
  return may(bits, "leaders") ? "leaders" : "none";
}

function withWrite(bits: number, write: (typeof WRITES)[number]): number {
  const without = withPermissions(bits, bitsOf("chat", "leaders"), false);
  if (write === "none") return without;
  return without | (write === "all" ? bitsOf("chat", "leaders") : bitsOf("leaders"));
}

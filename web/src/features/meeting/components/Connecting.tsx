import { useTranslation } from "react-i18next";
import { Button, Icon, useSlowly } from "../../../design/index.ts";
import { useCall, useMeeting } from "./context.tsx";

const STEPS = ["door", "line", "picture"] as const;

/** Coming in: which step is being taken. Seen only when it takes longer than a blink. */
export function Connecting() {
  const isComing = useCall((call) => call.connectedAt === null && call.phase.type !== "over");
  return isComing ? <Steps /> : null;
}

function Steps() {
  const { t } = useTranslation("meeting");
  const { session } = useMeeting();
  const phase = useCall((call) => call.phase);
  const isSlow = useSlowly();
  const step = phase.type === "connecting" ? STEPS.indexOf(phase.step) : 0;
  if (!isSlow) return null;
  return (
    <div className="coming">
      <h2 className="h3">{t("connecting.heading")}</h2>
      <ol className="coming__steps" role="status">
        {STEPS.map((name, index) => (
          <li key={name} aria-current={index === step ? "step" : undefined}>
            {index < step && <Icon name="check" size={18} />}
            {t(`connecting.${name}`)}
          </li>
        ))}
      </ol>
      <Button variant="line" onPress={() => void session.leave()}>
        {t("connecting.cancel")}
      </Button>
    </div>
  );
}

import { Button } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Icon } from "../../../design/index.ts";
import { type Quality, selfOf } from "../model/call.ts";
import { useCall, useMeeting } from "./context.tsx";

const LOOKS = {
  weak: { icon: "weak", label: "tile.weak" },
  lost: { icon: "alert", label: "tile.lost" },
} as const;

/** A weak or lost connection, as a mark with a name; a good one needs none. */
export function QualityMark({
  quality,
  hasWord = false,
  size = 16,
}: {
  quality: Quality;
  hasWord?: boolean;
  size?: number;
}) {
  const { t } = useTranslation("meeting");
  if (quality !== "weak" && quality !== "lost") return null;
  const { icon, label } = LOOKS[quality];
  return (
    <span className="mark mark--quality">
      <Icon name={icon} size={size} />
      <span className={hasWord ? "xs" : "vh"}>{t(label)}</span>
    </span>
  );
}

/** One's own connection, only while it is weak: a press shows why. */
export function OwnQuality({ children }: { children?: React.ReactNode }) {
  const { t } = useTranslation("meeting");
  const { view } = useMeeting();
  const quality = useCall((call) => selfOf(call)?.quality ?? "unknown");
  if (quality !== "weak" && quality !== "lost") return children;
  return (
    <Button className="ownq" onPress={() => view.setPanel("figures")}>
      {children}
      <Icon name={LOOKS[quality].icon} size={16} />
      <span className="vh">{t("figures.show")}</span>
    </Button>
  );
}

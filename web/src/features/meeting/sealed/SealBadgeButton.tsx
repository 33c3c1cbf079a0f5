import { Button } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { SealBadge, type SealLook } from "../../../design/index.ts";
import type { SealState } from "../../../sealing/contract.ts";
import { useMeeting } from "../components/context.tsx";
import { useSealed } from "./context.tsx";

export const LOOK: Record<SealState["type"], SealLook> = {
  coming: "coming",
  sealed: "sealed",
  "not-sealed": "open",
  broken: "broken",
  ended: "ended",
};

/** How the room stands, in a shape and a word; a press says what it means. */
export function SealBadgeButton() {
  const { t } = useTranslation("sealed");
  const { view } = useMeeting();
  const type = useSealed((sealed) => sealed.seal.type);
  const word = t(`badge.${type}`);
  return (
    <Button
      className="sealbtn"
      aria-label={t("badge.more", { state: word })}
      aria-haspopup="dialog"
      onPress={() => view.show("seal")}
    >
      <SealBadge state={LOOK[type]}>{word}</SealBadge>
    </Button>
  );
}

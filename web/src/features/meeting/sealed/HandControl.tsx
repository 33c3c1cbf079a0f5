import { useTranslation } from "react-i18next";
import { ControlBox, Icon, showToast } from "../../../design/index.ts";
import { selfOf, useSealed, useSealedMeeting } from "./context.tsx";
import { useMay } from "./useOwnRights.ts";

/** Asks for the floor without interrupting; says where one stands in the line. */
export function HandControl({ isShort = false }: { isShort?: boolean }) {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const place = useSealed((sealed) => selfOf(sealed)?.handPlace ?? null);
  const isUp = place !== null;
  const mayRaise = useMay("hand");
  return (
    <ControlBox
      icon="hand"
      label={t(isShort ? "hand.short" : isUp ? "hand.lower" : "hand.raise")}
      {...(isShort ? { "aria-label": t(isUp ? "hand.lower" : "hand.raise") } : {})}
      isInverted={isUp}
      disabledReason={isUp || mayRaise ? undefined : t("hand.notAllowed")}
      onPress={async () => {
        if ((await actions.setHand(!isUp)) === "too-fast") showToast(t("tooFast"));
      }}
    >
      {isUp && (
        <span className="count n" aria-hidden="true">
          {place}
        </span>
      )}
    </ControlBox>
  );
}

/** On a tile and in the list: a raised hand and its place in the line. */
export function HandMark({ place, className }: { place: number; className: string }) {
  const { t } = useTranslation("sealed");
  return (
    <span className={className}>
      <Icon name="hand" size={16} />
      <span aria-hidden="true">{place}</span>
      <span className="vh">{t("hand.place", { place })}</span>
    </span>
  );
}

import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { Icon } from "../../../design/index.ts";
import { useIsLeading, useSealedMeeting } from "./context.tsx";

/** Different devices, in this sitting and as seen from here. */
export function useOpenLinkDevices(): number {
  return useStore(useSealedMeeting().witness.store, (witnessed) => witnessed.openLinkDevices);
}

/** For who leads: on how many devices the link for everybody was opened. More than one expected? */
export function OpenLinkCount() {
  const { t } = useTranslation("sealed");
  const count = useOpenLinkDevices();
  const isLeading = useIsLeading();
  if (!isLeading || count === 0) return null;
  return (
    <p className="row row-2 sm mut sec__note openlink">
      <Icon name="link" size={16} />
      {t("openLink", { count })}
    </p>
  );
}

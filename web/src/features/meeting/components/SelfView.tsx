import { Button } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Dialog, Icon, Button as PlainButton } from "../../../design/index.ts";
import { selfOf } from "../model/call.ts";
import { useCall, useMeeting, useView } from "./context.tsx";
import { OwnQuality } from "./QualityMark.tsx";
import { Video } from "./Video.tsx";

/** One's own picture beside one's own controls; mirrored, for oneself only. */
export function SelfView({ isSmall = false }: { isSmall?: boolean }) {
  const { t } = useTranslation("meeting");
  const { view } = useMeeting();
  const isHidden = useView((state) => state.isSelfHidden);
  const self = useCall(selfOf);
  if (isHidden) {
    return isSmall ? null : (
      <div className="self self--none">
        <OwnQuality />
      </div>
    );
  }
  const picture = <Picture />;
  const isSpeaking = self?.isSpeaking === true;
  if (isSmall) {
    return (
      <Button
        className={isSpeaking ? "self self--small speaking" : "self self--small"}
        aria-label={t("self.enlarge")}
        onPress={() => view.show("self")}
      >
        {picture}
      </Button>
    );
  }
  return (
    <div
      className={isSpeaking ? "self speaking" : "self"}
      data-identity={self?.identity}
      data-self=""
    >
      {picture}
      <div className="nametag">
        <OwnQuality>
          <span>{t("self.you")}</span>
        </OwnQuality>
      </div>
    </div>
  );
}

function Picture() {
  const { t } = useTranslation("meeting");
  const camera = useCall((call) => selfOf(call)?.camera ?? null);
  if (camera !== null) return <Video source={camera} label={t("self.label")} />;
  return (
    <span className="self__off">
      <Icon name="cam-off" size={20} />
      <span className="vh">{t("self.off")}</span>
    </span>
  );
}

/** On a phone, the own picture large enough to look at. */
export function SelfDialog() {
  const { t } = useTranslation("meeting");
  const { view } = useMeeting();
  const isOpen = useView((state) => state.dialog === "self");
  return (
    <Dialog
      title={t("self.you")}
      isOpen={isOpen}
      onClose={() => view.show(null)}
      actions={
        <PlainButton variant="primary" onPress={() => view.show(null)}>
          {t("shortcuts.close")}
        </PlainButton>
      }
    >
      <div className="self self--large">
        <Picture />
      </div>
    </Dialog>
  );
}

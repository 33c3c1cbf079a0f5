import { Button } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Icon, IconButton } from "../../../design/index.ts";
import { othersOf } from "../model/call.ts";
import { runningTime } from "../model/clock.ts";
import { canSpeakerView, isSpeakerView } from "../model/stage.ts";
import { useSealed } from "../sealed/context.tsx";
import { SealBadgeButton } from "../sealed/SealBadgeButton.tsx";
import { useCall, useMeeting, useView } from "./context.tsx";
import { PHONE, useMatch, useSeconds } from "./hooks.ts";
import { OwnQuality } from "./QualityMark.tsx";
import { SelfView } from "./SelfView.tsx";

/** How the room stands, how long it runs, and the switch of the view. */
export function TopBar() {
  const { t } = useTranslation("meeting");
  const { view } = useMeeting();
  const isPhone = useMatch(PHONE);
  const count = useCall((call) => call.people.length);
  return (
    <div className="top">
      <SealBadgeButton />
      <RoomTitle />
      <div className="grow" />
      {!isPhone && <RunningTime />}
      {!isPhone && <ViewSwitch />}
      {isPhone && <OwnQuality />}
      {isPhone && (
        <Button
          className="icb ppl"
          aria-label={t("controls.peopleName", { count })}
          onPress={() => view.setPanel(view.getState().panel === null ? "people" : null)}
        >
          <Icon name="people" size={24} />
          <span className="count n" aria-hidden="true">
            {count}
          </span>
        </Button>
      )}
      {isPhone && <SelfView isSmall />}
    </div>
  );
}

function RoomTitle() {
  const title = useSealed((sealed) => sealed.title);
  return title === null ? null : <span className="title trunc">{title}</span>;
}

function RunningTime() {
  const { t } = useTranslation("meeting");
  const connectedAt = useCall((call) => call.connectedAt);
  const now = useSeconds();
  if (connectedAt === null) return null;
  const time = runningTime(now - connectedAt);
  return (
    <span className="mut num sm" role="timer" aria-label={t("time", { time })}>
      {time}
    </span>
  );
}

function ViewSwitch() {
  const { t } = useTranslation("meeting");
  const { view } = useMeeting();
  const others = useCall((call) => othersOf(call).length);
  const isSharing = useCall((call) => call.share !== null);
  const choice = useView((state) => state.view);
  const enlarged = useView((state) => state.enlarged);
  if (isSharing) return null;
  if (enlarged !== null) {
    return (
      <IconButton
        icon="grid"
        size="dense"
        label={t("view.back")}
        onPress={() => view.enlarge(null)}
      />
    );
  }
  if (!canSpeakerView(others)) return null;
  const isSpeaker = isSpeakerView(choice, others);
  return (
    <IconButton
      icon={isSpeaker ? "grid" : "focus-view"}
      size="dense"
      label={t(isSpeaker ? "view.grid" : "view.speaker")}
      onPress={() => view.setView(isSpeaker ? "grid" : "speaker")}
    />
  );
}

import { Toolbar } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { ControlBox } from "../../../design/index.ts";
import { useSealed } from "../sealed/context.tsx";
import { HandControl } from "../sealed/HandControl.tsx";
import { ReactControl } from "../sealed/Reactions.tsx";
import { useShareBar } from "../sealed/useOwnRights.ts";
import { useCall, useMeeting, useView } from "./context.tsx";
import { CamControl, MicControl } from "./DeviceControls.tsx";
import { PHONE, useMatch } from "./hooks.ts";
import { LeaveControl } from "./LeaveControl.tsx";
import { MoreMenu } from "./MoreMenu.tsx";
import { SelfView } from "./SelfView.tsx";

/** One's own picture, one's own switches, and the way out. */
export function ControlBar() {
  const { t } = useTranslation("meeting");
  const isPhone = useMatch(PHONE);
  return (
    <section
      className="bar"
      aria-label={t("regions.controls")}
      data-region="controls"
      tabIndex={-1}
    >
      {!isPhone && <SelfView />}
      <Toolbar className="ctls" aria-label={t("regions.controls")}>
        <MicControl />
        <CamControl />
        <div className="gap" />
        {!isPhone && <ShareControl />}
        <HandControl isShort={isPhone} />
        {!isPhone && <ReactControl />}
        <div className="gap" />
        <ChatControl />
        {!isPhone && <PeopleControl />}
        <MoreMenu isPhone={isPhone} />
      </Toolbar>
      <LeaveControl />
    </section>
  );
}

function ShareControl() {
  const { t } = useTranslation("meeting");
  const { session } = useMeeting();
  const canShare = useCall((call) => call.canShare);
  const state = useCall((call) => call.shareState);
  const sharer = useCall(({ share }) => (share === null || share.isSelf ? null : share.name));
  const bar = useShareBar();
  if (!canShare) return null;
  const isOn = state === "on";
  const taken = sharer === null ? undefined : t("controls.shareTaken", { name: sharer });
  return (
    <ControlBox
      icon={isOn ? "share-stop" : "share"}
      label={t(
        state === "choosing" ? "controls.choosing" : isOn ? "controls.stopShare" : "controls.share",
      )}
      isInverted={isOn}
      disabledReason={isOn ? undefined : bar === null ? taken : t(`controls.${bar}`)}
      onPress={() => state !== "choosing" && void session.media.setShare(!isOn)}
    />
  );
}

function ChatControl() {
  const { t } = useTranslation("sealed");
  const { view } = useMeeting();
  const isOpen = useView((state) => state.panel === "chat");
  const unread = useSealed((sealed) => sealed.unread);
  return (
    <ControlBox
      icon="chat"
      label={t("chat.title")}
      aria-label={t("chat.open", { count: unread })}
      isInverted={isOpen}
      aria-expanded={isOpen}
      onPress={() => view.setPanel(isOpen ? null : "chat")}
    >
      {unread > 0 && (
        <span className="count n" aria-hidden="true">
          {unread}
        </span>
      )}
    </ControlBox>
  );
}

function PeopleControl() {
  const { t } = useTranslation("meeting");
  const { view } = useMeeting();
  const isOpen = useView((state) => state.panel === "people");
  const count = useSealed((sealed) => sealed.members.length);
  return (
    <ControlBox
      icon="people"
      label={t("controls.people")}
      isInverted={isOpen}
      aria-expanded={isOpen}
      onPress={() => view.setPanel(isOpen ? null : "people")}
    >
      <span className="count n" aria-hidden="true">
        {count}
      </span>
    </ControlBox>
  );
}

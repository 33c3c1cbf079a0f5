import { Button } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { ControlBox, Icon, Menu, type MenuGroup, Tip } from "../../../design/index.ts";
import type { DeviceOption, DeviceState } from "../model/call.ts";
import { selfOf, useSealed, useSealedMeeting } from "../sealed/context.tsx";
import { useMay } from "../sealed/useOwnRights.ts";
import { useCall, useMeeting, useView } from "./context.tsx";
import { MicrophoneLevel, MutedSpeechHint } from "./MicrophoneLevel.tsx";

const SPEAKER = "speaker:";
const EXPLAINED: readonly DeviceState[] = ["blocked", "missing", "in-use", "not-permitted"];

/** Device names as the browser gives them, or numbered while it hides them. */
export function useDeviceNames(): (options: readonly DeviceOption[]) => DeviceOption[] {
  const { t } = useTranslation("meeting");
  return (options) =>
    options.map(({ id, label }, index) => ({
      id,
      label: label === "" ? t("devices.unnamed", { number: index + 1 }) : label,
    }));
}

export function MicControl() {
  const { t } = useTranslation("meeting");
  const { session } = useMeeting();
  const { state, options, selected } = useCall((call) => call.microphone);
  const speaker = useCall((call) => call.speaker);
  const names = useDeviceNames();
  const isCameraSeen = useView((view) => !view.isSelfHidden);
  const isCameraOn = useCall((call) => call.camera.state === "on");
  const isOn = state === "on";
  const asking = useAskToSpeak();
  const groups: MenuGroup[] = [
    {
      id: "microphone",
      title: t("devices.microphone"),
      selectedId: selected,
      entries: names(options),
    },
  ];
  if (speaker.canSelect) {
    groups.push({
      id: "speaker",
      title: t("devices.speaker"),
      // One device can have the same id as microphone and as speaker; a menu's ids are unique.
      selectedId: speaker.selected === null ? null : SPEAKER + speaker.selected,
      entries: names(speaker.options).map(({ id, label }) => ({ id: SPEAKER + id, label })),
    });
  }
  const isPermitted = state !== "not-permitted";
  const label =
    state === "starting" ? "controls.starting" : isOn ? "controls.mute" : "controls.unmute";
  const box = (
    <ControlBox
      icon={isOn ? "mic" : "mic-off"}
      label={isPermitted ? t(label) : asking.label}
      isInverted={!isOn && state !== "starting"}
      onPress={() => (isPermitted ? void session.media.setMicrophone(!isOn) : asking.ask())}
    >
      {isOn && <MicrophoneLevel />}
      {!isCameraSeen && isCameraOn && (
        <span className="camdot">
          <span className="vh">{t("controls.cameraOn")}</span>
        </span>
      )}
    </ControlBox>
  );
  return (
    <div className="split split--mic">
      <Explained text={reasonOf("mic", state)}>{box}</Explained>
      <Menu
        label={t("controls.microphoneMenu")}
        placement="top"
        groups={groups}
        onAction={(id, group) =>
          group === "speaker"
            ? void session.media.choose("speaker", id.slice(SPEAKER.length))
            : void session.media.choose("microphone", id)
        }
        trigger={
          <Button className="chev" aria-label={t("controls.microphoneMenu")}>
            <Icon name="chev-up" size={18} />
          </Button>
        }
      />
      <MutedSpeechHint />
    </div>
  );
}

export function CamControl() {
  const { t } = useTranslation("meeting");
  const { session } = useMeeting();
  const { state, options, selected } = useCall((call) => call.camera);
  const names = useDeviceNames();
  const isOn = state === "on";
  const box = (
    <ControlBox
      icon={isOn ? "cam" : "cam-off"}
      label={t(
        state === "starting"
          ? "controls.starting"
          : isOn
            ? "controls.stopVideo"
            : "controls.startVideo",
      )}
      isInverted={!isOn && state !== "starting"}
      onPress={() => void session.media.setCamera(!isOn)}
    />
  );
  return (
    <div className="split">
      <Explained text={reasonOf("cam", state)}>{box}</Explained>
      <Menu
        label={t("controls.cameraMenu")}
        placement="top"
        groups={[
          {
            id: "camera",
            title: t("devices.camera"),
            selectedId: selected,
            entries: names(options),
          },
        ]}
        onAction={(id) => void session.media.choose("camera", id)}
        trigger={
          <Button className="chev" aria-label={t("controls.cameraMenu")}>
            <Icon name="chev-up" size={18} />
          </Button>
        }
      />
    </div>
  );
}

/** Where the floor is given, the microphone's button asks for it, with one's hand. */
function useAskToSpeak(): { readonly label: string; ask(): void } {
  const { t } = useTranslation("meeting");
  const { actions } = useSealedMeeting();
  const isUp = useSealed((sealed) => (selfOf(sealed)?.handPlace ?? null) !== null);
  const mayRaise = useMay("hand");
  const label = mayRaise
    ? t(isUp ? "controls.askedToSpeak" : "controls.askToSpeak")
    : t("controls.unmute");
  return { label, ask: () => mayRaise && void actions.setHand(!isUp) };
}

type Reason =
  | `${"mic" | "cam"}-${"blocked" | "missing" | "in-use" | "not-permitted"}`
  | "mic-off-by-host";

function reasonOf(device: "mic" | "cam", state: DeviceState): Reason | null {
  if (EXPLAINED.includes(state)) return `${device}-${state}` as Reason;
  return state === "off-by-host" && device === "mic" ? "mic-off-by-host" : null;
}

/** A device that cannot be switched on stays a button: the next press tries again. */
function Explained({ text, children }: { text: Reason | null; children: React.ReactElement }) {
  const { t } = useTranslation("meeting");
  return text === null ? children : <Tip text={t(`reason.${text}`)}>{children}</Tip>;
}

import { useTranslation } from "react-i18next";
import { Button, DevicePicker, Dialog } from "../../../design/index.ts";
import { useCall, useMeeting, useView } from "./context.tsx";
import { useDeviceNames } from "./DeviceControls.tsx";

/** All three devices at once; on phones the only place to choose them. */
export function DevicesDialog() {
  const { t } = useTranslation("meeting");
  const { session, view } = useMeeting();
  const isOpen = useView((state) => state.dialog === "devices");
  const microphone = useCall((call) => call.microphone);
  const camera = useCall((call) => call.camera);
  const speaker = useCall((call) => call.speaker);
  const names = useDeviceNames();
  const { media } = session;
  return (
    <Dialog
      title={t("devices.title")}
      isOpen={isOpen}
      onClose={() => view.show(null)}
      actions={
        <Button variant="primary" onPress={() => view.show(null)}>
          {t("devices.done")}
        </Button>
      }
    >
      <div className="stack devices">
        <DevicePicker
          label={t("devices.microphone")}
          icon="mic"
          choices={names(microphone.options)}
          value={microphone.selected}
          onChange={(id) => void media.choose("microphone", id)}
          emptyText={t("devices.none")}
        />
        <DevicePicker
          label={t("devices.camera")}
          icon="cam"
          choices={names(camera.options)}
          value={camera.selected}
          onChange={(id) => void media.choose("camera", id)}
          emptyText={t("devices.none")}
        />
        {speaker.canSelect && (
          <DevicePicker
            label={t("devices.speaker")}
            icon="speaker"
            choices={names(speaker.options)}
            value={speaker.selected}
            onChange={(id) => void media.choose("speaker", id)}
            emptyText={t("devices.default")}
          />
        )}
      </div>
    </Dialog>
  );
}

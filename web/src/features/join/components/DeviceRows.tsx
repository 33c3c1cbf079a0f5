import { memo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, DevicePicker, Meter, showToast } from "../../../design/index.ts";
import { canChooseSpeaker, playTestSound } from "../media/browser.ts";
import { useMicLevel } from "../media/useMicLevel.ts";
import type { CaptureModel, CaptureState, Source } from "../model/capture.ts";
import { useCaptureState } from "../useCapture.ts";

/** Microphone with its level, speaker with a test, camera. */
export const DeviceRows = memo(function DeviceRows({ model }: { model: CaptureModel }) {
  const { t } = useTranslation("join");
  const state = useCaptureState(model);
  if (state.support !== "full") return null;
  const { microphone, camera, devices } = state;
  return (
    <div className="devs">
      <div className="dv">
        <DevicePicker
          label={t("microphone")}
          icon="mic"
          choices={devices.microphones}
          value={microphone.chosenId}
          onChange={(id) => void model.choose("microphone", id)}
          emptyText={t(microphone.problem === "none" ? "noMicrophone" : "notAllowedYet")}
        />
        <div className="dv__extra">
          <MicCheck microphone={microphone} />
        </div>
      </div>
      {canChooseSpeaker && <SpeakerRow model={model} state={state} />}
      <div className="dv">
        <DevicePicker
          label={t("camera")}
          icon="cam"
          choices={devices.cameras}
          value={camera.chosenId}
          onChange={(id) => void model.choose("camera", id)}
          emptyText={t(camera.problem === "none" ? "noCamera" : "notAllowedYet")}
        />
      </div>
    </div>
  );
});

function MicCheck({ microphone }: { microphone: Source }) {
  const { t } = useTranslation("join");
  const { level, isHeard } = useMicLevel(microphone.capture?.stream ?? null);
  const isMuted = microphone.capture === null && !microphone.isWanted;
  return (
    <>
      <Meter label={t("microphone")} level={level} />
      <p className="hint">{t(isMuted ? "muted" : isHeard ? "heard" : "notHeard")}</p>
    </>
  );
}

function SpeakerRow({ model, state }: { model: CaptureModel; state: CaptureState }) {
  const { t } = useTranslation("join");
  const [isPlaying, setPlaying] = useState(false);

  async function test(): Promise<void> {
    setPlaying(true);
    try {
      await playTestSound(state.speakerId);
    } catch {
      showToast(t("testFailed"));
    } finally {
      setPlaying(false);
    }
  }

  return (
    <div className="dv">
      <DevicePicker
        label={t("speaker")}
        icon="speaker"
        choices={state.devices.speakers}
        value={state.speakerId}
        onChange={(id) => model.chooseSpeaker(id)}
        emptyText={t("noSpeaker")}
      />
      <div className="dv__extra">
        <Button
          variant="quiet"
          size="dense"
          icon="play"
          isBusy={isPlaying}
          onPress={() => void test()}
        >
          {isPlaying ? t("testPlaying") : t("testSound")}
        </Button>
      </div>
    </div>
  );
}

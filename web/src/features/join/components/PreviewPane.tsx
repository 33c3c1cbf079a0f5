import { memo, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { ControlBox, Icon, LevelBars, useSlowly } from "../../../design/index.ts";
import { useMicLevel } from "../media/useMicLevel.ts";
import type { CaptureModel } from "../model/capture.ts";
import { useCaptureState } from "../useCapture.ts";

/** The mirror, with the two switches in it. */
export const PreviewPane = memo(function PreviewPane({ model }: { model: CaptureModel }) {
  const { t } = useTranslation("join");
  const isSlow = useSlowly();
  const state = useCaptureState(model);
  const { microphone, camera } = state;
  const isMicOn = microphone.capture !== null;
  const isCameraOn = camera.capture !== null;
  return (
    <div className="pv on-stage">
      {camera.capture ? (
        <>
          <Mirror stream={camera.capture.stream} label={t("preview.label")} />
          <span className="pv__note">
            <Icon name="eye-off" size={16} />
            {t("preview.onlyYou")}
          </span>
        </>
      ) : (
        <p className="pv__off">
          {camera.isStarting ? isSlow && t("preview.starting") : t("preview.off")}
        </p>
      )}
      {state.support === "full" && (
        <div className="pv__ctls">
          <ControlBox
            icon={isMicOn ? "mic" : "mic-off"}
            label={t(isMicOn ? "mute" : "unmute")}
            isInverted={!isMicOn}
            onPress={() => void model.toggle("microphone")}
          >
            {microphone.capture && <MicBars stream={microphone.capture.stream} />}
          </ControlBox>
          <ControlBox
            icon={isCameraOn ? "cam" : "cam-off"}
            label={t(isCameraOn ? "stopVideo" : "startVideo")}
            isInverted={!isCameraOn}
            onPress={() => void model.toggle("camera")}
          />
        </div>
      )}
    </div>
  );
});

function MicBars({ stream }: { stream: MediaStream }) {
  return <LevelBars level={useMicLevel(stream).level} />;
}

function Mirror({ stream, label }: { stream: MediaStream; label: string }) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = ref.current;
    if (!video) return;
    video.srcObject = stream;
    return () => {
      video.srcObject = null;
    };
  }, [stream]);
  return <video ref={ref} aria-label={label} autoPlay playsInline muted disablePictureInPicture />;
}

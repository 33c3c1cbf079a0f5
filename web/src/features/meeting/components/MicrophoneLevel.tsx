import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { announceNow, LevelBars } from "../../../design/index.ts";
import { hear, SILENT } from "../model/announce.ts";
import { meterLevel, SPEECH } from "../model/level.ts";
import { useCall } from "./context.tsx";

const HINT_SHOWN_MS = 5_000;
const SPEECH_READINGS = 4;

/** The bars in the microphone's box: we can hear you. Decoration. */
export function MicrophoneLevel() {
  const track = useCall((call) => call.microphoneTrack);
  const [level, setLevel] = useState(0);
  useEffect(() => {
    if (track === null) return;
    const meter = meterLevel(track, (next) => setLevel(Math.round(next * 5) / 5));
    return () => meter?.stop();
  }, [track]);
  return <LevelBars level={level} />;
}

/** Somebody who speaks while muted is told so, at most every thirty seconds. */
export function MutedSpeechHint() {
  const { t } = useTranslation("meeting");
  const track = useCall((call) => call.microphoneTrack);
  const isMuted = useCall(
    (call) => call.microphone.state === "off" || call.microphone.state === "off-by-host",
  );
  const [isShown, setShown] = useState(false);
  const told = useRef(SILENT);

  useEffect(() => {
    setShown(false);
    if (!isMuted || track === null) return;
    let readings = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const meter = meterLevel(track, (level) => {
      readings = level >= SPEECH ? readings + 1 : Math.max(0, readings - 1);
      if (readings < SPEECH_READINGS) return;
      readings = 0;
      const { state, say } = hear(told.current, { type: "spoke-while-muted" }, Date.now());
      told.current = state;
      if (say.length === 0) return;
      setShown(true);
      announceNow(t("announce.youAreMuted"));
      clearTimeout(timer);
      timer = setTimeout(() => setShown(false), HINT_SHOWN_MS);
    });
    return () => {
      clearTimeout(timer);
      meter?.stop();
    };
  }, [track, isMuted, t]);

  if (!isShown) return null;
  // Said by the live region; the button to press is the one it stands over.
  return (
    <div className="muted-hint" aria-hidden="true">
      {t("banner.mutedHint")}
    </div>
  );
}

import { useEffect, useState } from "react";
import { type Hearing, hear, isHeard, levelOf, SILENT } from "../model/hearing.ts";

const EVERY_MS = 70;

export interface MicLevel {
  level: number;
  isHeard: boolean;
}

const QUIET: MicLevel = { level: 0, isHeard: false };

/** The level of a running microphone. Works on a copy of the signal; nothing is recorded. */
export function useMicLevel(stream: MediaStream | null): MicLevel {
  const [state, setState] = useState<MicLevel>(QUIET);
  useEffect(() => {
    if (!stream?.getAudioTracks().length) return;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 1024 });
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let hearing: Hearing = SILENT;
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
      const level = levelOf(rms);
      hearing = hear(hearing, level, performance.now());
      setState({ level, isHeard: isHeard(hearing, performance.now()) });
    }, EVERY_MS);
    // Some browsers let sound run only after a press anywhere on the page.
    const wake = () => void context.resume();
    document.addEventListener("pointerdown", wake);
    return () => {
      clearInterval(timer);
      document.removeEventListener("pointerdown", wake);
      void context.close();
      setState(QUIET);
    };
  }, [stream]);
  return state;
}

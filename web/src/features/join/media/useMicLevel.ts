import { useEffect, useState, useSyncExternalStore } from "react";
import { type Hearing, hear, isHeard, levelOf, SILENT } from "../model/hearing.ts";

const EVERY_MS = 70;

export interface MicLevel {
  level: number;
  isHeard: boolean;
}

const QUIET: MicLevel = { level: 0, isHeard: false };

/** One measurement for all who look at it; it runs only while somebody does. */
interface Gauge {
  subscribe(listener: () => void): () => void;
  read(): MicLevel;
}

const SILENT_GAUGE: Gauge = { subscribe: () => () => {}, read: () => QUIET };
const gauges = new WeakMap<MediaStream, Gauge>();

function gaugeOf(stream: MediaStream | null): Gauge {
  if (!stream?.getAudioTracks().length) return SILENT_GAUGE;
  const known = gauges.get(stream);
  if (known) return known;
  const gauge = createGauge(stream);
  gauges.set(stream, gauge);
  return gauge;
}

function createGauge(stream: MediaStream): Gauge {
  const listeners = new Set<() => void>();
  let current = QUIET;
  let stop = () => {};

  function start(): () => void {
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
      current = { level, isHeard: isHeard(hearing, performance.now()) };
      for (const listener of listeners) listener();
    }, EVERY_MS);
    // Some browsers let sound run only after a press anywhere on the page.
    const wake = () => void context.resume();
    document.addEventListener("pointerdown", wake);
    return () => {
      clearInterval(timer);
      document.removeEventListener("pointerdown", wake);
      void context.close();
      current = QUIET;
    };
  }

  return {
    read: () => current,
    subscribe(listener) {
      if (listeners.size === 0) stop = start();
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
  };
}

/** The level of a running microphone. Works on a copy of the signal; nothing is recorded. */
export function useMicLevel(stream: MediaStream | null): MicLevel {
  const [gauge, setGauge] = useState(SILENT_GAUGE);
  useEffect(() => setGauge(gaugeOf(stream)), [stream]);
  return useSyncExternalStore(gauge.subscribe, gauge.read);
}

/**
 * How loud one's own microphone is, a few times a second, for the small bars and for the hint
 * that somebody speaks while muted. Listens to a copy of the track, because a muted track is
 * silent; nothing heard here leaves the device.
 */

export interface LevelMeter {
  stop(): void;
}

const EVERY_MS = 120;
/** An audio context is slow to start: not while the first pictures are on their way. */
const START_AFTER_MS = 600;
/** Root mean square at which the meter is full. */
const FULL = 0.25;
/** Above this the person is speaking, not breathing. */
export const SPEECH = 0.2;

/** 0 to 1, on a scale that makes ordinary speech visible. */
export function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) {
    sum += sample * sample;
  }
  const rms = samples.length === 0 ? 0 : Math.sqrt(sum / samples.length);
  return Math.min(1, Math.sqrt(rms / FULL));
}

export function meterLevel(
  track: MediaStreamTrack,
  onLevel: (level: number) => void,
): LevelMeter | null {
  if (typeof AudioContext === "undefined" || track.readyState === "ended") {
    return null;
  }
  let end: (() => void) | null = null;
  const start = setTimeout(() => {
    end = listen(track, onLevel);
  }, START_AFTER_MS);
  return {
    stop() {
      clearTimeout(start);
      end?.();
    },
  };
}

function listen(track: MediaStreamTrack, onLevel: (level: number) => void): () => void {
  const copy = track.clone();
  copy.enabled = true;
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(new MediaStream([copy])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(levelOf(samples));
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    copy.stop();
    void context.close().catch(() => undefined);
  };
}

/**
 * Two short taps when somebody knocks, made here: no file is fetched. Each person can switch them
 * off; the door in the list and the announcement stay.
 */
import { readSetting, writeSetting } from "../../../storage.ts";

const TAPS_S = [0, 0.16] as const;
const LENGTH_S = 0.09;
const PITCH_HZ = 180;
const LOUD = 0.25;
/** However many come at once, one hears them as one. */
const PAUSE_MS = 3_000;

let lastAt = Number.NEGATIVE_INFINITY;

export function hasKnockSound(): boolean {
  return readSetting("knockSound") !== "off";
}

export function setKnockSound(isOn: boolean): void {
  writeSetting("knockSound", isOn ? null : "off");
}

/** `now`: milliseconds, from any beginning. */
export function knock(now = performance.now()): void {
  if (!hasKnockSound() || typeof AudioContext === "undefined" || now - lastAt < PAUSE_MS) return;
  lastAt = now;
  try {
    tap(new AudioContext());
  } catch {
    // No sound here: the list and the announcement say it.
  }
}

function tap(context: AudioContext): void {
  const last = TAPS_S.map((at) => {
    const start = context.currentTime + at;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.setValueAtTime(PITCH_HZ, start);
    tone.frequency.exponentialRampToValueAtTime(PITCH_HZ / 2, start + LENGTH_S);
    volume.gain.setValueAtTime(LOUD, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + LENGTH_S);
    tone.connect(volume).connect(context.destination);
    tone.start(start);
    tone.stop(start + LENGTH_S);
    return tone;
  }).at(-1);
  last?.addEventListener("ended", () => void context.close());
}

/** When the microphone check says "We can hear you". No audio, no clock: levels and times come in. */

/** About -46 dBFS on the meter's scale: above a quiet room, below a calm voice. */
const VOICE_LEVEL = 0.16;
/** People pause between words: the good news stays for a while. */
const HOLD_MS = 4000;

export interface Hearing {
  lastVoiceAt: number | null;
}

export const SILENT: Hearing = { lastVoiceAt: null };

export function hear(hearing: Hearing, level: number, now: number): Hearing {
  return level >= VOICE_LEVEL ? { lastVoiceAt: now } : hearing;
}

export function isHeard(hearing: Hearing, now: number): boolean {
  return hearing.lastVoiceAt !== null && now - hearing.lastVoiceAt < HOLD_MS;
}

/** Meter position, 0 to 1, of a root mean square: -60 dBFS is empty, -10 dBFS is full. */
export function levelOf(rms: number): number {
  if (rms <= 0) return 0;
  const db = 20 * Math.log10(rms);
  return Math.min(1, Math.max(0, (db + 60) / 50));
}

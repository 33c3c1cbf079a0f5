/** The session's ports in a real browser, with the real media library. Holds no rule of its own. */

import { Room, setLogLevel } from "livekit-client";
import { sealRoom } from "../../../sealing/frames/sealRoom.ts";
import { createSession } from "./session.ts";
import type { CallSession } from "./sessionPorts.ts";

const PROBE_MS = 4_000;

export function openSession(): CallSession {
  // The library logs identities and addresses; our console stays silent.
  setLogLevel("silent");
  return createSession({
    async createRoom(options, sealing) {
      const seal = sealRoom(sealing);
      const room = new Room(seal.roomOptions(options));
      try {
        await seal.attach(room);
      } catch (error) {
        seal.close();
        throw error;
      }
      return { room, ...seal };
    },
    origin: location.origin,
    listDevices: async () => (await navigator.mediaDevices?.enumerateDevices()) ?? [],
    isServerUp: () =>
      fetch("/readyz", { cache: "no-store", signal: AbortSignal.timeout(PROBE_MS) }).then(
        (answer) => answer.ok,
        () => false,
      ),
    isOnline: () => navigator.onLine,
    canShare: typeof navigator.mediaDevices?.getDisplayMedia === "function",
    canSelectSpeaker: "setSinkId" in HTMLMediaElement.prototype,
    now: Date.now,
    after(milliseconds, run) {
      const timer = setTimeout(run, milliseconds);
      return () => clearTimeout(timer);
    },
  });
}

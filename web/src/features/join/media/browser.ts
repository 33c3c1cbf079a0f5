/** The real `MediaPort`: getUserMedia and its neighbours. Decides nothing. */
import type { Capture, MediaPort } from "../model/capture.ts";
import type { DeviceKind } from "../model/problems.ts";

const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

function constraint(deviceId: string | null): MediaTrackConstraints {
  // `ideal`, not `exact`: a device that is gone gives way to another one instead of failing.
  return deviceId === null ? {} : { deviceId: { ideal: deviceId } };
}

function captureOf(track: MediaStreamTrack): Capture {
  return {
    stream: new MediaStream([track]),
    deviceId: track.getSettings().deviceId ?? null,
    stop: () => track.stop(),
  };
}

function support(): MediaPort["support"] {
  if (!window.isSecureContext) return "insecure";
  return "mediaDevices" in navigator && "RTCPeerConnection" in window ? "full" : "unsupported";
}

export function createBrowserPort(): MediaPort {
  return {
    support: support(),
    list: () => navigator.mediaDevices.enumerateDevices(),
    async capture({ microphone, camera }) {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: microphone ? constraint(microphone.deviceId) : false,
        video: camera ? { ...VIDEO, ...constraint(camera.deviceId) } : false,
      });
      const [audio] = stream.getAudioTracks();
      const [video] = stream.getVideoTracks();
      const captures: Partial<Record<DeviceKind, Capture>> = {};
      if (audio) captures.microphone = captureOf(audio);
      if (video) captures.camera = captureOf(video);
      return captures;
    },
    async isDenied(kind) {
      try {
        const name = kind as PermissionName;
        return (await navigator.permissions.query({ name })).state === "denied";
      } catch {
        // Browsers without this question deny for good only by a switch: say how to find it.
        return true;
      }
    },
    onDeviceChange(listener) {
      navigator.mediaDevices.addEventListener("devicechange", listener);
      return () => navigator.mediaDevices.removeEventListener("devicechange", listener);
    },
  };
}

/** Whether sound can be sent to a chosen speaker. */
export const canChooseSpeaker =
  typeof HTMLMediaElement !== "undefined" && "setSinkId" in HTMLMediaElement.prototype;

/** Two soft tones through the chosen speaker; resolves when they have faded. */
export async function playTestSound(speakerId: string | null): Promise<void> {
  const context = new AudioContext();
  try {
    const out = context.createMediaStreamDestination();
    const element = new Audio();
    element.srcObject = out.stream;
    if (speakerId !== null && canChooseSpeaker) await element.setSinkId(speakerId);
    await element.play();
    await context.resume();
    const start = context.currentTime + 0.05;
    const tones = [523.25, 659.25].map((frequency, index) => {
      const oscillator = new OscillatorNode(context, { frequency });
      const gain = new GainNode(context, { gain: 0 });
      oscillator.connect(gain).connect(out);
      const at = start + index * 0.35;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(0.25, at + 0.03);
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.7);
      oscillator.start(at);
      oscillator.stop(at + 0.75);
      return oscillator;
    });
    const last = tones[tones.length - 1];
    await new Promise((resolve) => last?.addEventListener("ended", resolve));
    element.srcObject = null;
  } finally {
    await context.close();
  }
}

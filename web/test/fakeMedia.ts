/** Microphones and cameras made by hand, for the capture model and the pages over it. */
import type { Capture, MediaPort } from "../src/features/join/model/capture.ts";
import type { DeviceKind } from "../src/features/join/model/problems.ts";

/** Outside a page nobody looks into a stream. */
const NO_STREAM = {} as MediaStream;

export class FakeMedia implements MediaPort {
  support: MediaPort["support"] = "full";
  devices: Pick<MediaDeviceInfo, "kind" | "deviceId" | "label">[] = [
    { kind: "audioinput", deviceId: "mic", label: "Desk microphone" },
    { kind: "audioinput", deviceId: "headset", label: "Headset" },
    { kind: "videoinput", deviceId: "cam", label: "Lid camera" },
    { kind: "audiooutput", deviceId: "speaker", label: "Desk speaker" },
  ];
  denied = new Set<DeviceKind>();
  failing = new Map<DeviceKind, string>();
  /** Every question to the person, as the kinds it named. */
  asked: string[] = [];
  running = new Set<string>();
  #listener: () => void = () => {};
  #gate: Promise<void> = Promise.resolve();

  async list() {
    return this.devices;
  }

  async capture(wanted: Partial<Record<DeviceKind, { deviceId: string | null }>>) {
    const kinds = (["microphone", "camera"] as const).filter((kind) => wanted[kind]);
    this.asked.push(kinds.join("+"));
    await this.#gate;
    for (const kind of kinds) {
      if (this.denied.has(kind)) throw new DOMException("", "NotAllowedError");
      const name = this.failing.get(kind);
      if (name) throw new DOMException("", name);
      if (!this.#first(kind)) throw new DOMException("", "NotFoundError");
    }
    const captures: Partial<Record<DeviceKind, Capture>> = {};
    for (const kind of kinds) {
      const wish = wanted[kind]?.deviceId;
      const isThere = this.devices.some((device) => device.deviceId === wish);
      const deviceId = (isThere ? wish : this.#first(kind)) ?? "";
      this.running.add(deviceId);
      captures[kind] = {
        stream: typeof MediaStream === "undefined" ? NO_STREAM : new MediaStream(),
        deviceId,
        stop: () => this.running.delete(deviceId),
      };
    }
    return captures;
  }

  async isDenied(kind: DeviceKind) {
    return this.denied.has(kind);
  }

  onDeviceChange(listener: () => void) {
    this.#listener = listener;
    return () => {
      this.#listener = () => {};
    };
  }

  /** Keeps the next questions unanswered until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return resolve;
  }

  async plug(devices: FakeMedia["devices"]): Promise<void> {
    this.devices = devices;
    this.#listener();
    await settled();
  }

  #first(kind: DeviceKind): string | undefined {
    const wanted = kind === "microphone" ? "audioinput" : "videoinput";
    return this.devices.find((device) => device.kind === wanted)?.deviceId;
  }
}

/** Lets everything that waits only for promises go on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

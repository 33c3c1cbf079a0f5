/**
 * Microphone and camera before the meeting: what runs, what was chosen, what is wrong. The browser
 * comes in as `MediaPort`, so that every state can be tested without one. Never keeps a device
 * running that is switched off: its light goes out.
 */
import { createStore, type StoreApi } from "zustand/vanilla";
import {
  type DeviceLists,
  listDevices,
  NO_DEVICES,
  pick,
  type RememberedDevices,
} from "./devices.ts";
import { type DeviceKind, type Problem, problemOf } from "./problems.ts";

/** A running capture of one kind. */
export interface Capture {
  readonly stream: MediaStream;
  readonly deviceId: string | null;
  stop(): void;
}

/** What a browser can do; `media/browser.ts` is the real one. */
export interface MediaPort {
  /** `insecure`: the page was not opened over https or localhost. */
  readonly support: "full" | "insecure" | "unsupported";
  list(): Promise<Pick<MediaDeviceInfo, "kind" | "deviceId" | "label">[]>;
  /** Rejects as getUserMedia does. Both kinds in one call are one question to the person. */
  capture(
    wanted: Partial<Record<DeviceKind, { deviceId: string | null }>>,
  ): Promise<Partial<Record<DeviceKind, Capture>>>;
  isDenied(kind: DeviceKind): Promise<boolean>;
  onDeviceChange(listener: () => void): () => void;
}

export interface Source {
  /** What the person wants, whether or not it works. */
  isWanted: boolean;
  isStarting: boolean;
  capture: Capture | null;
  problem: Problem | null;
  chosenId: string | null;
}

export interface CaptureState {
  support: MediaPort["support"];
  microphone: Source;
  camera: Source;
  speakerId: string | null;
  devices: DeviceLists;
}

export interface CaptureModel {
  readonly store: StoreApi<CaptureState>;
  start(): Promise<void>;
  retry(): Promise<void>;
  toggle(kind: DeviceKind): Promise<void>;
  choose(kind: DeviceKind, deviceId: string): Promise<void>;
  chooseSpeaker(deviceId: string): void;
  /** Gives the running captures away; from then on they are somebody else's to stop. */
  handOver(): Record<DeviceKind, Capture | null>;
  /** Stops everything that is still ours, for good. */
  close(): void;
}

const KINDS = ["microphone", "camera"] as const;

export function createCapture(port: MediaPort, remembered: RememberedDevices): CaptureModel {
  const source = (chosenId: string | null): Source => ({
    isWanted: true,
    isStarting: false,
    capture: null,
    problem: null,
    chosenId,
  });
  const store = createStore<CaptureState>()(() => ({
    support: port.support,
    microphone: source(remembered.microphoneId),
    camera: source(remembered.cameraId),
    speakerId: remembered.speakerId,
    devices: NO_DEVICES,
  }));
  let isClosed = false;
  let stopListening = () => {};

  function update(kind: DeviceKind, change: Partial<Source>): void {
    store.setState((state) => ({ ...state, [kind]: { ...state[kind], ...change } }));
  }

  function release(kind: DeviceKind): void {
    store.getState()[kind].capture?.stop();
    update(kind, { capture: null });
  }

  async function refreshDevices(): Promise<void> {
    const devices = listDevices(await port.list().catch(() => []));
    if (isClosed) return;
    store.setState((state) => ({ devices, speakerId: pick(devices.speakers, state.speakerId) }));
  }

  /** Whether it came to stand while we waited: a press may have switched it off again. */
  function accept(kind: DeviceKind, capture: Capture | undefined): void {
    const { isWanted } = store.getState()[kind];
    if (!capture) return;
    if (isClosed || !isWanted) {
      capture.stop();
      if (!isClosed) update(kind, { isStarting: false });
      return;
    }
    store.getState()[kind].capture?.stop();
    update(kind, { capture, isStarting: false, problem: null, chosenId: capture.deviceId });
  }

  async function acquire(kinds: readonly DeviceKind[]): Promise<void> {
    for (const kind of kinds) update(kind, { isStarting: true, problem: null });
    const state = store.getState();
    const wanted: Partial<Record<DeviceKind, { deviceId: string | null }>> = {};
    for (const kind of kinds) wanted[kind] = { deviceId: state[kind].chosenId };
    try {
      const captures = await port.capture(wanted);
      for (const kind of kinds) accept(kind, captures[kind]);
    } catch (error) {
      await onFailure(kinds, error);
    }
  }

  async function onFailure(kinds: readonly DeviceKind[], error: unknown): Promise<void> {
    const denied = await Promise.all(kinds.map((kind) => port.isDenied(kind)));
    if (isClosed) return;
    const [first, second] = kinds;
    const wasRefused = problemOf(error, true) === "denied";
    if (first && second && (!wasRefused || denied.filter(Boolean).length === 1)) {
      // One of the two is to blame; ask for each alone, so that the other one still works.
      await acquire([first]);
      await acquire([second]);
      return;
    }
    kinds.forEach((kind, index) => {
      update(kind, { isStarting: false, problem: problemOf(error, denied[index] ?? false) });
    });
  }

  async function acquireWanted(): Promise<void> {
    const state = store.getState();
    await acquire(KINDS.filter((kind) => state[kind].isWanted && !state[kind].capture));
    await refreshDevices();
  }

  /** A device was plugged in or out. */
  async function onChange(): Promise<void> {
    await refreshDevices();
    if (isClosed) return;
    const { devices, ...state } = store.getState();
    for (const kind of KINDS) {
      const list = kind === "microphone" ? devices.microphones : devices.cameras;
      const { capture, isWanted, isStarting, problem } = state[kind];
      const isGone = capture !== null && !list.some(({ id }) => id === capture.deviceId);
      if (isGone) release(kind);
      const hasAppeared = problem === "none" && list.length > 0;
      if (isWanted && !isStarting && (isGone || hasAppeared)) await acquire([kind]);
    }
  }

  return {
    store,
    async start() {
      if (port.support !== "full") return;
      stopListening = port.onDeviceChange(() => void onChange());
      await acquireWanted();
    },
    async retry() {
      if (port.support === "full") await acquireWanted();
    },
    async toggle(kind) {
      const { isWanted, problem } = store.getState()[kind];
      if (isWanted && problem === null) {
        update(kind, { isWanted: false });
        release(kind);
        return;
      }
      update(kind, { isWanted: true });
      await acquire([kind]);
      await refreshDevices();
    },
    async choose(kind, deviceId) {
      update(kind, { chosenId: deviceId });
      if (!store.getState()[kind].isWanted) return;
      // Some systems cannot open a second camera while the first one runs.
      release(kind);
      await acquire([kind]);
    },
    chooseSpeaker(deviceId) {
      store.setState({ speakerId: deviceId });
    },
    handOver() {
      const { microphone, camera } = store.getState();
      isClosed = true;
      stopListening();
      for (const kind of KINDS) update(kind, { capture: null });
      return { microphone: microphone.capture, camera: camera.capture };
    },
    close() {
      isClosed = true;
      stopListening();
      for (const kind of KINDS) release(kind);
    },
  };
}

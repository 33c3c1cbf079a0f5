/**
 * One's own devices in the call: microphone, camera, shared screen, loudspeaker. Keeps what the
 * person wants apart from what the devices do, so that a mute by a host, a pulled plug and a
 * refusal of the browser can be told apart. Never switches a device on that was not asked for.
 */

import {
  LocalAudioTrack,
  type LocalTrack,
  LocalVideoTrack,
  type Room,
  Track,
} from "livekit-client";
import type { DeviceChoice } from "../contract.ts";
import type {
  CallNotice,
  CallStore,
  DeviceOption,
  DeviceState,
  OwnDevice,
  OwnSpeaker,
} from "./call.ts";
import type { OwnSource } from "./rights.ts";

export type OwnDeviceKind = "microphone" | "camera";

export interface GivenTracks {
  readonly camera: MediaStreamTrack | null;
  readonly microphone: MediaStreamTrack | null;
}

export interface MediaPorts {
  readonly store: CallStore;
  /** The room of the moment; null while there is none. */
  readonly room: () => Room | null;
  readonly notify: (notice: CallNotice) => void;
  readonly listDevices: () => Promise<readonly MediaDeviceInfo[]>;
  readonly canShare: boolean;
  readonly canSelectSpeaker: boolean;
  /** By the room's rules. */
  readonly mayBegin: (source: OwnSource) => boolean;
  readonly mayGoOn: (source: OwnSource) => boolean;
}

export interface OwnMedia {
  /** What was chosen at the door, and where its running tracks are. */
  begin(devices: DeviceChoice, takeTracks: () => GivenTracks): void;
  /** Publishes what is wanted: with the tracks of the preview if there are any. */
  publish(room: Room): Promise<void>;
  setMicrophone(isOn: boolean): Promise<void>;
  setCamera(isOn: boolean): Promise<void>;
  setShare(isOn: boolean): Promise<void>;
  /** Ends what the room's rules do not allow any more. */
  obey(): void;
  choose(kind: OwnDeviceKind | "speaker", id: string): Promise<void>;
  refreshDevices(): Promise<void>;
  /** Reads the room's local tracks into the store; called after every event of the room. */
  sync(): void;
  /** Stops preview tracks that were never published. */
  release(): void;
}

type Failure = Extract<DeviceState, "blocked" | "missing" | "in-use">;

interface Intent {
  isWanted: boolean;
  isBusy: boolean;
  isMutedByHost: boolean;
  failure: Failure | null;
  chosen: string | null;
}

const SOURCES = { microphone: Track.Source.Microphone, camera: Track.Source.Camera } as const;
const KINDS = {
  microphone: "audioinput",
  camera: "videoinput",
  speaker: "audiooutput",
} as const;

/** What a refusal of the browser means for the person; null when it is no fault of the device. */
export function failureOf(error: unknown): Failure | null {
  switch (error instanceof Error ? error.name : "") {
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "in-use";
    case "NotAllowedError":
    case "SecurityError":
      return "blocked";
    default:
      return null;
  }
}

export function createOwnMedia(ports: MediaPorts): OwnMedia {
  const { store } = ports;
  const intents: Record<OwnDeviceKind, Intent> = {
    microphone: newIntent(true, null),
    camera: newIntent(true, null),
  };
  let takeTracks = (): GivenTracks => ({ camera: null, microphone: null });
  let given: GivenTracks | null = null;
  /** Tracks that ended by themselves: one that is stopped here, as a mute does with cameras, says nothing. */
  const gone = new WeakSet<MediaStreamTrack>();
  let speaker: string | null = null;
  let options: Record<keyof typeof KINDS, readonly DeviceOption[]> = {
    microphone: [],
    camera: [],
    speaker: [],
  };

  store.setState({ canShare: ports.canShare });

  function begin(devices: DeviceChoice, take: () => GivenTracks): void {
    intents.microphone = newIntent(devices.isMicrophoneOn, devices.microphoneId);
    intents.camera = newIntent(devices.isCameraOn, devices.cameraId);
    speaker = devices.speakerId;
    takeTracks = take;
    sync();
  }

  async function publish(room: Room): Promise<void> {
    given ??= takeTracks();
    const { camera, microphone } = given;
    given = { camera: null, microphone: null };
    for (const kind of ["microphone", "camera"] as const) {
      intents[kind].isWanted &&= ports.mayBegin(kind);
    }
    await Promise.all([
      publishOne(room, "microphone", microphone),
      publishOne(room, "camera", camera),
    ]);
  }

  async function publishOne(room: Room, kind: OwnDeviceKind, track: MediaStreamTrack | null) {
    const intent = intents[kind];
    if (!intent.isWanted || track === null || track.readyState === "ended") {
      intent.isBusy = false;
      track?.stop();
      await (intent.isWanted ? enable(kind, room, true) : undefined);
      return;
    }
    await attempt(kind, async () => {
      const deviceId = track.getSettings().deviceId;
      const constraints = {
        ...track.getConstraints(),
        ...(deviceId === undefined ? {} : { deviceId: { ideal: deviceId } }),
      };
      const local =
        kind === "microphone"
          ? new LocalAudioTrack(track, constraints, false)
          : new LocalVideoTrack(track, constraints, false);
      await room.localParticipant.publishTrack(local as LocalTrack, { source: SOURCES[kind] });
      // Muted while the publication was under way.
      await (intent.isWanted ? undefined : local.mute());
    });
  }

  async function attempt(kind: OwnDeviceKind, action: () => Promise<unknown>): Promise<void> {
    const intent = intents[kind];
    intent.isBusy = true;
    intent.failure = null;
    sync();
    try {
      await action();
    } catch (error) {
      const failure = failureOf(error);
      // A lost connection is no fault of the device: it is published again after coming back.
      if (failure !== null || ports.room()?.state === "connected") {
        intent.failure = failure;
        intent.isWanted = false;
        ports.notify({ type: "device-refused", device: kind });
      }
    } finally {
      intent.isBusy = false;
      sync();
    }
  }

  function enable(kind: OwnDeviceKind, room: Room, isOn: boolean): Promise<void> {
    const local = room.localParticipant;
    return attempt(kind, async () => {
      await (kind === "microphone"
        ? local.setMicrophoneEnabled(isOn)
        : local.setCameraEnabled(isOn));
      // Device names are known only after the first permission.
      void (options[kind].some((option) => option.label === "") ? refreshDevices() : undefined);
    });
  }

  async function set(kind: OwnDeviceKind, isOn: boolean): Promise<void> {
    const intent = intents[kind];
    if (isOn && !ports.mayBegin(kind)) {
      ports.notify({ type: "not-permitted", device: kind });
      return;
    }
    intent.isWanted = isOn;
    intent.isMutedByHost = false;
    const room = ports.room();
    if (room === null || room.state === "disconnected") {
      sync();
      return;
    }
    await enable(kind, room, isOn);
  }

  /** Somebody else shares: said to the one who wanted to. */
  function isTaken(): boolean {
    const { share } = store.getState();
    if (share === null || share.isSelf) {
      return false;
    }
    ports.notify({ type: "share-taken", name: share.name });
    return true;
  }

  async function setShare(isOn: boolean): Promise<void> {
    const room = ports.room();
    if (room === null) {
      return;
    }
    if (isOn && !ports.mayBegin("screen")) {
      ports.notify({ type: "not-permitted", device: "screen" });
      return;
    }
    if (isOn && isTaken()) {
      return;
    }
    store.setState({ shareState: isOn ? "choosing" : "off" });
    try {
      await room.localParticipant.setScreenShareEnabled(
        isOn,
        {
          audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
          selfBrowserSurface: "exclude",
          surfaceSwitching: "include",
          systemAudio: "include",
          contentHint: "detail",
        },
        // One layer, and rather fewer pictures than blurred ones: what is shared is read.
        { simulcast: false, degradationPreference: "maintain-resolution" },
      );
      // Choosing takes its time: nobody should share without anybody seeing it.
      if (isOn && (isTaken() || !ports.mayBegin("screen"))) {
        await room.localParticipant.setScreenShareEnabled(false);
      }
    } catch (error) {
      // Closing the browser's window of choice is an answer, not a fault.
      if (!(error instanceof Error && error.name === "NotAllowedError")) {
        ports.notify({ type: "share-refused" });
      }
    } finally {
      store.setState({ shareState: "off" });
      sync();
    }
  }

  function obey(): void {
    for (const kind of ["microphone", "camera"] as const) {
      if (intents[kind].isWanted && !ports.mayGoOn(kind)) {
        void set(kind, false);
      }
    }
    if (store.getState().shareState === "on" && !ports.mayGoOn("screen")) {
      void setShare(false);
    }
  }

  async function choose(kind: OwnDeviceKind | "speaker", id: string): Promise<void> {
    try {
      await ports.room()?.switchActiveDevice(KINDS[kind], id);
      if (kind === "speaker") {
        speaker = id;
      } else {
        intents[kind].chosen = id;
        intents[kind].failure = null;
      }
    } catch {
      ports.notify({ type: "device-refused", device: kind });
    }
    sync();
  }

  async function refreshDevices(): Promise<void> {
    const all = await ports.listDevices().catch(() => []);
    const ofKind = (kind: MediaDeviceKind) =>
      all
        .filter((device) => device.kind === kind && device.deviceId !== "")
        .map((device) => ({ id: device.deviceId, label: device.label }));
    options = {
      microphone: ofKind("audioinput"),
      camera: ofKind("videoinput"),
      speaker: ofKind("audiooutput"),
    };
    for (const kind of ["microphone", "camera"] as const) {
      // A device was plugged in: it can be switched on again, by the person.
      if (intents[kind].failure === "missing" && options[kind].length > 0) {
        intents[kind].failure = null;
      }
    }
    sync();
  }

  function sync(): void {
    const room = ports.room();
    const before = store.getState();
    const microphoneTrack =
      room?.localParticipant.getTrackPublication(Track.Source.Microphone)?.track
        ?.mediaStreamTrack ?? null;
    const isSharing =
      room?.localParticipant.getTrackPublication(Track.Source.ScreenShare) !== undefined;
    const shareState =
      before.shareState === "choosing" && !isSharing ? "choosing" : isSharing ? "on" : "off";
    store.setState({
      microphone: keep(before.microphone, read("microphone", room)),
      camera: keep(before.camera, read("camera", room)),
      speaker: keep<OwnSpeaker>(before.speaker, {
        options: options.speaker,
        selected: speaker ?? options.speaker[0]?.id ?? null,
        canSelect: ports.canSelectSpeaker && options.speaker.length > 0,
      }),
      microphoneTrack,
      shareState,
    });
  }

  function noteGone({ target }: Event): void {
    gone.add(target as MediaStreamTrack);
  }

  function read(kind: OwnDeviceKind, room: Room | null): OwnDevice {
    const intent = intents[kind];
    const publication = room?.localParticipant.getTrackPublication(SOURCES[kind]);
    const track = publication?.track?.mediaStreamTrack;
    track?.addEventListener("ended", noteGone);
    const isSending = publication !== undefined && !publication.isMuted;
    if (publication?.isMuted === true && intent.isWanted && !intent.isBusy) {
      intent.isWanted = false;
      if (track !== undefined && gone.has(track)) {
        intent.failure = "missing";
        ports.notify({ type: "device-gone", device: kind });
      } else if (kind === "microphone") {
        intent.isMutedByHost = true;
        ports.notify({ type: "muted-by-host" });
      }
    }
    return {
      state: ports.mayBegin(kind) ? stateOf(intent, isSending) : "not-permitted",
      options: options[kind],
      selected: track?.getSettings().deviceId ?? intent.chosen,
    };
  }

  sync();
  return {
    begin,
    publish,
    setMicrophone: (isOn) => set("microphone", isOn),
    setCamera: (isOn) => set("camera", isOn),
    setShare,
    obey,
    choose,
    refreshDevices,
    sync,
    release() {
      given ??= takeTracks();
      given.camera?.stop();
      given.microphone?.stop();
    },
  };
}

function newIntent(isWanted: boolean, chosen: string | null): Intent {
  // What is wanted is on its way from the start: nothing is drawn as off for a moment.
  return { isWanted, isBusy: isWanted, isMutedByHost: false, failure: null, chosen };
}

function stateOf(intent: Intent, isSending: boolean): DeviceState {
  if (isSending && intent.isWanted) {
    return "on";
  }
  if (intent.isBusy) {
    return intent.isWanted ? "starting" : "off";
  }
  if (intent.failure !== null) {
    return intent.failure;
  }
  if (isSending) {
    return "on";
  }
  return intent.isMutedByHost ? "off-by-host" : "off";
}

/** The value shown before when nothing in it has changed, so that nothing is drawn again. */
function keep<T extends { options: readonly DeviceOption[]; selected: string | null }>(
  before: T,
  next: T,
): T {
  const keys = Object.keys(next) as (keyof T)[];
  return keys.every((key) => Object.is(before[key], next[key])) ? before : next;
}

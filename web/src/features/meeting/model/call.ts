/**
 * The state of the call that the page shows, and the store that holds it. Plain values: who is
 * here, which pictures there are, how the connection stands. Only the session writes it; no type
 * of the media library is seen here.
 */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { LeaveReason } from "../contract.ts";

/** A picture that can be shown in a video element. The same object as long as the track lives. */
export interface VideoSource {
  readonly sid: string;
  attach(element: HTMLVideoElement): void;
  detach(element: HTMLVideoElement): void;
}

export type Quality = "good" | "weak" | "lost" | "unknown";

export interface Person {
  readonly identity: string;
  /** "…" until it is known. */
  readonly name: string;
  /** Who they are is proven; others typed their name themselves. */
  readonly isVerified: boolean;
  /** Place in the line of raised hands; null: down. */
  readonly handPlace: number | null;
  readonly isSelf: boolean;
  /** Milliseconds since the epoch; the order of arrival. */
  readonly joinedAt: number;
  /** Null while the camera is off or its picture has not been subscribed yet. */
  readonly camera: VideoSource | null;
  readonly isCameraOn: boolean;
  readonly isMicrophoneOn: boolean;
  /** What a host names when muting; null when nothing was published. */
  readonly microphoneSid: string | null;
  readonly isSpeaking: boolean;
  readonly lastSpokeAt: number | null;
  readonly quality: Quality;
}

export interface Share {
  readonly identity: string;
  readonly name: string;
  readonly isSelf: boolean;
  readonly video: VideoSource | null;
  readonly hasSound: boolean;
}

export type ReconnectCause =
  /** Our server answers, the media path does not; or it is not known yet. */
  | "network"
  /** The server does not answer or says that it is starting or stopping. */
  | "server"
  /** The browser says that this device is offline. */
  | "offline";

export type Phase =
  | { readonly type: "connecting"; readonly step: "door" | "line" | "picture" }
  | { readonly type: "connected" }
  | {
      readonly type: "reconnecting";
      readonly cause: ReconnectCause;
      readonly since: number;
      /** When the next try begins; null while one is under way. */
      readonly retryAt: number | null;
    }
  | { readonly type: "over"; readonly reason: LeaveReason };

export type DeviceState =
  | "on"
  | "off"
  | "off-by-host"
  | "starting"
  /** The browser or the system refuses the device. */
  | "blocked"
  | "missing"
  | "in-use"
  /** The room's rules do not give it to this person. */
  | "not-permitted";

export interface DeviceOption {
  readonly id: string;
  readonly label: string;
}

export interface OwnDevice {
  readonly state: DeviceState;
  readonly options: readonly DeviceOption[];
  readonly selected: string | null;
}

export interface OwnSpeaker {
  readonly options: readonly DeviceOption[];
  readonly selected: string | null;
  /** The browser can send sound to a chosen device. */
  readonly canSelect: boolean;
}

export type ShareState = "off" | "choosing" | "on";

export interface Call {
  readonly phase: Phase;
  /** Everybody in order of arrival, oneself included. */
  readonly people: readonly Person[];
  /** The screen being shared. One at a time: a second one is shown when the first has ended. */
  readonly share: Share | null;
  readonly microphone: OwnDevice;
  readonly camera: OwnDevice;
  readonly speaker: OwnSpeaker;
  readonly shareState: ShareState;
  readonly canShare: boolean;
  /** The capture behind the microphone, for the level meter; null while there is none. */
  readonly microphoneTrack: MediaStreamTrack | null;
  /** Somebody else has been here. */
  readonly hasMet: boolean;
  /** The browser holds back sound until the person presses something. */
  readonly isSoundBlocked: boolean;
  /** When this meeting was first entered; for the running time. */
  readonly connectedAt: number | null;
  /** When the connection last came back; the page says so for a moment. */
  readonly resumedAt: number | null;
}

/** Something that happened, as against something that is: for toasts and announcements. */
export type CallNotice =
  | { readonly type: "muted-by-host" }
  | { readonly type: "share-started"; readonly name: string; readonly isSelf: boolean }
  | { readonly type: "share-stopped"; readonly name: string; readonly isSelf: boolean }
  | { readonly type: "share-refused" }
  | { readonly type: "share-taken"; readonly name: string }
  | { readonly type: "not-permitted"; readonly device: "microphone" | "camera" | "screen" }
  | { readonly type: "device-refused"; readonly device: "microphone" | "camera" | "speaker" }
  | { readonly type: "device-gone"; readonly device: "microphone" | "camera" }
  | { readonly type: "connection-lost" }
  | { readonly type: "connection-back" };

export type CallStore = StoreApi<Call>;

const NO_DEVICE: OwnDevice = { state: "off", options: [], selected: null };

export const INITIAL_CALL: Call = {
  phase: { type: "connecting", step: "door" },
  people: [],
  share: null,
  microphone: NO_DEVICE,
  camera: NO_DEVICE,
  speaker: { options: [], selected: null, canSelect: false },
  shareState: "off",
  canShare: false,
  microphoneTrack: null,
  hasMet: false,
  isSoundBlocked: false,
  connectedAt: null,
  resumedAt: null,
};

export function createCallStore(initial: Partial<Call> = {}): CallStore {
  return createStore<Call>(() => ({ ...INITIAL_CALL, ...initial }));
}

export function selfOf(call: Call): Person | null {
  return call.people.find((person) => person.isSelf) ?? null;
}

export function othersOf(call: Call): readonly Person[] {
  return call.people.filter((person) => !person.isSelf);
}

/**
 * `next` with every person that has not changed replaced by the object shown before, and
 * `previous` itself when nobody has: so that only what changed is drawn again.
 */
export function shareUnchanged(
  previous: readonly Person[],
  next: readonly Person[],
): readonly Person[] {
  const known = new Map(previous.map((person) => [person.identity, person]));
  const merged = next.map((person) => {
    const before = known.get(person.identity);
    return before !== undefined && isShallowEqual(before, person) ? before : person;
  });
  const isSame =
    merged.length === previous.length &&
    merged.every((person, index) => person === previous[index]);
  return isSame ? previous : merged;
}

export function isShallowEqual<T extends object>(left: T, right: T): boolean {
  const keys = Object.keys(left) as (keyof T)[];
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.is(left[key], right[key]))
  );
}

/**
 * The thin layer over livekit-client: the options of a room, and a room read as plain values. It
 * decides nothing and keeps nothing but what makes a value stable from one reading to the next.
 */

import {
  ConnectionQuality,
  DisconnectReason,
  type Participant,
  type ReconnectContext,
  type RemoteTrack,
  type Room,
  type RoomConnectOptions,
  type RoomOptions,
  Track,
  type TrackPublication,
} from "livekit-client";
import type { DeviceChoice, LeaveReason } from "../contract.ts";
import type { Person, Quality, Share, VideoSource } from "./call.ts";

/** How long the transport may take before we say that UDP does not get through. */
export const TRANSPORT_TIMEOUT_MS = 10_000;
/** How long the library tries to resume before the session joins anew. */
export const RESUME_FOR_MS = 150_000;

const FIRST_RETRIES_MS = [0, 300, 600, 1_000, 1_500];
const LATER_RETRY_MS = 2_000;

export const CONNECT_OPTIONS: RoomConnectOptions = {
  autoSubscribe: true,
  peerConnectionTimeout: TRANSPORT_TIMEOUT_MS,
  websocketTimeout: TRANSPORT_TIMEOUT_MS,
  maxRetries: 1,
};

/** Waits before the next try: quick at first, then steady, spread so that a room does not stampede. */
export function retryDelay(context: ReconnectContext, random: () => number): number | null {
  if (context.elapsedMs > RESUME_FOR_MS) {
    return null;
  }
  const base = FIRST_RETRIES_MS[context.retryCount] ?? LATER_RETRY_MS;
  return Math.round(
    base * (0.75 + random() * 0.5) + (context.retryCount === 0 ? random() * 200 : 0),
  );
}

export function roomOptions(
  devices: DeviceChoice,
  onRetry: (delay: number | null) => void,
): RoomOptions {
  return {
    adaptiveStream: true,
    // Layers that nobody looks at are not encoded.
    dynacast: true,
    stopLocalTrackOnUnpublish: true,
    disconnectOnPageLeave: true,
    singlePeerConnection: true,
    audioCaptureDefaults: deviceIdOf(devices.microphoneId),
    videoCaptureDefaults: {
      ...deviceIdOf(devices.cameraId),
      resolution: { width: 1280, height: 720, frameRate: 30 },
    },
    ...(devices.speakerId === null ? {} : { audioOutput: { deviceId: devices.speakerId } }),
    publishDefaults: {
      // 180, 360 and 720 lines: each receiver gets what its tile shows.
      simulcast: true,
      videoCodec: "vp8",
      backupCodec: false,
      videoEncoding: { maxBitrate: 1_700_000, maxFramerate: 30 },
      screenShareEncoding: { maxBitrate: 2_500_000, maxFramerate: 15 },
      dtx: true,
      red: false,
      stopMicTrackOnMute: false,
    },
    reconnectPolicy: {
      nextRetryDelayInMs(context) {
        const delay = retryDelay(context, Math.random);
        onRetry(delay);
        return delay;
      },
    },
  };
}

function deviceIdOf(id: string | null): { deviceId?: ConstrainDOMString } {
  return id === null ? {} : { deviceId: { ideal: id } };
}

/**
 * The reason the page shows for the library's reason, or null when the session is to come back:
 * everything that is not somebody's decision is an accident. Who was taken out hears it from the
 * group; a place that was only given up while one was away is taken again.
 */
export function leaveReasonOf(reason: DisconnectReason | undefined): LeaveReason | null {
  switch (reason) {
    case DisconnectReason.DUPLICATE_IDENTITY:
      return "elsewhere";
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return "ended";
    default:
      return null;
  }
}

export interface Reading {
  readonly people: readonly Person[];
  readonly share: Share | null;
}

/** What the group says about a participant: nobody else is shown. */
export interface Known {
  readonly name: string;
  readonly isVerified: boolean;
  readonly handPlace: number | null;
  /** Milliseconds since the epoch. */
  readonly joinedAt: number;
}

export interface Eyes {
  /** Null: no member of the group. */
  whoIs(identity: string): Known | null;
  /** Sealed, and a member's: only then it is drawn or played. */
  mayPresent(participant: Participant, publication: TrackPublication): boolean;
  /** By the room's rules; what is not permitted counts as not sent. */
  isPermitted(participant: Participant, publication: TrackPublication): boolean;
}

export interface RoomReader {
  read(room: Room, eyes: Eyes): Reading;
}

/** Reads rooms as plain values. Remembers when people spoke, whose screen is shown, and each track's handle. */
export function createRoomReader(now: () => number): RoomReader {
  const handles = new WeakMap<Track, VideoSource>();
  const spokeAt = new Map<string, number>();
  /** Whose screen is shown: it stays until it ends, whoever else begins. */
  let sharing: string | null = null;

  function handleOf(
    participant: Participant,
    publication: TrackPublication | undefined,
    eyes: Eyes,
  ): VideoSource | null {
    const track = publication?.track;
    if (
      publication === undefined ||
      track === undefined ||
      publication.isMuted ||
      !(participant.isLocal || eyes.mayPresent(participant, publication))
    ) {
      return null;
    }
    const known = handles.get(track);
    if (known !== undefined && known.sid === publication.trackSid) {
      return known;
    }
    const handle: VideoSource = {
      sid: publication.trackSid,
      attach: (element) => void track.attach(element),
      detach: (element) => void track.detach(element),
    };
    handles.set(track, handle);
    return handle;
  }

  function personOf(participant: Participant, known: Known, eyes: Eyes): Person {
    const camera = participant.getTrackPublication(Track.Source.Camera);
    const microphone = participant.getTrackPublication(Track.Source.Microphone);
    const { identity } = participant;
    if (participant.isSpeaking) {
      spokeAt.set(identity, now());
    }
    const isOn = (publication: TrackPublication | undefined) =>
      publication !== undefined &&
      !publication.isMuted &&
      (participant.isLocal || eyes.isPermitted(participant, publication));
    const isMicrophoneOn = isOn(microphone);
    return {
      identity,
      name: known.name,
      isVerified: known.isVerified,
      handPlace: known.handPlace,
      isSelf: participant.isLocal,
      joinedAt: known.joinedAt,
      camera: handleOf(participant, camera, eyes),
      isCameraOn: isOn(camera),
      isMicrophoneOn,
      microphoneSid: microphone?.trackSid ?? null,
      isSpeaking: participant.isSpeaking && isMicrophoneOn,
      // Coarse, so that somebody who goes on speaking does not change at every reading.
      lastSpokeAt: participant.isSpeaking
        ? Math.floor(now() / 1_000) * 1_000
        : (spokeAt.get(identity) ?? null),
      quality: qualityOf(participant.connectionQuality),
    };
  }

  function shareOf(participant: Participant, { name }: Known, eyes: Eyes): Share | null {
    const screen = participant.getTrackPublication(Track.Source.ScreenShare);
    if (screen === undefined || !(participant.isLocal || eyes.isPermitted(participant, screen))) {
      return null;
    }
    return {
      identity: participant.identity,
      name,
      isSelf: participant.isLocal,
      video: handleOf(participant, screen, eyes),
      hasSound: participant.getTrackPublication(Track.Source.ScreenShareAudio) !== undefined,
    };
  }

  return {
    read(room, eyes) {
      const local = room.localParticipant;
      const present = [...room.remoteParticipants.values(), ...(local.identity ? [local] : [])]
        .map((participant) => ({ participant, known: eyes.whoIs(participant.identity) }))
        .flatMap(({ participant, known }) => (known === null ? [] : [{ participant, known }]));
      const people = present
        .map(({ participant, known }) => personOf(participant, known, eyes))
        .sort((left, right) => left.joinedAt - right.joinedAt);
      const shares = present
        .map(({ participant, known }) => shareOf(participant, known, eyes))
        .filter((share) => share !== null);
      const share = shares.find(({ identity }) => identity === sharing) ?? shares[0] ?? null;
      sharing = share?.identity ?? null;
      return { people, share };
    },
  };
}

function qualityOf(quality: ConnectionQuality): Quality {
  switch (quality) {
    case ConnectionQuality.Excellent:
    case ConnectionQuality.Good:
      return "good";
    case ConnectionQuality.Poor:
      return "weak";
    case ConnectionQuality.Lost:
      return "lost";
    default:
      return "unknown";
  }
}

export interface Voices {
  /** Plays a subscribed voice at once; its element lives outside the page's tree of components. */
  play(track: RemoteTrack, participant: Participant): void;
  stop(track: RemoteTrack): void;
  /** Stops what no longer belongs to the room: a restart loses events. */
  keepOnly(room: Room | null): void;
}

export function createVoices(): Voices {
  // Our own elements: those the library makes itself are used again for other voices.
  const elements = new Map<RemoteTrack, HTMLAudioElement>();
  const stop = (track: RemoteTrack) => {
    const element = elements.get(track);
    if (element !== undefined) {
      elements.delete(track);
      track.detach(element);
      element.remove();
    }
  };
  return {
    play(track, participant) {
      if (track.kind !== Track.Kind.Audio || elements.has(track)) {
        return;
      }
      const element = document.createElement("audio");
      element.hidden = true;
      element.setAttribute("data-identity", participant.identity);
      element.setAttribute("data-track", track.sid ?? "");
      document.body.append(element);
      elements.set(track, element);
      track.attach(element);
    },
    stop,
    keepOnly(room) {
      const current = new Set<unknown>(
        [...(room?.remoteParticipants.values() ?? [])].flatMap((participant) =>
          [...participant.audioTrackPublications.values()].map(({ track }) => track),
        ),
      );
      for (const track of [...elements.keys()].filter((known) => !current.has(known))) {
        stop(track);
      }
    },
  };
}

const SHOWN_WITHIN_MS = 500;

/**
 * Tells the server to hold back a picture that no tile shows (another page, a folded strip). The
 * library does so for pictures that were shown once and are hidden later; one that was never
 * shown has to be shown to nobody first.
 */
export function pauseUnlessShown(
  track: RemoteTrack,
  after: (milliseconds: number, run: () => void) => void,
): void {
  if (track.kind !== Track.Kind.Video) {
    return;
  }
  after(SHOWN_WITHIN_MS, () => {
    if (track.attachedElements.length === 0 && track.mediaStreamTrack.readyState === "live") {
      const nowhere = document.createElement("video");
      track.attach(nowhere);
      track.detach(nowhere);
    }
  });
}

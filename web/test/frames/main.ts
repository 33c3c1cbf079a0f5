/**
 * A page for browser tests of the frame layer: one participant with a picture and a tone, keys by
 * arithmetic instead of MLS, and counters. `window.call` is what the tests press. Never shipped.
 */
import {
  LocalVideoTrack,
  type Participant,
  type RemoteTrack,
  type RemoteTrackPublication,
  Room,
  RoomEvent,
  setLogLevel,
  Track,
} from "livekit-client";
import { createKeyRing, type KeyRing } from "../../src/sealing/frames/keyRing.ts";
import type { SealKeys } from "../../src/sealing/frames/sealKeys.ts";
import { type RoomSeal, sealRoom } from "../../src/sealing/frames/sealRoom.ts";

interface Setup {
  url: string;
  token: string;
  identity: string;
  roster: string[];
  tone: number;
  /** `plain`: a stock client without encryption. `forgetful`: has keys, never calls `attach`. */
  mode: "sealed" | "plain" | "forgetful";
  publishes: boolean;
  /** Draws and plays everything, as a page would that forgot to ask. */
  isCareless: boolean;
  /** The browser's camera at 720p and 30 frames instead of a small drawing. */
  hasCamera: boolean;
}

interface Watched {
  track: RemoteTrack;
  element: HTMLMediaElement;
  analyser: AnalyserNode | null;
  frames: number;
  lastFrameAt: number;
  longestGap: number;
}

const log: string[] = [];
const watched = new Map<string, Watched>();
const waiting = new Map<Watched["track"], [RemoteTrackPublication, Participant]>();
let sound: AudioContext;
let ring: KeyRing;
let seal: RoomSeal | null = null;
let room: Room;
let setup: Setup;
let roster = new Set<string>();

document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  log.push(`violation ${violatedDirective} ${blockedURI}`);
});

async function keyOf(identity: string, epoch: number): Promise<Uint8Array> {
  const text = new TextEncoder().encode(`a key for tests: ${identity} ${epoch}`);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", text));
}

async function enter(epoch: number, identities: string[], isUrgent = false): Promise<void> {
  const keys = new Map<string, Uint8Array>();
  for (const identity of identities) keys.set(identity, await keyOf(identity, epoch));
  await ring.install({ epoch, keys, isUrgent });
}

function picture(hue: number): MediaStreamTrack {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [320, 180];
  document.body.append(canvas);
  const pen = canvas.getContext("2d");
  let at = 0;
  setInterval(() => {
    at += 1;
    if (pen === null) return;
    pen.fillStyle = `hsl(${hue} 60% 50%)`;
    pen.fillRect(0, 0, 320, 180);
    pen.fillStyle = "white";
    pen.fillRect((at * 7) % 300, (at * 3) % 160, 20, 20);
  }, 50);
  const [track] = canvas.captureStream(20).getVideoTracks();
  if (track === undefined) throw new Error("no picture");
  return track;
}

async function camera(): Promise<MediaStreamTrack> {
  const video = { width: 1280, height: 720, frameRate: 30 };
  const [track] = (await navigator.mediaDevices.getUserMedia({ video })).getVideoTracks();
  if (track === undefined) throw new Error("no camera");
  return track;
}

function tone(frequency: number): MediaStreamTrack {
  const [oscillator, gain] = [sound.createOscillator(), sound.createGain()];
  const out = sound.createMediaStreamDestination();
  oscillator.frequency.value = frequency;
  gain.gain.value = 0.3;
  oscillator.connect(gain).connect(out);
  oscillator.start();
  const [track] = out.stream.getAudioTracks();
  if (track === undefined) throw new Error("no tone");
  return track;
}

function present(track: RemoteTrack, { identity }: Participant): void {
  const key = `${identity} ${track.kind}`;
  if (watched.get(key)?.track === track) return;
  const isVideo = track.kind === Track.Kind.Video;
  const element = document.createElement(isVideo ? "video" : "audio");
  document.body.append(element);
  track.attach(element);
  const entry: Watched = {
    track,
    element,
    analyser: null,
    frames: 0,
    lastFrameAt: performance.now(),
    longestGap: 0,
  };
  watched.set(key, entry);
  if (element instanceof HTMLVideoElement) {
    const onFrame = (now: number) => {
      entry.frames += 1;
      if (entry.frames > 1) entry.longestGap = Math.max(entry.longestGap, now - entry.lastFrameAt);
      entry.lastFrameAt = now;
      element.requestVideoFrameCallback(onFrame);
    };
    element.requestVideoFrameCallback(onFrame);
  } else {
    entry.analyser = sound.createAnalyser();
    entry.analyser.fftSize = 16384;
    entry.analyser.smoothingTimeConstant = 0;
    sound
      .createMediaStreamSource(new MediaStream([track.mediaStreamTrack]))
      .connect(entry.analyser);
  }
}

function presentWhatMayBe(): void {
  for (const [track, [publication, participant]] of waiting) {
    if (setup.isCareless || seal === null || seal.mayPresent(participant, publication)) {
      waiting.delete(track);
      present(track, participant);
    }
  }
}

const call = {
  async join(given: Setup): Promise<void> {
    setLogLevel("silent");
    setup = given;
    roster = new Set(given.roster);
    sound = new AudioContext({ sampleRate: 48_000 });
    await sound.resume();
    ring = createKeyRing({
      ownIdentity: given.identity,
      now: () => performance.now(),
      after(milliseconds, run) {
        const timer = setTimeout(run, milliseconds);
        return () => clearTimeout(timer);
      },
      onUsing: (epoch) => log.push(`using ${epoch}`),
    });
    const options = {
      singlePeerConnection: true,
      publishDefaults: { simulcast: false, backupCodec: false } as const,
    };
    if (given.mode !== "plain") {
      seal = sealRoom({
        ring,
        roster: () => roster,
        onFindings: ({ plaintext, strangers, hasUnopened }) => {
          log.push(`plaintext [${plaintext}] strangers [${strangers}]`);
          log.push(`lasting ${hasUnopened}`);
          presentWhatMayBe();
        },
        onFault: (fault) => log.push(`fault ${fault}`),
        onUnopened: (identity, reason) => log.push(`unopened ${identity} ${reason}`),
      });
    }
    room = new Room(seal === null ? options : seal.roomOptions(options));
    if (given.mode === "sealed") await seal?.attach(room);
    if (given.mode === "forgetful") {
      const { encryption } = room.options;
      const keys = (encryption as unknown as { keyProvider: SealKeys }).keyProvider;
      ring.use({ keys, makeKeyFrame: () => undefined });
    }
    room
      .on(RoomEvent.TrackSubscribed, (track, publication, participant) => {
        waiting.set(track, [publication, participant]);
        presentWhatMayBe();
      })
      .on(RoomEvent.Disconnected, (reason) => log.push(`disconnected ${reason}`));
  },
  async connect(): Promise<void> {
    await room.connect(setup.url, setup.token);
    if (setup.publishes) await call.publish();
  },
  async publish(): Promise<void> {
    const local = room.localParticipant;
    const shown = setup.hasCamera ? await camera() : picture(setup.tone / 4);
    await Promise.all([
      local.publishTrack(new LocalVideoTrack(shown, undefined, true), {
        source: Track.Source.Camera,
        videoEncoding: setup.hasCamera
          ? { maxBitrate: 1_700_000, maxFramerate: 30 }
          : { maxBitrate: 300_000, maxFramerate: 20 },
      }),
      local.publishTrack(tone(setup.tone), { source: Track.Source.Microphone, dtx: false }),
    ]);
  },
  async publishAv1(): Promise<string> {
    try {
      await room.localParticipant.publishTrack(picture(0), { videoCodec: "av1" });
      return "published";
    } catch (error) {
      return String(error);
    }
  },
  enter,
  settled: (epoch: number) => ring.settled(epoch),
  setRoster(identities: string[]): void {
    roster = new Set(identities);
    seal?.rosterChanged();
    presentWhatMayBe();
  },
  /** Rendered frames, longest gap between two of them, and what the decoder says. */
  async seen(identity: string): Promise<Record<string, number>> {
    const entry = watched.get(`${identity} video`);
    const publication = room
      .getParticipantByIdentity(identity)
      ?.getTrackPublication(Track.Source.Camera);
    const receiver = (publication?.track as RemoteTrack | undefined)?.receiver;
    const report = [...((await receiver?.getStats())?.values() ?? [])];
    const inbound = report.find(({ type }) => type === "inbound-rtp");
    return {
      rendered: entry?.frames ?? 0,
      gap: Math.max(
        entry?.longestGap ?? 0,
        entry === undefined ? 0 : performance.now() - entry.lastFrameAt,
      ),
      decoded: inbound?.framesDecoded ?? 0,
      received: inbound?.packetsReceived ?? 0,
    };
  },
  /** Bytes of the camera's picture so far. */
  async received(identity: string): Promise<number> {
    const track = watched.get(`${identity} video`)?.track;
    const report = [...((await track?.receiver?.getStats())?.values() ?? [])];
    return report.find(({ type }) => type === "inbound-rtp")?.bytesReceived ?? 0;
  },
  /** Milliseconds of sound that the decoder has had to make up so far. */
  async concealed(identity: string): Promise<number> {
    const receiver = (watched.get(`${identity} audio`)?.track as RemoteTrack | undefined)?.receiver;
    const report = [...((await receiver?.getStats())?.values() ?? [])];
    const inbound = report.find(({ type }) => type === "inbound-rtp");
    return (inbound?.concealedSamples ?? 0) / 48;
  },
  resetGaps(): void {
    for (const entry of watched.values()) {
      entry.longestGap = 0;
      entry.lastFrameAt = performance.now();
    }
  },
  /** Level in dB at each frequency, of what is played from this identity. */
  heard(identity: string, frequencies: number[]): number[] {
    const analyser = watched.get(`${identity} audio`)?.analyser;
    if (!analyser) return frequencies.map(() => -200);
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    return frequencies.map((frequency) => {
      const centre = Math.round(frequency / (48_000 / analyser.fftSize));
      return Math.max(-200, ...bins.slice(centre - 3, centre + 4));
    });
  },
  /** The loudest sample of late: noise has no single frequency. */
  loudness(identity: string): number {
    const analyser = watched.get(`${identity} audio`)?.analyser;
    if (!analyser) return 0;
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    return samples.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0);
  },
  log: () => log,
  async leave(): Promise<void> {
    await room.disconnect();
    seal?.close();
    ring.close();
  },
};

export type Call = typeof call;

Object.assign(window, { call });

/** A room made by hand: what the meeting's session asks of livekit-client, driven by the test. */
import { EventEmitter } from "node:events";
import {
  ConnectionQuality,
  type DisconnectReason,
  type Room,
  RoomEvent,
  type RoomOptions,
  Track,
} from "livekit-client";

export class FakeTrack {
  readonly kind: Track.Kind;
  readonly sid: string;
  attachedElements: HTMLMediaElement[] = [];
  /** What the browser has counted; null: it does not answer. */
  stats: readonly object[] | null = [];
  mediaStreamTrack: EventTarget & { readyState: string; getSettings(): { deviceId?: string } };
  constructor(kind: Track.Kind, sid: string, deviceId?: string) {
    this.kind = kind;
    this.sid = sid;
    this.mediaStreamTrack = Object.assign(new EventTarget(), {
      readyState: "live",
      getSettings: () => (deviceId === undefined ? {} : { deviceId }),
    });
  }
  /** As a page stops it: no event. */
  stop() {
    this.mediaStreamTrack.readyState = "ended";
  }
  /** As it ends by itself. */
  unplug() {
    this.stop();
    this.mediaStreamTrack.dispatchEvent(new Event("ended"));
  }
  async getRTCStatsReport() {
    if (this.stats === null) throw new Error("gone");
    return new Map(this.stats.map((stat, at) => [at, stat]));
  }
  attach(element: HTMLMediaElement) {
    this.attachedElements.push(element);
    return element;
  }
  detach(element: HTMLMediaElement) {
    this.attachedElements = this.attachedElements.filter((known) => known !== element);
    return [element];
  }
}

export class FakePublication {
  isMuted = false;
  isEncrypted = true;
  readonly trackSid: string;
  readonly track: FakeTrack;
  readonly source: Track.Source;
  constructor(trackSid: string, track: FakeTrack, source: Track.Source) {
    this.source = source;
    this.trackSid = trackSid;
    this.track = track;
  }
}

export class FakeParticipant {
  attributes: Record<string, string> = {};
  isSpeaking = false;
  readonly isLocal: boolean = false;
  connectionQuality: ConnectionQuality = ConnectionQuality.Excellent;
  publications = new Map<Track.Source, FakePublication>();
  readonly identity: string;
  readonly name: string;
  readonly joinedAt: Date;
  constructor(identity: string, name: string, joinedAt: Date) {
    this.identity = identity;
    this.name = name;
    this.joinedAt = joinedAt;
  }
  get audioTrackPublications() {
    return new Map(
      [...this.publications.values()]
        .filter(({ track }) => track.kind === Track.Kind.Audio)
        .map((publication) => [publication.trackSid, publication]),
    );
  }
  get trackPublications() {
    return new Map([...this.publications.values()].map((one) => [one.trackSid, one]));
  }
  getTrackPublication(source: Track.Source) {
    return this.publications.get(source);
  }
  publish(source: Track.Source, sid: string, deviceId?: string): FakePublication {
    const isAudio = source === Track.Source.Microphone || source === Track.Source.ScreenShareAudio;
    const track = new FakeTrack(isAudio ? Track.Kind.Audio : Track.Kind.Video, sid, deviceId);
    const publication = new FakePublication(sid, track, source);
    this.publications.set(source, publication);
    return publication;
  }
}

export class FakeLocalParticipant extends FakeParticipant {
  override readonly isLocal = true;
  calls: string[] = [];
  onChange: () => void = () => undefined;
  /** What the next switching on of a device throws. */
  failure: Error | null = null;
  async publishTrack(_: unknown, { source }: { source: Track.Source }) {
    this.calls.push(`publish ${source}`);
    const publication = this.publish(source, `TR_${source}`, `${source}-1`);
    this.onChange();
    return publication;
  }
  async setMicrophoneEnabled(isOn: boolean) {
    this.#set(Track.Source.Microphone, isOn);
  }
  async setCameraEnabled(isOn: boolean) {
    this.#set(Track.Source.Camera, isOn);
  }
  async setScreenShareEnabled(isOn: boolean) {
    this.#set(Track.Source.ScreenShare, isOn);
    if (!isOn) this.publications.delete(Track.Source.ScreenShare);
    this.onChange();
  }
  #set(source: Track.Source, isOn: boolean) {
    this.calls.push(`${source} ${isOn ? "on" : "off"}`);
    const { failure } = this;
    this.failure = null;
    if (failure) throw failure;
    const publication = this.publications.get(source) ?? this.publish(source, `TR_${source}`);
    publication.isMuted = !isOn;
    this.onChange();
  }
}

export class FakeRoom extends EventEmitter {
  state = "disconnected";
  canPlaybackAudio = true;
  localParticipant = new FakeLocalParticipant("me", "Me", new Date(1_000));
  remoteParticipants = new Map<string, FakeParticipant>();
  token = "";
  url = "";
  switched: string[] = [];
  disconnects = 0;
  #connecting: { resolve(): void; reject(error: Error): void } | null = null;

  readonly options: RoomOptions;
  constructor(options: RoomOptions) {
    super();
    this.options = options;
    this.localParticipant.onChange = () => this.changed();
  }
  asRoom(): Room {
    return this as unknown as Room;
  }
  connect(url: string, token: string) {
    this.url = url;
    this.token = token;
    this.state = "connecting";
    return new Promise<void>((resolve, reject) => {
      this.#connecting = { resolve, reject };
    });
  }
  signal() {
    this.emit(RoomEvent.SignalConnected);
  }
  open() {
    this.state = "connected";
    this.#connecting?.resolve();
  }
  fail() {
    this.state = "disconnected";
    this.#connecting?.reject(new Error("no way"));
  }
  drop(reason?: DisconnectReason) {
    this.state = "disconnected";
    this.emit(RoomEvent.Disconnected, reason);
  }
  join(identity: string, name = identity): FakeParticipant {
    const joinedAt = new Date(2_000 + this.remoteParticipants.size);
    const participant = new FakeParticipant(identity, name, joinedAt);
    this.remoteParticipants.set(identity, participant);
    this.emit(RoomEvent.ParticipantConnected, participant);
    return participant;
  }
  leave(identity: string) {
    const participant = this.remoteParticipants.get(identity);
    this.remoteParticipants.delete(identity);
    this.emit(RoomEvent.ParticipantDisconnected, participant);
  }
  /** Something changed; which event says so does not matter to the session. */
  changed() {
    this.emit(RoomEvent.ActiveSpeakersChanged);
  }
  async switchActiveDevice(kind: string, id: string) {
    if (id === "broken") throw new Error("broken");
    this.switched.push(`${kind} ${id}`);
  }
  async startAudio() {
    this.canPlaybackAudio = true;
    this.emit(RoomEvent.AudioPlaybackStatusChanged);
  }
  async disconnect() {
    this.disconnects += 1;
    this.state = "disconnected";
  }
}

/**
 * The life of one's place in the call: come in, stay in through every kind of lost connection,
 * leave. The library resumes what can be resumed; what it gives up is joined anew with a fresh
 * token. Writes the store; the page only reads it. Gives up only on somebody's decision or after
 * ten minutes without a server.
 */

import {
  ConnectionQuality,
  type DisconnectReason,
  type RemoteTrack,
  type Room,
  RoomEvent,
  type RoomOptions,
} from "livekit-client";
import type { Sealed } from "../../../sealing/contract.ts";
import type { Findings } from "../../../sealing/frames/findings.ts";
import type { KeyRing } from "../../../sealing/frames/keyRing.ts";
import type { MediaSeat } from "../../../sealing/session/shell.ts";
import type { EnteredMeeting, LeaveReason } from "../contract.ts";
import {
  type CallNotice,
  type CallStore,
  createCallStore,
  type Person,
  type ReconnectCause,
  shareUnchanged,
} from "./call.ts";
import {
  CONNECT_OPTIONS,
  createRoomReader,
  createVoices,
  type Eyes,
  type Known,
  leaveReasonOf,
  pauseUnlessShown,
  roomOptions,
} from "./livekit.ts";
import { createOwnMedia, type OwnMedia } from "./media.ts";
import { sameShare, shareChanges, withAbsent } from "./presence.ts";
import type { Snapshot } from "./statistics.ts";
import { readStatistics } from "./statisticsReader.ts";

/** What a room has to be sealed with, and whom it tells. */
export interface Sealing {
  readonly ring: KeyRing;
  readonly roster: () => ReadonlySet<string>;
  readonly onFindings: (findings: Findings) => void;
  /** Frame encryption is not to be had; nothing was sent unsealed. */
  readonly onFault: () => void;
}

export interface SealedRoom extends Pick<Eyes, "mayPresent"> {
  readonly room: Room;
  rosterChanged(): void;
  close(): void;
}

export interface SessionPorts {
  /** Rejects when frames cannot be sealed; `onFault` has been told. */
  readonly createRoom: (options: RoomOptions, sealing: Sealing) => Promise<SealedRoom>;
  readonly origin: string;
  readonly listDevices: () => Promise<readonly MediaDeviceInfo[]>;
  /** Whether our server answers at all. Never rejects. */
  readonly isServerUp: () => Promise<boolean>;
  readonly isOnline: () => boolean;
  readonly canShare: boolean;
  readonly canSelectSpeaker: boolean;
  readonly now: () => number;
  /** Runs something later; the answer calls it off. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
}

export type Entry = Omit<EnteredMeeting, "name">;

export interface CallSession {
  readonly store: CallStore;
  readonly media: OwnMedia;
  /** Sets out for the room. Before it, nobody is asked and no device is touched. */
  start(entry: Entry): void;
  /** Try again now instead of waiting for the next try. */
  retry(): void;
  startSound(): void;
  /** What the browser has counted until now; null while there is no room. */
  readStatistics(): Promise<Snapshot | null>;
  leave(): Promise<void>;
  onNotice(listener: (notice: CallNotice) => void): () => void;
  /** Resolves once, when the call is over and everything has been let go. */
  readonly ended: Promise<LeaveReason>;
}

/** How long a lost place is fought for before the page says that it is lost. */
export const GIVE_UP_MS = 10 * 60_000;
/** After a return, people not back yet are shown this long before they count as gone. */
export const GRACE_MS = 8_000;
const SETTLED_MS = 600;
/** A transport that takes longer than this is waited for with the people already drawn. */
const PATIENCE_MS = 150;
const LEAVE_MS = 1_000;
/** Until the name of a newcomer has come. */
const UNNAMED = "…";
const REJOIN_FIRST_MS = 500;
const REJOIN_LAST_MS = 8_000;

const CHANGES = [
  RoomEvent.ParticipantConnected,
  RoomEvent.ParticipantDisconnected,
  RoomEvent.TrackPublished,
  RoomEvent.TrackUnpublished,
  RoomEvent.TrackMuted,
  RoomEvent.TrackUnmuted,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
  RoomEvent.ActiveSpeakersChanged,
  RoomEvent.ConnectionQualityChanged,
  RoomEvent.ParticipantNameChanged,
  RoomEvent.ParticipantAttributesChanged,
  RoomEvent.ActiveDeviceChanged,
] as const;

export function createSession(ports: SessionPorts): CallSession {
  const store = createCallStore();
  const listeners = new Set<(notice: CallNotice) => void>();
  const reader = createRoomReader(ports.now);
  const voices = createVoices();
  let entry: Entry | null = null;
  let room: Room | null = null;
  let sealedRoom: SealedRoom | null = null;
  let forget: () => void = () => undefined;
  let told = "";
  let lostAt: number | null = null;
  let ghosts: readonly Person[] = [];
  let tries = 0;
  let cancelWait: (() => void) | null = null;
  let hasReadPeople = false;
  let finish: (reason: LeaveReason) => void = () => undefined;
  const ended = new Promise<LeaveReason>((resolve) => {
    finish = resolve;
  });

  const notify = (notice: CallNotice) => {
    for (const listener of listeners) {
      listener(notice);
    }
  };
  const media = createOwnMedia({
    store,
    room: () => room,
    notify,
    listDevices: ports.listDevices,
    canShare: ports.canShare,
    canSelectSpeaker: ports.canSelectSpeaker,
  });

  const isOver = () => store.getState().phase.type === "over";

  const sealedNow = (): Sealed | null => entry?.sealed.store.getState() ?? null;
  const eyes: Eyes = {
    whoIs: (identity) => knownIn(sealedNow(), identity),
    mayPresent: (participant, publication) =>
      sealedRoom?.mayPresent(participant, publication) ?? false,
  };

  /** The room of the moment, sealed; null when there is none to be had, or one is no longer wanted. */
  async function openRoom({ devices, sealed }: Entry, seat: MediaSeat): Promise<Room | null> {
    const before = room;
    try {
      const made = await ports.createRoom(
        roomOptions(devices, (delay) => onLibraryRetry(delay)),
        {
          ring: seat.ring,
          roster: () => new Set(sealed.store.getState().members.map(({ identity }) => identity)),
          onFindings: sealed.tellFindings,
          onFault: sealed.tellNoEncryption,
        },
      );
      if (isOver() || room !== before) {
        made.close();
        return null;
      }
      sealedRoom?.close();
      sealedRoom = made;
      room = made.room;
      return room;
    } catch {
      // The seal is broken by now, and the page says so.
      return null;
    }
  }

  async function connect(into: Entry, seat: MediaSeat): Promise<void> {
    const mine = await openRoom(into, seat);
    if (mine === null) {
      return;
    }
    bind(mine);
    let hasSignal = false;
    mine.once(RoomEvent.SignalConnected, () => {
      hasSignal = true;
      if (store.getState().phase.type === "connecting") {
        store.setState({ phase: { type: "connecting", step: "line" } });
      }
      // The answer and the transport are next, and drawing would hold them up; mostly they are
      // so quick that the people come with their pictures.
      ports.after(PATIENCE_MS, () => {
        if (room === mine && !isOver()) {
          sync();
        }
      });
    });
    try {
      await mine.connect(seat.ticket.url || ports.origin, seat.ticket.token, CONNECT_OPTIONS);
      onConnected();
      // Only now: offering our own tracks while the transport is being set up delays the others'.
      void media.publish(mine);
    } catch {
      if (isOver() || room !== mine) {
        return;
      }
      room = null;
      if (hasSignal && store.getState().connectedAt === null) {
        await close("blocked");
      } else {
        comeBack();
      }
    }
  }

  /** The group has changed, or the meeting is over for us. */
  function onSealed({ phase }: Sealed): void {
    if (isOver()) {
      return;
    }
    if (phase.type !== "over") {
      sealedRoom?.rosterChanged();
      sync();
    } else if (phase.reason === "broken") {
      // The page stays and says why; nothing is sent or shown any more.
      hangUp();
      store.setState({ people: [], share: null });
    } else {
      void close(phase.reason);
    }
  }

  function hangUp(): Room | null {
    const leaving = room;
    room = null;
    cancelWait?.();
    media.release();
    void leaving?.disconnect(true).catch(() => undefined);
    sealedRoom?.close();
    sealedRoom = null;
    voices.keepOnly(null);
    return leaving;
  }

  /** Another sitting, or another place in it: the media connection is made anew. */
  function onSeat(seat: MediaSeat): void {
    if (entry === null || isOver()) {
      return;
    }
    const abandoned = room;
    room = null;
    void abandoned?.disconnect(false).catch(() => undefined);
    void connect(entry, seat);
  }

  function bind(mine: Room): void {
    const isCurrent = () => room === mine && !isOver();
    for (const event of CHANGES) {
      mine.on(event, () => isCurrent() && sync());
    }
    mine
      .on(RoomEvent.TrackSubscribed, (track) => {
        pauseUnlessShown(track as RemoteTrack, ports.after);
        sync();
      })
      .on(RoomEvent.TrackUnsubscribed, (track) => {
        voices.stop(track as RemoteTrack);
        sync();
      })
      .on(RoomEvent.AudioPlaybackStatusChanged, () => {
        store.setState({ isSoundBlocked: !mine.canPlaybackAudio });
      })
      .on(RoomEvent.MediaDevicesChanged, () => void media.refreshDevices())
      .on(RoomEvent.SignalReconnecting, () => isCurrent() && onLost())
      .on(RoomEvent.Reconnecting, () => isCurrent() && onLost())
      .on(RoomEvent.Reconnected, () => isCurrent() && onConnected())
      .on(RoomEvent.Disconnected, (reason?: DisconnectReason) => {
        // While connecting, the rejected promise tells the same.
        if (isCurrent() && store.getState().connectedAt !== null) {
          onDisconnected(reason);
        }
      });
  }

  function onConnected(): void {
    const wasLost = lostAt !== null;
    lostAt = null;
    tries = 0;
    cancelWait?.();
    const now = ports.now();
    ghosts = wasLost ? store.getState().people : [];
    store.setState((call) => ({
      phase: { type: "connected" },
      connectedAt: call.connectedAt ?? now,
      resumedAt: wasLost ? now : call.resumedAt,
      isSoundBlocked: room === null ? false : !room.canPlaybackAudio,
    }));
    if (wasLost) {
      notify({ type: "connection-back" });
      ports.after(GRACE_MS, () => {
        ghosts = [];
        sync();
      });
    }
    voices.keepOnly(room);
    // For the menus only: after the first pictures.
    ports.after(SETTLED_MS, () => isOver() || void media.refreshDevices());
    sync();
  }

  function onLost(): void {
    if (lostAt === null) {
      lostAt = ports.now();
      notify({ type: "connection-lost" });
    }
    showReconnecting(null);
  }

  function onLibraryRetry(delay: number | null): void {
    if (lostAt !== null && !isOver() && delay !== null) {
      showReconnecting(delay < 1_000 ? null : ports.now() + delay);
    }
  }

  function showReconnecting(retryAt: number | null): void {
    const before = store.getState().phase;
    const cause: ReconnectCause = !ports.isOnline()
      ? "offline"
      : before.type === "reconnecting" && before.cause === "server"
        ? "server"
        : "network";
    store.setState({
      phase: { type: "reconnecting", cause, since: lostAt ?? ports.now(), retryAt },
    });
    sync();
    if (cause === "network") {
      void blameServer();
    }
  }

  /** Tells a silent server from a silent network, while the wait goes on. */
  async function blameServer(): Promise<void> {
    const isUp = await ports.isServerUp();
    const { phase } = store.getState();
    if (!isUp && phase.type === "reconnecting" && phase.cause === "network") {
      store.setState({ phase: { ...phase, cause: "server" } });
    }
  }

  function onDisconnected(reason: DisconnectReason | undefined): void {
    const decided = leaveReasonOf(reason);
    if (decided !== null) {
      void close(decided);
      return;
    }
    room = null;
    comeBack();
  }

  /** Joins anew, again and again. What the library could resume has been tried by now. */
  function comeBack(): void {
    const now = ports.now();
    if (lostAt === null) {
      lostAt = now;
      if (store.getState().connectedAt !== null) {
        notify({ type: "connection-lost" });
      }
    }
    if (now - lostAt > GIVE_UP_MS) {
      void close("lost");
      return;
    }
    const wait = Math.min(REJOIN_LAST_MS, REJOIN_FIRST_MS * 2 ** tries);
    tries += 1;
    showReconnecting(wait < 1_000 ? null : now + wait);
    cancelWait?.();
    cancelWait = ports.after(wait, () => void joinAnew());
  }

  async function joinAnew(): Promise<void> {
    cancelWait?.();
    cancelWait = null;
    if (isOver() || entry === null) {
      return;
    }
    if (lostAt !== null) {
      showReconnecting(null);
    }
    try {
      const seat = await entry.sealed.renewTicket();
      // Without a seat the meeting is over for us, and has said why.
      if (seat !== null && !isOver()) {
        await connect(entry, seat);
      }
    } catch {
      comeBack();
    }
  }

  function sync(): void {
    media.sync();
    if (room === null) {
      return;
    }
    playVoices(room);
    const { people, share } = reader.read(room, eyes);
    const before = store.getState();
    const isHere = before.phase.type === "connected";
    // Who is back is no ghost any more: leaving later is leaving at once.
    ghosts = ghosts.filter((ghost) => !people.some(({ identity }) => identity === ghost.identity));
    const shown = withAbsent(isHere ? ghosts : before.people, people);
    store.setState({
      people: shareUnchanged(before.people, shown),
      share: sameShare(before.share, share),
      hasMet: before.hasMet || people.some((person) => !person.isSelf),
    });
    if (isHere && hasReadPeople) {
      for (const change of shareChanges(before.share, share)) {
        notify(change);
      }
    }
    // What was here before is not news.
    hasReadPeople ||= isHere;
    tellMedia(room);
  }

  /** Heard is who is in the group and seals; a voice that came before its owner waits. */
  function playVoices(mine: Room): void {
    for (const participant of mine.remoteParticipants.values()) {
      for (const publication of participant.audioTrackPublications.values()) {
        const track = publication.track as RemoteTrack | undefined;
        if (track === undefined) {
          continue;
        }
        if (eyes.mayPresent(participant, publication)) {
          voices.play(track, participant);
        } else {
          voices.stop(track);
        }
      }
    }
  }

  /** For the group's watch over the server: who is connected, and whose media arrive. */
  function tellMedia(mine: Room): void {
    const remote = [...mine.remoteParticipants.values()];
    const connected = remote.map(({ identity }) => identity);
    const flowing = remote
      .filter(({ connectionQuality, trackPublications }) => {
        const isSending = [...trackPublications.values()].some(
          ({ track, isMuted }) => track !== undefined && !isMuted,
        );
        return isSending && connectionQuality !== ConnectionQuality.Lost;
      })
      .map(({ identity }) => identity);
    const next = JSON.stringify([connected, flowing]);
    if (next !== told) {
      told = next;
      entry?.sealed.tellMedia({ connected, flowing });
    }
  }

  async function close(reason: LeaveReason): Promise<void> {
    if (isOver()) {
      return;
    }
    store.setState({ phase: { type: "over", reason } });
    const leaving = room;
    room = null;
    cancelWait?.();
    media.release();
    // The others are told, and the media end; a server that is gone must not hold up the door.
    await Promise.race([
      Promise.all([
        entry?.sealed.actions.leave(),
        leaving?.disconnect(true).catch(() => undefined),
      ]),
      new Promise<void>((resolve) => {
        ports.after(LEAVE_MS, resolve);
      }),
    ]);
    forget();
    entry?.sealed.close();
    hangUp();
    store.setState({ people: [], share: null, microphoneTrack: null });
    finish(reason);
  }

  return {
    store,
    media,
    start(next) {
      entry = next;
      const { sealed } = next;
      const unsubscribe = sealed.store.subscribe(onSealed);
      const forgetSeat = sealed.onSeat(onSeat);
      forget = () => {
        unsubscribe();
        forgetSeat();
      };
      media.begin(next.devices, () => next.preview.take());
      void connect(next, next.seat);
    },
    retry() {
      const abandoned = room;
      room = null;
      void abandoned?.disconnect(false).catch(() => undefined);
      void joinAnew();
    },
    startSound() {
      void room?.startAudio().catch(() => undefined);
    },
    readStatistics: async () => (room === null ? null : readStatistics(room, eyes)),
    leave: () => close(sealedNow()?.seal.type === "broken" ? "broken" : "left"),
    onNotice(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ended,
  };
}

function knownIn(sealed: Sealed | null, identity: string): Known | null {
  const member = sealed?.members.find((one) => one.identity === identity);
  if (member === undefined) {
    return null;
  }
  const { name, verification, handPlace, joinedAt } = member;
  const isVerified = verification === "host" || verification === "account";
  return { name: name ?? UNNAMED, isVerified, handPlace, joinedAt };
}

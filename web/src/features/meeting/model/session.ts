/**
 * The life of one's place in the call: come in, stay in through every kind of lost connection,
 * leave. The library resumes what can be resumed; what it gives up is joined anew with a fresh
 * token. Writes the store; the page only reads it. Gives up only on somebody's decision or after
 * ten minutes without a server.
 */

import {
  type DisconnectReason,
  type Participant,
  type RemoteTrack,
  type Room,
  RoomEvent,
  type RoomOptions,
} from "livekit-client";
import type { EnteredMeeting, LeaveReason, MeetingConnection } from "../contract.ts";
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
  leaveReasonOf,
  pauseUnlessShown,
  roomOptions,
} from "./livekit.ts";
import { createOwnMedia, type OwnMedia } from "./media.ts";
import { changes, sameShare, withAbsent } from "./presence.ts";

export interface SessionPorts {
  readonly createRoom: (options: RoomOptions) => Room;
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

export type Entry = Pick<EnteredMeeting, "connection" | "devices" | "preview" | "rejoin">;

export interface CallSession {
  readonly store: CallStore;
  readonly media: OwnMedia;
  /** Sets out for the room. Before it, nobody is asked and no device is touched. */
  start(entry: Entry): void;
  /** Try again now instead of waiting for the next try. */
  retry(): void;
  startSound(): void;
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

  async function connect({ devices }: Entry, connection: MeetingConnection): Promise<void> {
    store.setState({ role: connection.role });
    const mine = ports.createRoom(roomOptions(devices, (delay) => onLibraryRetry(delay)));
    room = mine;
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
      await mine.connect(connection.url || ports.origin, connection.token, CONNECT_OPTIONS);
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

  function bind(mine: Room): void {
    const isCurrent = () => room === mine && !isOver();
    for (const event of CHANGES) {
      mine.on(event, () => isCurrent() && sync());
    }
    mine
      .on(RoomEvent.TrackSubscribed, (track, _publication, participant) => {
        voices.play(track as RemoteTrack, participant as Participant);
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
      const answer = await entry.rejoin();
      if (isOver()) {
        return;
      }
      if (typeof answer === "string") {
        await close(answer);
        return;
      }
      await connect(entry, answer);
    } catch {
      comeBack();
    }
  }

  function sync(): void {
    media.sync();
    if (room === null) {
      return;
    }
    const { people, share } = reader.read(room);
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
      for (const change of changes(before, { people: shown, share })) {
        notify(change);
      }
    }
    // Who was here before is not news.
    hasReadPeople ||= isHere;
  }

  async function close(reason: LeaveReason): Promise<void> {
    if (isOver()) {
      return;
    }
    store.setState({ phase: { type: "over", reason } });
    cancelWait?.();
    media.release();
    const leaving = room;
    room = null;
    if (leaving !== null) {
      // A server that is gone must not hold up the door.
      await Promise.race([
        leaving.disconnect(true).catch(() => undefined),
        new Promise<void>((resolve) => {
          ports.after(LEAVE_MS, resolve);
        }),
      ]);
    }
    voices.keepOnly(null);
    store.setState({ people: [], share: null, microphoneTrack: null });
    finish(reason);
  }

  return {
    store,
    media,
    start(next) {
      entry = next;
      media.begin(next.devices, () => next.preview.take());
      void connect(next, next.connection);
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
    leave: () => close("left"),
    onNotice(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ended,
  };
}

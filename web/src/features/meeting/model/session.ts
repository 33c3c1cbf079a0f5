/**
 * The life of one's place in the call: come in, stay in through every kind of lost connection,
 * leave. The library resumes what can be resumed; what it gives up is joined anew with a fresh
 * token. Writes the store; the page only reads it. Gives up only on somebody's decision or after
 * ten minutes without a server.
 */

import { type DisconnectReason, type RemoteTrack, type Room, RoomEvent } from "livekit-client";
import type { Sealed } from "../../../sealing/contract.ts";
import type { MediaSeat } from "../../../sealing/session/shell.ts";
import type { LeaveReason } from "../contract.ts";
import { type CallNotice, createCallStore } from "./call.ts";
import { createComeBack } from "./comeBack.ts";
import {
  CONNECT_OPTIONS,
  type Eyes,
  type Known,
  leaveReasonOf,
  pauseUnlessShown,
  roomOptions,
} from "./livekit.ts";
import { createOwnMedia } from "./media.ts";
import { isProven } from "./proof.ts";
import { createRightsWatch, mayBegin, mayGoOn } from "./rights.ts";
import { createRoomWatch } from "./roomWatch.ts";
import type { CallSession, Entry, SealedRoom, SessionPorts } from "./sessionPorts.ts";
import { readStatistics } from "./statisticsReader.ts";

const SETTLED_MS = 600;
/** A transport that takes longer than this is waited for with the people already drawn. */
const PATIENCE_MS = 150;
const LEAVE_MS = 1_000;
/** Until the name of a newcomer has come. */
const UNNAMED = "…";

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
  let entry: Entry | null = null;
  let room: Room | null = null;
  let sealedRoom: SealedRoom | null = null;
  let forget: () => void = () => undefined;
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
    mayBegin: (source) => mayBegin(entry?.sealed.store.getState() ?? null, source),
    mayGoOn: (source) => mayGoOn(entry?.sealed.store.getState() ?? null, source),
  });

  const isOver = () => store.getState().phase.type === "over";

  const sealedNow = (): Sealed | null => entry?.sealed.store.getState() ?? null;
  const rights = createRightsWatch({
    now: ports.now,
    arrivedAt: () => store.getState().connectedAt,
  });
  const eyes: Eyes = {
    whoIs: (identity) => knownIn(sealedNow(), identity),
    mayPresent: (participant, publication) =>
      !isStopped(sealedNow(), participant.identity) &&
      eyes.isPermitted(participant, publication) &&
      (sealedRoom?.mayPresent(participant, publication) ?? false),
    isPermitted: ({ identity }, { source, trackSid }) =>
      rights.isPermitted(sealedNow(), { identity, source, trackSid }),
  };
  const watch = createRoomWatch({
    store,
    eyes,
    media,
    room: () => room,
    notify,
    tellMedia: (seen) => entry?.sealed.tellMedia(seen),
    now: ports.now,
    after: ports.after,
  });
  const comeBack = createComeBack({
    store,
    notify,
    isOver,
    isServerUp: ports.isServerUp,
    isOnline: ports.isOnline,
    now: ports.now,
    after: ports.after,
    onShown: watch.sync,
    join: joinAnew,
    giveUp: () => void close("lost"),
  });

  /** The room of the moment, sealed; null when there is none to be had, or one is no longer wanted. */
  async function openRoom({ devices, sealed }: Entry, seat: MediaSeat): Promise<Room | null> {
    const before = room;
    try {
      const made = await ports.createRoom(roomOptions(devices, comeBack.waits), {
        ring: seat.ring,
        roster: () => new Set(sealed.store.getState().members.map(({ identity }) => identity)),
        onFindings: sealed.tellFindings,
        onFault: sealed.tellNoEncryption,
      });
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
          watch.sync();
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
        comeBack.begin();
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
      media.obey();
      watch.sync();
    } else if (phase.reason === "broken") {
      // The page stays and says why; nothing is sent or shown any more.
      hangUp();
      store.setState({ people: [], share: null });
    } else {
      void close(phase.reason);
    }
  }

  function hangUp(): void {
    const leaving = room;
    room = null;
    comeBack.callOff();
    media.release();
    void leaving?.disconnect(true).catch(() => undefined);
    sealedRoom?.close();
    sealedRoom = null;
    watch.keepOnly(null);
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
      mine.on(event, () => isCurrent() && watch.sync());
    }
    mine
      .on(RoomEvent.TrackSubscribed, (track) => {
        pauseUnlessShown(track as RemoteTrack, ports.after);
        watch.sync();
      })
      .on(RoomEvent.TrackUnsubscribed, (track) => {
        watch.stopVoice(track as RemoteTrack);
        watch.sync();
      })
      .on(RoomEvent.AudioPlaybackStatusChanged, () => {
        store.setState({ isSoundBlocked: !mine.canPlaybackAudio });
      })
      .on(RoomEvent.MediaDevicesChanged, () => void media.refreshDevices())
      .on(RoomEvent.SignalReconnecting, () => isCurrent() && comeBack.lost())
      .on(RoomEvent.Reconnecting, () => isCurrent() && comeBack.lost())
      .on(RoomEvent.Reconnected, () => isCurrent() && onConnected())
      .on(RoomEvent.Disconnected, (reason?: DisconnectReason) => {
        // While connecting, the rejected promise tells the same.
        if (isCurrent() && store.getState().connectedAt !== null) {
          onDisconnected(reason);
        }
      });
  }

  function onConnected(): void {
    const wasLost = comeBack.reached();
    const now = ports.now();
    watch.reached(wasLost);
    store.setState((call) => ({
      phase: { type: "connected" },
      connectedAt: call.connectedAt ?? now,
      resumedAt: wasLost ? now : call.resumedAt,
      isSoundBlocked: room === null ? false : !room.canPlaybackAudio,
    }));
    if (wasLost) {
      notify({ type: "connection-back" });
    }
    watch.keepOnly(room);
    // For the menus only: after the first pictures.
    ports.after(SETTLED_MS, () => isOver() || void media.refreshDevices());
    watch.sync();
  }

  function onDisconnected(reason: DisconnectReason | undefined): void {
    const decided = leaveReasonOf(reason);
    if (decided !== null) {
      void close(decided);
      return;
    }
    room = null;
    comeBack.begin();
  }

  async function joinAnew(): Promise<void> {
    const seat = await entry?.sealed.renewTicket();
    // Without a seat the meeting is over for us, and has said why.
    if (entry !== null && seat && !isOver()) {
      await connect(entry, seat);
    }
  }

  async function close(reason: LeaveReason): Promise<void> {
    if (isOver()) {
      return;
    }
    store.setState({ phase: { type: "over", reason } });
    const leaving = room;
    room = null;
    comeBack.callOff();
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
      void comeBack.tryNow();
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

/** Everything has been stopped, and this is nobody who leads: neither seen nor heard. */
function isStopped(sealed: Sealed | null, identity: string): boolean {
  if (sealed === null || sealed.frozen === null) {
    return false;
  }
  const member = sealed.members.find((one) => one.identity === identity);
  return member === undefined || member.role === "member";
}

function knownIn(sealed: Sealed | null, identity: string): Known | null {
  const member = sealed?.members.find((one) => one.identity === identity);
  if (member === undefined) {
    return null;
  }
  const { name, handPlace, joinedAt } = member;
  return { name: name ?? UNNAMED, isVerified: isProven(member), handPlace, joinedAt };
}

/**
 * Keeps the store in step with the room: who is here, whose screen is shared, whose voice is
 * played, and what the group is told of the media. Opens and closes no connection.
 */

import { ConnectionQuality, type RemoteTrack, type Room } from "livekit-client";
import type { SealedSession } from "../../../sealing/session/shell.ts";
import { type CallNotice, type CallStore, type Person, shareUnchanged } from "./call.ts";
import { createRoomReader, createVoices, type Eyes } from "./livekit.ts";
import type { OwnMedia } from "./media.ts";
import { sameShare, shareChanges, withAbsent } from "./presence.ts";
import type { SessionPorts } from "./sessionPorts.ts";

/** After a return, people not back yet are shown this long before they count as gone. */
export const GRACE_MS = 8_000;

export interface RoomWatchPorts extends Pick<SessionPorts, "now" | "after"> {
  readonly store: CallStore;
  readonly eyes: Eyes;
  readonly media: Pick<OwnMedia, "sync">;
  /** The room of the moment; null while there is none. */
  readonly room: () => Room | null;
  readonly notify: (notice: CallNotice) => void;
  readonly tellMedia: SealedSession["tellMedia"];
}

export interface RoomWatch {
  /** Reads the room of the moment into the store, one's own media too. */
  sync(): void;
  /** The place is there. After a loss the people of before may take a moment longer. */
  reached(wasLost: boolean): void;
  stopVoice(track: RemoteTrack): void;
  /** Stops the voices of other rooms. */
  keepOnly(room: Room | null): void;
}

export function createRoomWatch(ports: RoomWatchPorts): RoomWatch {
  const { store, eyes } = ports;
  const reader = createRoomReader(ports.now);
  const voices = createVoices();
  let ghosts: readonly Person[] = [];
  let hasReadPeople = false;
  let told = "";

  function sync(): void {
    ports.media.sync();
    const room = ports.room();
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
        ports.notify(change);
      }
    }
    // What was here before is not news.
    hasReadPeople ||= isHere;
    tellMedia(room);
  }

  /** Heard is who is in the group and seals; a voice that came before its owner waits. */
  function playVoices(room: Room): void {
    for (const participant of room.remoteParticipants.values()) {
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
  function tellMedia(room: Room): void {
    const remote = [...room.remoteParticipants.values()];
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
      ports.tellMedia({ connected, flowing });
    }
  }

  return {
    sync,
    reached(wasLost) {
      ghosts = wasLost ? store.getState().people : [];
      if (wasLost) {
        ports.after(GRACE_MS, () => {
          ghosts = [];
          sync();
        });
      }
    },
    stopVoice: voices.stop,
    keepOnly: voices.keepOnly,
  };
}

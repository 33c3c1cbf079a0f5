/**
 * Makes a livekit Room a sealed one. In this order:
 *
 *     const seal = sealRoom({ ring, roster, … });
 *     const room = new Room(seal.roomOptions(options));
 *     await seal.attach(room);
 *     await room.connect(url, token);
 *     … seal.mayPresent(participant, publication) before anything is drawn or played …
 *     seal.close();
 *
 * One seal for one Room: the worker must be a fresh one. Data packets of LiveKit are not sealed by
 * person and arrive in plaintext from whoever likes: nothing in this product may listen to them.
 */

import {
  type LocalParticipant,
  type LocalTrackPublication,
  type Participant,
  type RemoteTrackPublication,
  type Room,
  RoomEvent,
  type RoomOptions,
  Track,
  type TrackPublishDefaults,
} from "livekit-client";
import { trustedWorker } from "../../trustedWorker.ts";
import { dropUntilSealed, hasEarlyTransforms, type TransformPage } from "./dropTransform.ts";
import dropAddress from "./dropWorker.ts?worker&url";
import { keepUntilSealed } from "./earlyStreams.ts";
import {
  canSealLayers,
  examine,
  type Findings,
  isSameFindings,
  mayPresent,
  NOTHING_FOUND,
} from "./findings.ts";
import type { KeyRing } from "./keyRing.ts";
import type { WorkerNote } from "./prelude.ts";
import { SealKeys } from "./sealKeys.ts";
import { watchUnopened } from "./unopened.ts";
import workerAddress from "./worker.ts?worker&url";

/** Why frame encryption could not be switched on, or was found to be off. */
export type SealFault = "unsupported" | "worker" | "publication" | "codec";

export interface SealRoomOptions {
  readonly ring: KeyRing;
  /** The identities of the group as it is now. */
  readonly roster: () => ReadonlySet<string>;
  /** What the room holds that is not shown, whenever that changes. */
  readonly onFindings: (findings: Findings) => void;
  /** Frame encryption is not to be had; nothing of our own was published unsealed. */
  readonly onFault: (fault: SealFault) => void;
  /** Frames that could not be opened, at most once a second for each identity and reason. */
  readonly onUnopened?: (identity: string | null, reason: string) => void;
}

export interface RoomSeal {
  /** The given options with encryption, and without what cannot be sealed. */
  roomOptions(options: RoomOptions): RoomOptions;
  /** Before `connect`. Rejects with `Unsealable` when encryption cannot be switched on. */
  attach(room: Room): Promise<void>;
  mayPresent(participant: Participant, publication: SeenOf): boolean;
  /** The group has changed. */
  rosterChanged(): void;
  close(): void;
}

type SeenOf = Pick<RemoteTrackPublication, "isEncrypted">;

export class Unsealable extends Error {
  readonly fault: SealFault;

  constructor(fault: SealFault) {
    super(`cannot be sealed: ${fault}`);
    this.name = "Unsealable";
    this.fault = fault;
  }
}

const CHANGES = [
  RoomEvent.Connected,
  RoomEvent.Reconnected,
  RoomEvent.ParticipantConnected,
  RoomEvent.ParticipantDisconnected,
  RoomEvent.TrackPublished,
  RoomEvent.TrackUnpublished,
  RoomEvent.TrackSubscribed,
  RoomEvent.TrackUnmuted,
] as const;

export function sealRoom(options: SealRoomOptions): RoomSeal {
  const { ring } = options;
  const page = window as unknown as TransformPage;
  const canSeal = hasEarlyTransforms(page) || page.RTCRtpScriptTransform !== undefined;
  const keys = new SealKeys(ring.ownIdentity);
  const worker = trustedWorker(workerAddress, { name: "frames" });
  const stopDropping = dropUntilSealed(page, () => trustedWorker(dropAddress, { name: "drop" }));
  const stopKeeping = keepUntilSealed(page, (streams) =>
    worker.postMessage(streams, [streams.readable, streams.writable]),
  );
  const isStarted = startOf(worker);
  let room: Room | null = null;
  let stopUsing: () => void = () => undefined;
  let found: Findings = NOTHING_FOUND;

  const unopened = watchUnopened(
    {
      now: () => performance.now(),
      after(milliseconds, run) {
        const timer = setTimeout(run, milliseconds);
        return () => clearTimeout(timer);
      },
    },
    look,
  );

  worker.addEventListener("error", () => options.onFault("worker"));
  worker.addEventListener("message", ({ data }: MessageEvent<WorkerNote>) => {
    if (data.kind === "conclave:forced") {
      look();
    }
    if (data.kind === "conclave:unopened") {
      unopened.failed(data.stream);
    }
  });

  function look(): void {
    if (room === null) {
      return;
    }
    const roster = options.roster();
    const remote = [...room.remoteParticipants.values()];
    for (const participant of remote) {
      for (const publication of participant.trackPublications.values()) {
        silence(publication, mayPresent(participant.identity, publication, roster));
      }
    }
    const next = examine(
      remote.map(({ identity, trackPublications }) => ({
        identity,
        publications: [...trackPublications.values()],
      })),
      roster,
      unopened.isLasting(),
    );
    if (!isSameFindings(found, next)) {
      found = next;
      options.onFindings(next);
    }
  }

  function watch(mine: Room): void {
    for (const event of CHANGES) {
      mine.on(event, look);
    }
    mine
      .on(RoomEvent.EncryptionError, (error: Error, participant?: Participant) => {
        options.onUnopened?.(participant?.identity ?? null, reasonOf(error));
      })
      .on(RoomEvent.LocalTrackPublished, (publication, local) => {
        if (!publication.isEncrypted) {
          void withdraw(publication, local);
        }
      });
  }

  async function withdraw(
    publication: LocalTrackPublication,
    local: LocalParticipant,
  ): Promise<void> {
    options.onFault("publication");
    if (publication.track !== undefined) {
      await local.unpublishTrack(publication.track).catch(() => undefined);
    }
  }

  return {
    roomOptions(given) {
      return {
        ...given,
        encryption: { keyProvider: keys, worker },
        publishDefaults: sealable(given.publishDefaults),
      };
    },
    async attach(mine) {
      room = mine;
      if (!canSeal) {
        options.onFault("unsupported");
        throw new Unsealable("unsupported");
      }
      guardPublishing(mine.localParticipant, options.onFault);
      watch(mine);
      // After `new Room`: its manager hears of keys through events alone.
      stopUsing = ring.use({ keys, makeKeyFrame: () => void makeKeyFrames(mine.localParticipant) });
      await mine.setE2EEEnabled(true);
      // A script transform that is made before its worker listens is never heard of again.
      if (
        !(hasEarlyTransforms(page) || (await isStarted)) ||
        !mine.localParticipant.isE2EEEnabled
      ) {
        options.onFault("worker");
        throw new Unsealable("worker");
      }
    },
    mayPresent: ({ identity }, publication) => mayPresent(identity, publication, options.roster()),
    rosterChanged: look,
    close() {
      stopUsing();
      stopDropping();
      stopKeeping();
      unopened.close();
      room = null;
      worker.terminate();
    },
  };
}

const START_WITHIN_MS = 10_000;

/** Whether the worker's code has run; never rejects. */
function startOf(worker: Worker): Promise<boolean> {
  return new Promise((resolve) => {
    worker.addEventListener("message", ({ data }: MessageEvent<WorkerNote>) => {
      if (data.kind === "conclave:ready") {
        resolve(true);
      }
    });
    worker.addEventListener("error", () => resolve(false));
    setTimeout(() => resolve(false), START_WITHIN_MS);
  });
}

function sealable<T extends TrackPublishDefaults>(given: T | undefined): T {
  return {
    ...(given as T),
    red: false,
    backupCodec: false,
    ...(given?.videoCodec === "av1" ? { videoCodec: "vp8" } : {}),
    ...(canSealLayers(navigator.userAgent) ? {} : { simulcast: false }),
  };
}

/** Publishing what cannot be sealed looks like a success and shows nobody anything: refused before. */
function guardPublishing(local: LocalParticipant, onFault: (fault: SealFault) => void): void {
  const publish = local.publishTrack.bind(local);
  local.publishTrack = (track, given) => {
    const fault: SealFault | null = !local.isE2EEEnabled
      ? "publication"
      : given?.videoCodec === "av1"
        ? "codec"
        : null;
    if (fault !== null) {
      onFault(fault);
      return Promise.reject(new Unsealable(fault));
    }
    return publish(
      track,
      canSealLayers(navigator.userAgent) ? given : { ...given, simulcast: false },
    );
  };
}

/** Nothing is drawn or played from a track that may not be: neither by us nor by anything else. */
function silence(publication: RemoteTrackPublication | SeenOf, isAllowed: boolean): void {
  const track = "track" in publication ? publication.track : undefined;
  const media = track?.mediaStreamTrack;
  if (track === undefined || media === undefined) {
    return;
  }
  media.enabled = isAllowed && !track.isMuted;
}

async function makeKeyFrames(local: LocalParticipant): Promise<void> {
  for (const { track } of local.videoTrackPublications.values()) {
    const sender = track?.kind === Track.Kind.Video ? track.sender : undefined;
    const parameters = sender?.getParameters();
    if (sender === undefined || parameters === undefined || parameters.encodings === undefined) {
      continue;
    }
    const each = { encodingOptions: parameters.encodings.map(() => ({ keyFrame: true })) };
    // A browser that does not know the second argument sets what is set already.
    await sender.setParameters(parameters, each as never).catch(() => undefined);
  }
}

function reasonOf(error: Error): string {
  return /^(\w+):/.exec(error.message)?.[1] ?? "InternalError";
}

/**
 * The frame keys of one sitting, over all connections: runs the schedule of `keySchedule.ts` with real
 * timers and real keys, and fills the worker of each new room with what is in use. Input is worked
 * off in order. Never hands out a key; after `close` none is left.
 */

import {
  advance,
  emptySchedule,
  enterEpoch,
  type KeyEffect,
  replay,
  type Schedule,
  type Step,
  settle,
  wakeAt,
} from "./keySchedule.ts";
import { importFrameKey, type SealKeys } from "./sealKeys.ts";

export interface KeyRingPorts {
  readonly ownIdentity: string;
  readonly now: () => number;
  /** Runs something later; the answer calls it off. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
  /** This epoch's key seals our own media from now on: the server is told. */
  readonly onUsing: (epoch: number) => void;
}

/** A room's worker, as the ring sees it. */
export interface RingUser {
  readonly keys: SealKeys;
  makeKeyFrame(): void;
}

export interface FrameKeys {
  readonly epoch: number;
  /** 32 bytes for each member's identity, oneself included. Overwritten with zeros here. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
  /** A host took somebody out. */
  readonly isUrgent: boolean;
}

export interface KeyRing {
  readonly ownIdentity: string;
  /** Resolves when the keys have been installed. Rejects for a key of a wrong length. */
  install(keys: FrameKeys): Promise<void>;
  /** The server says that every live member has the keys of this epoch. */
  settled(epoch: number): Promise<void>;
  /** Fills this worker now and keeps it up to date; the answer ends that. */
  use(user: RingUser): () => void;
  close(): void;
}

export function createKeyRing(ports: KeyRingPorts): KeyRing {
  const users = new Set<RingUser>();
  let schedule: Schedule<CryptoKey> = emptySchedule(ports.ownIdentity);
  let cancelTimer: () => void = () => undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  function take(step: Step<CryptoKey>): void {
    schedule = step.schedule;
    for (const effect of step.effects) {
      for (const user of users) {
        apply(effect, user);
      }
      if (effect.type === "send") {
        ports.onUsing(effect.epoch);
      }
    }
    cancelTimer();
    const at = wakeAt(schedule);
    if (at !== null) {
      cancelTimer = ports.after(Math.max(0, at - ports.now()), () => {
        take(advance(schedule, ports.now()));
      });
    }
  }

  function inOrder(run: () => Promise<void> | void): Promise<void> {
    const result = queue.then(() => (isClosed ? undefined : run()));
    queue = result.catch(() => undefined);
    return result;
  }

  return {
    ownIdentity: ports.ownIdentity,
    install({ epoch, keys, isUrgent }) {
      return inOrder(async () => {
        const imported = await Promise.all(
          [...keys].map(async ([identity, bytes]) => {
            const key = await importFrameKey(bytes);
            bytes.fill(0);
            return [identity, key] as const;
          }),
        );
        if (!isClosed) {
          take(enterEpoch(schedule, { epoch, keys: new Map(imported), isUrgent }, ports.now()));
        }
      });
    },
    settled: (epoch) => inOrder(() => take(settle(schedule, epoch, ports.now()))),
    use(user) {
      users.add(user);
      for (const effect of replay(schedule)) {
        apply(effect, user);
      }
      return () => users.delete(user);
    },
    close() {
      isClosed = true;
      cancelTimer();
      users.clear();
      schedule = emptySchedule(ports.ownIdentity);
    },
  };
}

function apply(effect: KeyEffect<CryptoKey>, { keys, makeKeyFrame }: RingUser): void {
  switch (effect.type) {
    case "receive":
      keys.receive(effect.identity, effect.epoch, effect.key);
      break;
    case "hold":
      keys.hold(effect.epoch, effect.key);
      break;
    case "send":
      keys.send(effect.epoch, effect.key);
      break;
    case "forget":
      void keys.forget(effect.identity, effect.epoch);
      break;
    case "key-frame":
      makeKeyFrame();
      break;
  }
}

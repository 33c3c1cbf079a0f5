/**
 * When which frame key is used: facts and `now` in, effects out. No timer, no key material touched.
 *
 * Others' keys are installed at once. One's own key is held, and used when everybody is said to have
 * it, or after 0.6 s, or at once when a host took somebody out. Keys that a newer epoch replaced
 * are overwritten after ten seconds. After each switch the sender makes a key frame by itself.
 */

export const SWITCH_MS = 600;
export const KEY_FRAME_MS = 300;
export const FORGET_MS = 10_000;
const RING = 256;

interface Installed<K> {
  readonly epoch: number;
  readonly keys: ReadonlyMap<string, K>;
  /** Null for the newest. */
  readonly forgetAt: number | null;
}

export interface Schedule<K> {
  readonly own: string;
  /** Oldest first; the last is the epoch of the group. */
  readonly epochs: readonly Installed<K>[];
  readonly sending: number | null;
  readonly switchAt: number | null;
  readonly keyFramesAt: readonly number[];
}

export type KeyEffect<K> =
  | { readonly type: "receive"; readonly identity: string; readonly epoch: number; readonly key: K }
  | { readonly type: "hold"; readonly epoch: number; readonly key: K }
  | { readonly type: "send"; readonly epoch: number; readonly key: K }
  | { readonly type: "forget"; readonly identity: string; readonly epoch: number }
  | { readonly type: "key-frame" };

export interface Step<K> {
  readonly schedule: Schedule<K>;
  readonly effects: readonly KeyEffect<K>[];
}

export interface NewEpoch<K> {
  readonly epoch: number;
  /** One key for each member, oneself included. */
  readonly keys: ReadonlyMap<string, K>;
  /** A host took somebody out: no waiting for anybody. */
  readonly isUrgent: boolean;
}

export function emptySchedule<K>(own: string): Schedule<K> {
  return { own, epochs: [], sending: null, switchAt: null, keyFramesAt: [] };
}

/** Also for an epoch that was there before: the group went back, and its keys are new ones. */
export function enterEpoch<K>(
  before: Schedule<K>,
  { epoch, keys, isUrgent }: NewEpoch<K>,
  now: number,
): Step<K> {
  const effects: KeyEffect<K>[] = [];
  const older: Installed<K>[] = [];
  for (const known of before.epochs) {
    const remaining = new Map(known.keys);
    const isReplaced = known.epoch % RING === epoch % RING;
    for (const identity of known.keys.keys()) {
      if ((isUrgent || isReplaced) && !keys.has(identity)) {
        remaining.delete(identity);
        effects.push({ type: "forget", identity, epoch: known.epoch });
      }
    }
    if (!isReplaced) {
      older.push({ ...known, keys: remaining, forgetAt: known.forgetAt ?? now + FORGET_MS });
    }
  }
  for (const [identity, key] of keys) {
    effects.push(
      identity === before.own
        ? { type: "hold", epoch, key }
        : { type: "receive", identity, epoch, key },
    );
  }
  const schedule: Schedule<K> = {
    ...before,
    epochs: [...older, { epoch, keys, forgetAt: null }],
    switchAt: now + SWITCH_MS,
  };
  // Nothing is being sent with yet, or what was is no longer there: nobody waits for that.
  const canWait = older.some((known) => known.epoch === before.sending) && !isUrgent;
  return canWait ? { schedule, effects } : switchSending(schedule, effects, now);
}

/**
 * Everybody who is there has the keys of this epoch, or has had the time to get them. Not only the
 * newest: where epochs follow each other faster than a second, there is always a newer one.
 */
export function settle<K>(before: Schedule<K>, epoch: number, now: number): Step<K> {
  const { epochs, sending, switchAt } = before;
  const at = epochs.findIndex((known) => known.epoch === epoch);
  const isAwaited = switchAt !== null && at > epochs.findIndex((known) => known.epoch === sending);
  return isAwaited ? switchSending(before, [], now, epochs[at]) : { schedule: before, effects: [] };
}

/** Does what has come due. */
export function advance<K>(before: Schedule<K>, now: number): Step<K> {
  const due =
    before.switchAt !== null && before.switchAt <= now
      ? switchSending(before, [], now)
      : { schedule: before, effects: [] };
  const effects = [...due.effects];
  const { keyFramesAt, epochs, sending } = due.schedule;
  if (keyFramesAt.some((at) => at <= now)) {
    effects.push({ type: "key-frame" });
  }
  const kept: Installed<K>[] = [];
  for (const known of epochs) {
    if (known.forgetAt === null || known.forgetAt > now || known.epoch === sending) {
      kept.push(known);
      continue;
    }
    for (const identity of known.keys.keys()) {
      effects.push({ type: "forget", identity, epoch: known.epoch });
    }
  }
  return {
    schedule: {
      ...due.schedule,
      epochs: kept,
      keyFramesAt: keyFramesAt.filter((at) => at > now),
    },
    effects,
  };
}

/** When `advance` has to be called next; null: not before something happens. */
export function wakeAt<K>({ switchAt, keyFramesAt, epochs }: Schedule<K>): number | null {
  const times = [switchAt, ...keyFramesAt, ...epochs.map(({ forgetAt }) => forgetAt)];
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** Everything that is installed now, for a worker that has just been started. */
export function replay<K>({ own, epochs, sending }: Schedule<K>): readonly KeyEffect<K>[] {
  return epochs.flatMap(({ epoch, keys }) =>
    [...keys].map(([identity, key]): KeyEffect<K> => {
      if (identity !== own) {
        return { type: "receive", identity, epoch, key };
      }
      return { type: epoch === sending ? "send" : "hold", epoch, key };
    }),
  );
}

function switchSending<K>(
  before: Schedule<K>,
  effects: readonly KeyEffect<K>[],
  now: number,
  next = before.epochs.at(-1),
): Step<K> {
  const key = next?.keys.get(before.own);
  if (next === undefined || key === undefined) {
    // Out of the group: there is nothing to seal with any more.
    return { schedule: { ...before, sending: null, switchAt: null }, effects };
  }
  return {
    schedule: {
      ...before,
      sending: next.epoch,
      switchAt: next === before.epochs.at(-1) ? null : before.switchAt,
      keyFramesAt: [...before.keyFramesAt, now + KEY_FRAME_MS],
    },
    effects: [...effects, { type: "send", epoch: next.epoch, key }],
  };
}

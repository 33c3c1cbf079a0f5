/**
 * Whether somebody's picture or sound cannot be opened, and that not only for a moment: around a
 * change of keys some frames always come before their key. Pure but for the clock it is given.
 */

export interface UnopenedPorts {
  readonly now: () => number;
  /** Runs once after that many milliseconds; the answer cancels it. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
}

/** The worker reports once a second, and not before it has held a frame for 1.2 s. */
export const LASTING_MS = 3_000;
/** A still picture sends seldom: so long without a failure is no failure any more. */
export const FORGOTTEN_MS = 6_000;

export interface Unopened {
  /** A frame of this stream could not be opened, nor could the one before it. */
  failed(stream: number): void;
  /** Whether frames of one stream have been failing for `LASTING_MS`. */
  isLasting(): boolean;
  close(): void;
}

export function watchUnopened(ports: UnopenedPorts, onChange: () => void): Unopened {
  const failures = new Map<number, { since: number; last: number }>();
  let cancel: (() => void) | null = null;

  function forget(): void {
    cancel = null;
    for (const [stream, { last }] of failures) {
      if (ports.now() - last >= FORGOTTEN_MS) {
        failures.delete(stream);
      }
    }
    onChange();
    plan();
  }

  function plan(): void {
    const [oldest] = [...failures.values()].map(({ last }) => last).sort((a, b) => a - b);
    if (cancel === null && oldest !== undefined) {
      cancel = ports.after(Math.max(0, oldest + FORGOTTEN_MS - ports.now()), forget);
    }
  }

  return {
    failed(stream) {
      const now = ports.now();
      failures.set(stream, { since: failures.get(stream)?.since ?? now, last: now });
      onChange();
      plan();
    },
    isLasting: () => [...failures.values()].some(({ since, last }) => last - since >= LASTING_MS),
    close() {
      cancel?.();
      cancel = null;
      failures.clear();
    },
  };
}

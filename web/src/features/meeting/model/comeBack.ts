/**
 * The fight for a lost place: says that the connection is lost and why, and tries to join anew
 * until somebody decides otherwise or ten minutes have gone by. How to join is the session's.
 */

import type { CallNotice, CallStore, ReconnectCause } from "./call.ts";
import type { SessionPorts } from "./sessionPorts.ts";

/** How long a lost place is fought for before the page says that it is lost. */
export const GIVE_UP_MS = 10 * 60_000;
const REJOIN_FIRST_MS = 500;
const REJOIN_LAST_MS = 8_000;

export interface ComeBackPorts
  extends Pick<SessionPorts, "isServerUp" | "isOnline" | "now" | "after"> {
  readonly store: CallStore;
  readonly notify: (notice: CallNotice) => void;
  readonly isOver: () => boolean;
  /** The phase has changed: what is shown of the people may change with it. */
  readonly onShown: () => void;
  /** One try. Rejects when there is no way at the moment. */
  readonly join: () => Promise<void>;
  readonly giveUp: () => void;
}

export interface ComeBack {
  /** The library has lost the connection, and tries to resume it. */
  lost(): void;
  /** The library's next try comes after this time; null: it gives up. */
  waits(delay: number | null): void;
  /** The library cannot resume: joins anew, again and again. */
  begin(): void;
  /** Joins anew at once. */
  tryNow(): Promise<void>;
  /** The place is there; answers whether it had been lost. */
  reached(): boolean;
  /** Nobody wants the place any more. */
  callOff(): void;
}

export function createComeBack(ports: ComeBackPorts): ComeBack {
  const { store, notify } = ports;
  let lostAt: number | null = null;
  let tries = 0;
  let cancelWait: (() => void) | null = null;

  function show(retryAt: number | null): void {
    const before = store.getState().phase;
    const cause: ReconnectCause = !ports.isOnline()
      ? "offline"
      : before.type === "reconnecting" && before.cause === "server"
        ? "server"
        : "network";
    store.setState({
      phase: { type: "reconnecting", cause, since: lostAt ?? ports.now(), retryAt },
    });
    ports.onShown();
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

  function begin(): void {
    const now = ports.now();
    if (lostAt === null) {
      lostAt = now;
      if (store.getState().connectedAt !== null) {
        notify({ type: "connection-lost" });
      }
    }
    if (now - lostAt > GIVE_UP_MS) {
      ports.giveUp();
      return;
    }
    const wait = Math.min(REJOIN_LAST_MS, REJOIN_FIRST_MS * 2 ** tries);
    tries += 1;
    show(wait < 1_000 ? null : now + wait);
    cancelWait?.();
    cancelWait = ports.after(wait, () => void tryNow());
  }

  async function tryNow(): Promise<void> {
    cancelWait?.();
    cancelWait = null;
    if (ports.isOver()) {
      return;
    }
    if (lostAt !== null) {
      show(null);
    }
    try {
      await ports.join();
    } catch {
      begin();
    }
  }

  return {
    lost() {
      if (lostAt === null) {
        lostAt = ports.now();
        notify({ type: "connection-lost" });
      }
      show(null);
    },
    waits(delay) {
      if (lostAt !== null && !ports.isOver() && delay !== null) {
        show(delay < 1_000 ? null : ports.now() + delay);
      }
    },
    begin,
    tryNow,
    reached() {
      const wasLost = lostAt !== null;
      lostAt = null;
      tries = 0;
      cancelWait?.();
      return wasLost;
    },
    callOff: () => cancelWait?.(),
  };
}

/**
 * What is put around livekit-client's frame transforms inside the worker.
 *
 * 1. Nothing passes as it came in: a frame that the transform hands on at its old length was neither
 *    sealed nor opened, and is dropped. So forgetting to switch encryption on, or a server that says
 *    "not encrypted", ends in silence and never in plaintext.
 * 2. A sealed frame that cannot be opened is held and tried again, for up to `holdMs`: its key may be
 *    a moment behind it, and one dropped video frame stops the picture for three seconds, because a
 *    frame dropped here is no loss to RTP. Frames behind it wait in the stream's own queue. When the
 *    key does not come, everything is dropped at once until a frame opens again, so that memory is
 *    bounded by what arrives in one `holdMs`.
 *    A key older than the newest will not come any more: frames from before one came in are dropped
 *    at once, so that the first one with a key of ours is not kept waiting behind them.
 * 3. Sealed frames that go on not opening are reported, as long as they come.
 */

export interface EncodedFrame {
  readonly data: ArrayBuffer;
}

/** The parts of TransformStreamDefaultController that are handed on. */
export interface FrameSink {
  readonly desiredSize: number | null;
  enqueue(frame: EncodedFrame): void;
  error(reason?: unknown): void;
  terminate(): void;
}

export type FrameTransform = (frame: EncodedFrame, sink: FrameSink) => unknown;

export interface HoldPorts {
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** Whether a key of this index is behind the newest one that we have. */
  readonly isPast: (keyIndex: number) => boolean;
  /** A frame did not open, nor did the one before it; at most once in `REPORT_MS`. */
  readonly onUnopened: () => void;
}

export const RETRY_MS = 15;
export const HOLD_MS = 1_200;
export const REPORT_MS = 1_000;
/** Frames end in: 12 bytes of IV, the IV's length, the key's index. */
const IV_LENGTH = 12;

function keyIndexOf(data: ArrayBuffer): number {
  return new Uint8Array(data).at(-1) ?? 0;
}

/** Whether the frame may be one that a sender has sealed. */
export function looksSealed(data: ArrayBuffer): boolean {
  return data.byteLength > IV_LENGTH + 2 && new Uint8Array(data).at(-2) === IV_LENGTH;
}

export function holding(transform: FrameTransform, ports: HoldPorts): FrameTransform {
  let hasGivenUp = false;
  let hasOpened = false;
  let reportedAt = Number.NEGATIVE_INFINITY;

  function report(): void {
    if (ports.now() - reportedAt >= REPORT_MS) {
      reportedAt = ports.now();
      ports.onUnopened();
    }
  }

  async function attempt(frame: EncodedFrame, sink: FrameSink): Promise<boolean> {
    const lengthBefore = frame.data.byteLength;
    let hasPassed = false;
    await transform(frame, {
      desiredSize: sink.desiredSize,
      enqueue(result) {
        // Empty ones are pauses of the sound codec: there is nothing in them to seal.
        if (lengthBefore === 0 || result.data.byteLength !== lengthBefore) {
          hasPassed = true;
          hasOpened ||= result.data.byteLength < lengthBefore;
          sink.enqueue(result);
        }
      },
      error: (reason) => sink.error(reason),
      terminate: () => sink.terminate(),
    });
    return hasPassed;
  }

  return async (frame, sink) => {
    const isHeld = !hasGivenUp && looksSealed(frame.data) && !ports.isPast(keyIndexOf(frame.data));
    if (await attempt(frame, sink)) {
      hasGivenUp = false;
      return;
    }
    if (!isHeld) {
      // What comes before our own first key is not sealed: that is no frame of somebody's.
      if (hasOpened || looksSealed(frame.data)) {
        report();
      }
      return;
    }
    const until = ports.now() + HOLD_MS;
    while (ports.now() < until) {
      await ports.wait(RETRY_MS);
      if (await attempt(frame, sink)) {
        return;
      }
    }
    hasGivenUp = true;
  };
}

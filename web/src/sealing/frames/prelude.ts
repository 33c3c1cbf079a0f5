/**
 * Runs in the frame worker before livekit-client's own worker code, and closes what that leaves open:
 * encryption is on for every identity, whatever the main thread or the server says; keys are never
 * ratcheted; frames "injected by the server" are not known; and every transform is put into `holding`.
 * Must be the first import of `worker.ts`. Must never see or keep a key.
 */

import type { EarlyStreams } from "./earlyStreams.ts";
import { type FrameTransform, holding } from "./hold.ts";

/** What this worker tells the main thread besides what livekit-client's code does. */
export type WorkerNote =
  | { readonly kind: "conclave:ready" }
  /** Somebody, the server among them, said that this identity's media is not encrypted. */
  | { readonly kind: "conclave:forced"; readonly identity: string }
  /** Frames of this stream, numbered as they came up, go on not opening. */
  | { readonly kind: "conclave:unopened"; readonly stream: number };

/** Messages that would weaken the sealing, and are not for the code behind us. */
const REFUSED = new Set(["ratchetRequest", "setSifTrailer"]);

export interface Inspected {
  readonly isRefused: boolean;
  readonly note: WorkerNote | null;
}

/** Judges a message to the worker; what has to be on is switched on in the message itself. */
export function inspect(message: unknown): Inspected {
  const { kind, data } = (message ?? {}) as { kind?: unknown; data?: Record<string, unknown> };
  if (typeof kind !== "string" || REFUSED.has(kind)) {
    return { isRefused: true, note: null };
  }
  let note: WorkerNote | null = null;
  if (kind === "enable" && data !== undefined) {
    if (data["enabled"] !== true) {
      note = { kind: "conclave:forced", identity: String(data["participantIdentity"] ?? "") };
    }
    data["enabled"] = true;
  }
  if ((kind === "decode" || kind === "updateCodec") && data !== undefined) {
    // Unsealed notes behind a sealed frame: nobody of ours sends them.
    data["hasPacketTrailer"] = false;
  }
  return { isRefused: false, note };
}

/** Frames that wait for livekit-client's transform: two seconds of a picture, one of sound. */
const WAITING = 60;

/** Streams that came before livekit-client's own message; see earlyStreams.ts. */
function createPlaces(): { take(message: unknown): boolean } {
  const early = new Map<string, Pick<EarlyStreams, "readable" | "writable">>();
  return {
    /** Keeps early streams (true), and puts them where livekit-client sent stand-ins. */
    take(message) {
      const { kind, data } = (message ?? {}) as { kind?: unknown; data?: Record<string, unknown> };
      if (kind === "conclave:streams") {
        const { trackId, readable, writable } = message as EarlyStreams;
        // Read from now on: Chromium drops what comes to a stream that was moved and is not read.
        const room = new CountQueuingStrategy({ highWaterMark: WAITING });
        early.set(trackId, {
          readable: readable.pipeThrough(new TransformStream({}, room, room)),
          writable,
        });
        return true;
      }
      const trackId = String(data?.["trackId"]);
      const streams = early.get(trackId);
      if (kind === "decode" && data !== undefined && streams !== undefined) {
        early.delete(trackId);
        data["readableStream"] = streams.readable;
        data["writableStream"] = streams.writable;
      }
      return false;
    },
  };
}

/** The newest key index that was set for anybody; they go round at 256. */
function createNewest() {
  let newest: number | null = null;
  const isAhead = (index: number, of: number) => (index - of + 256) % 256 < 128;
  return {
    take(message: unknown): void {
      const { kind, data } = (message ?? {}) as { kind?: unknown; data?: Record<string, unknown> };
      const index = data?.["keyIndex"];
      if (kind === "setKey" && typeof index === "number") {
        newest = newest === null || isAhead(index, newest) ? index : newest;
      }
    },
    isPast: (index: number) => newest !== null && !isAhead(index, newest),
  };
}

/** The worker's global scope, as far as it is used here. */
export interface WorkerScope {
  TransformStream: typeof TransformStream;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  postMessage(message: unknown): void;
  setTimeout(run: () => void, milliseconds: number): unknown;
}

export function install(scope: WorkerScope, now: () => number): void {
  const places = createPlaces();
  scope.addEventListener("message", (event) => {
    if (places.take(event.data)) {
      event.stopImmediatePropagation();
      return;
    }
    const { isRefused, note } = inspect(event.data);
    if (note !== null) {
      scope.postMessage(note);
    }
    if (isRefused) {
      event.stopImmediatePropagation();
    }
  });
  const newest = createNewest();
  scope.addEventListener("message", (event) => newest.take(event.data));
  const ports = {
    now,
    isPast: newest.isPast,
    wait: (milliseconds: number) =>
      new Promise<void>((resolve) => {
        scope.setTimeout(resolve, milliseconds);
      }),
  };
  const Plain = scope.TransformStream;
  let streams = 0;
  scope.TransformStream = class extends Plain {
    constructor(
      transformer: Transformer = {},
      writing?: QueuingStrategy,
      reading?: QueuingStrategy,
    ) {
      const { transform } = transformer;
      streams += 1;
      const note: WorkerNote = { kind: "conclave:unopened", stream: streams };
      const onUnopened = () => scope.postMessage(note);
      super(
        transform === undefined
          ? transformer
          : {
              ...transformer,
              transform: holding(transform as unknown as FrameTransform, {
                ...ports,
                onUnopened,
              }) as never,
            },
        writing,
        reading,
      );
    }
  } as typeof TransformStream;
}

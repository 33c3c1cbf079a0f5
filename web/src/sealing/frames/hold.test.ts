import { describe, expect, it } from "vitest";
import {
  type EncodedFrame,
  type FrameSink,
  HOLD_MS,
  holding,
  looksSealed,
  REPORT_MS,
} from "./hold.ts";
import { inspect, install, type WorkerScope } from "./prelude.ts";

function sealed(length: number, index = 1): EncodedFrame {
  const bytes = new Uint8Array(length);
  bytes.set([12, index], length - 2);
  return { data: bytes.buffer };
}

function stage() {
  let now = 0;
  const passed: EncodedFrame[] = [];
  const reports: number[] = [];
  const sink: FrameSink = {
    desiredSize: 1,
    enqueue: (frame) => passed.push(frame),
    error: () => undefined,
    terminate: () => undefined,
  };
  const ports = {
    now: () => now,
    wait: async (milliseconds: number) => {
      now += milliseconds;
    },
    isPast: (index: number) => index < 1,
    onUnopened: () => reports.push(now),
  };
  return { passed, reports, sink, ports, elapsed: () => now };
}

/** Opens sealed frames from the given time on. */
const opening = (from: number, now: () => number, tries: number[] = []) =>
  async function transform(frame: EncodedFrame, sink: FrameSink) {
    tries.push(now());
    if (now() >= from) sink.enqueue({ data: frame.data.slice(0, frame.data.byteLength - 30) });
  };

describe("a frame on its way through the worker", () => {
  it("passes when it was opened or sealed", async () => {
    const { passed, sink, ports, elapsed } = stage();
    await holding(opening(0, elapsed), ports)(sealed(100), sink);
    expect(passed.map(({ data }) => data.byteLength)).toEqual([70]);
    expect(elapsed()).toBe(0);
  });

  it.each([1, 15, 100, 5_000])("never passes as it came in (%d bytes)", async (length) => {
    const { passed, sink, ports, elapsed } = stage();
    const asItCame = (frame: EncodedFrame, out: FrameSink) => out.enqueue(frame);
    await holding(asItCame, ports)({ data: new ArrayBuffer(length) }, sink);
    expect(passed).toEqual([]);
    expect(elapsed()).toBe(0);
  });

  it("passes when it is empty: a pause of the sound codec", async () => {
    const { passed, sink, ports } = stage();
    await holding((frame, out) => out.enqueue(frame), ports)({ data: new ArrayBuffer(0) }, sink);
    expect(passed).toHaveLength(1);
  });

  it("waits for its key and is then opened", async () => {
    const { passed, sink, ports, elapsed } = stage();
    await holding(opening(300, elapsed), ports)(sealed(100), sink);
    expect(passed).toHaveLength(1);
    expect(elapsed()).toBe(300);
  });

  it("is dropped when the key does not come, and those behind it at once", async () => {
    const { passed, sink, ports, elapsed } = stage();
    const transform = holding(opening(10_000, elapsed), ports);
    await transform(sealed(100), sink);
    expect(elapsed()).toBe(HOLD_MS);
    for (let frame = 0; frame < 100; frame += 1) await transform(sealed(100), sink);
    expect(elapsed()).toBe(HOLD_MS);
    expect(passed).toEqual([]);
  });

  it("is held again once one has been opened", async () => {
    const { passed, sink, ports, elapsed } = stage();
    let from = 2_000;
    const transform = holding((frame, out) => opening(from, elapsed)(frame, out), ports);
    await transform(sealed(100), sink);
    from = 0;
    await transform(sealed(100), sink);
    from = elapsed() + 150;
    await transform(sealed(100), sink);
    expect(passed).toHaveLength(2);
    expect(elapsed()).toBe(HOLD_MS + 150);
  });

  it("is not held when its key is older than ours: that of those behind it may be here", async () => {
    const { passed, sink, ports, elapsed } = stage();
    const transform = holding(async (frame, out) => {
      if (new Uint8Array(frame.data).at(-1) === 1) await opening(0, elapsed)(frame, out);
    }, ports);
    await transform(sealed(100, 0), sink);
    expect(elapsed()).toBe(0);
    await transform(sealed(100, 1), sink);
    expect(passed).toHaveLength(1);
    // And the next late key is waited for.
    await transform(sealed(100, 2), sink);
    expect(elapsed()).toBe(HOLD_MS);
  });

  it("is not held when it cannot be a sealed one", async () => {
    const { sink, ports, elapsed } = stage();
    await holding(opening(500, elapsed), ports)({ data: new ArrayBuffer(400) }, sink);
    expect(elapsed()).toBe(0);
  });

  it("is reported while it goes on not opening, at most once a second", async () => {
    const { reports, sink, ports, elapsed } = stage();
    let from = 20_000;
    const transform = holding((frame, out) => opening(from, elapsed)(frame, out), ports);
    await transform(sealed(100), sink);
    expect(reports).toEqual([]);
    for (let frame = 0; frame < 30; frame += 1) {
      await transform(sealed(100), sink);
      await ports.wait(100);
    }
    expect(reports).toEqual([HOLD_MS, HOLD_MS + REPORT_MS, HOLD_MS + 2 * REPORT_MS]);
    from = 0;
    await transform(sealed(100), sink);
    await ports.wait(REPORT_MS);
    await transform(sealed(100), sink);
    expect(reports).toHaveLength(3);
    // Where sealed frames have come, anything else is one that did not open either.
    from = 20_000;
    await transform({ data: new ArrayBuffer(100) }, sink);
    expect(reports).toHaveLength(4);
  });

  it("of our own, before the first key, is no report", async () => {
    const { reports, sink, ports } = stage();
    const sealing = holding(() => undefined, ports);
    for (let frame = 0; frame < 3; frame += 1) {
      await sealing({ data: new ArrayBuffer(100) }, sink);
    }
    expect(reports).toEqual([]);
  });

  it.each([0, 1, 2, 13, 14])("of %d bytes cannot be a sealed one", (length) => {
    expect(looksSealed(new Uint8Array(length).fill(12).buffer)).toBe(false);
  });
});

describe("messages to the worker", () => {
  it("switch encryption on, whatever they say", () => {
    const off = { kind: "enable", data: { enabled: false, participantIdentity: "bo" } };
    expect(inspect(off)).toEqual({
      isRefused: false,
      note: { kind: "conclave:forced", identity: "bo" },
    });
    expect(off.data.enabled).toBe(true);
    const on = { kind: "enable", data: { enabled: true, participantIdentity: "bo" } };
    expect(inspect(on).note).toBeNull();
  });

  it.each([
    { kind: "ratchetRequest", data: {} },
    { kind: "setSifTrailer", data: { trailer: new Uint8Array(4) } },
    {},
    null,
    undefined,
    "enable",
    { kind: 7 },
  ])("that weaken it, or are none, go no further (%j)", (message) => {
    expect(inspect(message)).toEqual({ isRefused: true, note: null });
  });

  it("say nothing of unsealed notes behind frames", () => {
    const decode = { kind: "decode", data: { hasPacketTrailer: true } };
    expect(inspect(decode).isRefused).toBe(false);
    expect(decode.data.hasPacketTrailer).toBe(false);
  });
});

describe("the prelude in a worker", () => {
  it("stops what is refused, and holds in every transform", async () => {
    const listeners: ((event: MessageEvent) => void)[] = [];
    const posted: unknown[] = [];
    const scope: WorkerScope = {
      TransformStream,
      addEventListener: (_type, listener) => listeners.push(listener),
      postMessage: (message) => posted.push(message),
      setTimeout: (run) => queueMicrotask(run),
    };
    install(scope, () => 0);
    const deliver = (data: unknown) => {
      const event = new MessageEvent("message", { data });
      let isStopped = false;
      event.stopImmediatePropagation = () => {
        isStopped = true;
      };
      for (const listener of listeners) listener(event);
      return isStopped;
    };
    expect(deliver({ kind: "setSifTrailer", data: {} })).toBe(true);
    const real = new TransformStream({}, undefined, new CountQueuingStrategy({ highWaterMark: 9 }));
    const early = { ...real, readable: real.readable, writable: "the real one" };
    expect(deliver({ kind: "conclave:streams", trackId: "t", ...early })).toBe(true);
    void real.writable.getWriter().write("a frame");
    const places = ["other", "t", "t"].map((trackId) => {
      const data = { trackId, readableStream: new ReadableStream(), writableStream: "stand-in" };
      expect(deliver({ kind: "decode", data })).toBe(false);
      return data;
    });
    const writables = places.map(({ writableStream }) => writableStream);
    expect(writables).toEqual(["stand-in", "the real one", "stand-in"]);
    const waited = await places[1]?.readableStream.getReader().read();
    expect(waited).toEqual({ done: false, value: "a frame" });
    expect(deliver({ kind: "enable", data: { enabled: false } })).toBe(false);
    expect(posted).toEqual([{ kind: "conclave:forced", identity: "" }]);

    const { readable, writable } = new scope.TransformStream({
      transform: (frame: EncodedFrame, out) => out.enqueue(frame),
    });
    const writer = writable.getWriter();
    void writer.write({ data: new ArrayBuffer(40) });
    void writer.close();
    expect(await readable.getReader().read()).toEqual({ done: true, value: undefined });
  });

  it.each([
    { keys: [5], frame: 5, held: HOLD_MS },
    { keys: [5], frame: 6, held: HOLD_MS },
    { keys: [5], frame: 4, held: 0 },
    // One that is forgotten is overwritten last; and they go round.
    { keys: [5, 6, 4], frame: 5, held: 0 },
    { keys: [254, 255, 0], frame: 255, held: 0 },
    { keys: [254, 255], frame: 0, held: HOLD_MS },
    { keys: [], frame: 0, held: HOLD_MS },
  ])("with keys $keys holds a frame of $frame for $held ms", async ({ keys, frame, held }) => {
    const listeners: ((event: MessageEvent) => void)[] = [];
    let now = 0;
    const scope: WorkerScope = {
      TransformStream,
      addEventListener: (_type, listener) => listeners.push(listener),
      postMessage: () => undefined,
      setTimeout(run, milliseconds) {
        now += milliseconds;
        queueMicrotask(run);
      },
    };
    install(scope, () => now);
    for (const keyIndex of keys) {
      const event = new MessageEvent("message", { data: { kind: "setKey", data: { keyIndex } } });
      for (const listener of listeners) listener(event);
    }
    const { readable, writable } = new scope.TransformStream({ transform: () => undefined });
    const writer = writable.getWriter();
    void writer.write(sealed(100, frame));
    void writer.close();
    await readable.getReader().read();
    expect(now).toBe(held);
  });

  it("says which stream goes on not opening", async () => {
    const posted: unknown[] = [];
    let now = 0;
    const scope: WorkerScope = {
      TransformStream,
      addEventListener: () => undefined,
      postMessage: (message) => posted.push(message),
      setTimeout(run, milliseconds) {
        now += milliseconds;
        queueMicrotask(run);
      },
    };
    install(scope, () => now);
    const [, second] = [0, 1].map(() => new scope.TransformStream({ transform: () => undefined }));
    const writer = second?.writable.getWriter();
    void writer?.write(sealed(100));
    void writer?.write(sealed(100));
    void writer?.close();
    await second?.readable.getReader().read();
    expect(posted).toEqual([{ kind: "conclave:unopened", stream: 2 }]);
  });
});

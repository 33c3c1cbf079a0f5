import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { TransformPage } from "./dropTransform.ts";
import { type EarlyStreams, keepUntilSealed } from "./earlyStreams.ts";

class FakeConnection extends EventTarget {
  addTransceiver(receiver: object) {
    return { receiver };
  }
}

function pageOf(senderPrototype: object): TransformPage {
  return {
    RTCPeerConnection: FakeConnection,
    RTCRtpSender: { prototype: senderPrototype },
  } as unknown as TransformPage;
}

function appear(page: TransformPage, receiver: object): void {
  const connection = new page.RTCPeerConnection() as unknown as FakeConnection;
  connection.dispatchEvent(Object.assign(new Event("track"), { receiver }));
}

describe("frames that come before livekit-client takes them", () => {
  const early = { createEncodedStreams: () => undefined };
  const streams = { readable: new ReadableStream(), writable: new WritableStream() };

  it("wait in the worker, in streams made once; livekit-client finds stand-ins", () => {
    const page = pageOf(early);
    const handed: EarlyStreams[] = [];
    keepUntilSealed(page, (each) => handed.push(each));
    const receiver = {
      track: { id: "track" },
      createEncodedStreams: () => streams,
      readableStream: undefined,
      writableStream: undefined,
    };
    appear(page, receiver);
    appear(page, receiver);
    expect(handed).toEqual([{ kind: "conclave:streams", trackId: "track", ...streams }]);
    expect(receiver.readableStream).toBeInstanceOf(ReadableStream);
    expect(receiver.writableStream).toBeInstanceOf(WritableStream);
    expect(receiver.readableStream).not.toBe(streams.readable);
  });

  it("wait from the moment the place for them is made", () => {
    const page = pageOf(early);
    const handed: EarlyStreams[] = [];
    keepUntilSealed(page, (each) => handed.push(each));
    const connection = new page.RTCPeerConnection() as unknown as {
      addTransceiver(receiver: object, init: object): void;
    };
    const [ours, theirs] = ["ours", "theirs"].map((id) => ({
      track: { id },
      createEncodedStreams: () => streams,
    }));
    connection.addTransceiver(ours ?? {}, { direction: "sendonly" });
    connection.addTransceiver(theirs ?? {}, { direction: "recvonly" });
    expect(handed.map(({ trackId }) => trackId)).toEqual(["theirs"]);
  });

  it("are left to it where streams cannot be made", () => {
    const page = pageOf(early);
    const handed: EarlyStreams[] = [];
    const stop = keepUntilSealed(page, (each) => handed.push(each));
    const receiver = {
      createEncodedStreams() {
        throw new DOMException("", "InvalidStateError");
      },
    };
    appear(page, receiver);
    expect(receiver).not.toHaveProperty("readableStream");
    expect(handed).toEqual([]);
    stop();
    expect(page.RTCPeerConnection).toBe(FakeConnection);
  });

  it("need nothing where there are no such streams", () => {
    const page = pageOf({});
    keepUntilSealed(page, () => undefined)();
    expect(page.RTCPeerConnection).toBe(FakeConnection);
  });

  it("are found by livekit-client under these names", () => {
    const client = readFileSync("node_modules/livekit-client/dist/livekit-client.esm.mjs", "utf8");
    expect(client).toContain("let readable = receiver.readableStream");
    expect(client).toContain("let writable = receiver.writableStream");
  });
});

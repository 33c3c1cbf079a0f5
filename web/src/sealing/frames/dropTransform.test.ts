import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dropUntilSealed, hasEarlyTransforms, type TransformPage } from "./dropTransform.ts";

class FakeEnd {
  transform: unknown = null;
}

class FakeConnection extends EventTarget {
  readonly made: { sender: FakeEnd; receiver: FakeEnd }[] = [];
  addTransceiver() {
    const transceiver = { sender: new FakeEnd(), receiver: new FakeEnd() };
    this.made.push(transceiver);
    return transceiver;
  }
  addTrack() {
    return this.addTransceiver().sender;
  }
  getTransceivers() {
    return this.made;
  }
}

class FakeTransform {}

function pageOf(senderPrototype: object, withTransform = true) {
  const page = {
    RTCPeerConnection: FakeConnection,
    RTCRtpSender: { prototype: senderPrototype },
    ...(withTransform ? { RTCRtpScriptTransform: FakeTransform } : {}),
  } as unknown as TransformPage;
  let workers = 0;
  const startWorker = () => {
    workers += 1;
    return {
      terminate: () => {
        workers -= 1;
      },
    } as Worker;
  };
  return { page, startWorker, workers: () => workers };
}

describe("until a transform of livekit-client's is set", () => {
  it("nothing passes where those come late", () => {
    const { page, startWorker, workers } = pageOf({});
    const stop = dropUntilSealed(page, startWorker);
    const connection = new page.RTCPeerConnection() as unknown as FakeConnection;
    connection.addTransceiver();
    connection.addTrack();
    for (const { sender, receiver } of connection.made) {
      expect(sender.transform).toBeInstanceOf(FakeTransform);
      expect(receiver.transform).toBeInstanceOf(FakeTransform);
    }
    const [theirs, sealed] = [new FakeEnd(), new FakeEnd()];
    sealed.transform = "livekit's";
    for (const receiver of [theirs, sealed]) {
      connection.dispatchEvent(Object.assign(new Event("track"), { receiver }));
    }
    expect(theirs.transform).toBeInstanceOf(FakeTransform);
    expect(sealed.transform).toBe("livekit's");
    stop();
    expect(page.RTCPeerConnection).toBe(FakeConnection);
    expect(workers()).toBe(0);
  });

  it("nothing has to be done where they come early, or not at all", () => {
    for (const { page, startWorker, workers } of [
      pageOf({ createEncodedStreams: () => undefined }),
      pageOf({}, false),
    ]) {
      dropUntilSealed(page, startWorker)();
      expect(page.RTCPeerConnection).toBe(FakeConnection);
      expect(workers()).toBe(0);
    }
    expect(hasEarlyTransforms(pageOf({ createEncodedStreams: 1 }).page)).toBe(true);
    expect(hasEarlyTransforms(pageOf({}).page)).toBe(false);
  });
});

describe("the product", () => {
  it("never reads or sends LiveKit's data packets, texts, calls or transcriptions", () => {
    const SRC = join(import.meta.dirname, "../..");
    const bad =
      /DataReceived|publishData|sendText|streamText|sendFile|TextStreamHandler|ByteStreamHandler|RpcMethod|performRpc|ChatMessage\b.*RoomEvent|TranscriptionReceived|sendChatMessage/;
    const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter(
      (name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name),
    );
    expect(files.filter((name) => bad.test(readFileSync(join(SRC, name), "utf8")))).toEqual([]);
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import { FakeMedia, settled } from "../../../../test/fakeMedia.ts";
import { type CaptureModel, createCapture } from "./capture.ts";

const NOTHING = { microphoneId: null, cameraId: null, speakerId: null };

let media: FakeMedia;
let capture: CaptureModel;
const state = () => capture.store.getState();

beforeEach(() => {
  media = new FakeMedia();
  capture = createCapture(media, NOTHING);
});

describe("starting", () => {
  it("asks the person once for both", async () => {
    await capture.start();
    expect(media.asked).toEqual(["microphone+camera"]);
    expect([...media.running]).toEqual(["mic", "cam"]);
    expect(state().devices.microphones).toHaveLength(2);
    expect(state().speakerId).toBe("speaker");
  });

  it("asks for nothing where the browser gives nothing", async () => {
    media.support = "insecure";
    capture = createCapture(media, NOTHING);
    await capture.start();
    await capture.retry();
    expect(media.asked).toEqual([]);
  });

  it("uses what was remembered", async () => {
    capture = createCapture(media, { ...NOTHING, microphoneId: "headset" });
    await capture.start();
    expect(state().microphone.chosenId).toBe("headset");
  });
});

describe("trouble", () => {
  it("with one of the two leaves the other one working", async () => {
    media.failing.set("camera", "NotReadableError");
    await capture.start();
    expect(state().camera).toMatchObject({ problem: "busy", isStarting: false, capture: null });
    expect(state().microphone.capture?.deviceId).toBe("mic");
  });

  it("with both is told of both", async () => {
    media.devices = [];
    await capture.start();
    expect([state().microphone.problem, state().camera.problem]).toEqual(["none", "none"]);
  });

  it("does not ask a person again who has said no", async () => {
    media.denied = new Set(["microphone", "camera"]);
    await capture.start();
    expect(media.asked).toHaveLength(1);
    expect([state().microphone.problem, state().camera.problem]).toEqual(["denied", "denied"]);
  });

  it("asks for the allowed one when only the other is denied", async () => {
    media.denied = new Set(["camera"]);
    await capture.start();
    expect(state().camera.problem).toBe("denied");
    expect(state().microphone.capture?.deviceId).toBe("mic");
  });

  it("goes away when the person allows it and tries again", async () => {
    media.denied = new Set(["microphone", "camera"]);
    await capture.start();
    media.denied.clear();
    await capture.retry();
    expect([...media.running]).toEqual(["mic", "cam"]);
    expect(state().camera.problem).toBeNull();
  });
});

describe("switching", () => {
  it("off lets go of the device, so that its light goes out", async () => {
    await capture.start();
    await capture.toggle("camera");
    expect([...media.running]).toEqual(["mic"]);
    expect(state().camera.isWanted).toBe(false);
    await capture.toggle("camera");
    expect([...media.running]).toEqual(["mic", "cam"]);
  });

  it("off while it starts stops what comes too late", async () => {
    const answer = media.hold();
    const started = capture.start();
    await capture.toggle("camera");
    answer();
    await started;
    expect([...media.running]).toEqual(["mic"]);
    expect(state().camera).toMatchObject({ isStarting: false, capture: null });
  });

  it("to another device replaces the running one", async () => {
    await capture.start();
    await capture.choose("microphone", "headset");
    expect([...media.running].sort()).toEqual(["cam", "headset"]);
  });

  it("the choice of a switched-off one waits until it is switched on", async () => {
    await capture.start();
    await capture.toggle("microphone");
    await capture.choose("microphone", "headset");
    expect([...media.running]).toEqual(["cam"]);
    await capture.toggle("microphone");
    expect([...media.running].sort()).toEqual(["cam", "headset"]);
  });
});

describe("plugging", () => {
  it("in the missing camera starts it", async () => {
    const all = media.devices;
    media.devices = all.filter(({ kind }) => kind !== "videoinput");
    await capture.start();
    expect(state().camera.problem).toBe("none");
    await media.plug(all);
    expect(state().camera.capture?.deviceId).toBe("cam");
  });

  it("out the running microphone changes to the next one", async () => {
    await capture.start();
    await media.plug(media.devices.filter(({ deviceId }) => deviceId !== "mic"));
    expect(state().devices.microphones).toEqual([{ id: "headset", label: "Headset" }]);
    expect(state().microphone.capture?.deviceId).toBe("headset");
  });
});

describe("the end", () => {
  it("stops everything, even what starts late", async () => {
    const answer = media.hold();
    const started = capture.start();
    capture.close();
    answer();
    await started;
    await settled();
    expect(media.running.size).toBe(0);
  });

  it("as a hand-over keeps the captures running for the meeting", async () => {
    await capture.start();
    const given = capture.handOver();
    capture.close();
    expect([given.microphone?.deviceId, given.camera?.deviceId]).toEqual(["mic", "cam"]);
    expect([...media.running]).toEqual(["mic", "cam"]);
  });
});

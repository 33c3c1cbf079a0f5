import { ConnectionQuality, DisconnectReason, Track } from "livekit-client";
import { describe, expect, it } from "vitest";
import { FakeRoom } from "../../../../test/fakeRoom.ts";
import { somebody } from "../../../../test/people.ts";
import type { Share } from "./call.ts";
import { createRoomReader, leaveReasonOf, retryDelay, roomOptions } from "./livekit.ts";
import { changes, sameShare, withAbsent } from "./presence.ts";

const DEVICES = {
  cameraId: "cam",
  microphoneId: null,
  speakerId: "out",
  isCameraOn: true,
  isMicrophoneOn: true,
};

describe("the options of a room", () => {
  it("send one layer of VP8 and take the devices of the door", () => {
    const options = roomOptions(DEVICES, () => undefined);
    expect(options).toMatchObject({
      adaptiveStream: true,
      dynacast: false,
      publishDefaults: { simulcast: false, videoCodec: "vp8", dtx: true, red: false },
      videoCaptureDefaults: { deviceId: { ideal: "cam" } },
      audioOutput: { deviceId: "out" },
      audioCaptureDefaults: {},
    });
    expect(roomOptions({ ...DEVICES, speakerId: null }, () => undefined).audioOutput).toBe(
      undefined,
    );
  });
});

describe("retries", () => {
  it("are quick at first, then steady, and spread", () => {
    const at = (retryCount: number, chance: number) =>
      retryDelay({ retryCount, elapsedMs: 0 }, () => chance);
    expect([at(0, 0), at(0, 1)]).toEqual([0, 200]);
    expect([at(1, 0), at(1, 1)]).toEqual([225, 375]);
    expect([at(40, 0), at(40, 1)]).toEqual([1_500, 2_500]);
  });
});

describe("reasons", () => {
  it("that are nobody's decision bring one back", () => {
    for (const reason of [
      undefined,
      DisconnectReason.UNKNOWN_REASON,
      DisconnectReason.CLIENT_INITIATED,
      DisconnectReason.SERVER_SHUTDOWN,
      DisconnectReason.STATE_MISMATCH,
    ]) {
      expect(leaveReasonOf(reason)).toBeNull();
    }
  });
});

describe("reading a room", () => {
  it("gives people in order of arrival, with names, roles and marks", () => {
    const room = new FakeRoom({});
    const ada = room.join("ada", "Ada");
    const ben = room.join("ben", "");
    ada.attributes = { role: "host" };
    ada.connectionQuality = ConnectionQuality.Poor;
    ben.connectionQuality = ConnectionQuality.Lost;
    room.localParticipant.connectionQuality = ConnectionQuality.Unknown;
    const { people } = createRoomReader(() => 5_000).read(room.asRoom());
    expect(people.map(({ name, role, quality, isSelf }) => [name, role, quality, isSelf])).toEqual([
      ["Me", "guest", "unknown", true],
      ["Ada", "host", "weak", false],
      ["ben", "guest", "lost", false],
    ]);
  });

  it("knows who spoke last, and takes only an open microphone for speech", () => {
    const room = new FakeRoom({});
    const ada = room.join("ada");
    let now = 5_500;
    const reader = createRoomReader(() => now);
    const read = () => reader.read(room.asRoom()).people.find(({ identity }) => identity === "ada");
    expect(read()).toMatchObject({ isSpeaking: false, lastSpokeAt: null, microphoneSid: null });
    ada.isSpeaking = true;
    expect(read()?.isSpeaking).toBe(false);
    ada.publish(Track.Source.Microphone, "TR_m");
    expect(read()).toMatchObject({ isSpeaking: true, lastSpokeAt: 5_000, microphoneSid: "TR_m" });
    now = 9_900;
    ada.isSpeaking = false;
    expect(read()).toMatchObject({ isSpeaking: false, lastSpokeAt: 5_500 });
  });

  it("gives the same picture as long as the track lives, and none while it is muted", () => {
    const room = new FakeRoom({});
    const camera = room.join("ada").publish(Track.Source.Camera, "TR_c");
    const reader = createRoomReader(() => 0);
    const picture = () => reader.read(room.asRoom()).people[1]?.camera;
    const first = picture();
    expect(picture()).toBe(first);
    const element = {} as HTMLVideoElement;
    first?.attach(element);
    expect(camera.track.attachedElements).toEqual([element]);
    first?.detach(element);
    expect(camera.track.attachedElements).toEqual([]);
    camera.isMuted = true;
    expect(picture()).toBeNull();
  });

  it("has nobody of one's own before the server has said who one is", () => {
    const room = new FakeRoom({});
    Object.assign(room.localParticipant, { identity: "" });
    expect(createRoomReader(() => 0).read(room.asRoom()).people).toEqual([]);
  });
});

describe("presence", () => {
  const share = (identity: string): Share => ({
    identity,
    name: identity,
    isSelf: false,
    video: null,
    hasSound: false,
  });

  it("tells what changed", () => {
    const before = { people: [somebody("a"), somebody("b")], share: share("a") };
    const after = { people: [somebody("b"), somebody("c")], share: share("c") };
    expect(changes(before, after).map(({ type }) => type)).toEqual([
      "joined",
      "left",
      "share-stopped",
      "share-started",
    ]);
    expect(changes(before, before)).toEqual([]);
    expect(changes({ people: [], share: null }, { people: [], share: null })).toEqual([]);
  });

  it("keeps the absent, but not oneself", () => {
    const now = [somebody("a", { joinedAt: 2 })];
    expect(withAbsent([somebody("a")], now)).toBe(now);
    expect(withAbsent([somebody("me", { isSelf: true })], now)).toBe(now);
    const held = withAbsent([somebody("b", { joinedAt: 1, isSpeaking: true })], now);
    expect(held.map(({ identity, isSpeaking }) => [identity, isSpeaking])).toEqual([
      ["b", false],
      ["a", false],
    ]);
  });

  it("keeps the same share", () => {
    const first = share("a");
    expect(sameShare(first, share("a"))).toBe(first);
    expect(sameShare(first, { ...share("a"), hasSound: true })?.hasSound).toBe(true);
    expect(sameShare(first, null)).toBeNull();
    expect(sameShare(null, first)).toBe(first);
  });
});

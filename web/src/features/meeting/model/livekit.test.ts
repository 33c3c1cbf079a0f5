import { ConnectionQuality, DisconnectReason, Track } from "livekit-client";
import { describe, expect, it } from "vitest";
import { FakeRoom } from "../../../../test/fakeRoom.ts";
import { somebody } from "../../../../test/people.ts";
import type { Share } from "./call.ts";
import { createRoomReader, type Eyes, leaveReasonOf, retryDelay, roomOptions } from "./livekit.ts";
import { sameShare, shareChanges, withAbsent } from "./presence.ts";

const DEVICES = {
  cameraId: "cam",
  microphoneId: null,
  speakerId: "out",
  isCameraOn: true,
  isMicrophoneOn: true,
};

/** Everybody is a member and sealed, in the order of their names. */
const EYES: Eyes = {
  whoIs: (identity) => ({
    name: identity.toUpperCase(),
    isVerified: identity === "ada",
    handPlace: null,
    joinedAt: identity === "me" ? 0 : identity.charCodeAt(0),
  }),
  mayPresent: () => true,
  isPermitted: () => true,
};

describe("the options of a room", () => {
  it("send VP8 in layers and take the devices of the door", () => {
    const options = roomOptions(DEVICES, () => undefined);
    expect(options).toMatchObject({
      adaptiveStream: true,
      dynacast: true,
      publishDefaults: { simulcast: true, videoCodec: "vp8", dtx: true, red: false },
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
      // The group says whether that was meant.
      DisconnectReason.PARTICIPANT_REMOVED,
    ]) {
      expect(leaveReasonOf(reason)).toBeNull();
    }
  });
});

describe("reading a room", () => {
  it("gives the members in order of arrival, with names and marks", () => {
    const room = new FakeRoom({});
    const ben = room.join("ben", "name of the server's");
    const ada = room.join("ada");
    room.join("stranger");
    ada.connectionQuality = ConnectionQuality.Poor;
    ben.connectionQuality = ConnectionQuality.Lost;
    room.localParticipant.connectionQuality = ConnectionQuality.Unknown;
    const whoIs: Eyes["whoIs"] = (identity) =>
      identity === "stranger" ? null : EYES.whoIs(identity);
    const { people } = createRoomReader(() => 5_000).read(room.asRoom(), { ...EYES, whoIs });
    expect(
      people.map(({ name, isVerified, quality, isSelf }) => [name, isVerified, quality, isSelf]),
    ).toEqual([
      ["ME", false, "unknown", true],
      ["ADA", true, "weak", false],
      ["BEN", false, "lost", false],
    ]);
  });

  it("shows no picture that may not be shown, but always one's own", () => {
    const room = new FakeRoom({});
    room.join("ada").publish(Track.Source.Camera, "TR_c");
    room.localParticipant.publish(Track.Source.Camera, "TR_me");
    const blind = { ...EYES, mayPresent: () => false };
    const { people } = createRoomReader(() => 0).read(room.asRoom(), blind);
    expect(people.map(({ camera }) => camera?.sid)).toEqual(["TR_me", undefined]);
  });

  it("knows who spoke last, and takes only an open microphone for speech", () => {
    const room = new FakeRoom({});
    const ada = room.join("ada");
    let now = 5_500;
    const reader = createRoomReader(() => now);
    const read = () =>
      reader.read(room.asRoom(), EYES).people.find(({ identity }) => identity === "ada");
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
    const picture = () => reader.read(room.asRoom(), EYES).people[1]?.camera;
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

  it("share take-over: a running share stays, whoever else begins", () => {
    const room = new FakeRoom({});
    const [early, late] = [room.join("ada"), room.join("ben")];
    const reader = createRoomReader(() => 0);
    const sharer = () => reader.read(room.asRoom(), EYES).share?.identity ?? null;
    late.publish(Track.Source.ScreenShare, "TR_b");
    expect(sharer()).toBe("ben");
    early.publish(Track.Source.ScreenShare, "TR_a");
    room.localParticipant.publish(Track.Source.ScreenShare, "TR_me");
    expect(sharer()).toBe("ben");
    late.publications.clear();
    expect(sharer()).toBe("ada");
    early.publications.clear();
    room.localParticipant.publications.clear();
    expect(sharer()).toBeNull();
  });

  it("has nobody of one's own before the server has said who one is", () => {
    const room = new FakeRoom({});
    Object.assign(room.localParticipant, { identity: "" });
    expect(createRoomReader(() => 0).read(room.asRoom(), EYES).people).toEqual([]);
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

  it("tells what changed of the shared screen", () => {
    const types = (before: Share | null, after: Share | null) =>
      shareChanges(before, after).map(({ type }) => type);
    expect(types(share("a"), share("c"))).toEqual(["share-stopped", "share-started"]);
    expect(types(share("a"), share("a"))).toEqual([]);
    expect(types(null, null)).toEqual([]);
    expect(types(null, share("a"))).toEqual(["share-started"]);
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

import { Track } from "livekit-client";
import { beforeEach, describe, expect, it } from "vitest";
import { FakeRoom } from "../../../../test/fakeRoom.ts";
import { type CallNotice, type CallStore, createCallStore } from "./call.ts";
import { createOwnMedia, failureOf, type GivenTracks, type OwnMedia } from "./media.ts";
import type { OwnSource } from "./rights.ts";

const named = (name: string) => Object.assign(new Error(name), { name });
const ended = { readyState: "ended", stop: () => undefined } as unknown as MediaStreamTrack;
let room: FakeRoom | null;
let store: CallStore;
let notices: CallNotice[];
let permitted: Set<OwnSource>;
let listed: Partial<MediaDeviceInfo>[];
const local = () => (room as FakeRoom).localParticipant;

function media(
  isOn: { camera?: boolean; microphone?: boolean } = {},
  given: GivenTracks = { camera: null, microphone: null },
): OwnMedia {
  const own = createOwnMedia({
    store,
    room: () => room?.asRoom() ?? null,
    notify: (notice) => notices.push(notice),
    listDevices: async () => listed as MediaDeviceInfo[],
    canShare: true,
    canSelectSpeaker: true,
    mayBegin: (source) => permitted.has(source),
    mayGoOn: (source) => permitted.has(source),
  });
  own.begin(
    {
      cameraId: "cam",
      microphoneId: null,
      speakerId: null,
      isCameraOn: isOn.camera ?? false,
      isMicrophoneOn: isOn.microphone ?? false,
    },
    () => given,
  );
  return own;
}

beforeEach(() => {
  room = new FakeRoom({});
  room.state = "connected";
  store = createCallStore();
  notices = [];
  listed = [];
  permitted = new Set(["microphone", "camera", "screen"]);
});
const state = (kind: "microphone" | "camera") => store.getState()[kind].state;

describe("publishing", () => {
  it("switches on what is wanted and nothing else", async () => {
    await media({ microphone: true }).publish((room as FakeRoom).asRoom());
    expect(local().calls).toEqual(["microphone on"]);
    expect([state("microphone"), state("camera")]).toEqual(["on", "off"]);
  });

  it("stops preview tracks that are not wanted or have ended", async () => {
    let stopped = 0;
    const camera = { readyState: "live", stop: () => (stopped += 1) };
    const own = media(
      { microphone: true },
      { camera: camera as unknown as MediaStreamTrack, microphone: ended },
    );
    await own.publish((room as FakeRoom).asRoom());
    expect(stopped).toBe(1);
    expect(local().calls).toEqual(["microphone on"]);
  });

  it("stops the preview when the call never came about", () => {
    let stopped = 0;
    const track = { stop: () => (stopped += 1) } as unknown as MediaStreamTrack;
    media({}, { camera: track, microphone: track }).release();
    expect(stopped).toBe(2);
  });

  it("says at once when the browser refuses, also on the way in", async () => {
    (room as FakeRoom).state = "connecting";
    local().failure = named("NotAllowedError");
    await media({ microphone: true }).publish((room as FakeRoom).asRoom());
    expect(state("microphone")).toBe("blocked");
    expect(notices).toHaveLength(1);
  });

  it("does not blame the device for a lost connection", async () => {
    (room as FakeRoom).state = "reconnecting";
    local().failure = named("Error");
    await media({ microphone: true }).publish((room as FakeRoom).asRoom());
    expect(notices).toEqual([]);
    expect(state("microphone")).toBe("off");
  });
});

describe("switching", () => {
  it("turns microphone and camera on and off", async () => {
    const own = media();
    const done = own.setMicrophone(true);
    expect(state("microphone")).toBe("starting");
    await done;
    expect(state("microphone")).toBe("on");
    await own.setMicrophone(false);
    await own.setCamera(true);
    expect([state("microphone"), state("camera")]).toEqual(["off", "on"]);
  });

  it("remembers the wish while there is no room", async () => {
    const own = media();
    const gone = room as FakeRoom;
    room = null;
    await own.setMicrophone(true);
    await own.setShare(true);
    room = gone;
    await own.publish(gone.asRoom());
    expect(gone.localParticipant.calls).toEqual(["microphone on"]);
  });

  it.each([
    ["NotAllowedError", "blocked"],
    ["SecurityError", "blocked"],
    ["PublishTrackError", "off"],
    ["NotFoundError", "missing"],
    ["OverconstrainedError", "missing"],
    ["NotReadableError", "in-use"],
    ["AbortError", "in-use"],
  ])("takes %s as %s", async (name, expected) => {
    local().failure = named(name);
    const own = media();
    await own.setCamera(true);
    expect(state("camera")).toBe(expected);
    expect(notices).toEqual([{ type: "device-refused", device: "camera" }]);
    await own.setCamera(true);
    expect(state("camera")).toBe("on");
  });

  it("knows what is no error at all", () => {
    expect(failureOf("strange")).toBeNull();
  });

  it("tells a mute by the host from one's own", async () => {
    const own = media();
    await own.setMicrophone(true);
    const publication = local().getTrackPublication(Track.Source.Microphone);
    if (publication) publication.isMuted = true;
    own.sync();
    expect(state("microphone")).toBe("off-by-host");
    expect(notices).toEqual([{ type: "muted-by-host" }]);
    own.sync();
    expect(notices).toHaveLength(1);
    await own.setMicrophone(true);
    expect(state("microphone")).toBe("on");
  });

  it("says of a camera that a host has stopped only that it is off", async () => {
    const own = media();
    await own.setCamera(true);
    const publication = local().getTrackPublication(Track.Source.Camera);
    // A muted camera is let go of by livekit-client.
    publication?.track.stop();
    if (publication) publication.isMuted = true;
    own.sync();
    expect(state("camera")).toBe("off");
    expect(notices).toEqual([]);
    await own.setCamera(true);
    expect(state("camera")).toBe("on");
  });

  it("tells a pulled plug from a mute, and forgets it when something is plugged in", async () => {
    const own = media();
    await own.setMicrophone(true);
    await own.setCamera(true);
    for (const source of [Track.Source.Microphone, Track.Source.Camera]) {
      const publication = local().getTrackPublication(source);
      publication?.track.unplug();
      if (publication) publication.isMuted = true;
    }
    own.sync();
    expect([state("microphone"), state("camera")]).toEqual(["missing", "missing"]);
    expect(notices.map(({ type }) => type)).toEqual(["device-gone", "device-gone"]);
    listed = [{ kind: "audioinput", deviceId: "mic", label: "Mic" }];
    await own.refreshDevices();
    expect([state("microphone"), state("camera")]).toEqual(["off", "missing"]);
  });
});

describe("devices", () => {
  it("are listed by kind, without the nameless stand-ins", async () => {
    listed = [
      { kind: "audioinput", deviceId: "", label: "" },
      { kind: "audioinput", deviceId: "mic", label: "Mic" },
      { kind: "videoinput", deviceId: "cam", label: "Cam" },
      { kind: "audiooutput", deviceId: "out", label: "Out" },
    ];
    const own = media();
    await own.refreshDevices();
    const { microphone, camera, speaker } = store.getState();
    expect(microphone.options).toEqual([{ id: "mic", label: "Mic" }]);
    expect(camera).toMatchObject({ options: [{ id: "cam", label: "Cam" }], selected: "cam" });
    expect(speaker).toEqual({
      options: [{ id: "out", label: "Out" }],
      selected: "out",
      canSelect: true,
    });
    own.sync();
    expect(store.getState().speaker).toBe(speaker);
  });

  it("are chosen while the call runs", async () => {
    const own = media();
    await own.choose("microphone", "mic-2");
    await own.choose("speaker", "out-2");
    expect((room as FakeRoom).switched).toEqual(["audioinput mic-2", "audiooutput out-2"]);
    expect(store.getState().microphone.selected).toBe("mic-2");
    expect(store.getState().speaker.selected).toBe("out-2");
    await own.choose("camera", "broken");
    expect(notices).toEqual([{ type: "device-refused", device: "camera" }]);
    expect(store.getState().camera.selected).toBe("cam");
  });
});

describe("sharing", () => {
  it("goes on and off", async () => {
    const own = media();
    const choosing = own.setShare(true);
    expect(store.getState().shareState).toBe("choosing");
    own.sync();
    await choosing;
    expect(store.getState().shareState).toBe("on");
    await own.setShare(false);
    expect(store.getState().shareState).toBe("off");
  });

  it("is one at a time, also when somebody else was quicker to choose", async () => {
    const own = media();
    const share = { identity: "ben", name: "Ben", isSelf: false, video: null, hasSound: false };
    const taken = { type: "share-taken", name: "Ben" };
    const choosing = own.setShare(true);
    store.setState({ share });
    await choosing;
    expect(notices).toEqual([taken]);
    expect(local().getTrackPublication(Track.Source.ScreenShare)).toBeUndefined();
    expect(store.getState().shareState).toBe("off");
    await own.setShare(true);
    expect(notices).toEqual([taken, taken]);
    store.setState({ share: null });
    await own.setShare(true);
    expect(store.getState().shareState).toBe("on");
  });

  it("takes a closed window of choice as an answer, and everything else as a fault", async () => {
    const own = media();
    local().failure = named("NotAllowedError");
    await own.setShare(true);
    expect(notices).toEqual([]);
    local().failure = named("NotReadableError");
    await own.setShare(true);
    expect(notices).toEqual([{ type: "share-refused" }]);
    expect(store.getState().shareState).toBe("off");
  });
});

describe("the room's rules", () => {
  it("publish nothing that is not permitted, and say why a press does nothing", async () => {
    permitted = new Set(["camera"]);
    let stopped = 0;
    const microphone = { readyState: "live", stop: () => (stopped += 1) };
    const given = { camera: null, microphone: microphone as unknown as MediaStreamTrack };
    const own = media({ microphone: true, camera: true }, given);
    await own.publish((room as FakeRoom).asRoom());
    expect(local().calls).toEqual(["camera on"]);
    expect(stopped).toBe(1);
    expect([state("microphone"), state("camera")]).toEqual(["not-permitted", "on"]);
    await own.setMicrophone(true);
    await own.setShare(true);
    expect(local().calls).toEqual(["camera on"]);
    expect(notices).toEqual([
      { type: "not-permitted", device: "microphone" },
      { type: "not-permitted", device: "screen" },
    ]);
  });

  it("end what is running when they change, and begin nothing when they change back", async () => {
    const own = media({ microphone: true, camera: true });
    await own.publish((room as FakeRoom).asRoom());
    await own.setShare(true);
    local().calls.length = 0;
    permitted.clear();
    own.obey();
    await new Promise((resolve) => setTimeout(resolve));
    expect(local().calls.sort()).toEqual(["camera off", "microphone off", "screen_share off"]);
    own.obey();
    expect(local().calls).toHaveLength(3);
    permitted = new Set(["microphone", "camera", "screen"]);
    own.obey();
    own.sync();
    expect([state("microphone"), state("camera")]).toEqual(["off", "off"]);
    expect(local().calls).toHaveLength(3);
  });

  it("are asked again when the screen has been chosen", async () => {
    const own = media();
    await own.publish((room as FakeRoom).asRoom());
    local().setScreenShareEnabled = async (isOn: boolean) => {
      local().calls.push(`share ${isOn}`);
      permitted.delete("screen");
    };
    await own.setShare(true);
    expect(local().calls).toEqual(["share true", "share false"]);
  });
});

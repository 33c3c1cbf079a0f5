import { DisconnectReason, RoomEvent, Track } from "livekit-client";
import { beforeEach, describe, expect, it } from "vitest";
import { FakeRoom, FakeTrack } from "../../../../test/fakeRoom.ts";
import { type FakeSealed, fakeSealed, mediaSeat, member } from "../../../../test/fakeSealed.ts";
import { bitsOf } from "../../../sealing/permissions.ts";
import type { CallNotice } from "./call.ts";
import { GIVE_UP_MS } from "./comeBack.ts";
import { GRACE_MS } from "./roomWatch.ts";
import { createSession } from "./session.ts";
import type { CallSession, Entry, SessionPorts } from "./sessionPorts.ts";

const DEVICES = {
  cameraId: null,
  microphoneId: null,
  speakerId: null,
  isCameraOn: false,
  isMicrophoneOn: false,
};
const PREVIEW = {
  take: () => ({ camera: null, microphone: null }),
  keep: () => undefined,
  stop: () => undefined,
};

class Clock {
  now = 10_000;
  #timers: { at: number; run: () => void }[] = [];
  after = (milliseconds: number, run: () => void) => {
    const timer = { at: this.now + milliseconds, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };
  async pass(milliseconds: number) {
    const until = this.now + milliseconds;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.now = Math.max(this.now, due.at);
      due.run();
      await settle();
    }
    this.now = until;
  }
}
async function settle() {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

let clock: Clock;
let rooms: FakeRoom[];
let sealed: FakeSealed;
let entry: Entry;
let sealFailure: Error | null;
let isServerUp: boolean;
let isOnline: boolean;
let notices: CallNotice[];
let session: CallSession;
const room = (): FakeRoom => rooms[rooms.length - 1] as FakeRoom;
const call = () => session.store.getState();

beforeEach(() => {
  clock = new Clock();
  rooms = [];
  sealed = fakeSealed();
  entry = { sealed, seat: mediaSeat(), devices: DEVICES, preview: PREVIEW };
  sealFailure = null;
  isServerUp = true;
  isOnline = true;
  notices = [];
  session = createSession(ports());
  session.onNotice((notice) => notices.push(notice));
});

/** Somebody whom the group knows connects. */
function come(identity: string) {
  const before = sealed.store.getState().members;
  if (!before.some((one) => one.identity === identity)) {
    sealed.group(...before.slice(1), member(identity, { joinedAt: before.length }));
  }
  return room().join(identity);
}

async function setOut(with_: Partial<Entry> = {}) {
  session.start({ ...entry, ...with_ });
  await settle();
}

async function comeIn(with_: Partial<Entry> = {}) {
  await setOut(with_);
  room().signal();
  room().open();
  await settle();
}

describe("before coming in", () => {
  it("asks nobody, and draws the devices as on their way", () => {
    expect(rooms).toEqual([]);
    expect([call().microphone.state, call().camera.state]).toEqual(["starting", "starting"]);
  });

  it("can be given up without a trace", async () => {
    await session.leave();
    expect(rooms).toEqual([]);
    await expect(session.ended).resolves.toBe("left");
  });
});

describe("coming in", () => {
  it("goes from the door over the line into the room", async () => {
    await setOut();
    expect(call().phase).toEqual({ type: "connecting", step: "door" });
    expect([room().url, room().token]).toEqual(["https://here.example", "first"]);
    room().signal();
    expect(call().phase).toEqual({ type: "connecting", step: "line" });
    come("ada");
    room().open();
    await settle();
    expect(call()).toMatchObject({ phase: { type: "connected" }, connectedAt: 10_000 });
    expect(call().people.map(({ identity }) => identity)).toEqual(["me", "ada"]);
    // Who was here before is not news.
    expect(notices).toEqual([]);
  });

  it("shows who is there when the transport takes its time", async () => {
    await setOut();
    room().signal();
    come("ada");
    await clock.pass(150);
    expect(call().phase).toEqual({ type: "connecting", step: "line" });
    expect(call().people.map(({ identity }) => identity)).toEqual(["me", "ada"]);
    expect(notices).toEqual([]);
  });

  it("offers its own tracks once the others' can arrive", async () => {
    await setOut({ devices: { ...DEVICES, isMicrophoneOn: true } });
    room().signal();
    await clock.pass(100);
    expect(room().localParticipant.calls).toEqual([]);
    room().open();
    await settle();
    expect(room().localParticipant.calls).toEqual(["microphone on"]);
  });

  it("uses the address of the ticket where there is one", async () => {
    const seat = mediaSeat();
    await setOut({ seat: { ...seat, ticket: { ...seat.ticket, url: "https://media.example" } } });
    expect(room().url).toBe("https://media.example");
  });

  it("is blocked when the server answers and no transport comes up", async () => {
    await setOut();
    room().signal();
    room().fail();
    await expect(session.ended).resolves.toBe("blocked");
  });

  it("tries again by itself when the server cannot be reached", async () => {
    await setOut();
    room().fail();
    await settle();
    expect(call().phase.type).toBe("reconnecting");
    expect(notices).toEqual([]);
    sealed.renewals.push(mediaSeat("second"));
    await clock.pass(500);
    expect(room().token).toBe("second");
    room().signal();
    room().open();
    await settle();
    expect(call().phase.type).toBe("connected");
  });

  it("can be called off", async () => {
    await setOut();
    void session.leave();
    room().fail();
    await expect(session.ended).resolves.toBe("left");
    expect(rooms).toHaveLength(1);
  });
});

describe("in the room", () => {
  it("shows whom the group knows, and nobody else", async () => {
    await comeIn();
    room().join("stranger");
    come("ada");
    expect(call().people.map(({ identity }) => identity)).toEqual(["me", "ada"]);
    expect(call().hasMet).toBe(true);
    sealed.group(member("ada", { name: null, verification: "host", handPlace: 2, joinedAt: 1 }));
    expect(call().people[1]).toMatchObject({ name: "…", isVerified: true, handPlace: 2 });
    sealed.group();
    expect(call().people.map(({ identity }) => identity)).toEqual(["me"]);
  });

  it("tells the group who is connected and whose media arrive, once", async () => {
    await comeIn();
    const ada = come("ada");
    ada.publish(Track.Source.Microphone, "TR_v");
    room().changed();
    room().changed();
    const told = sealed.asked.filter((call) => call.startsWith("media"));
    expect(told).toEqual([
      'media {"connected":[],"flowing":[]}',
      'media {"connected":["ada"],"flowing":[]}',
      'media {"connected":["ada"],"flowing":["ada"]}',
    ]);
  });

  it("neither draws nor plays what is not sealed", async () => {
    await comeIn();
    const ada = come("ada");
    const voice = ada.publish(Track.Source.Microphone, "TR_v");
    const camera = ada.publish(Track.Source.Camera, "TR_c");
    voice.isEncrypted = false;
    camera.isEncrypted = false;
    room().emit(RoomEvent.TrackSubscribed, voice.track, voice, ada);
    expect(document.querySelector("audio")).toBeNull();
    expect(call().people[1]?.camera).toBeNull();
  });

  it("stops, and stays to say why, when the seal breaks", async () => {
    await comeIn();
    sealed.store.setState({
      seal: { type: "broken", reason: "forbidden-change", at: 0 },
      phase: { type: "over", reason: "broken" },
    });
    expect(room().disconnects).toBe(1);
    expect(call().people).toEqual([]);
    void session.leave();
    await clock.pass(1_000);
    await expect(session.ended).resolves.toBe("broken");
  });

  it.each(["removed", "elsewhere"] as const)(
    "ends when the group says %s, and lets the group know when one leaves",
    async (reason) => {
      await comeIn();
      sealed.store.setState({ phase: { type: "over", reason } });
      await clock.pass(1_000);
      await expect(session.ended).resolves.toBe(reason);
      expect(sealed.asked).toContain("leave");
      expect(sealed.asked.at(-1)).toBe("close");
    },
  );

  it("sends nothing when frames cannot be sealed", async () => {
    sealFailure = new Error("no worker");
    await setOut();
    expect(rooms).toEqual([]);
    expect(sealed.asked).toContain("no encryption");
  });

  it("connects anew in another place", async () => {
    await comeIn();
    const before = room();
    sealed.reseat(mediaSeat("other", "me2"));
    await settle();
    expect(before.disconnects).toBe(1);
    expect(room().token).toBe("other");
  });

  it("tells when a screen is shared and by whom", async () => {
    await comeIn();
    const ada = come("ada");
    ada.publish(Track.Source.ScreenShare, "TR_1");
    ada.publish(Track.Source.ScreenShareAudio, "TR_2");
    room().changed();
    expect(call().share).toMatchObject({ identity: "ada", isSelf: false, hasSound: true });
    const { share } = call();
    room().changed();
    expect(call().share).toBe(share);
    ada.publications.clear();
    room().changed();
    expect(notices).toEqual([
      { type: "share-started", name: "Ada", isSelf: false },
      { type: "share-stopped", name: "Ada", isSelf: false },
    ]);
  });

  it("plays voices as they come and takes them away", async () => {
    await comeIn();
    const ada = come("ada");
    const voice = ada.publish(Track.Source.Microphone, "TR_v").track as FakeTrack;
    room().emit(RoomEvent.TrackSubscribed, voice, {}, ada);
    room().emit(RoomEvent.TrackSubscribed, voice, {}, ada);
    const element = document.querySelector("audio");
    expect(element?.dataset).toMatchObject({ identity: "ada", track: "TR_v" });
    expect(voice.attachedElements).toEqual([element]);
    ada.publications.clear();
    room().emit(RoomEvent.TrackUnsubscribed, voice, {}, ada);
    room().emit(RoomEvent.TrackUnsubscribed, voice, {}, ada);
    expect(document.querySelector("audio")).toBeNull();
  });

  it("asks for no picture that is not shown", async () => {
    await comeIn();
    const ada = come("ada");
    const shown = new FakeTrack(Track.Kind.Video, "TR_1");
    const hidden = new FakeTrack(Track.Kind.Video, "TR_2");
    const touched: string[] = [];
    for (const track of [shown, hidden]) {
      const attach = track.attach.bind(track);
      track.attach = (element) => {
        touched.push(track.sid);
        return attach(element);
      };
      room().emit(RoomEvent.TrackSubscribed, track, {}, ada);
    }
    shown.attach(document.createElement("video"));
    await clock.pass(600);
    expect(touched).toEqual(["TR_1", "TR_2"]);
    expect(hidden.attachedElements).toEqual([]);
  });

  it("says when the browser holds back the sound", async () => {
    await comeIn();
    room().canPlaybackAudio = false;
    room().emit(RoomEvent.AudioPlaybackStatusChanged);
    expect(call().isSoundBlocked).toBe(true);
    session.startSound();
    expect(call().isSoundBlocked).toBe(false);
  });

  it("leaves at one press, also when the server no longer answers", async () => {
    await comeIn();
    room().disconnect = () => new Promise<void>(() => undefined);
    const left = session.leave();
    await clock.pass(1_000);
    await left;
    await expect(session.ended).resolves.toBe("left");
    expect(call().people).toEqual([]);
    await session.leave();
  });

  it.each([
    [DisconnectReason.ROOM_DELETED, "ended"],
    [DisconnectReason.ROOM_CLOSED, "ended"],
    [DisconnectReason.DUPLICATE_IDENTITY, "elsewhere"],
  ])("takes reason %i as %s", async (reason, expected) => {
    await comeIn();
    room().drop(reason);
    await expect(session.ended).resolves.toBe(expected);
    expect(rooms).toHaveLength(1);
  });
});

describe("the room's rules", () => {
  const set = (members: Parameters<typeof member>[1][]) =>
    sealed.store.setState({
      members: [member("me", { isSelf: true, ...members[0] }), member("ada", members[1] ?? {})],
    });

  it("attack: what the group does not permit is neither shown nor heard, whatever is sent", async () => {
    await comeIn();
    set([{}, { may: bitsOf("camera") }]);
    const ada = come("ada");
    const voice = ada.publish(Track.Source.Microphone, "TR_voice");
    ada.publish(Track.Source.Camera, "TR_face");
    ada.publish(Track.Source.ScreenShare, "TR_screen");
    room().changed();
    const seen = () => call().people.find(({ identity }) => identity === "ada");
    expect(seen()).toMatchObject({ isMicrophoneOn: false, isCameraOn: true });
    expect(voice.track.attachedElements).toEqual([]);
    expect(call().share).toBeNull();
    set([{}, {}]);
    expect(seen()).toMatchObject({ isMicrophoneOn: true });
    expect(voice.track.attachedElements).toHaveLength(1);
    expect(call().share?.identity).toBe("ada");
    set([{}, { may: 0 }]);
    expect(seen()).toMatchObject({ isMicrophoneOn: false, isCameraOn: false, camera: null });
    expect(voice.track.attachedElements).toEqual([]);
    expect(call().share).toBeNull();
  });

  it("take one's own sound at once when they change", async () => {
    await comeIn({ devices: { ...DEVICES, isMicrophoneOn: true } });
    expect(call().microphone.state).toBe("on");
    set([{ may: 0 }]);
    await settle();
    expect(room().localParticipant.calls).toEqual(["microphone on", "microphone off"]);
    expect(call().microphone.state).toBe("not-permitted");
  });
});

describe("a lost connection", () => {
  it("that the library resumes is shown and then gone", async () => {
    await comeIn();
    room().emit(RoomEvent.SignalReconnecting);
    room().emit(RoomEvent.Reconnecting);
    expect(call().phase).toMatchObject({ type: "reconnecting", cause: "network", retryAt: null });
    await clock.pass(2_000);
    room().emit(RoomEvent.Reconnected);
    expect(call()).toMatchObject({ phase: { type: "connected" }, resumedAt: 12_000 });
    expect(notices).toEqual([{ type: "connection-lost" }, { type: "connection-back" }]);
  });

  it("shows when the library tries next", async () => {
    await comeIn();
    const policy = room().options.reconnectPolicy;
    room().emit(RoomEvent.Reconnecting);
    policy?.nextRetryDelayInMs({ retryCount: 1, elapsedMs: 0 });
    expect(call().phase).toMatchObject({ retryAt: null });
    policy?.nextRetryDelayInMs({ retryCount: 7, elapsedMs: 20_000 });
    expect(call().phase).toMatchObject({ retryAt: expect.any(Number) });
    expect(policy?.nextRetryDelayInMs({ retryCount: 80, elapsedMs: 151_000 })).toBeNull();
    // At least two minutes.
    expect(policy?.nextRetryDelayInMs({ retryCount: 60, elapsedMs: 120_000 })).not.toBeNull();
  });

  it("names the server when that does not answer, and the device when that is offline", async () => {
    await comeIn();
    isServerUp = false;
    room().emit(RoomEvent.Reconnecting);
    await settle();
    expect(call().phase).toMatchObject({ cause: "server" });
    room().emit(RoomEvent.Reconnecting);
    expect(call().phase).toMatchObject({ cause: "server" });
    isOnline = false;
    room().emit(RoomEvent.Reconnecting);
    expect(call().phase).toMatchObject({ cause: "offline" });
  });

  it("is joined anew with a fresh token when the library gives up", async () => {
    await comeIn();
    room().drop(undefined);
    expect(call().phase.type).toBe("reconnecting");
    sealed.renewals.push(new Error("unreachable"), mediaSeat("second"));
    await clock.pass(500);
    expect(rooms).toHaveLength(1);
    await clock.pass(1_000);
    expect(room().token).toBe("second");
    room().signal();
    room().open();
    await settle();
    expect(call()).toMatchObject({ phase: { type: "connected" }, connectedAt: 10_000 });
    expect(notices.map(({ type }) => type)).toEqual(["connection-lost", "connection-back"]);
  });

  it("ends when the meeting has ended or one was removed meanwhile", async () => {
    await comeIn();
    room().drop(DisconnectReason.SERVER_SHUTDOWN);
    sealed.renewals.push(null);
    await clock.pass(500);
    sealed.store.setState({ phase: { type: "over", reason: "ended" } });
    await clock.pass(1_000);
    await expect(session.ended).resolves.toBe("ended");
  });

  it("is given up after ten minutes", async () => {
    await comeIn();
    room().drop(undefined);
    await clock.pass(GIVE_UP_MS + 20_000);
    await expect(session.ended).resolves.toBe("lost");
  });

  it("can be tried again at once", async () => {
    await comeIn();
    room().emit(RoomEvent.Reconnecting);
    const before = room();
    sealed.renewals.push(mediaSeat("second"));
    session.retry();
    await settle();
    expect(before.disconnects).toBe(1);
    expect(room().token).toBe("second");
    // The abandoned room has nothing to say any more.
    before.drop(undefined);
    before.changed();
    expect(rooms).toHaveLength(2);
  });

  it("keeps the others on the stage until they are back, but not for ever", async () => {
    await comeIn();
    come("ada");
    come("ben");
    room().emit(RoomEvent.Reconnecting);
    room().remoteParticipants.clear();
    room().changed();
    const shown = () => call().people.map(({ identity, quality }) => `${identity} ${quality}`);
    expect(shown()).toEqual(["me good", "ada lost", "ben lost"]);
    room().emit(RoomEvent.Reconnected);
    come("ada");
    expect(shown()).toEqual(["me good", "ada good", "ben lost"]);
    // Back and then gone is gone.
    room().leave("ada");
    expect(shown()).toEqual(["me good", "ben lost"]);
    await clock.pass(GRACE_MS);
    expect(shown()).toEqual(["me good"]);
  });

  it("that begins again while coming in again is only one loss", async () => {
    await comeIn();
    room().drop(undefined);
    sealed.renewals.push(mediaSeat("second"));
    await clock.pass(500);
    room().signal();
    room().fail();
    await settle();
    sealed.renewals.push(mediaSeat("third"));
    await clock.pass(1_000);
    expect(room().token).toBe("third");
    expect(notices).toEqual([{ type: "connection-lost" }]);
  });
});

function ports(): SessionPorts {
  return {
    async createRoom(options, { onFault }) {
      if (sealFailure !== null) {
        onFault();
        throw sealFailure;
      }
      rooms.push(new FakeRoom(options));
      return {
        room: room().asRoom(),
        mayPresent: (_, { isEncrypted }) => isEncrypted,
        rosterChanged: () => undefined,
        close: () => undefined,
      };
    },
    origin: "https://here.example",
    listDevices: async () => [],
    isServerUp: async () => isServerUp,
    isOnline: () => isOnline,
    canShare: true,
    canSelectSpeaker: true,
    now: () => clock.now,
    after: clock.after,
  };
}

import { act, cleanup, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { ConnectionQuality, RoomEvent, Track } from "livekit-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeRoom, FakeTrack } from "../../../test/fakeRoom.ts";
import { type FakeSealed, fakeSealed, mediaSeat, member } from "../../../test/fakeSealed.ts";
import { expectAccessible, serve, showPage } from "../../../test/page.tsx";
import { receivedPicture, receivedSound, sentLayer } from "../../../test/reports.ts";
import { MeetingProvider } from "./components/context.tsx";
import { MeetingPage } from "./components/MeetingPage.tsx";
import { createSession } from "./model/session.ts";
import type { CallSession } from "./model/sessionPorts.ts";
import { createViewStore, type ViewStore } from "./model/view.ts";
import { SealedProvider } from "./sealed/context.tsx";

let room: FakeRoom;
let session: CallSession;
let sealed: FakeSealed;
let view: ViewStore;
let copied: string[];
let asked: number;

beforeEach(async () => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1416);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(756);
  serve({});
  copied = [];
  asked = 0;
  sealed = fakeSealed({ members: [member("me", { isSelf: true })] });
  session = createSession({
    async createRoom(options) {
      room = new FakeRoom(options);
      return {
        room: room.asRoom(),
        mayPresent: (_, { isEncrypted }) => isEncrypted,
        rosterChanged: () => undefined,
        close: () => undefined,
      };
    },
    origin: "https://here.example",
    listDevices: async () => [],
    isServerUp: async () => true,
    isOnline: () => true,
    canShare: true,
    canSelectSpeaker: true,
    now: () => 0,
    after: () => () => undefined,
  });
  const devices = {
    cameraId: null,
    microphoneId: null,
    speakerId: null,
    isCameraOn: true,
    isMicrophoneOn: true,
  };
  const preview = {
    take: () => ({ camera: null, microphone: null }),
    keep: () => undefined,
    stop: () => undefined,
  };
  session.start({ sealed, seat: mediaSeat(), devices, preview });
  view = createViewStore({ read: () => null, write: () => undefined });
  showPage(
    <MeetingProvider
      value={{ session, view, meetingId: "mtg_1", guestLink: "", invite: null, isKept: false }}
    >
      <SealedProvider value={sealed}>
        <MeetingPage />
      </SealedProvider>
    </MeetingProvider>,
  );
  await act(async () => undefined);
  await act(async () => {
    room.signal();
    room.open();
  });
  const read = FakeTrack.prototype.getRTCStatsReport;
  vi.spyOn(FakeTrack.prototype, "getRTCStatsReport").mockImplementation(function (this: FakeTrack) {
    asked += 1;
    return read.call(this);
  });
});

afterEach(() => {
  vi.useRealTimers();
  cleanup();
});

async function come(identity: string, name: string) {
  await act(async () => {
    const here = sealed.store.getState().members;
    sealed.group(...here.slice(1), member(identity, { name, joinedAt: here.length }));
    room.join(identity);
  });
  const participant = room.remoteParticipants.get(identity);
  if (participant === undefined) throw new Error("nobody came");
  return participant;
}

const given = (of: { track: FakeTrack } | undefined, stats: readonly object[] | null) => {
  if (of !== undefined) of.track.stats = stats;
};
const ownCamera = () => room.localParticipant.getTrackPublication(Track.Source.Camera);
const panel = () => screen.getByRole("complementary", { name: "Connection" });
const cellsOf = (row: HTMLElement) =>
  [...row.querySelectorAll("th, td")].map((cell) => cell.textContent?.trim());

/** Opens the panel and lets two seconds go by, with what was counted at each. */
async function open(countedAt: (seconds: number) => void) {
  vi.useFakeTimers();
  countedAt(10);
  await act(async () => view.setPanel("figures"));
  for (const seconds of [11, 12]) {
    countedAt(seconds);
    await act(async () => vi.advanceTimersByTimeAsync(1_000));
  }
  vi.useRealTimers();
}

describe("is it me?", () => {
  it("no: what is sent and received, a line each", async () => {
    const ada = await come("ada", "Ada");
    const [camera, voice] = [
      ada.publish(Track.Source.Camera, "TR_a"),
      ada.publish(Track.Source.Microphone, "TR_v"),
    ];
    await open((seconds) => {
      given(ownCamera(), sentLayer({ seconds }));
      given(camera, receivedPicture({ seconds, freezes: 3 }));
      given(voice, receivedSound({ seconds }));
    });
    expect(within(panel()).getByRole("status").textContent).toBe("Your connection is fine.");
    const [mine, theirs] = within(panel()).getAllByRole("table");
    const rows = within(mine as HTMLElement).getAllByRole("row");
    expect(cellsOf(rows[1] as HTMLElement)).toEqual([
      "Camera VP8",
      "1280×720",
      "30",
      "1,500",
      "0.0 %",
    ]);
    const others = within(theirs as HTMLElement).getAllByRole("row");
    expect(others.slice(1).map(cellsOf)).toEqual([
      ["Ada"],
      ["Camera VP8", "640×360", "25", "800", "0.0 %", "3"],
      ["Sound Opus", "", "", "32", "0.0 %", ""],
    ]);
    const overview = [...panel().querySelectorAll("dd")].map((value) => value.textContent);
    expect(overview).toEqual(["1.5 Mbit/s", "0.0 %", "50 ms", "832 kbit/s", "0.0 %", "nothing"]);
    await expectAccessible();
  });

  it("yes: what is sent does not arrive, and the computer is too busy", async () => {
    await open((seconds) => given(ownCamera(), sentLayer({ seconds, loss: 0.2, reason: "cpu" })));
    const said = within(panel()).getByRole("status");
    expect([...said.querySelectorAll("p.b")].map((one) => one.textContent)).toEqual([
      "Your connection loses packets: others may see you freeze.",
      "Your computer is too busy to encode: others see you smaller or in jerks.",
    ]);
    expect(said.textContent).toMatch(/use a cable/);
  });

  it("somebody else's: the server says so, and it stands beside the name everywhere", async () => {
    const ada = await come("ada", "Ada");
    const camera = ada.publish(Track.Source.Camera, "TR_a");
    await act(async () => {
      ada.connectionQuality = ConnectionQuality.Poor;
      room.changed();
    });
    const row = screen.getByRole("row", { name: "Ada" });
    expect(within(row).getByText("weak connection")).toBeTruthy();
    await open((seconds) => given(camera, receivedPicture({ seconds })));
    expect(within(panel()).getByRole("status").textContent).toBe(
      "Your connection is fine.The connection of Ada is weak.",
    );
    expect(within(panel()).getByText("weak connection")).toBeTruthy();
    await act(async () => view.setPanel("people"));
    const list = screen.getByRole("complementary", { name: "People" });
    expect(within(list).getByText("weak connection")).toBeTruthy();
    await act(async () => {
      ada.connectionQuality = ConnectionQuality.Lost;
      room.changed();
    });
    expect(within(list).getByText("connection interrupted")).toBeTruthy();
    await expectAccessible();
  });

  it("shows a dash for what the browser does not tell", async () => {
    const ada = await come("ada", "Ada");
    const camera = ada.publish(Track.Source.Camera, "TR_a");
    await open(() => {
      given(ownCamera(), null);
      given(camera, null);
    });
    const rows = within(panel()).getAllByRole("row").map(cellsOf);
    expect(rows).toContainEqual(["Camera –", "–", "–", "–", "–", "–"]);
    expect(within(panel()).getByRole("status").textContent).toBe("Measuring…");
    await expectAccessible();
  });

  it("is about nobody whom the group does not know, and nothing that is not sealed", async () => {
    const stranger = room.join("stranger");
    stranger.publish(Track.Source.Camera, "TR_s");
    const ada = await come("ada", "Ada");
    ada.publish(Track.Source.Camera, "TR_a").isEncrypted = false;
    await open(() => undefined);
    expect(panel().textContent).not.toMatch(/stranger|Ada/);
  });

  it("says when one is not connected", async () => {
    await open((seconds) => given(ownCamera(), sentLayer({ seconds })));
    await act(async () => void room.emit(RoomEvent.Reconnecting));
    expect(within(panel()).getByRole("status").textContent).toBe(
      "You are not connected at the moment.",
    );
  });
});

describe("the panel", () => {
  it("asks the browser only while it is open", async () => {
    vi.useFakeTimers();
    await act(async () => vi.advanceTimersByTimeAsync(5_000));
    expect(asked).toBe(0);
    await act(async () => view.setPanel("figures"));
    const perReading = asked;
    expect(perReading).toBeGreaterThan(0);
    await act(async () => vi.advanceTimersByTimeAsync(3_000));
    expect(asked).toBe(4 * perReading);
    await act(async () => view.setPanel(null));
    await act(async () => vi.advanceTimersByTimeAsync(5_000));
    expect(asked).toBe(4 * perReading);
  });

  it("opens from the menu and with S, and closes with Escape", async () => {
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "More" }));
    await user.click(screen.getByRole("menuitem", { name: "Connection…" }));
    expect(document.activeElement?.textContent).toBe("Connection");
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("complementary")).toBeNull();
    document.getElementById("main")?.focus();
    await user.keyboard("s");
    expect(panel()).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Close connection" }));
    expect(screen.queryByRole("complementary")).toBeNull();
    document.getElementById("main")?.focus();
    await user.keyboard("?");
    expect(screen.getByText("Connection: is it me?")).toBeTruthy();
  });

  it("copies the figures without a name", async () => {
    const user = userEvent.setup();
    vi.spyOn(navigator.clipboard, "writeText").mockImplementation(async (text) => {
      copied.push(text);
    });
    const ada = await come("ada", "Ada");
    const camera = ada.publish(Track.Source.Camera, "TR_a");
    await act(async () => {
      ada.connectionQuality = ConnectionQuality.Poor;
      room.changed();
    });
    await open((seconds) => {
      given(ownCamera(), sentLayer({ seconds }));
      given(camera, receivedPicture({ seconds }));
    });
    await user.click(within(panel()).getByRole("button", { name: "Copy" }));
    expect(copied[0]?.split("\n")).toEqual([
      "Your connection is fine.",
      "The connection of Person 1 is weak.",
      "",
      "Sending: 1.5 Mbit/s",
      "Lost, sending: 0.0 %",
      "Receiving: 800 kbit/s",
      "Lost, receiving: 0.0 %",
      "Round trip: 50 ms",
      "Limited by: nothing",
      "",
      "What you send",
      "  Camera: VP8, 1280×720, 30 frames/s, 1.5 Mbit/s, Lost: 0.0 %",
      "Person 1",
      "  Camera: VP8, 640×360, 25 frames/s, 800 kbit/s, Lost: 0.0 %, Freezes: 0",
    ]);
    expect(copied[0]).not.toMatch(/ada|TR_/i);
    expect(within(panel()).getByRole("button", { name: "Copied" })).toBeTruthy();
  });

  it("is one press away when one's own connection is weak, with or without the own picture", async () => {
    const user = userEvent.setup();
    expect(screen.queryByRole("button", { name: /Weak connection/ })).toBeNull();
    await act(async () => {
      room.localParticipant.connectionQuality = ConnectionQuality.Poor;
      room.changed();
    });
    expect(document.getElementById("live-polite")?.textContent).toBe("Your connection is weak.");
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: /Weak connection. Show why/ }));
    expect(panel()).toBeTruthy();
    await act(async () => view.setState({ isSelfHidden: true, panel: null }));
    await user.click(screen.getByRole("button", { name: /Weak connection. Show why/ }));
    expect(panel()).toBeTruthy();
  });
});

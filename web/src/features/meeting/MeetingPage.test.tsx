import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { RoomEvent, Track } from "livekit-client";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeRoom } from "../../../test/fakeRoom.ts";
import { type FakeSealed, fakeSealed, mediaSeat, member } from "../../../test/fakeSealed.ts";
import { expectAccessible, type Server, serve, showPage } from "../../../test/page.tsx";
import { MeetingProvider } from "./components/context.tsx";
import { MeetingPage } from "./components/MeetingPage.tsx";
import { createSession } from "./model/session.ts";
import type { CallSession } from "./model/sessionPorts.ts";
import { createViewStore, type ViewStore } from "./model/view.ts";
import { SealedProvider } from "./sealed/context.tsx";

const ID = "mtg_1";
/** What the session does in a moment; run when somebody has come in. */
let soon: (() => void)[];
let room: FakeRoom;
let session: CallSession;
let sealed: FakeSealed;
let view: ViewStore;
const copied: string[] = [];

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1416);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(756);
  copied.length = 0;
});

async function enter(role: "host" | "member" = "member", server: Server = {}) {
  const verification = role === "host" ? "host" : "link";
  sealed = fakeSealed({ members: [member("me", { isSelf: true, role, verification })] });
  const asked = serve(server);
  soon = [];
  session = createSession({
    async createRoom(options) {
      room = new FakeRoom(options);
      return {
        room: room.asRoom(),
        mayPresent: () => true,
        rosterChanged: () => undefined,
        close: () => undefined,
      };
    },
    origin: "https://here.example",
    listDevices: async () => [
      { kind: "audioinput", deviceId: "default", label: "Desk" } as MediaDeviceInfo,
      { kind: "audiooutput", deviceId: "default", label: "Speakers" } as MediaDeviceInfo,
      { kind: "videoinput", deviceId: "cam", label: "" } as MediaDeviceInfo,
    ],
    isServerUp: async () => true,
    isOnline: () => true,
    canShare: true,
    canSelectSpeaker: true,
    now: Date.now,
    after: (milliseconds, run) => {
      if (milliseconds < 1_000) {
        soon.push(run);
        return () => undefined;
      }
      const timer = setTimeout(run, milliseconds);
      return () => clearTimeout(timer);
    },
  });
  session.start({
    sealed,
    seat: mediaSeat(),
    devices: {
      cameraId: null,
      microphoneId: null,
      speakerId: null,
      isCameraOn: false,
      isMicrophoneOn: true,
    },
    preview: {
      take: () => ({ camera: null, microphone: null }),
      keep: () => undefined,
      stop: () => undefined,
    },
  });
  view = createViewStore({ read: () => null, write: () => undefined });
  const guestLink = "https://here.example/m/mtg_1";
  showPage(
    <MeetingProvider
      value={{ session, view, meetingId: ID, guestLink, invite: null, isKept: false }}
    >
      <SealedProvider value={sealed}>
        <MeetingPage />
      </SealedProvider>
    </MeetingProvider>,
  );
  const user = userEvent.setup();
  vi.spyOn(navigator.clipboard, "writeText").mockImplementation(async (text) => {
    copied.push(text);
  });
  await act(async () => undefined);
  await act(async () => {
    room.signal();
    for (const run of soon.splice(0)) run();
    room.open();
  });
  await act(async () => {
    for (const run of soon.splice(0)) run();
  });
  return { asked, user };
}

async function come(...names: string[]) {
  await act(async () => {
    const here = sealed.store.getState().members;
    const came = names.map((name, at) =>
      member(name.toLowerCase(), { name, joinedAt: here.length + at }),
    );
    sealed.group(...here.slice(1), ...came);
    for (const { identity } of came) room.join(identity);
    for (const { identity, name } of came) {
      sealed.tell({ type: "member-joined", identity, name: name ?? "" });
    }
  });
}
const button = (name: string | RegExp) => screen.getByRole("button", { name });
const tiles = () => screen.queryAllByRole("row").map((row) => row.getAttribute("data-identity"));

describe("the room", () => {
  it("has the link ready while nobody else is here", async () => {
    const { user } = await enter();
    expect(screen.getByRole("heading", { name: "You are the first. Send the link:" })).toBeTruthy();
    await user.click(button("Copy link"));
    expect(copied).toEqual(["https://here.example/m/mtg_1"]);
    expect(button("Link copied")).toBeTruthy();
    await expectAccessible();
  });

  it("shows the others, who is muted and who speaks", async () => {
    await enter();
    await come("Ada", "Ben");
    const ada = room.remoteParticipants.get("ada");
    await act(async () => {
      ada?.publish(Track.Source.Camera, "TR_a");
      ada?.publish(Track.Source.Microphone, "TR_m");
      if (ada) ada.isSpeaking = true;
      room.changed();
    });
    expect(tiles()).toEqual(["ada", "ben"]);
    expect(document.querySelector("[data-identity=ada] video")?.getAttribute("data-track")).toBe(
      "TR_a",
    );
    const [first, second] = screen.getAllByRole("row");
    expect(within(first as HTMLElement).getByText("speaking")).toBeTruthy();
    expect(within(second as HTMLElement).getByText("muted")).toBeTruthy();
    await expectAccessible();
  });

  it("says truthfully whether it is sealed", async () => {
    const { user } = await enter();
    expect(document.querySelector(".room--unsealed")).toBeNull();
    await user.click(button("Sealed. What this means"));
    expect(screen.getByRole("dialog", { name: "This room is sealed." })).toBeTruthy();
    await expectAccessible();
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("dialog")).toBeNull();
    await act(async () =>
      sealed.store.setState({ seal: { type: "not-sealed", reasons: ["stranger"] } }),
    );
    expect(screen.getByText(/connected who has no key/)).toBeTruthy();
    expect(document.querySelector(".room--unsealed")).not.toBeNull();
  });

  it("mutes, and says so in its label", async () => {
    const { user } = await enter();
    await user.click(button("Mute"));
    expect(button("Unmute")).toBeTruthy();
    await user.click(button("Start video"));
    expect(button("Stop video")).toBeTruthy();
    expect(room.localParticipant.calls).toEqual(["microphone on", "microphone off", "camera on"]);
  });

  it("offers devices, also when microphone and speaker have the same id", async () => {
    const { user } = await enter();
    await user.click(button("Choose microphone and speaker"));
    await user.click(screen.getByRole("menuitemradio", { name: "Speakers" }));
    expect(room.switched).toEqual(["audiooutput default"]);
    await user.click(button("Choose camera"));
    await user.click(screen.getByRole("menuitemradio", { name: "Device 1" }));
    expect(room.switched[1]).toBe("videoinput cam");
  });

  it("shows a shared screen, and who shares", async () => {
    const { user } = await enter();
    await come("Ada");
    await user.click(button("Share"));
    expect(screen.getByText("You are sharing your screen.")).toBeTruthy();
    expect(screen.getByText("This is what the others see")).toBeTruthy();
    await expectAccessible();
    await user.click(screen.getAllByRole("button", { name: "Stop sharing" })[0] as HTMLElement);
    expect(screen.queryByText("You are sharing your screen.")).toBeNull();
  });

  it("blurs the first second of a share of somebody unverified, and of nobody else", async () => {
    await enter();
    await come("Ada", "Ben");
    vi.useFakeTimers();
    const share = async (identity: string) =>
      act(async () => {
        room.remoteParticipants.get(identity)?.publish(Track.Source.ScreenShare, "TR_s");
        room.emit(RoomEvent.TrackPublished);
      });
    const blurred = () => document.querySelector(".scr__view.is-blurred");
    await share("ada");
    expect(document.querySelector(".scr__view")).not.toBeNull();
    expect(blurred()).not.toBeNull();
    expect(screen.getByText(/Ada is not verified/)).toBeTruthy();
    await act(async () => vi.advanceTimersByTime(999));
    expect(blurred()).not.toBeNull();
    await act(async () => vi.advanceTimersByTime(1));
    expect(blurred()).toBeNull();
    expect(screen.queryByText(/Ada is not verified/)).toBeNull();
    await act(async () => {
      room.remoteParticipants.get("ada")?.publications.delete(Track.Source.ScreenShare);
      room.emit(RoomEvent.TrackUnpublished);
    });
    sealed.group(member("ben", { name: "Ben", verification: "invitation" }));
    await share("ben");
    expect(document.querySelector(".scr__view")).not.toBeNull();
    expect(blurred()).toBeNull();
    vi.useRealTimers();
  });

  it("offers no second share, and says who has the first", async () => {
    const { user } = await enter();
    await come("Ada");
    await act(async () => {
      room.remoteParticipants.get("ada")?.publish(Track.Source.ScreenShare, "TR_s");
      room.emit(RoomEvent.TrackPublished);
    });
    const share = button("Share");
    expect(share.getAttribute("aria-disabled")).toBe("true");
    await user.click(share);
    expect(screen.queryByText("You are sharing your screen.")).toBeNull();
    await user.keyboard("d");
    expect(screen.getAllByText(/Ada is sharing a screen\. When that ends/).length).toBeGreaterThan(
      0,
    );
    await expectAccessible();
  });

  it("announces who comes, and being muted by the host", async () => {
    await enter();
    vi.useFakeTimers();
    await come("Ada", "Ben");
    await act(async () => vi.advanceTimersByTime(3_000));
    vi.useRealTimers();
    expect(document.getElementById("live-polite")?.textContent).toBe("Ada and Ben joined.");
    const microphone = room.localParticipant.getTrackPublication(Track.Source.Microphone);
    await act(async () => {
      if (microphone) microphone.isMuted = true;
      room.emit(RoomEvent.TrackMuted);
    });
    expect(document.getElementById("live-assertive")?.textContent).toBe("The host muted you.");
    expect(screen.getAllByText("The host muted you.").length).toBeGreaterThan(1);
  });

  it("tells about a lost connection and its return", async () => {
    await enter();
    await act(async () => void room.emit(RoomEvent.Reconnecting));
    expect(document.querySelector(".banner")?.textContent).toBe("Connection lost, trying again.");
    await act(async () => void room.emit(RoomEvent.Reconnected));
    expect(document.querySelector(".banner")?.textContent).toBe("You are back.");
  });

  it("turns on sound that the browser holds back", async () => {
    const { user } = await enter();
    room.canPlaybackAudio = false;
    await act(async () => void room.emit(RoomEvent.AudioPlaybackStatusChanged));
    await user.click(button("Turn on sound"));
    expect(screen.queryByRole("button", { name: "Turn on sound" })).toBeNull();
  });
});

describe("the people", () => {
  it("are listed in order of arrival, with what they send", async () => {
    const { user } = await enter();
    await come("Ada", "Ben");
    await user.click(button("People"));
    const panel = screen.getByRole("complementary", { name: "People" });
    const rows = within(panel).getAllByRole("listitem");
    expect(rows.map((row) => row.getAttribute("data-identity"))).toEqual(["me", "ada", "ben"]);
    expect(within(rows[0] as HTMLElement).getByText("Me (you)")).toBeTruthy();
    expect(within(panel).queryByRole("textbox")).toBeNull();
    await user.click(within(panel).getByRole("button", { name: "Invite" }));
    expect(copied).toHaveLength(1);
    await expectAccessible();
    await user.click(within(panel).getByRole("button", { name: "Close people" }));
    expect(screen.queryByRole("complementary")).toBeNull();
  });

  it("can be searched when there are more than ten", async () => {
    const { user } = await enter();
    await come(..."ABCDEFGHIJKL");
    await user.click(button("People"));
    await user.type(screen.getByRole("textbox", { name: "Search people" }), "k");
    const panel = screen.getByRole("complementary", { name: "People" });
    expect(within(panel).getAllByRole("listitem")).toHaveLength(1);
    await user.type(screen.getByRole("textbox", { name: "Search people" }), "zzz");
    expect(screen.getByText("Nobody here has this name.")).toBeTruthy();
  });

  it("can be pinned by anybody", async () => {
    const { user } = await enter();
    await come("Ada", "Ben");
    await user.click(button("People"));
    await user.click(button("Actions for Ben"));
    await user.click(screen.getByRole("menuitem", { name: "Pin" }));
    expect(tiles()).toEqual(["ben", "ada"]);
  });

  it("are muted and removed by a host, through the group", async () => {
    const { user, asked } = await enter("host");
    await come("Ada");
    await act(async () => {
      room.remoteParticipants.get("ada")?.publish(Track.Source.Microphone, "TR_m");
      room.changed();
    });
    await user.click(button("People"));
    await user.click(button("Actions for Ada"));
    await user.click(screen.getByRole("menuitem", { name: "Mute" }));
    await waitFor(() => expect(screen.getByText("Ada has been muted.")).toBeTruthy());
    await user.click(button("Actions for Ada"));
    await user.click(screen.getByRole("menuitem", { name: "Remove from the room…" }));
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: "Remove" }));
    await waitFor(() => expect(sealed.asked).toContain('remove "ada"'));
    expect(sealed.asked).toContain('order "mute" "ada"');
    expect(asked).toEqual([]);
  });

  it("write to each other in the chat, and see how much is new", async () => {
    const { user } = await enter();
    await act(async () => sealed.store.setState({ unread: 2 }));
    await user.click(button("Chat, 2 new"));
    expect(screen.getByRole("complementary", { name: "Chat" })).toBeTruthy();
    await expectAccessible();
  });
});

describe("the way out", () => {
  it("is one press for a guest", async () => {
    const { user } = await enter();
    await user.click(button("Leave"));
    await expect(session.ended).resolves.toBe("left");
    expect(sealed.asked).toContain("leave");
  });

  it("is one question for a host", async () => {
    const end = `POST /api/v1/meetings/${ID}/end`;
    const { user, asked } = await enter("host", {
      [end]: { status: 503, body: { code: "unavailable" } },
    });
    await user.click(button("Leave"));
    const dialog = screen.getByRole("dialog", { name: "Leave the room?" });
    await user.click(within(dialog).getByRole("button", { name: "End for everyone" }));
    await waitFor(() => expect(asked.map(({ call }) => call)).toContain(end));
    expect((await within(dialog).findByRole("alert")).textContent).toMatch(/could not be ended/);
    await user.click(within(dialog).getByRole("button", { name: "Leave" }));
    await expect(session.ended).resolves.toBe("left");
  });
});

describe("the keyboard", () => {
  it("mutes, opens people, enlarges and turns views", async () => {
    const { user } = await enter();
    await come("Ada", "Ben", "Cem");
    document.getElementById("main")?.focus();
    await user.keyboard("m");
    expect(button("Unmute")).toBeTruthy();
    await user.keyboard("2");
    expect(view.getState().enlarged).toBe("ben");
    await user.keyboard("0");
    expect(view.getState().enlarged).toBeNull();
    await user.keyboard("w");
    expect(view.getState().view).toBe("speaker");
    await user.keyboard("r");
    expect(sealed.asked).toContain("setHand true");
    await user.keyboard("p");
    expect(screen.getByRole("complementary", { name: "People" })).toBeTruthy();
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("complementary")).toBeNull();
  });

  it("speaks while Space is held", async () => {
    const { user } = await enter();
    await user.click(button("Mute"));
    document.getElementById("main")?.focus();
    await user.keyboard("{ >}");
    await waitFor(() => expect(button("Mute")).toBeTruthy());
    await user.keyboard("{/ }");
    await waitFor(() => expect(button("Unmute")).toBeTruthy());
  });

  it("walks the regions with F6 and tells the room with I", async () => {
    const { user } = await enter();
    await come("Ada");
    document.getElementById("main")?.focus();
    await user.keyboard("{F6}");
    expect(document.activeElement?.getAttribute("data-region")).toBe("controls");
    await user.keyboard("{Shift>}{F6}{/Shift}i");
    expect(document.activeElement?.id).toBe("main");
    expect(document.getElementById("live-polite")?.textContent).toMatch(
      /^Nobody is speaking\. 1 of 2 is muted\. The room is sealed\./,
    );
  });

  it("lists all keys, and lets the single ones be switched off", async () => {
    const { user } = await enter();
    document.getElementById("main")?.focus();
    await user.keyboard("?");
    expect(screen.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeTruthy();
    await expectAccessible();
    await user.click(screen.getByRole("switch", { name: "Single keys on" }));
    await user.keyboard("{Escape}");
    document.getElementById("main")?.focus();
    await user.keyboard("m");
    expect(button("Mute")).toBeTruthy();
    await user.keyboard("{Control>}d{/Control}");
    expect(button("Unmute")).toBeTruthy();
  });
});

describe("more", () => {
  it("hides the own picture, changes the view and opens the devices", async () => {
    const { user } = await enter();
    await come("Ada", "Ben");
    await user.click(button("More"));
    await user.click(screen.getByRole("menuitem", { name: "Hide own picture" }));
    expect(document.querySelector("[data-self]")).toBeNull();
    await user.click(button("More"));
    await user.click(screen.getByRole("menuitemradio", { name: "Speaker large" }));
    expect(view.getState().view).toBe("speaker");
    await user.click(button("More"));
    await user.click(screen.getByRole("menuitem", { name: "Devices…" }));
    expect(screen.getByRole("dialog", { name: "Devices" })).toBeTruthy();
    await expectAccessible();
  });
});

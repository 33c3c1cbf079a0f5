import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeMedia } from "../../../test/fakeMedia.ts";
import { expectAccessible, problem, type Server, serve, showPage } from "../../../test/page.tsx";
import { JoinPage } from "./JoinPage.tsx";

const ID = "mtg_6mg8p21800ag05s2ctversgyed";
const ROOM = `GET /api/v1/meetings/${ID}`;
const LINK = `${location.origin}/m/${ID}#1.secret.fingerprint`;
type Props = Parameters<typeof JoinPage>[0];

let media: FakeMedia;

beforeEach(() => {
  media = new FakeMedia();
  localStorage.removeItem("conclave.name");
  localStorage.removeItem("conclave.devices");
});

const room = (is_host = false) => ({
  body: { id: ID, is_open: true, opened_at: "2026-01-01T10:00:00Z", is_host, entry: "open" },
});

function page(over: Partial<Props> = {}) {
  return (
    <JoinPage
      meetingId={ID}
      title={null}
      guestLink={LINK}
      fragment="whole"
      personal={null}
      isEntering={false}
      problem={null}
      waiting={null}
      onEnter={() => undefined}
      onStopWaiting={() => undefined}
      createPort={() => media}
      {...over}
    />
  );
}

function stand(server: Server, over: Partial<Props> = {}) {
  const asked = serve(server);
  const onEnter = vi.fn<Props["onEnter"]>();
  showPage(page({ onEnter, ...over }));
  return { asked, onEnter, user: userEvent.setup() };
}

const name = () => screen.findByLabelText("Your name");
const pressJoin = async (user: ReturnType<typeof userEvent.setup>) =>
  user.click(await screen.findByRole("button", { name: "Join" }));

describe("the door", () => {
  it("lets in by name, with the devices as they are", async () => {
    const { onEnter, user } = stand({ [ROOM]: room() });
    await user.type(await name(), "  Hanna Vogel ");
    await user.click(screen.getByRole("button", { name: "Stop video" }));
    await pressJoin(user);
    await waitFor(() => expect(onEnter).toHaveBeenCalledOnce());
    const entered = onEnter.mock.calls[0]?.[0];
    expect(entered).toMatchObject({
      name: "Hanna Vogel",
      devices: { isCameraOn: false, isMicrophoneOn: true, microphoneId: "mic" },
    });
    expect([...media.running]).toEqual(["mic"]);
    entered?.preview.stop();
    expect(media.running.size).toBe(0);
    expect(localStorage.getItem("conclave.name")).toBe("Hanna Vogel");
  });

  it("takes devices along that are still starting when somebody is quick", async () => {
    localStorage.setItem("conclave.name", "Jonas Weber");
    media.hold();
    const { onEnter, user } = stand({ [ROOM]: room() });
    await pressJoin(user);
    await waitFor(() => expect(onEnter).toHaveBeenCalledOnce());
    expect(onEnter.mock.calls[0]?.[0].devices).toMatchObject({
      isCameraOn: true,
      isMicrophoneOn: true,
    });
  });

  it("is two clicks away for who has been here before", async () => {
    localStorage.setItem("conclave.name", "Jonas Weber");
    const { onEnter, user } = stand({ [ROOM]: room() });
    await pressJoin(user);
    await waitFor(() => expect(onEnter).toHaveBeenCalledOnce());
  });

  it("asks for a name, and puts the cursor there", async () => {
    const { onEnter, user } = stand({ [ROOM]: room() });
    await name();
    await pressJoin(user);
    expect(await screen.findByText("Please enter your name.")).toBeTruthy();
    expect(document.activeElement).toBe(await name());
    expect(onEnter).not.toHaveBeenCalled();
    await expectAccessible();
  });

  it("says what keeps one outside, and keeps the name", async () => {
    localStorage.setItem("conclave.name", "Hanna");
    stand({ [ROOM]: room() }, { problem: "The server cannot be reached." });
    expect((await screen.findByRole("alert")).textContent).toBe("The server cannot be reached.");
    expect((await name()).getAttribute("value")).toBe("Hanna");
  });

  it("shows the room's title, and says when the link has no key or a damaged one", async () => {
    stand({ [ROOM]: room() }, { title: "Board meeting", fragment: "damaged" });
    expect(await screen.findByRole("heading", { name: "Board meeting" })).toBeTruthy();
    expect(screen.getByText(/This link is damaged/)).toBeTruthy();
    await expectAccessible();
  });

  it("shows the host the link to pass on", async () => {
    stand({ [ROOM]: room(true) });
    expect(await screen.findByText(LINK)).toBeTruthy();
    expect(screen.getByRole("button", { name: "Copy link" })).toBeTruthy();
    await expectAccessible();
  });

  it("waits before the door, with the words that the host sees, and can stop waiting", async () => {
    const onStopWaiting = vi.fn();
    const words = { en: ["harbour", "lemon", "violin"], de: [] };
    const waiting = { type: "waiting", members: 2, words, note: null, canWrite: false } as const;
    const { user } = stand({ [ROOM]: room() }, { waiting, onStopWaiting, fragment: "missing" });
    expect(await screen.findByRole("heading", { name: "You are at the door." })).toBeTruthy();
    expect(screen.getByText("harbour lemon violin")).toBeTruthy();
    expect(screen.getByText(/Your link is not complete/)).toBeTruthy();
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: "Stop waiting" }));
    expect(onStopWaiting).toHaveBeenCalledOnce();
  });

  it("takes no second press while one is being let in", async () => {
    localStorage.setItem("conclave.name", "Hanna");
    const { onEnter, user } = stand({ [ROOM]: room() }, { isEntering: true, isCrowded: true });
    const crowd = await screen.findByText(/Many people are coming at once/);
    expect(crowd.getAttribute("role")).toBe("status");
    await user.click(await screen.findByRole("button", { name: "Opening…" }));
    expect(onEnter).not.toHaveBeenCalled();
  });

  it("frees the devices when one walks away", async () => {
    serve({ [ROOM]: room() });
    const { unmount } = showPage(page());
    await waitFor(() => expect(media.running.size).toBe(2));
    unmount();
    expect(media.running.size).toBe(0);
  });
});

describe("what is missing is said, and joining works without it", () => {
  const alone = "You can join without microphone and camera, and listen and watch.";

  it.each<[string, () => void, RegExp]>([
    [
      "denied",
      () => {
        media.denied = new Set(["microphone", "camera"]);
      },
      /does not let this page/,
    ],
    ["no camera", () => media.failing.set("camera", "NotFoundError"), /No camera was found\./],
    [
      "a camera in use",
      () => media.failing.set("camera", "NotReadableError"),
      /is using the camera/,
    ],
    ["no device at all", () => void media.devices.splice(0), /No microphone and no camera/],
    [
      "http",
      () => void Object.assign(media, { support: "insecure" }),
      /was opened without “https”/,
    ],
    [
      "an old browser",
      () => void Object.assign(media, { support: "unsupported" }),
      /try a current one/,
    ],
  ])("%s", async (_, arrange, words) => {
    arrange();
    const { onEnter, user } = stand({ [ROOM]: room() });
    expect(await screen.findByText(words)).toBeTruthy();
    expect(screen.getByText(alone)).toBeTruthy();
    await expectAccessible();
    await user.type(await name(), "Hanna");
    await pressJoin(user);
    await waitFor(() => expect(onEnter).toHaveBeenCalledOnce());
    expect(onEnter.mock.calls[0]?.[0].devices.isCameraOn).toBe(false);
  });

  it("tries again after the switch in the browser was changed", async () => {
    media.denied = new Set(["microphone", "camera"]);
    const { user } = stand({ [ROOM]: room() });
    const retry = await screen.findByRole("button", { name: "Try again" });
    media.denied.clear();
    await user.click(retry);
    expect(await screen.findByRole("button", { name: "Stop video" })).toBeTruthy();
    expect(screen.queryByText(alone)).toBeNull();
  });
});

describe("no door", () => {
  it("where no room is open: calm, and no question about the camera", async () => {
    stand({ [ROOM]: problem(404, "not_found") });
    expect(await screen.findByRole("heading", { name: /no open room/ })).toBeTruthy();
    expect(media.asked).toEqual([]);
    await expectAccessible();
  });

  it("where the server is out of reach: try again", async () => {
    const server: Server = {};
    const { user } = stand(server);
    const retry = await screen.findByRole("button", { name: "Try again" });
    await expectAccessible();
    server[ROOM] = room();
    await user.click(retry);
    expect(await name()).toBeTruthy();
  });
});

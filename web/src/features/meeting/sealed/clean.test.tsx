import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { act } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  type FakeSealed,
  fakeSealed,
  guest,
  invitedAs,
  member,
} from "../../../../test/fakeSealed.ts";
import { expectAccessible, problem, serve, showPage } from "../../../../test/page.tsx";
import type { SealedMember } from "../../../sealing/contract.ts";
import { beginning } from "../../../sealing/templates.ts";
import type { InviteRequest } from "../../invite/contract.ts";
import { type Meeting, MeetingProvider } from "../components/context.tsx";
import { createViewStore, type ViewStore } from "../model/view.ts";
import { CleanRoom, FrozenBar, useFreezeRoom } from "./CleanRoom.tsx";
import { SealedProvider } from "./context.tsx";

const user = userEvent.setup();
const INVITED = invitedAs("A".repeat(22), "Leo");
const PATCH = `PATCH /api/v1/meetings/mtg_1/invitations/${INVITED.id}`;
const FROZEN = { by: "Me", isOwn: true, since: 0 };
let view: ViewStore;
let asked: ReturnType<typeof serve>;
let server: Parameters<typeof serve>[0];
let saved: Promise<string>[];
/** What the dialog of personal links was opened with last. */
let inviting: InviteRequest | null;

function Panic() {
  const freeze = useFreezeRoom();
  return (
    <button type="button" onClick={freeze}>
      panic
    </button>
  );
}

function show(role: "host" | "cohost" | "member" = "host"): FakeSealed {
  view = createViewStore({ read: () => null, write: () => undefined });
  const sealed = fakeSealed({
    members: [
      member("me", { isSelf: true, role, verification: role === "host" ? "host" : "link" }),
      member("ada", { verification: "invitation", invited: invitedAs("x", "Ada") }),
      member("leak", { verification: "door", invited: INVITED }),
    ],
    door: [guest("s1", { name: null, proof: "unknown" })],
    title: "Class 4b",
  });
  const invite = (request: InviteRequest) => {
    inviting = request;
    return <p>the dialog</p>;
  };
  const guestLink = "https://here.example/m/mtg_1#1.secret.host";
  const meeting = { view, meetingId: "mtg_1", guestLink, invite } as unknown as Meeting;
  showPage(
    <MeetingProvider value={meeting}>
      <SealedProvider value={sealed}>
        <Panic />
        <FrozenBar />
        <CleanRoom />
      </SealedProvider>
    </MeetingProvider>,
  );
  return sealed;
}

beforeEach(() => {
  server = { [PATCH]: { body: {} } };
  asked = serve(server);
  saved = [];
  inviting = null;
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    saved.push((blob as Blob).text());
    return "blob:here";
  });
});

/** Toasts are dialogs too. */
const dialog = () => screen.queryByRole("alertdialog", { name: /room/ });
const button = (name: string | RegExp) => screen.getByRole("button", { name });

describe("cleaning the room", () => {
  it("says whose name somebody's looks like, where it is decided who stays", async () => {
    const sealed = show();
    const [me, ...others] = sealed.store.getState().members;
    const real = { ...me, name: "Hanna" } as SealedMember;
    act(() =>
      sealed.store.setState({
        members: [real, ...others, member("fake", { name: "Наnnа", verification: "link" })],
      }),
    );
    await user.click(button("panic"));
    const fake = within(dialog() as HTMLElement).getByRole("switch", { name: /^Наnnа/ });
    const said = "The name looks like that of somebody else here: Hanna.";
    await waitFor(() => expect(fake.closest("li")?.textContent).toContain(said));
  });

  it("stops everything first, then asks, and does it in one go", async () => {
    const sealed = show();
    await user.click(button("panic"));
    expect(sealed.asked).toEqual(["freeze true"]);
    await act(async () => sealed.store.setState({ frozen: FROZEN }));
    expect(screen.getByRole("alertdialog", { name: "Clean the room?" })).toBeTruthy();
    await expectAccessible();
    const ada = screen.getByRole("switch", { name: /Ada/ });
    expect((ada as HTMLInputElement).checked).toBe(true);
    const leak = screen.getByRole("switch", { name: /Leak/ });
    expect((leak as HTMLInputElement).checked).toBe(false);
    expect(screen.getByText(/^2 people are out at once/)).toBeTruthy();
    await user.click(button("Clean the room"));
    expect(sealed.asked.at(-1)).toBe(`clean ["leak"] ["s1"] ["${INVITED.id}"]`);
    expect(await screen.findByText(/2 people were taken out/)).toBeTruthy();
    expect(asked.map(({ call }) => call)).toContain(PATCH);
    await expectAccessible();

    await user.click(button("Save the report"));
    const text = await saved[0];
    expect(text).toContain("the room “Class 4b” was cleaned");
    expect(text).toContain("Leak: Let in at the door · Link passed on: Leo’s personal link");
    await user.click(button("Go on with the meeting"));
    expect(sealed.asked.at(-1)).toBe("freeze false");
    expect(dialog()).toBeNull();
  });

  it("changes nothing when one thinks better of it", async () => {
    const sealed = show();
    await user.click(button("panic"));
    await user.click(button("Go on, change nothing"));
    expect(sealed.asked).toEqual(["freeze true", "freeze false"]);
    expect(asked).toEqual([]);
  });

  it("lets the host decide about each one", async () => {
    const sealed = show();
    await user.click(button("panic"));
    await user.click(screen.getByRole("switch", { name: /Leak/ }));
    await user.click(screen.getByRole("switch", { name: /Ada/ }));
    await user.click(button("Clean the room"));
    expect(sealed.asked.at(-1)).toBe('clean ["ada"] ["s1"] ["x"]');
  });

  it("keeps everything stopped, and the choice, when it did not work", async () => {
    const sealed = show();
    sealed.outcome = "failed";
    await user.click(button("panic"));
    await user.click(button("Clean the room"));
    expect((await screen.findByRole("alert")).textContent).toContain("try again");
    expect(sealed.asked).not.toContain("freeze false");
    sealed.outcome = "done";
    await user.click(button("Clean the room"));
    expect(await screen.findByText(/were taken out/)).toBeTruthy();
  });

  it("says when the server could not be told", async () => {
    server[PATCH] = problem(503, "unavailable");
    show();
    await user.click(button("panic"));
    await user.click(button("Clean the room"));
    expect(await screen.findByText(/The server could not be told/)).toBeTruthy();
  });

  it("can be unlocked with one press afterwards", async () => {
    const sealed = show();
    await user.click(button("panic"));
    await user.click(button("Clean the room"));
    await act(async () =>
      sealed.store.setState({ policy: { ...beginning("none"), isLocked: true } }),
    );
    await user.click(button("Unlock the room"));
    expect(sealed.asked.at(-1)).toBe('setPolicy {"isLocked":false}');
  });

  it("offers new links for those who stay, made in the dialog of personal links", async () => {
    const sealed = show();
    sealed.witness.store.setState({ openLinkDevices: 4 });
    await user.click(button("panic"));
    await user.click(screen.getByRole("switch", { name: /Leak/ }));
    await user.click(button("Clean the room"));
    await user.click(await screen.findByRole("button", { name: /^Make new links/ }));
    expect(inviting).toMatchObject({
      meetingId: "mtg_1",
      url: "https://here.example/m/mtg_1",
      title: "Class 4b",
      fresh: [
        { identity: "leak", name: "Leo", invitation: INVITED.id, isLeaked: false },
        { identity: "ada", name: "Ada", invitation: "x" },
      ],
    });
    const room = inviting?.within;
    expect(room?.openLinkDevices).toBe(4);
    await room?.keepRole("ada", "cohost");
    await room?.tellPrivately("ada", "psst");
    expect(sealed.asked.slice(-2)).toEqual([
      'setCohost "ada" true',
      'sendChat "psst" {"privateTo":"ada"}',
    ]);
    act(() => inviting?.onClose());
    expect(screen.queryByText("the dialog")).toBeNull();
  });

  it("offers them to no co-host, who can make none", async () => {
    show("cohost");
    await user.click(button("panic"));
    await user.click(button("Clean the room"));
    expect(await screen.findByText(/were taken out/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: /^Make new links/ })).toBeNull();
  });

  it("is told to the others, and can be ended by who leads", async () => {
    const sealed = show("cohost");
    await act(async () => sealed.store.setState({ frozen: { ...FROZEN, isOwn: false } }));
    expect(screen.getByText("The host has stopped everything for a moment.")).toBeTruthy();
    await user.click(button("Decide who stays"));
    expect(dialog()).toBeTruthy();
    // A host has let it go on meanwhile.
    await act(async () => sealed.store.setState({ frozen: null }));
    expect(dialog()).toBeNull();
  });

  it("is nothing that others could press", async () => {
    const sealed = show("member");
    await act(async () => sealed.store.setState({ frozen: { ...FROZEN, isOwn: false } }));
    expect(screen.queryByRole("button", { name: "Decide who stays" })).toBeNull();
    act(() => view.show("clean"));
    expect(dialog()).toBeNull();
  });
});

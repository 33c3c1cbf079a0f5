import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { describe, expect, it, vi } from "vitest";
import {
  type FakeSealed,
  fakeSealed,
  guest,
  invitedAs,
  member,
  message,
} from "../../../../test/fakeSealed.ts";
import { expectAccessible, showPage } from "../../../../test/page.tsx";
import type { Sealed } from "../../../sealing/contract.ts";
import { beginning } from "../../../sealing/templates.ts";
import type { InviteRequest, RenderInvite } from "../../invite/contract.ts";
import { type Meeting, MeetingProvider } from "../components/context.tsx";
import { MoreMenu } from "../components/MoreMenu.tsx";
import { createCallStore } from "../model/call.ts";
import { createViewStore, type ViewStore } from "../model/view.ts";
import { ChatPanel } from "./ChatPanel.tsx";
import { SealedProvider } from "./context.tsx";
import { DoorBar } from "./DoorList.tsx";
import { HandControl } from "./HandControl.tsx";
import { LockHint } from "./LockHint.tsx";
import { FloatingReactions, ReactControl } from "./Reactions.tsx";
import { SealBadgeButton } from "./SealBadgeButton.tsx";
import { SealDialog } from "./SealDialog.tsx";
import { SealedPeoplePanel } from "./SealedPeoplePanel.tsx";
import { SealBroken, SealNotice } from "./SealNotice.tsx";
import { useSealedNotices } from "./useSealedNotices.ts";

const user = userEvent.setup();
let view: ViewStore;
let obeyed: string[];
let left: number;
/** What the dialog of personal links was opened with last. */
let asked: InviteRequest | null;

function show(page: ReactNode, sealed: FakeSealed): void {
  view = createViewStore({ read: () => null, write: () => undefined });
  obeyed = [];
  left = 0;
  asked = null;
  const session = {
    store: createCallStore(),
    media: {
      setMicrophone: (isOn: boolean) => obeyed.push(`microphone ${isOn}`),
      setCamera: (isOn: boolean) => obeyed.push(`camera ${isOn}`),
      setShare: (isOn: boolean) => obeyed.push(`share ${isOn}`),
    },
    leave: async () => {
      left += 1;
    },
  };
  const guestLink = "https://here.example/m/mtg_1#1.secret.host";
  const invite: RenderInvite = (request) => {
    asked = request;
    return <p>the dialog</p>;
  };
  const meeting = { session, view, meetingId: "mtg_1", guestLink, invite };
  showPage(
    <MeetingProvider value={meeting as unknown as Meeting}>
      <SealedProvider value={sealed}>{page}</SealedProvider>
    </MeetingProvider>,
  );
}

const me = (change: Parameters<typeof member>[1] = {}) => member("me", { isSelf: true, ...change });
const button = (name: string | RegExp) => screen.getByRole("button", { name });
const set = (sealed: FakeSealed, change: Partial<Sealed>) =>
  act(() => sealed.store.setState(change));

describe("chat", () => {
  it("sends with Enter, breaks the line with Shift+Enter, and says nothing when empty", async () => {
    const sealed = fakeSealed();
    show(<ChatPanel />, sealed);
    const field = screen.getByRole("textbox", { name: "Message" });
    await user.type(field, "{Enter}one{Shift>}{Enter}{/Shift}two{Enter}");
    expect(sealed.asked.filter((call) => call.startsWith("sendChat"))).toEqual([
      'sendChat "one\\ntwo" {}',
    ]);
    expect((field as HTMLTextAreaElement).value).toBe("");
    await expectAccessible();
  });

  it("writes to one person only when one says so, and shows it before sending", async () => {
    const sealed = fakeSealed({ members: [me(), member("ada")] });
    show(<ChatPanel />, sealed);
    await user.click(button("To everyone"));
    await user.click(screen.getByRole("menuitemradio", { name: "Ada" }));
    expect(button("To Ada only")).toBeTruthy();
    await user.type(screen.getByRole("textbox", { name: "Message" }), "psst{Enter}");
    expect(sealed.asked).toContain('sendChat "psst" {"privateTo":"ada"}');
  });

  it("falls back to everyone, in plain view, when that person leaves", async () => {
    const sealed = fakeSealed({ members: [me(), member("ada")] });
    show(<ChatPanel />, sealed);
    await user.click(button("To everyone"));
    await user.click(screen.getByRole("menuitemradio", { name: "Ada" }));
    await set(sealed, { members: [me()] });
    expect(button("To everyone")).toBeTruthy();
  });

  it("makes links only from people who lead the room", async () => {
    const text = "https://example.org/";
    const chat = [message("one", { text }), message("two", { text, isTrusted: true })];
    show(<ChatPanel />, fakeSealed({ chat }));
    const links = screen.getAllByRole("link");
    expect(links).toHaveLength(1);
    expect(links[0]?.closest("[data-message]")?.getAttribute("data-message")).toBe("two");
    expect(links[0]?.getAttribute("rel")).toContain("noreferrer");
  });

  it("answers, edits, deletes and reacts from one menu", async () => {
    const chat = [message("one"), message("own", { identity: "me", isOwn: true, text: "mine" })];
    const sealed = fakeSealed({ chat, members: [me(), member("ada")] });
    show(<ChatPanel />, sealed);
    const menu = async (index: number, item: string) => {
      const opener = screen.getAllByRole("button", { name: "Actions for this message" })[index];
      await user.click(opener as HTMLElement);
      await user.click(screen.getByRole("menuitem", { name: item }));
    };
    await menu(0, "Reply");
    expect(screen.getByText("Reply to Ada")).toBeTruthy();
    await user.type(screen.getByRole("textbox", { name: "Message" }), "yes{Enter}");
    expect(sealed.asked).toContain('sendChat "yes" {"replyTo":"one"}');
    await menu(1, "Edit");
    await user.type(screen.getByRole("textbox", { name: "Message" }), "!{Enter}");
    expect(sealed.asked).toContain('editChat "own" "mine!"');
    await menu(0, "Agree");
    expect(sealed.asked).toContain('reactToChat "one" "👍" true');
    await menu(1, "Delete");
    expect(sealed.asked).toContain('deleteChat "own"');
  });

  it("shows what was not sent, and sends it again", async () => {
    const chat = [message("one", { isOwn: true, state: "failed" })];
    const sealed = fakeSealed({ chat });
    show(<ChatPanel />, sealed);
    await user.click(button("Send again"));
    expect(sealed.asked).toContain('resendChat "one"');
    await expectAccessible();
  });

  it("keeps the words of who writes too fast, and says so", async () => {
    const sealed = fakeSealed();
    sealed.outcome = "too-fast";
    show(<ChatPanel />, sealed);
    const field = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
    await user.type(field, "again and again{Enter}");
    expect(field.value).toBe("again and again");
    expect(screen.getByText(/Your text is kept/)).toBeTruthy();
    await expectAccessible();
    sealed.outcome = "done";
    await user.type(field, "{Enter}");
    expect(field.value).toBe("");
    expect(screen.queryByText(/Your text is kept/)).toBeNull();
  });

  it("tells what was deleted, edited, private, and from before", async () => {
    const chat = [
      message("old", { isFromBefore: true }),
      message("gone", { isDeleted: true, text: "secret" }),
      message("new", { isEdited: true, replyTo: "gone" }),
      message("psst", { privateWith: { identity: "ada", name: "Ada" } }),
    ];
    show(<ChatPanel />, fakeSealed({ chat }));
    expect(screen.queryByText("secret")).toBeNull();
    expect(screen.getByText("edited")).toBeTruthy();
    expect(screen.getByText("only to you")).toBeTruthy();
    expect(screen.getByText(/From before you came in/)).toBeTruthy();
    await expectAccessible();
  });

  it("is read while it is open", async () => {
    const sealed = fakeSealed();
    show(<ChatPanel />, sealed);
    await set(sealed, { chat: [message("one")] });
    expect(sealed.asked.filter((call) => call === "markRead")).toHaveLength(2);
  });
});

describe("the door", () => {
  const door = [guest("Lena"), guest("s2", { name: null, proof: "unknown" })];

  it("is shown to who leads, with how each one came", async () => {
    const sealed = fakeSealed({ members: [me({ role: "host", verification: "host" })], door });
    show(<SealedPeoplePanel />, sealed);
    expect(screen.getByText("2 waiting")).toBeTruthy();
    expect(screen.getByText(/Their screen shows: harbour lemon violin · Hafen/)).toBeTruthy();
    await user.click(button("Admit: Lena"));
    await user.click(button("Deny: Somebody without the whole link"));
    expect(sealed.asked).toEqual(['admit ["Lena"]', 'deny "s2"']);
    await expectAccessible();
  });

  it("asks before it lets in several with a stranger among them", async () => {
    const sealed = fakeSealed({ members: [me({ role: "cohost" })], door });
    show(<SealedPeoplePanel />, sealed);
    await user.click(button("Admit all…"));
    const dialog = screen.getByRole("alertdialog", { name: "Let in 2 people?" });
    await user.click(within(dialog).getByRole("button", { name: "Admit all" }));
    expect(sealed.asked).toEqual(['admit ["Lena","s2"]']);
  });

  it("shows somebody the second device of their own link, and nothing else to decide", async () => {
    const invited = { ...invitedAs("x", "Ida"), standing: "other-device" } as const;
    const sealed = fakeSealed({ door: [guest("Ida", { invited })] });
    show(
      <>
        <DoorBar />
        <SealedPeoplePanel />
      </>,
      sealed,
    );
    expect(screen.getByText("Ida is at the door.")).toBeTruthy();
    expect(screen.getByText(/Your personal link is at the door/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Deny/ })).toBeNull();
    await user.click(button("It’s my device: Ida"));
    expect(sealed.asked).toEqual(['admit ["Ida"]']);
    await expectAccessible();
  });

  it.each([
    ["other-device", "Link passed on: Ida’s personal link, on another device."],
    ["revoked", "A personal link that was taken back: Ida"],
    ["expired", "A personal link whose time is over: Ida"],
    ["foreign", "A personal link that this room’s host has not made."],
  ] as const)("says of a personal link that it is %s", (standing, said) => {
    const invited = { ...invitedAs("x", "Ida"), standing };
    const door = [guest("Thief", { invited })];
    const members = [me({ role: "host", verification: "host" })];
    show(<SealedPeoplePanel />, fakeSealed({ members, door }));
    expect(screen.getByText(said)).toBeTruthy();
    expect(screen.getByText(/harbour lemon violin/)).toBeTruthy();
    expect(button("Admit as guest: Thief")).toBeTruthy();
  });
});

describe("the suggestion to lock", () => {
  const host = () => me({ role: "host", verification: "host", joinedAt: Date.now() - 11 * 60_000 });

  it("comes some minutes after the start, and locks with one press", async () => {
    const sealed = fakeSealed({ members: [host(), member("ada")] });
    show(<LockHint />, sealed);
    expect(screen.getByText(/^2 people are here\./)).toBeTruthy();
    await user.click(button("Lock the room"));
    expect(sealed.asked).toEqual(['setPolicy {"isLocked":true}']);
    expect(screen.queryByText(/people are here/)).toBeNull();
  });

  it("stays away when it was refused once", async () => {
    show(<LockHint />, fakeSealed({ members: [host(), member("ada")] }));
    await user.click(button("Not now"));
    expect(screen.queryByText(/people are here/)).toBeNull();
  });

  it.each([
    ["in the first minutes", { members: [{ ...host(), joinedAt: Date.now() }, member("ada")] }],
    ["for who is alone", { members: [host()] }],
    ["for who does not lead", { members: [{ ...host(), role: "member" as const }, member("ada")] }],
    ["while somebody waits", { members: [host(), member("ada")], door: [guest("Lena")] }],
    [
      "when it is locked",
      {
        members: [host(), member("ada")],
        policy: { ...beginning("none"), isLocked: true },
      },
    ],
  ])("is not there %s", (_when, change) => {
    show(<LockHint />, fakeSealed(change));
    expect(screen.queryByText(/here\. Lock/)).toBeNull();
  });
});

describe("inviting", () => {
  const host = { members: [me({ role: "host", verification: "host" })] };
  const choose = async (entry: string) => {
    await user.click(button("Invite"));
    await user.click(screen.getByRole("menuitem", { name: entry }));
  };

  it("copies the link for everybody at once for who is no host", async () => {
    show(<SealedPeoplePanel />, fakeSealed({ members: [me({ role: "cohost" })] }));
    await user.click(button("Invite"));
    expect(await navigator.clipboard.readText()).toBe("https://here.example/m/mtg_1#1.secret.host");
    expect(screen.queryByRole("menu")).toBeNull();
    expect(asked).toBeNull();
  });

  it("gives the host both, and tells the group what changes", async () => {
    const sealed = fakeSealed({ ...host, title: "Planning" });
    show(<SealedPeoplePanel />, sealed);
    await choose("Copy the link for everybody");
    expect(await navigator.clipboard.readText()).toContain("#1.secret.host");
    await user.click(button("Link copied"));
    await user.click(screen.getByRole("menuitem", { name: "Personal links…" }));
    expect(screen.getByText("the dialog")).toBeTruthy();
    // The key of the room stays here: the dialog has its own from the key ring.
    expect(asked).toMatchObject({ url: "https://here.example/m/mtg_1", title: "Planning" });
    await asked?.within?.revoke(["x"], true);
    await asked?.within?.setEntry("open");
    await asked?.within?.setEntry("invited");
    expect(sealed.asked).toEqual(['revoke ["x"] true', 'setPolicy {"entry":"lobby"}']);
    await set(sealed, { policy: { ...beginning("none"), entry: "lobby" } });
    expect(asked?.within?.entry).toBe("invited");
    act(() => asked?.onClose());
    expect(screen.queryByText("the dialog")).toBeNull();
  });
});

describe("people", () => {
  it("says when a personal link came on another device than before", () => {
    const ida = { verification: "invitation", invited: invitedAs("x", "Ida") } as const;
    const other = { ...ida, invited: { ...ida.invited, isOtherDevice: true } };
    const members = [me({ role: "host" }), member("ida", ida), member("again", other)];
    show(<SealedPeoplePanel />, fakeSealed({ members }));
    expect(screen.getAllByText("Personal link: Ida")).toHaveLength(2);
    expect(screen.getAllByText("On another device than before.")).toHaveLength(1);
  });

  it("says whose name somebody’s looks like, inside and at the door, and asks before all come in", async () => {
    const members = [me({ role: "host", name: "Hanna" }), member("x", { name: "Наnnа" })];
    const door = [guest("s1", { name: "HANNA", proof: "link" }), guest("s2", { proof: "account" })];
    show(<SealedPeoplePanel />, fakeSealed({ members, door }));
    const said = "The name looks like that of somebody else here: Hanna.";
    expect(await screen.findAllByText(said)).toHaveLength(2);
    await user.click(button("Admit all…"));
    expect(screen.getByRole("alertdialog")).toBeTruthy();
    await expectAccessible();
  });

  it("shows how each one got in, and hands in their order", async () => {
    const members = [
      me({ role: "host", verification: "host" }),
      member("ada", { handPlace: 1 }),
      member("new", { name: null }),
      member("bob", { role: "cohost", verification: "account" }),
      member("cy", { isLeaving: true }),
    ];
    show(<SealedPeoplePanel />, fakeSealed({ members }));
    expect(screen.getByText("Co-host · Known account")).toBeTruthy();
    expect(screen.getByText("Just came in…")).toBeTruthy();
    expect(screen.getByText("Leaving…")).toBeTruthy();
    // In the line of those who want to speak, and in the list.
    expect(screen.getAllByText("Hand raised, number 1 in line")).toHaveLength(2);
    await expectAccessible();
  });

  it("gives hosts their means, and asks before somebody is removed", async () => {
    const members = [me({ role: "host", verification: "host" }), member("ada")];
    const sealed = fakeSealed({ members });
    show(<SealedPeoplePanel />, sealed);
    await user.click(button("Actions for Ada"));
    await user.click(screen.getByRole("menuitem", { name: "Make co-host" }));
    expect(sealed.asked).toEqual(['setCohost "ada" true']);
    await user.click(button("Actions for Ada"));
    await user.click(screen.getByRole("menuitem", { name: "Remove from the room…" }));
    await user.click(
      within(screen.getByRole("alertdialog", { name: "Remove Ada?" })).getByRole("button", {
        name: "Remove",
      }),
    );
    expect(sealed.asked[1]).toBe('remove "ada"');
    await user.click(button("Lock the room"));
    expect(sealed.asked[2]).toBe('setPolicy {"isLocked":true}');
    await user.click(button("Rules of the room…"));
    await user.click(
      screen.getByRole("switch", { name: "Whoever has no personal link waits at the door" }),
    );
    await user.click(screen.getByRole("switch", { name: "Newcomers see the last messages" }));
    expect(sealed.asked.slice(3)).toEqual([
      'setPolicy {"entry":"lobby"}',
      'setPolicy {"history":50}',
    ]);
  });

  it("says to who leads on how many devices the link for everybody was opened", async () => {
    const sealed = fakeSealed({ members: [me({ role: "cohost" }), member("ada")] });
    show(<SealedPeoplePanel />, sealed);
    const said = () => document.querySelector(".openlink")?.textContent ?? null;
    expect(said()).toBeNull();
    const count = (openLinkDevices: number) =>
      act(() => sealed.witness.store.setState({ openLinkDevices }));
    await count(1);
    expect(said()).toBe("The link for everybody was opened on one device.");
    await count(7);
    expect(said()).toBe("The link for everybody was opened on 7 devices.");
    await set(sealed, { members: [me(), member("ada")] });
    expect(said()).toBeNull();
  });

  it("leads from a person's menu, and from More, to a report", async () => {
    const sealed = fakeSealed({ members: [me(), member("ada")] });
    show(
      <>
        <SealedPeoplePanel />
        <MoreMenu isPhone={false} />
      </>,
      sealed,
    );
    await user.click(button("Actions for Ada"));
    await user.click(screen.getByRole("menuitem", { name: "Report…" }));
    expect(view.getState()).toMatchObject({ dialog: "report", reportAbout: "ada" });
    await user.click(button("More"));
    await user.click(screen.getByRole("menuitem", { name: "Report…" }));
    expect(view.getState()).toMatchObject({ dialog: "report", reportAbout: null });
  });

  it("gives others only what is theirs", async () => {
    show(<SealedPeoplePanel />, fakeSealed({ members: [me(), member("ada")] }));
    expect(screen.queryByRole("button", { name: "Mute everyone" })).toBeNull();
    await user.click(button("Actions for Ada"));
    expect(screen.getAllByRole("menuitem").map((item) => item.textContent)).toEqual([
      "Pin",
      "Write to Ada only",
      "Report…",
    ]);
    await user.click(screen.getByRole("menuitem", { name: "Write to Ada only" }));
    expect(view.getState()).toMatchObject({ panel: "chat", chatTo: "ada" });
  });

  it("says when an action came too late", async () => {
    const sealed = fakeSealed({ members: [me({ role: "host" }), member("ada")] });
    sealed.outcome = "gone";
    show(<SealedPeoplePanel />, sealed);
    await user.click(button("Actions for Ada"));
    await user.click(screen.getByRole("menuitem", { name: "Ask to unmute" }));
    await waitFor(() => expect(screen.getByText("Ada is no longer here.")).toBeTruthy());
  });
});

describe("hands and reactions", () => {
  it("raises and lowers the hand, and says where one stands", async () => {
    const sealed = fakeSealed();
    show(<HandControl />, sealed);
    await user.click(button("Raise hand"));
    await set(sealed, { members: [me({ handPlace: 2 })] });
    await user.click(button("Lower hand"));
    expect(sealed.asked).toEqual(["setHand true", "setHand false"]);
  });

  it("sends a reaction from a phone, whose bar has no room for it", async () => {
    const sealed = fakeSealed({ members: [me()] });
    show(<MoreMenu isPhone />, sealed);
    await user.click(button("More"));
    await user.click(screen.getByRole("menuitem", { name: "Applause" }));
    expect(sealed.asked).toEqual(['react "👏"']);
  });

  it("sends a reaction and shows those that come", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const sealed = fakeSealed();
    show(
      <>
        <ReactControl />
        <FloatingReactions />
      </>,
      sealed,
    );
    await user.click(button("React"));
    await user.click(button("Applause"));
    expect(sealed.asked).toEqual(['react "👏"']);
    act(() => sealed.tell({ type: "reaction", identity: "ada", name: "Ada", emoji: "👏" }));
    expect(screen.getByText("Ada")).toBeTruthy();
    act(() => vi.advanceTimersByTime(5_000));
    expect(screen.queryByText("Ada")).toBeNull();
    vi.useRealTimers();
  });
});

describe("the seal", () => {
  it("has a word for every state", async () => {
    const sealed = fakeSealed();
    show(<SealBadgeButton />, sealed);
    const words = [];
    for (const seal of [
      { type: "coming" },
      { type: "sealed", since: 0 },
      { type: "not-sealed", reasons: ["stranger"] },
      { type: "broken", reason: "not-our-group", at: 0 },
      { type: "ended" },
    ] as const) {
      await set(sealed, { seal });
      words.push(button(/What this means$/).textContent);
    }
    expect(words).toEqual(["Key on its way", "Sealed", "Not sealed", "Seal broken", "Seal ended"]);
  });

  it("shows the words, the number and who is verified", async () => {
    const ida = { verification: "invitation", invited: invitedAs("x", "Ida") } as const;
    const members = [me({ verification: "host" }), member("ada"), member("ida", ida)];
    show(<SealDialog />, fakeSealed({ members, keyNotes: ["forgotten-after-reload"] }));
    act(() => view.show("seal"));
    const dialog = screen.getByRole("dialog", { name: "This room is sealed." });
    expect(within(dialog).getAllByRole("listitem")).toHaveLength(8 + 3);
    expect(within(dialog).getByText("harbour")).toBeTruthy();
    expect(within(dialog).getByText("48213")).toBeTruthy();
    expect(within(dialog).getByText("2 of 3")).toBeTruthy();
    expect(within(dialog).getByText(/keeps nothing/)).toBeTruthy();
    const check = within(dialog).getByRole("link", { name: "Check this server’s files" });
    expect(check.getAttribute("href")).toBe("/verify");
    await expectAccessible();
    await user.click(button("Show in Deutsch"));
    expect(within(dialog).getByText("hafen")).toBeTruthy();
    await user.click(button("They differ…"));
    await user.click(button("Leave the room"));
    expect(left).toBe(1);
  });

  it("names what is wrong, and stops when it is broken", async () => {
    const sealed = fakeSealed({ seal: { type: "not-sealed", reasons: ["plaintext"] } });
    show(
      <>
        <SealNotice />
        <SealDialog />
        <SealBroken />
      </>,
      sealed,
    );
    expect(screen.getByText(/without the key/)).toBeTruthy();
    await user.click(button("Details"));
    expect(
      screen.getByRole("dialog", { name: "Not sealed: somebody sends without the key." }),
    ).toBeTruthy();
    await set(sealed, { seal: { type: "broken", reason: "forbidden-change", at: 0 } });
    expect(screen.getByRole("alertdialog", { name: /The seal is broken/ })).toBeTruthy();
    await expectAccessible();
    await user.click(button("Leave"));
    expect(left).toBe(1);
  });
});

function Notices() {
  useSealedNotices();
  return null;
}

it("obeys an order once, and says whose it is", async () => {
  const sealed = fakeSealed();
  show(<Notices />, sealed);
  act(() => sealed.tell({ type: "order", what: "stop-video", by: "Hanna" }));
  expect(obeyed).toEqual(["camera false"]);
  expect(screen.getAllByText("Hanna switched off your video.").length).toBeGreaterThan(0);
  act(() => sealed.tell({ type: "order", what: "ask-unmute", by: "Hanna" }));
  expect(obeyed).toHaveLength(1);
  act(() => sealed.tell({ type: "seal-lost", reason: "withheld" }));
  const assertive = document.getElementById("live-assertive");
  await waitFor(() => expect(assertive?.textContent).toContain("may be hiding changes"));
});

it("says who sends too much, and that too much comes in all", async () => {
  const sealed = fakeSealed();
  show(<Notices />, sealed);
  act(() => sealed.tell({ type: "too-much", identity: "ada", name: "Ada" }));
  expect(await screen.findAllByText(/Ada sends too much; some of it is not shown/)).not.toEqual([]);
  act(() => sealed.tell({ type: "too-much", identity: "ben", name: null }));
  act(() => sealed.tell({ type: "too-much", identity: null, name: null }));
  expect(await screen.findAllByText(/A great deal is being sent at once/)).not.toEqual([]);
});

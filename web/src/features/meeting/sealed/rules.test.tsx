import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { describe, expect, it } from "vitest";
import {
  type FakeSealed,
  fakeSealed,
  guest,
  member,
  message,
} from "../../../../test/fakeSealed.ts";
import { expectAccessible, showPage } from "../../../../test/page.tsx";
import { bitsOf, EVERYTHING } from "../../../sealing/permissions.ts";
import { beginning, RULES } from "../../../sealing/templates.ts";
import { ControlBar } from "../components/ControlBar.tsx";
import { type Meeting, MeetingProvider } from "../components/context.tsx";
import { MoreMenu } from "../components/MoreMenu.tsx";
import { type Call, createCallStore } from "../model/call.ts";
import { createViewStore, type ViewStore } from "../model/view.ts";
import { ChatPanel } from "./ChatPanel.tsx";
import { SealedProvider } from "./context.tsx";
import { LeaderLostBar } from "./DoorList.tsx";
import { SealedPeoplePanel } from "./SealedPeoplePanel.tsx";
import { useSealedNotices } from "./useSealedNotices.ts";

const user = userEvent.setup();
let view: ViewStore;
let left: number;

function show(page: ReactNode, sealed: FakeSealed, call: Partial<Call> = {}): void {
  view = createViewStore({ read: () => null, write: () => undefined });
  left = 0;
  const session = {
    store: createCallStore(call),
    media: {},
    leave: async () => {
      left += 1;
    },
  };
  const meeting = { session, view, meetingId: "mtg_1", guestLink: "", invite: null };
  showPage(
    <MeetingProvider value={meeting as unknown as Meeting}>
      <SealedProvider value={sealed}>{page}</SealedProvider>
    </MeetingProvider>,
  );
}

function Notices() {
  useSealedNotices();
  return null;
}

const me = (change: Parameters<typeof member>[1] = {}) => member("me", { isSelf: true, ...change });
const host = () => me({ role: "host", verification: "host" });
const button = (name: string | RegExp) => screen.getByRole("button", { name });
const toggle = (name: string) => screen.getByRole("switch", { name });
const radio = (group: string, name: string) =>
  within(screen.getByRole("radiogroup", { name: group })).getByRole("radio", { name });
const policies = (sealed: FakeSealed) =>
  sealed.asked
    .filter((one) => one.startsWith("setPolicy"))
    .map((one) => JSON.parse(one.slice("setPolicy ".length)));

describe("the rules of the room", () => {
  async function rules(change: Parameters<typeof fakeSealed>[0] = {}) {
    const sealed = fakeSealed({ members: [host(), member("ada")], ...change });
    show(<SealedPeoplePanel />, sealed);
    await user.click(button("Rules of the room…"));
    return sealed;
  }

  it("follow a template as a whole", async () => {
    const sealed = await rules();
    await user.click(radio("What kind of meeting", "Class"));
    expect(policies(sealed)).toEqual([{ ...RULES.class, template: "class" }]);
    await expectAccessible();
  });

  it("are changed one by one, and leave alone what is not spoken of", async () => {
    const odd = 0x8000;
    const attendees = RULES.none.attendees | odd;
    const sealed = await rules({ policy: { ...beginning("none"), attendees } });
    await user.click(toggle("speak"));
    await user.click(radio("Share a screen", "everybody"));
    await user.click(radio("Share a screen", "who leads or presents"));
    await user.click(radio("Write in the chat", "to who leads only"));
    await user.click(radio("Write in the chat", "nobody"));
    const many = bitsOf("screenAmongMany");
    expect(policies(sealed).map((one) => one.attendees)).toEqual([
      attendees & ~bitsOf("microphone"),
      attendees | many,
      attendees & ~bitsOf("screen"),
      attendees & ~bitsOf("chat"),
      attendees & ~bitsOf("chat", "leaders"),
    ]);
  });

  it("say how many are kept out, and a host may forgive them after a question", async () => {
    const sealed = await rules({ blocked: ["a", "b"] });
    expect(screen.getByText("2 devices are kept out.")).toBeTruthy();
    await user.click(button("Let them knock again…"));
    expect(sealed.asked).toEqual([]);
    await user.click(button("Yes, let them knock again"));
    expect(sealed.asked).toEqual(["unblock"]);
    expect(await screen.findByText("They may knock again.")).toBeTruthy();
  });

  it("are a co-host's too, but forgiving is not", async () => {
    await rules({ members: [me({ role: "cohost" }), member("ada")], blocked: ["a"] });
    expect(screen.getByText("1 device is kept out.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Let them knock again…" })).toBeNull();
  });

  it("that could not be changed say so", async () => {
    const sealed = await rules();
    sealed.outcome = "failed";
    await user.click(toggle("raise a hand"));
    expect(await screen.findByText("That did not work. Try again.")).toBeTruthy();
  });
});

describe("one person's rights", () => {
  it("are a part, and more or less than everybody's", async () => {
    const ada = member("ada", { part: "listener", may: bitsOf("chat") });
    const sealed = fakeSealed({ members: [host(), ada] });
    show(<SealedPeoplePanel />, sealed);
    expect(screen.getByText("Listener · Came by link")).toBeTruthy();
    await user.click(button("Actions for Ada"));
    await user.click(screen.getByRole("menuitem", { name: "What they may do…" }));
    await user.click(radio("Here as", "Presenter"));
    await user.click(toggle("speak"));
    await user.click(toggle("share a screen"));
    await user.click(toggle("write to everybody"));
    expect(sealed.asked).toEqual([
      'setPart "ada" "presenter"',
      `allow "ada" ${bitsOf("microphone")} true`,
      `allow "ada" ${bitsOf("screen", "screenAmongMany")} true`,
      `allow "ada" ${bitsOf("chat")} false`,
    ]);
    await expectAccessible();
    // Who leaves while one decides takes the question along.
    act(() => sealed.store.setState({ members: [host()] }));
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("come too late for who is gone", async () => {
    const sealed = fakeSealed({ members: [host(), member("ada")] });
    show(<SealedPeoplePanel />, sealed);
    await user.click(button("Actions for Ada"));
    await user.click(screen.getByRole("menuitem", { name: "What they may do…" }));
    sealed.outcome = "gone";
    await user.click(radio("Here as", "Presenter"));
    expect(await screen.findByText("Ada is no longer here.")).toBeTruthy();
  });
});

describe("the floor", () => {
  const members = [
    host(),
    member("bob", { handPlace: 2, may: RULES.class.attendees }),
    member("ada", { handPlace: 1, may: EVERYTHING }),
    member("cy", { may: RULES.class.attendees | bitsOf("microphone") }),
    member("dan", { part: "presenter", may: EVERYTHING }),
  ];
  const inClass = () => fakeSealed({ members, policy: beginning("class") });

  it("is given in the order of hands, and taken back", async () => {
    const sealed = inClass();
    show(<SealedPeoplePanel />, sealed);
    const line = screen.getByRole("region", { name: "Who wants to speak" });
    const names = within(line)
      .getAllByRole("button")
      .map((one) => one.getAttribute("aria-label"));
    expect(names).toEqual([
      "Take the floor back from Ada",
      "Take the floor back from Cy",
      "Give Ada the floor",
      "Give Bob the floor",
    ]);
    await user.click(button("Give Bob the floor"));
    await user.click(button("Take the floor back from Cy"));
    const bits = bitsOf("microphone", "camera");
    expect(sealed.asked).toEqual([
      `allow "bob" ${bits} true`,
      'order "lower-hand" "bob"',
      `allow "cy" ${bits} null`,
    ]);
  });

  it("of who may speak anyway is a question to speak", async () => {
    const sealed = fakeSealed({ members: [host(), member("ada", { handPlace: 1 })] });
    show(<SealedPeoplePanel />, sealed);
    await user.click(button("Give Ada the floor"));
    expect(sealed.asked).toEqual(['order "ask-unmute" "ada"', 'order "lower-hand" "ada"']);
  });

  it("is not shown to who does not lead, nor where nobody wants it", () => {
    show(<SealedPeoplePanel />, fakeSealed({ members: [me(), ...members.slice(1)] }));
    expect(screen.queryByRole("region", { name: "Who wants to speak" })).toBeNull();
  });
});

describe("who may not", () => {
  const NOT = { state: "not-permitted", options: [], selected: null } as const;

  it("speak asks to speak with the microphone's button", async () => {
    const sealed = fakeSealed({ members: [me({ may: bitsOf("hand") })] });
    show(<ControlBar />, sealed, { microphone: NOT, camera: NOT, canShare: true });
    await user.click(button("Ask to speak"));
    expect(sealed.asked).toEqual(["setHand true"]);
    act(() => sealed.store.setState({ members: [me({ may: bitsOf("hand"), handPlace: 1 })] }));
    await user.click(button("Hand down"));
    expect(sealed.asked).toEqual(["setHand true", "setHand false"]);
    await expectAccessible();
  });

  it("do anything at all presses nothing in vain", async () => {
    const sealed = fakeSealed({ members: [me({ may: 0 })] });
    show(<ControlBar />, sealed, { microphone: NOT, camera: NOT, canShare: true });
    for (const name of ["Share", "Raise hand", "React"]) {
      expect(button(name).getAttribute("aria-disabled")).toBe("true");
    }
    await user.click(button("Unmute"));
    expect(sealed.asked).toEqual([]);
  });

  it("share among many hears why", async () => {
    const others = Array.from({ length: 10 }, (_, at) => member(`p${at}`));
    const sealed = fakeSealed({ members: [me({ may: RULES.club.attendees }), ...others] });
    show(<ControlBar />, sealed, { canShare: true });
    await user.hover(button("Share"));
    expect(await screen.findByText(/^With more than ten people here/)).toBeTruthy();
    act(() => sealed.store.setState({ members: [me({ may: RULES.club.attendees })] }));
    expect(button("Share").getAttribute("aria-disabled")).toBeNull();
  });

  it("share or react finds neither in a phone's menu", async () => {
    show(<MoreMenu isPhone />, fakeSealed({ members: [me({ may: 0 })] }), { canShare: true });
    await user.click(button("More"));
    expect(screen.queryByRole("menuitem", { name: "Share screen" })).toBeNull();
    expect(screen.queryByRole("menuitem", { name: "Applause" })).toBeNull();
  });

  it("write to everybody writes to who leads", async () => {
    const members = [
      me({ may: bitsOf("leaders") }),
      member("ada"),
      member("hanna", { role: "host" }),
      member("kim", { role: "cohost" }),
    ];
    const chat = [message("m1", { identity: "ada", name: "Ada" })];
    const sealed = fakeSealed({ members, chat });
    show(<ChatPanel />, sealed);
    await user.type(screen.getByRole("textbox"), "Please{Enter}");
    expect(sealed.asked.at(-1)).toBe('sendChat "Please" {"privateTo":"hanna"}');
    await user.click(button("To Hanna only"));
    expect(screen.getAllByRole("menuitemradio").map((one) => one.textContent)).toEqual([
      "Hanna",
      "Kim",
    ]);
    await user.keyboard("{Escape}");
    await user.click(button("Actions for this message"));
    expect(screen.getAllByRole("menuitem").map((one) => one.textContent)).toEqual(["Copy text"]);
  });

  it("write at all is told so instead of a field", () => {
    show(<ChatPanel />, fakeSealed({ members: [me({ may: 0 }), member("ada")] }));
    expect(screen.queryByRole("textbox")).toBeNull();
    expect(screen.getByText("Writing is off for you in this room.")).toBeTruthy();
  });
});

describe("what changes for oneself", () => {
  it.each([
    [{ gained: ["microphone"], lost: ["chat"] }, /^You have the floor/],
    [{ gained: ["chat"], lost: ["microphone"] }, /^You may not speak at the moment/],
    [{ gained: ["chat"], lost: [] }, /^You may do more/],
    [{ gained: [], lost: ["chat"] }, /^You may do less/],
  ] as const)("is said in one sentence: %j", async (change, words) => {
    const sealed = fakeSealed();
    show(<Notices />, sealed);
    act(() => sealed.tell({ type: "rights", by: "Hanna", ...change }));
    expect((await screen.findAllByText(words)).length).toBeGreaterThan(0);
  });

  it("when the last who leads is lost, is why nobody comes in", () => {
    const sealed = fakeSealed({ isLeaderLost: true });
    show(<LeaderLostBar />, sealed);
    expect(screen.getByText(/^Who leads the room has lost the connection/)).toBeTruthy();
    act(() => sealed.store.setState({ isLeaderLost: false }));
    expect(screen.queryByText(/lost the connection/)).toBeNull();
  });
});

describe("keeping out", () => {
  it("is one press further than denying", async () => {
    const sealed = fakeSealed({ members: [host()], door: [guest("Lena")] });
    show(<SealedPeoplePanel />, sealed);
    const { seat } = guest("Lena");
    await user.click(button("More for Lena"));
    await user.click(screen.getByRole("menuitem", { name: "Deny and keep out" }));
    expect(sealed.asked).toEqual([`deny "${seat}" true`]);
  });
});

describe("handing over", () => {
  const others = [member("ada"), member("bob", { name: null })];

  it("names who leads on before one leaves", async () => {
    const sealed = fakeSealed({ members: [host(), ...others] });
    show(<ControlBar />, sealed);
    await user.click(button("Leave"));
    await user.click(radio("Who leads from now on?", "Ada"));
    const dialog = screen.getByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Leave" }));
    expect(sealed.asked).toEqual(['setCohost "ada" true']);
    expect(left).toBe(1);
  });

  it("that does not work keeps one here", async () => {
    const sealed = fakeSealed({ members: [host(), ...others] });
    sealed.outcome = "failed";
    show(<ControlBar />, sealed);
    await user.click(button("Leave"));
    await user.click(radio("Who leads from now on?", "Ada"));
    const dialog = screen.getByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Leave" }));
    expect(await within(dialog).findByText(/^Ada could not be made co-host/)).toBeTruthy();
    expect(left).toBe(0);
  });

  it("is not asked while somebody else leads, nor of who leaves without", async () => {
    const sealed = fakeSealed({ members: [host(), member("ada", { role: "cohost" })] });
    show(<ControlBar />, sealed);
    await user.click(button("Leave"));
    expect(screen.queryByRole("radiogroup")).toBeNull();
    const dialog = screen.getByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Leave" }));
    expect(left).toBe(1);
    expect(sealed.asked).toEqual([]);
  });
});

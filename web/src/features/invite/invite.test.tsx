/** The dialog of personal links, with a key ring and a server that keeps invitations. */
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeShelf } from "../../../test/fakeShelf.ts";
import { type InvitationServer, serveInvitations } from "../../../test/invitationServer.ts";
import { expectAccessible, serve, showPage } from "../../../test/page.tsx";
import { newOperator, serveVault } from "../../../test/vaultServer.ts";
import { switchLanguage } from "../../i18n/index.ts";
import { b64 } from "../../sealing/keys/bytes.ts";
import { parseFragment } from "../../sealing/keys/link.ts";
import type { KeyRing } from "../../vault/keyRing.ts";
import { keyRingOf } from "../../vault/session.ts";
import type { RoomWithin } from "./contract.ts";
import InviteDialog from "./InviteDialog.tsx";

const ID = "mtg_6mg8p21800ag05s2ctversgyed";
const URL_ = `https://meet.example/m/${ID}`;
const DEVICE = b64(new Uint8Array(32).fill(5));

interface Stage {
  readonly user: UserEvent;
  readonly server: InvitationServer;
  readonly shelf: FakeShelf;
  readonly ring: KeyRing;
  readonly closed: () => number;
  readonly clipboard: () => Promise<string>;
}

/** `names`: who is invited before the dialog opens; `before`: what has happened since. */
async function open(
  names: readonly string[] = [],
  before: (server: InvitationServer) => void = () => undefined,
  inside: RoomWithin | null = null,
): Promise<Stage> {
  const user = userEvent.setup();
  const { id: userId } = newOperator();
  serve({});
  const shelf = serveVault(new FakeShelf());
  const server = serveInvitations();
  const ring = await keyRingOf(userId);
  await ring.canHost();
  await ring.addRoom(ID, "Planung");
  if (names.length > 0) await invited(ring, server, names);
  before(server);
  let closed = 0;
  showPage(
    <InviteDialog
      userId={userId}
      meetingId={ID}
      url={URL_}
      title="Planung"
      within={inside}
      onClose={() => {
        closed += 1;
      }}
    />,
  );
  await screen.findByRole("switch");
  // Empty, the list stands open for names.
  await screen.findByRole(names.length > 0 ? "region" : "textbox", LIST_OR_NAMES);
  return { user, server, shelf, ring, closed: () => closed, clipboard };
}

/** The room from inside, where all that is asked is done. */
function insideOf(change: Partial<RoomWithin> = {}): RoomWithin {
  const done = async () => "done" as const;
  const all = { setEntry: done, revoke: done, keepRole: done, tellPrivately: done };
  return { entry: "open", openLinkDevices: 0, ...all, ...change };
}

const LIST_OR_NAMES = { name: /^(Invited people|Eingeladene Personen|Names)$/ };
const rows = () => document.querySelectorAll("[data-invitation]");
const clipboard = () => navigator.clipboard.readText();

async function invited(ring: KeyRing, server: InvitationServer, names: readonly string[]) {
  const people = names.map((name) => ({ name, role: "attendee", expiresAt: 0 }) as const);
  const inviting = await ring.invite(ID, people);
  if (inviting.type !== "made") throw new Error(inviting.type);
  const made = await ring.recertify(
    ID,
    inviting.made.map(({ id }) => id),
  );
  const certificates = made.map(({ bytes }) => b64(bytes));
  await server.answer("POST", `/api/v1/meetings/${ID}/invitations`, { invitations: certificates });
  server.posts.length = 0;
}

/** `at` as in the order in which they were invited. */
function happen(server: InvitationServer, at: number, change: object): void {
  Object.assign(server.invitations[at] ?? {}, change);
}

const field = () => screen.getByRole("textbox", { name: "Names" });
const button = (name: string | RegExp) => screen.getByRole("button", { name });
const row = (name: string) => {
  const found = [...rows()].find((item) => item.querySelector("bdi")?.textContent === name);
  if (!(found instanceof HTMLElement)) throw new Error(`no row of ${name}`);
  return found;
};
async function choose(user: UserEvent, name: string, entry: string): Promise<void> {
  await user.click(button(`More for ${name}`));
  await user.click(screen.getByRole("menuitem", { name: entry }));
}
async function paste(user: UserEvent, text: string): Promise<void> {
  await user.click(field());
  await user.paste(text);
}
const people = (count: number) => Array.from({ length: count }, (_, at) => `Person ${at + 1}`);

beforeEach(async () => {
  await switchLanguage("en");
});

describe("the list", () => {
  it("says the next step while nobody is invited", async () => {
    await open();
    expect(screen.getByText(/Nobody has a personal link yet/)).toBeTruthy();
    expect(field()).toBeTruthy();
    await expectAccessible();
  });

  it("says in words what became of each link", async () => {
    const names = ["Anna", "Ben", "Cleo", "Dora", "Emil"];
    await open(names, (server) => {
      happen(server, 1, { state: "used", device: DEVICE, bound_at: "2026-01-01T10:05:00Z" });
      happen(server, 2, {
        state: "used",
        device: DEVICE,
        bound_at: "not a time",
        passed_on_at: "2026-01-02T10:05:00Z",
      });
      happen(server, 3, { state: "revoked" });
      happen(server, 4, { state: "expired" });
    });
    const says = (name: string, words: RegExp | string) =>
      expect(within(row(name)).getByText(words)).toBeTruthy();
    says("Anna", "Not used yet");
    says("Ben", /^On their device since .*2026/);
    says("Cleo", "Link passed on");
    says("Cleo", /Another device came with it on .*2026/);
    says("Dora", "Taken back");
    says("Emil", "Expired");
    // Who opens nothing has no link to copy.
    expect(within(row("Dora")).queryByRole("button", { name: /Copy/ })).toBeNull();
    await expectAccessible();
  });

  it("notices a server that names another device than before", async () => {
    const { ring, server, user } = await open(["Anna"], (before) => {
      happen(before, 0, { state: "used", device: DEVICE });
    });
    expect((await ring.invited(ID))[0]?.device).toBe(DEVICE);
    happen(server, 0, { device: b64(new Uint8Array(32).fill(9)) });
    await user.click(screen.getByRole("switch"));
    expect(await within(row("Anna")).findByText("Another device than before")).toBeTruthy();
    expect(within(row("Anna")).getByText(/If it is not theirs, take the link back/)).toBeTruthy();
    await expectAccessible();
    // What the host allows is no lie: the next device that is named counts.
    await choose(user, "Anna", "Allow another device");
    const dialog = screen.getByRole("alertdialog", { name: "Allow another device for Anna?" });
    await expectAccessible();
    await user.click(within(dialog).getByRole("button", { name: "Allow it" }));
    expect(await within(row("Anna")).findByText("Not used yet")).toBeTruthy();
    expect((await ring.invited(ID))[0]?.device).toBeNull();
  });

  it("shows a link that is not on the key ring, and nothing that this host has not signed", async () => {
    const { user, server, ring } = await open(["Anna"]);
    const [anna] = server.invitations;
    await user.click(screen.getByRole("switch"));
    // As if the key ring had come back from an older copy.
    vi.spyOn(ring, "invited").mockResolvedValue([]);
    server.invitations.push({ ...(anna as object), id: "AAAAAAAAAAAAAAAAAAAAAA" } as never);
    server.invitations.push({ ...(anna as object), id: "x", certificate: "AA" } as never);
    await user.click(screen.getByRole("switch"));
    await within(row("Anna")).findByText("The link itself is not on your key ring.");
    expect(rows()).toHaveLength(1);
    expect(screen.queryByRole("button", { name: "Copy the link: Anna" })).toBeNull();
  });

  it("of many people shows some, and finds each", async () => {
    const { user } = await open(people(45));
    expect(rows()).toHaveLength(30);
    await user.click(button("Show 15 more"));
    expect(rows()).toHaveLength(45);
    await user.type(screen.getByRole("textbox", { name: "Find a name" }), "person 7");
    expect(rows()).toHaveLength(1);
    await user.type(screen.getByRole("textbox", { name: "Find a name" }), "x");
    expect(screen.getByText("Nobody here is called that.")).toBeTruthy();
    await expectAccessible();
  });

  it("is in German, too", async () => {
    await switchLanguage("de");
    await open(["Anna"], (server) =>
      happen(server, 0, { state: "used", passed_on_at: "2026-01-02" }),
    );
    expect(screen.getByText("Link weitergegeben")).toBeTruthy();
    expect(screen.getByRole("dialog", { name: "Persönliche Links" })).toBeTruthy();
    await expectAccessible();
  });
});

describe("one link", () => {
  it("is copied, and drawn as a code for cameras", async () => {
    const { user, ring } = await open(["Anna"]);
    const [anna] = await ring.invited(ID);
    await user.click(button("Copy the link: Anna"));
    expect(await clipboard()).toBe(`${URL_}${anna?.fragment}`);
    expect(parseFragment(anna?.fragment ?? "")).toMatchObject({ type: "link" });
    await user.click(button("QR code: Anna"));
    const dialog = screen.getByRole("dialog", { name: "Link for Anna" });
    expect(await within(dialog).findByRole("img", { name: /QR code of the link/ })).toBeTruthy();
    expect(within(dialog).getByDisplayValue(`${URL_}${anna?.fragment}`)).toBeTruthy();
    await expectAccessible();
    await user.click(within(dialog).getByRole("button", { name: "Copy link" }));
    await user.click(within(dialog).getByRole("button", { name: "Close" }));
    expect(screen.queryByRole("dialog", { name: "Link for Anna" })).toBeNull();
  });

  it("is taken back and given back, and the people in the room know at once", async () => {
    const told: string[] = [];
    const inside = insideOf({
      revoke: async (ids, isRevoked) => {
        told.push(`${ids.join()} ${isRevoked}`);
        return "done";
      },
    });
    const { user, server } = await open(["Anna"], undefined, inside);
    const id = server.invitations[0]?.id;
    await choose(user, "Anna", "Take back");
    expect(await within(row("Anna")).findByText("Taken back")).toBeTruthy();
    await choose(user, "Anna", "Give back");
    expect(await within(row("Anna")).findByText("Not used yet")).toBeTruthy();
    expect(server.asked).toEqual([`revoke ${id}`, `restore ${id}`]);
    expect(told).toEqual([`${id} true`, `${id} false`]);
  });

  it("that the room could not be told of is said", async () => {
    const failed = async () => "failed" as const;
    const inside = insideOf({ setEntry: failed, revoke: failed });
    const { user } = await open(["Anna"], undefined, inside);
    await choose(user, "Anna", "Take back");
    expect((await screen.findAllByText(/people in the room could not be told/)).length).toBe(1);
    expect(await within(row("Anna")).findByText("Taken back")).toBeTruthy();
  });

  it("is replaced by a fresh one, which opens in place of the old", async () => {
    const { user, server, ring } = await open(["Anna"]);
    await choose(user, "Anna", "Make a new link");
    const dialog = await screen.findByRole("dialog", { name: "Link for Anna" });
    const [old, fresh] = await ring.invited(ID);
    expect(fresh?.name).toBe("Anna");
    expect(fresh?.seed).not.toBe(old?.seed);
    expect(within(dialog).getByDisplayValue(`${URL_}${fresh?.fragment}`)).toBeTruthy();
    expect(server.invitations.map(({ state }) => state)).toEqual(["revoked", "unused"]);
  });
});

describe("adding people", () => {
  it("shows what will come of a pasted table before links are made", async () => {
    const { user, server } = await open(["Anna"]);
    await user.click(button("Invite more people"));
    await paste(
      user,
      "Vorname;Nachname\nBen;Claus\nBen;Claus\n;\n;x\nAnna;\n\u202e;\u200b\nCleo;Dorn",
    );
    expect(screen.getByText(/^3 links: .Ben Claus., .x., .Cleo Dorn.\.$/)).toBeTruthy();
    expect(
      screen.getByText(
        "Left out: 1 that cannot be shown, 1 twice in the list, 1 with a link already.",
      ),
    ).toBeTruthy();
    await user.click(screen.getByRole("radio", { name: "Co-host" }));
    await user.click(screen.getByRole("radio", { name: "1 week" }));
    expect(screen.getByText("Co-hosts let people in, mute and take out.")).toBeTruthy();
    await expectAccessible();
    await user.click(button("Make 3 links"));
    expect(await screen.findByText(/^3 links are made/)).toBeTruthy();
    expect(within(row("Cleo Dorn")).getByText("Co-host")).toBeTruthy();
    expect(within(row("Cleo Dorn")).getByText(/^works until/)).toBeTruthy();
    expect(server.posts).toEqual([3]);
    await expectAccessible();
    await user.click(button("Copy names and links"));
    const lines = (await clipboard()).split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(
      /^Ben Claus: https:\/\/meet\.example\/m\/mtg_\w+#1\.\S+\.\S+\.\S{22}$/,
    );
  });

  it("says what is missing, and keeps what was typed when the key ring cannot be written", async () => {
    const { user, shelf, ring } = await open();
    await user.click(button("Make links"));
    expect(screen.getByText("Please enter at least one name.")).toBeTruthy();
    await paste(user, "\u200b");
    await user.click(button("Make links"));
    expect(screen.getByText("There is nobody new among these names.")).toBeTruthy();
    await expectAccessible();
    await user.clear(field());
    await paste(user, "Anna");
    shelf.writes = "unavailable";
    await user.click(button("Make the link"));
    expect(await screen.findByText(/Your key ring could not be written to/)).toBeTruthy();
    expect((field() as HTMLTextAreaElement).value).toBe("Anna");
    expect(await ring.invited(ID)).toEqual([]);
  });

  it("loses no link when the server stops in the middle: they are sent again", async () => {
    const { user, server, ring } = await open([], (before) => {
      before.takes = 1;
    });
    await paste(user, people(45).join("\n"));
    await user.click(button("Make 45 links"));
    await screen.findByText("The server does not know 5 of the links yet. They open nothing.");
    expect(await ring.invited(ID)).toHaveLength(45);
    await user.click(button("Show 15 more"));
    expect(within(row("Person 45")).getByText("Not with the server yet")).toBeTruthy();
    await expectAccessible();
    server.takes = 9;
    await user.click(button("Send again"));
    await waitFor(() => expect(screen.queryByText(/does not know/)).toBeNull());
    expect(server.posts).toEqual([40, 5]);
    const ids = (await ring.invited(ID)).map(({ id }) => id);
    expect(server.invitations.map(({ id }) => id)).toEqual(ids);
  });

  it("makes no more than a thousand", async () => {
    const { user } = await open(people(3));
    await user.click(button("Invite more people"));
    await paste(user, Array.from({ length: 1_005 }, (_, at) => `Guest ${at}`).join("\n"));
    expect(await screen.findByText(/Left out: 8 over the limit of 1000/)).toBeTruthy();
    expect(button("Make 997 links")).toBeTruthy();
  });

  it("prints a letter for each person, when every code is drawn", async () => {
    const printed: number[] = [];
    vi.stubGlobal("print", () => printed.push(document.querySelectorAll(".letter svg").length));
    const { user, ring } = await open(["Anna", "Ben"]);
    await user.click(button("Print letters"));
    await waitFor(() => expect(printed).toEqual([2]));
    const letters = [...document.querySelectorAll(".letter")].map((letter) => letter.textContent);
    const [anna] = await ring.invited(ID);
    expect(letters).toHaveLength(2);
    expect(letters[0]).toContain("Planung");
    expect(letters[0]).toContain("An invitation for Anna");
    expect(letters[0]).toContain("Do not pass it on.");
    expect(letters[0]).toContain(`${URL_}${anna?.fragment}`);
    act(() => void window.dispatchEvent(new Event("afterprint")));
    expect(document.querySelector(".letters")).toBeNull();
  });
});

describe("who comes in by themselves", () => {
  it("is only who is invited, once these are more than five, and the host can undo that", async () => {
    const { user, server } = await open(people(4));
    await user.click(button("Invite more people"));
    await paste(user, "Person 5");
    await user.click(button("Make the link"));
    await screen.findByText(/^One link is made/);
    expect(server.asked).toEqual([]);
    await user.click(button("Invite more people"));
    await paste(user, "Person 6");
    await user.click(button("Make the link"));
    expect(await screen.findByText(/More than 5 people are invited/)).toBeTruthy();
    await expectAccessible();
    expect(screen.getByRole<HTMLInputElement>("switch").checked).toBe(true);
    await user.click(button("Undo"));
    await waitFor(() => expect(server.asked).toEqual(["entry invited", "entry open"]));
    // Once is enough.
    await user.click(button("Invite more people"));
    await paste(user, "Person 7");
    await user.click(button("Make the link"));
    await screen.findByText(/^One link is made/);
    expect(server.asked).toHaveLength(2);
  });

  it("is as the group inside has it, and changes there, too", async () => {
    const set = vi.fn(async () => "done" as const);
    const inside = insideOf({ entry: "invited", setEntry: set });
    const { user, server } = await open([], undefined, inside);
    const toggle = screen.getByRole<HTMLInputElement>("switch");
    expect(toggle.checked).toBe(true);
    await user.click(toggle);
    await waitFor(() => expect(set).toHaveBeenCalledWith("open"));
    expect(server.asked).toEqual(["entry open"]);
    expect(screen.queryByText(/From outside/)).toBeNull();
  });
});

describe("without the server", () => {
  it("links are still at hand, and the dialog says what it does not know", async () => {
    const { user, server } = await open(["Anna"]);
    server.isAway = true;
    await user.click(screen.getByRole("switch"));
    const note = () => document.querySelector(".invite__note[role=alert]");
    await waitFor(() => expect(note()?.textContent).toContain("The server cannot be reached."));
    expect(within(row("Anna")).getByText("Not known right now")).toBeTruthy();
    await user.click(button("Copy the link: Anna"));
    expect(await clipboard()).toContain(URL_);
    await expectAccessible();
    server.isAway = false;
    await user.click(button("Try again"));
    expect(await within(row("Anna")).findByText("Not used yet")).toBeTruthy();
    expect(note()).toBeNull();
  });

  it("a press outside does not take what was typed with it", async () => {
    const { user, closed } = await open();
    await user.keyboard("{Escape}");
    expect(closed()).toBe(1);
    await paste(user, "Anna");
    expect(screen.getByRole("alertdialog", { name: "Personal links" })).toBeTruthy();
    await user.click(document.querySelector(".scrim") as HTMLElement);
    expect(closed()).toBe(1);
  });
});

/** The start page with the key ring: rooms with keys, titles, the 24 words, and what is in the way. */
import { screen, waitFor, within } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeShelf } from "../../../test/fakeShelf.ts";
import {
  type Asked,
  expectAccessible,
  problem,
  type Server,
  serve,
  showPage,
} from "../../../test/page.tsx";
import { newOperator, serveVault } from "../../../test/vaultServer.ts";
import type { RunningMeeting } from "../../api/types.ts";
import { HomeRoute } from "../../app/HomeRoute.tsx";
import { takeFragment } from "../../sealing/keys/address.ts";
import { b64, fromB64 } from "../../sealing/keys/bytes.ts";
import { openTitle, sealTitle } from "../../sealing/keys/intro.ts";
import { deriveLinkKeys, formatFragment, makeLink } from "../../sealing/keys/link.ts";
import { memoryStore } from "../../sealing/keys/store.ts";
import { addMeeting } from "../../sealing/vault/content.ts";
import { makeVault } from "../../sealing/vault/vault.ts";
import { recoveryWords } from "../../sealing/words/recovery.ts";
import { loadWords } from "../../sealing/words/wordList.ts";

const ID = "mtg_6mg8p21800ag05s2ctversgyed";
const ENDED = "mtg_00000000000000000000000003";
const NEWER = "mtg_00000000000000000000000004";
const room = (more: Partial<RunningMeeting> = {}): RunningMeeting => ({
  id: ID,
  opened_at: "2026-01-01T10:00:00Z",
  participants: 2,
  url: `https://meet.example/m/${ID}`,
  sealed_title: null,
  ...more,
});

class QuietSocket extends EventTarget {
  static readonly OPEN = 1;
  readyState = QuietSocket.OPEN;
  send() {}
  close() {}
}

interface Stage {
  readonly shelf: FakeShelf;
  readonly asked: Asked[];
  readonly server: Server;
  readonly user: UserEvent;
  /** What was put on the clipboard last. */
  readonly clipboard: () => Promise<string>;
}

beforeEach(() => {
  vi.stubGlobal("WebSocket", QuietSocket);
});

function open(rooms: RunningMeeting[] = [], shelf = new FakeShelf(), more: Server = {}): Stage {
  const user = userEvent.setup();
  const server: Server = {
    "GET /api/v1/session": newOperator().answer,
    "GET /api/v1/meetings": { body: { meetings: rooms } },
    [`PUT /api/v1/meetings/${ID}/title`]: { status: 204 },
    ...more,
  };
  const asked = serve(server);
  serveVault(shelf);
  showPage(<HomeRoute />);
  return { shelf, asked, server, user, clipboard: () => navigator.clipboard.readText() };
}

/** The bodies of the calls that set the room's title. */
function titlesSent(asked: readonly Asked[]): (string | null)[] {
  return asked
    .filter(({ call }) => call === `PUT /api/v1/meetings/${ID}/title`)
    .map(({ body }) => (body as { sealed_title: string | null }).sealed_title);
}

const button = (name: string | RegExp) => screen.findByRole("button", { name });

/** A vault that another browser has made, with the key of the room in it. */
async function vaultElsewhere(title = "") {
  const shelf = new FakeShelf();
  const made = await makeVault({ userId: "elsewhere", shelf, keys: memoryStore() });
  if (made.type !== "made") throw new Error(made.type);
  const link = await makeLink(made.vault.account.publicKey);
  const entry = { secret: b64(link.secret), title, at: 0 };
  await made.vault.change(addMeeting({ id: ID, ...entry }));
  await made.vault.change(addMeeting({ id: ENDED, ...entry }));
  const keys = await deriveLinkKeys(link.secret, ID);
  const words = await recoveryWords(made.recoverySecret, await loadWords("en"));
  const seal = async (text: string) => b64((await sealTitle(keys, text)) ?? new Uint8Array());
  return { shelf, vault: made.vault, words, keys, seal, fragment: formatFragment(link) };
}

async function typeWords(user: UserEvent, words: string): Promise<void> {
  await user.click(await button("Type the 24 words"));
  const field = await screen.findByLabelText("24 words");
  await user.click(field);
  await user.paste(words);
  await user.click(await button("Open the key ring"));
}

async function restore(user: UserEvent, words: readonly string[]): Promise<void> {
  await typeWords(user, words.join(" "));
  // Not the toast: those of other tests may stand before it.
  const notice = { name: "This browser does not have your key ring." };
  await waitFor(() => expect(screen.queryByRole("heading", notice)).toBeNull());
}

describe("a room started here", () => {
  /** The server: the room is in the list as soon as it is open. */
  function opening(): Server {
    const rooms: RunningMeeting[] = [];
    return {
      "GET /api/v1/meetings": () => ({ body: { meetings: rooms } }),
      "POST /api/v1/meetings": () => {
        rooms.push(room({ participants: 0 }));
        return { status: 201, body: rooms[0] };
      },
    };
  }

  it("has a key in memory, none in the address bar, and a title that only the link opens", async () => {
    const { user, asked, shelf } = open([], undefined, opening());
    await user.type(await screen.findByLabelText("What is it about? (optional)"), "Planung{Enter}");
    await waitFor(() => expect(location.pathname).toBe(`/m/${ID}`));
    expect(location.hash).toBe("");
    const found = takeFragment(ID);
    if (found.type !== "link") throw new Error(found.type);
    const [sealed = null] = titlesSent(asked);
    const keys = await deriveLinkKeys(found.link.secret, ID);
    expect(await openTitle(keys, fromB64(sealed ?? "") ?? new Uint8Array())).toBe("Planung");
    // The first version is the vault, the second has the room.
    expect(shelf.version).toBe(2);
    expect(JSON.stringify(asked)).not.toContain(b64(found.link.secret));
    expect(JSON.stringify(asked)).not.toContain("Planung");
  });

  it("needs no title, and one press", async () => {
    const { user, asked } = open([], undefined, opening());
    await user.click(await button("Start a room now"));
    await waitFor(() => expect(location.pathname).toBe(`/m/${ID}`));
    expect(asked.some(({ call }) => call.startsWith("PUT"))).toBe(false);
  });

  it("is entered without its title when the server does not take that", async () => {
    const { user } = open([], undefined, {
      ...opening(),
      [`PUT /api/v1/meetings/${ID}/title`]: problem(503, "unavailable"),
    });
    await user.type(await screen.findByLabelText("What is it about? (optional)"), "Planung{Enter}");
    expect(await screen.findByText("The room is open, but without its title.")).toBeTruthy();
    await waitFor(() => expect(location.pathname).toBe(`/m/${ID}`));
  });

  it("is entered when its key could not be kept, and that is said", async () => {
    const { user, shelf } = open([], undefined, opening());
    await screen.findByText("Write down your 24 words.");
    shelf.writes = "unavailable";
    await user.click(await button("Start a room now"));
    expect(await screen.findByText(/its key is in this tab only/)).toBeTruthy();
    await waitFor(() => expect(location.pathname).toBe(`/m/${ID}`));
    expect(takeFragment(ID).type).toBe("link");
  });
});

describe("the 24 words", () => {
  it("are offered until two of them came back from the paper", async () => {
    const { user, clipboard } = open();
    await screen.findByRole("heading", { name: "Write down your 24 words." });
    await expectAccessible();
    await user.click(await button("Show the 24 words"));
    const list = await screen.findByRole("list", { name: "The 24 words, in order" });
    const words = within(list)
      .getAllByRole("listitem")
      .map((item) => item.textContent?.replace(/^\d+ /, "") ?? "");
    expect(words).toHaveLength(24);
    await expectAccessible();
    await user.click(await button("Copy words"));
    expect(await clipboard()).toBe(words.join(" "));

    await user.click(await button("Later"));
    await user.click(await button("Show the 24 words"));
    const print = vi.fn();
    vi.stubGlobal("print", print);
    await user.click(await button("Print"));
    expect(print).toHaveBeenCalledOnce();

    await user.click(await button("I have written them down"));
    await screen.findByText("Is everything on paper?");
    await expectAccessible();
    const fields = screen.getAllByRole<HTMLInputElement>("textbox").filter(isWordField);
    expect(fields).toHaveLength(2);
    await user.type(fields[0] as HTMLElement, "nonsense");
    await user.click(await button("Done"));
    expect(await screen.findAllByText(/^This is not word/)).toHaveLength(2);
    await expectAccessible();
    for (const field of fields) {
      await user.clear(field);
      await user.type(field, words[numberOf(field) - 1] ?? "");
    }
    await user.click(await button("Done"));
    expect(await screen.findByText(/Your words are on paper/)).toBeTruthy();
    await waitFor(() => expect(screen.queryByText("Write down your 24 words.")).toBeNull());
  });

  const numberOf = (field: HTMLInputElement) =>
    Number(field.labels?.[0]?.textContent?.replace("Word ", ""));
  const isWordField = (field: HTMLInputElement) => numberOf(field) > 0;
});

describe("a browser without the key ring", () => {
  it("says so, opens it with the words, and shows titles then", async () => {
    const { shelf, words, seal, fragment } = await vaultElsewhere("old");
    const { user, clipboard } = open([room({ sealed_title: await seal("Spring plans") })], shelf);
    await screen.findByRole("heading", { name: "This browser does not have your key ring." });
    expect(await screen.findByText(/this browser has no key to it/)).toBeTruthy();
    expect(screen.queryByText("Spring plans")).toBeNull();
    await expectAccessible();
    await user.click(await button(/^Copy the link without its key/));
    expect(await screen.findByText(/Link copied without its key/)).toBeTruthy();
    expect(await clipboard()).toBe(room().url);

    await restore(user, words);
    expect(await screen.findByText("Spring plans")).toBeTruthy();
    expect(screen.queryByText(/has no key to it/)).toBeNull();
    await expectAccessible();
    await user.click(await button(/^Copy the link of the room/));
    expect(await clipboard()).toBe(room().url + fragment);
  });

  it.each([
    ["", "Please type the words from your paper."],
    ["one two three", "These are 3 words. There have to be 24."],
    ["swap", /Each word is one of ours/],
    ["typo", /^Word 5, “xylofonx”, is none of our words\./],
  ])("says what is wrong with %j", async (typed, said) => {
    const { shelf, words } = await vaultElsewhere();
    const other = await vaultElsewhere();
    const { user } = open([], shelf);
    const text: Record<string, readonly string[]> = {
      typo: words.with(4, "xylofonx"),
      swap: words.with(0, words[0] === "ivory" ? "harbor" : "ivory"),
    };
    // One in 256 other words has the same checksum, and opens nothing then.
    const isLucky = typed === "swap" ? /Each word is one of ours|open another key ring/ : said;
    if (typed === "") {
      await user.click(await button("Type the 24 words"));
      await user.click(await button("Open the key ring"));
    } else {
      await typeWords(user, text[typed]?.join(" ") ?? typed);
    }
    expect(await screen.findByText(isLucky)).toBeTruthy();
    await expectAccessible();
    const field = screen.getByLabelText("24 words");
    await user.clear(field);
    await user.click(field);
    await user.paste(other.words.join(" "));
    await user.click(await button("Open the key ring"));
    expect(await screen.findByText(/open another key ring/)).toBeTruthy();
  });

  it("still opens rooms, and leaves the vault as it is", async () => {
    const { shelf } = await vaultElsewhere();
    const { version } = shelf;
    const opened = room({ id: NEWER, url: "https://meet.example/m/newer" });
    const { user } = open([opened], shelf, {
      "POST /api/v1/meetings": { status: 201, body: opened },
    });
    await screen.findByText("This browser does not have your key ring.");
    await user.click(await button("Start a room now"));
    await waitFor(() => expect(location.pathname).toBe(`/m/${NEWER}`));
    expect(takeFragment(NEWER).type).toBe("link");
    expect(shelf.version).toBe(version);
  });
});

describe("the list", () => {
  it("forgets the keys of rooms that have ended, and no others", async () => {
    const { shelf, vault, words } = await vaultElsewhere();
    const { user } = open([room()], shelf);
    await restore(user, words);
    await waitFor(async () => {
      await vault.refresh();
      expect(vault.content.meetings.map(({ id }) => id)).toEqual([ID]);
    });
  });

  it("learns of a room that another device opens", async () => {
    const { shelf, vault, words } = await vaultElsewhere();
    const newer = room({ id: NEWER, url: "https://meet.example/m/newer" });
    const { user } = open([room(), newer], shelf);
    await restore(user, words);
    expect(await screen.findAllByText(/this browser has no key to it/)).toHaveLength(1);
    const [known] = vault.content.meetings;
    if (known === undefined) throw new Error("no meeting");
    await vault.change(addMeeting({ ...known, id: NEWER, title: "From the telephone" }));
    expect(await screen.findByText("From the telephone")).toBeTruthy();
    expect(screen.queryByText(/this browser has no key to it/)).toBeNull();
  });

  it("leads to the personal links of rooms with a key, and of no others", async () => {
    const { shelf, words } = await vaultElsewhere();
    const more = {
      [`GET /api/v1/meetings/${ID}`]: { body: { id: ID, is_open: true, entry: "invited" } },
      [`GET /api/v1/meetings/${ID}/invitations`]: { body: { invitations: [] } },
    };
    const { user } = open([room()], shelf, more);
    await button(/^Join the room/);
    expect(screen.queryByRole("button", { name: /^Invite/ })).toBeNull();
    await restore(user, words);
    await user.click(await button(/^Invite/));
    expect(await screen.findByRole("dialog", { name: "Personal links" })).toBeTruthy();
    expect((await screen.findByRole<HTMLInputElement>("switch")).checked).toBe(true);
    await user.click(await button("Done"));
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("renames a room, sealed", async () => {
    const { shelf, words, keys, seal } = await vaultElsewhere();
    const { user, asked } = open([room({ sealed_title: await seal("Spring plans") })], shelf);
    await restore(user, words);
    await user.click(await button(/^Rename the room/));
    const field = await screen.findByLabelText("Title");
    expect(field).toHaveProperty("value", "Spring plans");
    await expectAccessible();
    await user.clear(field);
    await user.type(field, "Summer plans{Enter}");
    expect(await screen.findByText("The room has its new title.")).toBeTruthy();
    const [sealed = null] = titlesSent(asked);
    expect(await openTitle(keys, fromB64(sealed ?? "") ?? new Uint8Array())).toBe("Summer plans");

    await user.click(await button(/^Rename the room/));
    await user.clear(await screen.findByLabelText("Title"));
    await user.click(await button("Save"));
    await waitFor(() => expect(titlesSent(asked)).toEqual([sealed, null]));
  });

  it("keeps a title that could not be saved", async () => {
    const { shelf, words } = await vaultElsewhere();
    const { user, server } = open([room()], shelf);
    await restore(user, words);
    server[`PUT /api/v1/meetings/${ID}/title`] = problem(503, "unavailable");
    await user.click(await button(/^Rename the room/));
    await user.type(await screen.findByLabelText("Title"), "Summer plans{Enter}");
    expect(await screen.findByText("The title could not be saved.")).toBeTruthy();
    expect(screen.getByLabelText("Title")).toHaveProperty("value", "Summer plans");
  });

  it("takes the key along to the door", async () => {
    const { shelf, words, fragment } = await vaultElsewhere();
    const { user } = open([room()], shelf);
    await restore(user, words);
    await user.click(await button(/^Join the room/));
    expect(location.pathname + location.hash).toBe(`/m/${ID}`);
    const found = takeFragment(ID);
    expect(found.type === "link" && formatFragment(found.link)).toBe(fragment);
  });
});

describe("a key ring that is in the way", () => {
  it("cannot be reached: no room without keys is opened, and there is a way to try again", async () => {
    const shelf = new FakeShelf();
    shelf.answer = "unavailable";
    const { user, asked } = open([room()], shelf);
    await screen.findByRole("heading", { name: "Your key ring cannot be reached right now." });
    await expectAccessible();
    await user.click(await button("Start a room now"));
    expect(await screen.findByText(/so no room was opened/)).toBeTruthy();
    expect(asked.some(({ call }) => call === "POST /api/v1/meetings")).toBe(false);
    shelf.answer = "ok";
    await user.click(await button("Try again"));
    await screen.findByRole("heading", { name: "Write down your 24 words." });
  });

  it("is damaged: said, with the way back that this browser has", async () => {
    // A room without a key makes it look for one on the ring.
    const { shelf, user } = open([room()]);
    await screen.findByText("Write down your 24 words.");
    const good = shelf.bytes;
    shelf.bytes = new Uint8Array(200);
    shelf.version += 1;
    await screen.findByRole("heading", { name: "Your key ring cannot be read any more." });
    await expectAccessible();
    await user.click(await button("Put it back"));
    expect(await screen.findByText("Your key ring is back.")).toBeTruthy();
    expect(shelf.bytes).toEqual(good);
  });

  it("belongs to somebody who is no longer signed in: the welcome", async () => {
    const shelf = new FakeShelf();
    shelf.answer = "signed-out";
    const answers = [newOperator().answer, { body: { user: null } }];
    const session = () => answers.shift() ?? { body: { user: null } };
    open([], shelf, { "GET /api/v1/session": session });
    expect(await screen.findByRole("heading", { name: "Come in with your link." })).toBeTruthy();
  });

  it("has no place in a browser without https", async () => {
    vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
    open();
    await screen.findByRole("heading", { name: "This browser keeps no keys at this address." });
    expect((await button("Start a room now")).getAttribute("aria-disabled")).toBe("true");
    await expectAccessible();
  });
});

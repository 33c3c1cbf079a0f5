import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  type Asked,
  expectAccessible,
  problem,
  type Server,
  serve,
  showPage,
} from "../../../test/page.tsx";
import { newOperator, serveVault } from "../../../test/vaultServer.ts";
import { HomeRoute } from "../../app/HomeRoute.tsx";
import { fromB64 } from "../../sealing/keys/bytes.ts";
import { openPlan } from "../../sealing/keys/intro.ts";
import { deriveLinkKeys, parseFragment } from "../../sealing/keys/link.ts";

const IDS = ["mtg_6mg8p21800ag05s2ctversgyed", "mtg_6mg8p21800ag05s2ctversgyee"];
const SLOW = { timeout: 15_000 };

class DeafSocket extends EventTarget {
  send() {}
  close() {}
}

type Kept = Record<string, unknown> & { id: string };

let server: Server;
let asked: Asked[];
let meetings: Kept[];
let files: string[];

/** A server that keeps what it is sent, as ours does. */
function serveMeetings(): void {
  meetings = [];
  const last = (call: string) => asked.findLast((one) => one.call === call)?.body as object;
  const set = (id: string, changes: object) => {
    meetings = meetings.map((one) => (one.id === id ? { ...one, ...changes } : one));
    return { status: 204 };
  };
  server = {
    "GET /api/v1/session": newOperator().answer,
    "GET /api/v1/meetings": () => ({ body: { meetings, can_mail: true } }),
    "POST /api/v1/meetings": () => {
      const id = IDS.find((one) => !asked.some(({ call }) => call.includes(one))) ?? "";
      const made = {
        id,
        opened_at: "2026-01-01T10:00:00Z",
        participants: 0,
        url: `${location.origin}/m/${id}`,
        entry: "open",
        sealed_title: null,
        keep: "while-used",
        keep_until: null,
        sealed_plan: null,
        is_own_room: false,
      };
      meetings = [made, ...meetings];
      return { status: 201, body: made };
    },
  };
  for (const id of IDS) {
    const path = `/api/v1/meetings/${id}`;
    server[`PUT ${path}/plan`] = () => set(id, last(`PUT ${path}/plan`));
    server[`PUT ${path}/title`] = () => set(id, last(`PUT ${path}/title`));
    server[`PUT ${path}/entry`] = () => set(id, last(`PUT ${path}/entry`));
    server[`DELETE ${path}`] = () => {
      meetings = meetings.filter((one) => one.id !== id);
      return { status: 204 };
    };
    server[`POST ${path}/letters`] = () => ({
      body: { mail_errors: (last(`POST ${path}/letters`) as { to: string[] }).to.map(() => null) },
    });
    server[`GET ${path}`] = () => ({ body: meetings.find((one) => one.id === id) ?? {} });
    server[`GET ${path}/invitations`] = { body: { invitations: [] } };
  }
}

beforeEach(() => {
  vi.stubGlobal("WebSocket", DeafSocket);
  serveMeetings();
  asked = serve(server);
  serveVault();
  files = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    void (blob as Blob).text().then((text) => files.push(text));
    return "blob:here";
  });
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockReturnValue();
});

/** Axe takes what is `hidden` here for shown: the fields of dates are looked at in a real browser. */
const show = () => showPage(<HomeRoute />);

const user = userEvent.setup();
const bodies = (call: string) =>
  asked.filter((one) => one.call === call).map(({ body }) => body as Record<string, unknown>);
const press = async (name: string | RegExp) =>
  user.click(await screen.findByRole("button", { name }, SLOW));

async function openForm() {
  await press("Schedule");
  return screen.findByRole("dialog", { name: "Plan a meeting" }, SLOW);
}

async function choose(field: RegExp, option: string): Promise<void> {
  await press(field);
  await user.click(await screen.findByRole("option", { name: option }));
}

/** A lesson every week, ten times; its link is what comes back. */
async function planLesson(): Promise<string> {
  const form = await openForm();
  await user.type(within(form).getByLabelText("Title"), "Violin lesson");
  await choose(/Repeat$/, "Every week");
  await choose(/Ends$/, "After some times");
  await user.type(within(form).getByLabelText("Note"), "Bring the scores.");
  await press("Plan it");
  const saved = await screen.findByRole("dialog", { name: "It is planned." }, SLOW);
  return within(saved).getByText(/#1\./).textContent ?? "";
}

async function contentOf(link: string, sealed: unknown) {
  const fragment = parseFragment(new URL(link).hash);
  const bytes = fromB64(String(sealed));
  if (fragment.type !== "link" || bytes === null) throw new Error("no link");
  return openPlan(await deriveLinkKeys(fragment.link.secret, IDS[0] ?? ""), bytes);
}

describe("planning a meeting", () => {
  beforeEach(() => void show());

  it("seals what is planned, and tells the server how long to keep it", async () => {
    expect(
      await screen.findByText(
        "Nothing planned. Start a room, or send someone your link.",
        {},
        SLOW,
      ),
    ).toBeTruthy();
    const link = await planLesson();
    await expectAccessible();
    const [plan] = bodies(`PUT /api/v1/meetings/${IDS[0]}/plan`);
    expect(plan?.["keep"]).toBe("until");
    // Nine weeks, the lesson, and a week after it; the first is within the next hour.
    const days = (Date.parse(String(plan?.["keep_until"])) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(69);
    expect(days).toBeLessThan(71.2);
    expect(await contentOf(link, plan?.["sealed_plan"])).toMatchObject({
      v: 1,
      title: "Violin lesson",
      note: "Bring the scores.",
      minutes: 45,
      template: "none",
      except: [],
      rule: expect.stringMatching(/^FREQ=WEEKLY;BYDAY=[A-Z]{2};COUNT=10$/),
    });
    expect(JSON.stringify(asked)).not.toContain("Violin");
    expect(JSON.stringify(asked)).not.toContain("FREQ");

    await press("Save calendar file");
    await waitFor(() => expect(files).toHaveLength(1));
    const unfolded = files[0]?.replaceAll("\r\n ", "");
    expect(unfolded).toContain(`URL:${link}`);
    expect(unfolded).toContain("SUMMARY:Violin lesson");
    expect(unfolded).toMatch(/RRULE:FREQ=WEEKLY;BYDAY=..;COUNT=10/);

    await press("Done");
    const row = (await screen.findByText("Violin lesson")).closest("li");
    expect(row?.textContent).toMatch(/45 minutes.*Every week on \w+, 10 times/);
    expect(screen.getByRole("heading", { name: "No room is open." })).toBeTruthy();
    await expectAccessible();
  });

  it("a time that has passed is refused with a calm sentence, and nothing is sent", async () => {
    // Here each move of the mark tells of itself once more, without end.
    vi.spyOn(Selection.prototype, "collapse").mockReturnValue();
    const form = await openForm();
    const year = within(form).getByRole("spinbutton", { name: /^year/i });
    await user.click(year);
    await user.keyboard("2020");
    await press("Plan it");
    expect(
      await within(form).findByText("This time has passed. Please choose a later one."),
    ).toBeTruthy();
    await user.click(year);
    await user.keyboard("2199");
    await press("Plan it");
    expect(await within(form).findByText(/^This is more than two years away/)).toBeTruthy();
    expect(bodies("POST /api/v1/meetings")).toHaveLength(0);
  });

  it("only for invited people, without end: kept until it is cancelled", async () => {
    const form = await openForm();
    await choose(/Repeat$/, "Every day");
    await user.click(within(form).getByRole("radio", { name: "Only invited people" }));
    await press("Plan it");
    await screen.findByRole("dialog", { name: "It is planned." }, SLOW);
    expect(bodies(`PUT /api/v1/meetings/${IDS[0]}/plan`)).toMatchObject([
      { keep: "always", keep_until: null },
    ]);
    expect(bodies(`PUT /api/v1/meetings/${IDS[0]}/entry`)).toEqual([{ entry: "invited" }]);
    expect(screen.getByText(/^Whoever comes with this link knocks\./)).toBeTruthy();
  });

  it("what the server does not keep leaves no room behind, and the form as it was", async () => {
    server[`PUT /api/v1/meetings/${IDS[0]}/plan`] = problem(409, "too_many_planned");
    const form = await openForm();
    await user.type(within(form).getByLabelText("Title"), "Choir");
    await press("Plan it");
    expect(await within(form).findByText(/^You have 200 planned meetings already/)).toBeTruthy();
    expect(within(form).getByLabelText("Title")).toHaveProperty("value", "Choir");
    expect(meetings).toEqual([]);
  });

  it("a note that is too long when sealed is said to be so", async () => {
    const form = await openForm();
    await user.click(within(form).getByLabelText("Note"));
    await user.paste("漢".repeat(1_900));
    await press("Plan it");
    expect(await within(form).findByText(/Please shorten the note/)).toBeTruthy();
    expect(meetings).toEqual([]);
  });
});

describe("what is planned", () => {
  beforeEach(() => void show());

  async function menu(entry: string | RegExp): Promise<void> {
    await press("More for Violin lesson");
    await user.click(await screen.findByRole("menuitem", { name: entry }));
  }

  it("is changed, one date is left out and taken up again", async () => {
    const link = await planLesson();
    await press("Done");
    await menu(/^Leave out /);
    await press("Leave it out");
    await screen.findByText(/is left out\.$/);
    const sealed = () => bodies(`PUT /api/v1/meetings/${IDS[0]}/plan`).at(-1)?.["sealed_plan"];
    const left = await contentOf(link, sealed());
    expect(left?.["except"]).toEqual([String(left?.["start"]).slice(0, 10)]);

    await menu("Edit");
    const form = await screen.findByRole("dialog", { name: "Change the plan" });
    expect(within(form).getByRole("button", { name: /^Every week Repeat$/ })).toBeTruthy();
    await user.click(within(form).getByRole("button", { name: /^Put back: / }));
    await user.type(within(form).getByLabelText("Title"), "s");
    await press("Save");
    await screen.findByText("The plan is saved.");
    expect(await contentOf(link, sealed())).toMatchObject({ title: "Violin lessons", except: [] });
    expect(await screen.findByText("Violin lessons")).toBeTruthy();
  });

  it("is cancelled only after the question", async () => {
    await planLesson();
    await press("Done");
    await menu("Cancel meeting");
    const question = await screen.findByRole("alertdialog", { name: "Cancel this meeting?" });
    expect(within(question).getByText(/all links to it stop working/)).toBeTruthy();
    await expectAccessible();
    expect(bodies(`DELETE /api/v1/meetings/${IDS[0]}`)).toHaveLength(0);
    await user.click(within(question).getByRole("button", { name: "Cancel the meeting" }));
    expect(await screen.findByText("The meeting is cancelled.")).toBeTruthy();
    expect(await screen.findByText(/^Nothing planned\./)).toBeTruthy();
  });

  it("letters show all that the server will read before anything is sent", async () => {
    const link = await planLesson();
    const letters = `POST /api/v1/meetings/${IDS[0]}/letters`;
    await press("Mail invitation…");
    const dialog = await screen.findByRole("dialog", { name: "Mail invitation" });
    const shown = within(dialog).getByRole("region", { name: "What the server reads" });
    expect(shown.textContent).toContain("Violin lesson");
    expect(shown.textContent).toContain(link);
    expect(shown.textContent).toContain("Bring the scores.");
    await press("Send");
    expect(await within(dialog).findByText("Please enter an address.")).toBeTruthy();
    const field = within(dialog).getByLabelText("Addresses");
    await user.type(field, "anna@example.org, ben");
    await press("Send");
    expect(await within(dialog).findByText("This is no e-mail address: ben")).toBeTruthy();
    await expectAccessible();
    expect(bodies(letters)).toHaveLength(0);
    await user.type(field, "@example.org");
    expect(shown.textContent).toContain("anna@example.org, ben@example.org");
    await press("Send 2 letters");
    expect(await screen.findByText("2 letters are on their way.")).toBeTruthy();
    const [letter] = bodies(letters);
    expect(letter?.["to"]).toEqual(["anna@example.org", "ben@example.org"]);
    expect(letter?.["subject"]).toBe("Violin lesson");
    expect(shown.textContent).toContain(String(letter?.["text"]).trimEnd());
    expect(letter?.["ics"]).toMatch(/^BEGIN:VCALENDAR\r\n[\s\S]*\r\nEND:VCALENDAR\r\n$/);
  });

  it("letters that could not be sent are named, and their addresses stay", async () => {
    server[`POST /api/v1/meetings/${IDS[0]}/letters`] = {
      body: { mail_errors: [null, "recipient"] },
    };
    await planLesson();
    await press("Mail invitation…");
    const dialog = await screen.findByRole("dialog", { name: "Mail invitation" });
    const field = within(dialog).getByLabelText("Addresses");
    await user.type(field, "anna@example.org ben@example.org");
    await press("Send 2 letters");
    expect(
      await within(dialog).findByText(/^These could not be sent: ben@example\.org/),
    ).toBeTruthy();
    expect(field).toHaveProperty("value", "ben@example.org");
  });
});

describe("a plan without its key", () => {
  it("shows no words, and can be cancelled", async () => {
    meetings = [
      {
        id: IDS[0] ?? "",
        opened_at: "2026-01-01T10:00:00Z",
        participants: 0,
        url: `${location.origin}/m/${IDS[0]}`,
        entry: "open",
        keep: "always",
        keep_until: null,
        sealed_plan: "AAAA",
      },
    ];
    show();
    const more = await screen.findByRole("button", { name: "More for Meeting" }, SLOW);
    expect(screen.queryByText(/^Nothing planned/)).toBeNull();
    await user.click(more);
    expect((await screen.findAllByRole("menuitem")).map((one) => one.textContent)).toEqual([
      "Cancel meeting",
    ]);
  });
});

describe("one's own room", () => {
  beforeEach(() => void show());

  it("is made once, and gets another link only after the question", async () => {
    await press("Make my room");
    await screen.findByRole("button", { name: "Open your own room" }, SLOW);
    expect(bodies(`PUT /api/v1/meetings/${IDS[0]}/plan`)).toEqual([
      { keep: "always", keep_until: null, sealed_plan: null, is_own_room: true },
    ]);
    expect(bodies(`PUT /api/v1/meetings/${IDS[0]}/entry`)).toEqual([{ entry: "invited" }]);
    await expectAccessible();
    await press("New link");
    const named = { name: "A new link for your own room?" };
    const question = await screen.findByRole("alertdialog", named);
    await user.click(within(question).getByRole("button", { name: "New link" }));
    await waitFor(() => expect(screen.queryByRole("alertdialog", named)).toBeNull());
    expect(bodies(`DELETE /api/v1/meetings/${IDS[0]}`)).toHaveLength(1);
    expect(meetings.map(({ id }) => id)).toEqual([IDS[1]]);
  });

  it("of which another browser was faster leaves no second one behind", async () => {
    server[`PUT /api/v1/meetings/${IDS[0]}/plan`] = problem(409, "own_room");
    await press("Make my room");
    await waitFor(() => expect(bodies(`DELETE /api/v1/meetings/${IDS[0]}`)).toHaveLength(1), SLOW);
    await waitFor(() => expect(meetings).toEqual([]));
    expect(await screen.findByRole("button", { name: "Make my room" })).toBeTruthy();
  });
});

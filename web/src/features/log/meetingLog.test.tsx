/** A host's own meetings and what happened in one of them, with names from the key ring. */
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { expectAccessible, problem, type Server, serve, showPage } from "../../../test/page.tsx";
import { newOperator, serveVault } from "../../../test/vaultServer.ts";
import type { AuditEntry } from "../../api/audit.ts";
import { Routes } from "../../app/Routes.tsx";
import { pageAfterSignIn, rememberPage } from "../../identity/afterSignIn.ts";
import { keyRingOf } from "../../vault/session.ts";

const ID = "mtg_6mg8p21800ag05s2ctversgyed";
const AUDIT = `GET /api/v1/meetings/${ID}/audit`;
const AT = "2026-01-02T10:00:00Z";
const user = userEvent.setup();

const entry = (number: number, type: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  number,
  at: AT,
  type,
  user_id: null,
  meeting_id: ID,
  details: {},
  hash: `${number}`.repeat(8),
  ...more,
});

/** `names`: whom the host has invited; the answer: the ids of the links. */
async function open(
  path: string,
  server: (ids: readonly string[], userId: string) => Server,
  names: readonly string[] | null = [],
): Promise<Server> {
  history.replaceState(null, "", path);
  const { id } = newOperator();
  const all: Server = {
    "GET /api/v1/session": {
      body: {
        user: { id, role: "member", login: "hanna", created_at: AT, has_sign_in: true },
        registration: "closed",
      },
    },
  };
  serve(all);
  let ids: string[] = [];
  if (names !== null) {
    serveVault();
    const ring = await keyRingOf(id);
    await ring.canHost();
    await ring.addRoom(ID, "Planning");
    const people = names.map((name) => ({ name, role: "attendee", expiresAt: 0 }) as const);
    const inviting = await ring.invite(ID, people);
    if (inviting.type !== "made") throw new Error(inviting.type);
    ids = inviting.made.map((one) => one.id);
  }
  Object.assign(all, server(ids, id));
  showPage(<Routes />);
  return all;
}

const rows = async () =>
  within(await screen.findByRole("list", { name: "What happened" })).getAllByRole("listitem");

describe("what happened in a meeting", () => {
  it("names the links whose names this browser knows", async () => {
    await open(
      `/log/${ID}`,
      ([ada], userId) => ({
        [AUDIT]: {
          body: {
            entries: [
              entry(9, "invitation.passed_on", { details: { invitation_id: ada } }),
              entry(8, "invitation.bound", { details: { invitation_id: "B".repeat(22) } }),
              entry(7, "sealing.member_gone", { details: { identity: "x", why: "removed" } }),
              entry(2, "meeting.opened", { user_id: userId }),
            ],
            has_more: false,
          },
        },
      }),
      ["Ada Lovelace"],
    );
    await screen.findByText(/personal link of/);
    const texts = (await rows()).map(({ textContent }) =>
      textContent?.replace(/Jan 2, 2026, [\d:]+ [AP]M/, "@").replace(/[\u2068\u2069]/g, ""),
    );
    expect(texts).toEqual([
      "9Personal link refused: it came from another device@ · personal link of Ada Lovelace",
      "8Personal link used for the first time: it belongs to a device now@",
      "7Somebody is out of a meeting@ · removed by a host",
      "2Meeting opened@ · you",
    ]);
    expect(screen.getByText(/^Planning/)).toBeTruthy();
    expect(screen.getByText(ID)).toBeTruthy();
    await expectAccessible();
  });

  it("is told without names when the key ring is out of reach", async () => {
    await open(
      `/log/${ID}`,
      () => ({
        [AUDIT]: {
          body: {
            entries: [entry(3, "invitation.revoked", { details: { invitation_id: "A" } })],
            has_more: false,
          },
        },
      }),
      null,
    );
    const [only] = await rows();
    expect(only?.textContent).toMatch(/^3Personal link taken back/);
    expect(only?.textContent).not.toContain("personal link of");
  });

  it("is nobody else's", async () => {
    await open(`/log/${ID}`, () => ({ [AUDIT]: problem(404, "not_found") }));
    expect((await screen.findByRole("alert")).textContent).toBe(
      "There is no such meeting of yours, or it was too long ago.",
    );
    expect(screen.getByRole("link", { name: "Your other meetings" })).toBeTruthy();
  });

  it("comes in pages, and can be asked for again", async () => {
    const page = (number: number, has_more: boolean) => ({
      body: { entries: [entry(number, "meeting.opened")], has_more },
    });
    const server = await open(`/log/${ID}`, () => ({ [AUDIT]: page(9, true) }));
    await user.click(await screen.findByRole("button", { name: "Show earlier ones" }));
    await screen.findByRole("alert");
    server[`${AUDIT}?before=9`] = page(2, false);
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(async () => expect(await rows()).toHaveLength(2));
  });
});

describe("one's own meetings", () => {
  const OWN = "GET /api/v1/audit/meetings";
  const meeting = (id: string, ended_at: string | null) => ({ id, opened_at: AT, ended_at });

  it("are listed after their end too, and lead to what happened", async () => {
    const server = await open("/log/meetings", () => ({
      [OWN]: { body: { meetings: [meeting(ID, null)], has_more: true } },
      [`${OWN}?before=${ID}`]: { body: { meetings: [meeting("mtg_2", AT)], has_more: false } },
      "GET /api/v1/meetings/mtg_2/audit": { body: { entries: [], has_more: false } },
    }));
    await user.click(await screen.findByRole("button", { name: "Show earlier ones" }));
    await waitFor(() => expect(screen.getAllByRole("link", { name: /^Opened/ })).toHaveLength(2));
    expect(screen.getByText(/open now/).textContent).toBe("Planning · open now");
    expect(screen.getByText(/^ended Jan 2, 2026/)).toBeTruthy();
    await expectAccessible();
    await user.click(screen.getAllByRole("link", { name: /^Opened/ })[1] as HTMLElement);
    expect(await screen.findByText("mtg_2")).toBeTruthy();
    expect(await screen.findByText("Nothing has happened yet.")).toBeTruthy();
    expect(Object.keys(server)).toContain(OWN);
  });

  it("may be none", async () => {
    await open("/log/meetings", () => ({ [OWN]: { body: { meetings: [], has_more: false } } }));
    expect(await screen.findByText(/You have not opened a meeting yet/)).toBeTruthy();
  });
});

describe("who has to sign in first", () => {
  it.each([
    ["/log/meetings", "/log/meetings"],
    [`/log/${ID}`, `/log/${ID}`],
    ["/log/../../evil", "/"],
    ["/log/mtg_1/x", "/"],
    ["/log//evil.example", "/"],
  ])("comes from %s back to %s", (from, back) => {
    rememberPage(from, "");
    expect(pageAfterSignIn()).toBe(back);
  });
});

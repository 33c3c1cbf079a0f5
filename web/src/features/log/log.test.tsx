import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { expectAccessible, problem, type Server, serve, showPage } from "../../../test/page.tsx";
import type { AuditEntry } from "../../api/audit.ts";
import type { User } from "../../api/types.ts";
import { Routes } from "../../app/Routes.tsx";

const AT = "2026-01-02T10:00:00Z";
const USER: User = {
  id: "usr_1",
  role: "operator",
  login: "hanna",
  created_at: AT,
  has_sign_in: true,
  unseen_notices: 0,
};
const entry = (number: number, more: Partial<AuditEntry> = {}): AuditEntry => ({
  number,
  at: AT,
  type: "account.signed_in",
  user_id: "usr_1",
  meeting_id: null,
  details: { session_id: "ses_1", method: "passkey", is_new_device: true },
  hash: `${number}`.repeat(8),
  ...more,
});

function open(entries: AuditEntry[], more: Server = {}, hasMore = false) {
  history.replaceState(null, "", "/log");
  const member = {
    ...USER,
    last_seen_at: AT,
    is_suspended: false,
    passkeys: 1,
    has_password: true,
  };
  const server: Server = {
    "GET /api/v1/session": { body: { user: USER, registration: "closed" } },
    "GET /api/v1/members": {
      body: {
        members: [member, { ...member, id: "usr_2", login: "jonas" }],
        invitations: [],
        can_mail: false,
      },
    },
    "GET /api/v1/audit": { body: { entries, has_more: hasMore } },
    ...more,
  };
  const asked = serve(server);
  showPage(<Routes />);
  return { server, asked, user: userEvent.setup() };
}

const rows = async () =>
  within(await screen.findByRole("list", { name: "Audit log" })).getAllByRole("listitem");

describe("/log", () => {
  it("says what happened, by whom, and what else is known", async () => {
    open([
      entry(6, { type: "member.removed", user_id: "usr_2", details: { by: "usr_1" } }),
      entry(5, { type: "account.recovery_code_used", details: { left: 1 } }),
      entry(4, {
        type: "meeting.ended",
        user_id: null,
        meeting_id: "mtg_1",
        details: { reason: "empty" },
      }),
      entry(3),
      entry(2, { type: "member.role_changed", details: { by: "usr_1", role: "operator" } }),
      entry(1, { type: "something.new", details: { shape: "round", wide: false } }),
    ]);
    await screen.findByText(/jonas · by you/);
    const texts = (await rows()).map(({ textContent }) => textContent);
    const when = new Intl.DateTimeFormat("en-US", { dateStyle: "medium", timeStyle: "medium" });
    const past = texts.map((text) => text?.replace(when.format(new Date(AT)), "@"));
    expect(past).toEqual([
      "6Member removed@ · jonas · by you",
      "5Recovery code used@ · you · one code left",
      "4Meeting ended@ · everybody had left · mtg_1",
      "3Signed in@ · you · by passkey · a new device",
      "2Role changed@ · you · operator",
      "1something.new@ · you · shape: round",
    ]);
    expect(screen.getByRole("link", { name: "Log" }).getAttribute("aria-current")).toBe("page");
    await expectAccessible();
  });

  it("brings earlier entries when asked, and can be asked again", async () => {
    const { server, user } = open([entry(3), entry(2)], {}, true);
    const earlier = await screen.findByRole("button", { name: "Show earlier ones" });
    await user.click(earlier);
    expect((await screen.findByRole("alert")).textContent).toContain("Try again");
    expect(await rows()).toHaveLength(2);
    server["GET /api/v1/audit?before=2"] = { body: { entries: [entry(1)], has_more: false } };
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByText("1");
    expect(await rows()).toHaveLength(3);
    expect(screen.queryByRole("button", { name: "Show earlier ones" })).toBeNull();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("hands over the line that makes changes visible", async () => {
    const { user } = open([entry(2), entry(1)]);
    const write = vi.spyOn(navigator.clipboard, "writeText");
    await user.click(await screen.findByRole("button", { name: "Copy the line" }));
    expect(write).toHaveBeenCalledWith("Entry 2: 22222222");
    expect(await screen.findByText("Line copied.")).toBeTruthy();
  });

  it("says so when nothing has happened", async () => {
    open([]);
    expect(await screen.findByText("Nothing has happened yet.")).toBeTruthy();
  });

  it("is not for members", async () => {
    open([], {
      "GET /api/v1/session": {
        body: { user: { ...USER, role: "member" }, registration: "closed" },
      },
      "GET /api/v1/audit": problem(403, "forbidden"),
    });
    const forbidden = await screen.findByText("Only those who run this server see its log.");
    expect(forbidden.closest("[role=alert]")?.textContent).toBe(forbidden.textContent);
    expect(within(screen.getByRole("navigation")).queryByRole("link", { name: "Log" })).toBeNull();
  });
});

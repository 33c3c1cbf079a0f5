import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { expectAccessible, problem, type Server, serve, showPage } from "../../../test/page.tsx";
import type { Member, Members } from "../../api/members.ts";
import type { User } from "../../api/types.ts";
import { Routes } from "../../app/Routes.tsx";

const DAY = "2026-01-02T10:00:00Z";
const ME: User = {
  id: "usr_1",
  role: "operator",
  login: "hanna",
  created_at: DAY,
  has_sign_in: true,
  unseen_notices: 0,
};
const member = (more: Partial<Member> = {}): Member => ({
  id: "usr_2",
  role: "member",
  login: "jonas",
  created_at: DAY,
  last_seen_at: DAY,
  is_suspended: false,
  passkeys: 1,
  has_password: true,
  ...more,
});
const SELF = member({ id: "usr_1", role: "operator", login: "hanna" });
const URL = "https://meet.example/welcome#secret";

function open(members: Partial<Members> = {}, more: Server = {}, role: User["role"] = "operator") {
  history.replaceState(null, "", "/members");
  const list: Members = { members: [SELF, member()], invitations: [], can_mail: false, ...members };
  const server: Server = {
    "GET /api/v1/session": { body: { user: { ...ME, role }, registration: "closed" } },
    "GET /api/v1/members": { body: list },
    ...more,
  };
  const asked = serve(server);
  showPage(<Routes />);
  const user = userEvent.setup();
  const press = async (name: string | RegExp) =>
    user.click(await screen.findByRole("button", { name }));
  const choose = async (name: string) => {
    await press("More for jonas");
    await user.click(await screen.findByRole("menuitem", { name }));
    return screen.findByRole("alertdialog");
  };
  const calls = (call: string) => asked.filter((one) => one.call === call);
  return { calls, server, user, press, choose, list };
}

describe("/members", () => {
  it("lists who has an account, and what is special about each", async () => {
    open({
      members: [
        SELF,
        member({ login: null, passkeys: 0, has_password: false, last_seen_at: null }),
        member({ id: "usr_3", login: "lena", is_suspended: true, passkeys: 2 }),
      ],
    });
    const [self, unnamed, lena] = within(
      await screen.findByRole("region", { name: "3 members" }),
    ).getAllByRole("listitem");
    expect(self?.textContent).toContain("hannaYouOperator");
    expect(self && within(self).queryByRole("button")).toBeNull();
    expect(unnamed?.textContent).toContain("Member without a name");
    expect(unnamed?.textContent).toContain("No way to sign in set up yet");
    expect(lena?.textContent).toContain("lenaSuspended2 passkeys · Password and code");
    expect(screen.getByRole("link", { name: "Members" }).getAttribute("aria-current")).toBe("page");
    await expectAccessible();
  });

  it("says what to do when nobody else is there", async () => {
    open({ members: [SELF] });
    expect(await screen.findByText(/You are the only one\. Invite the people/)).toBeTruthy();
  });

  it("is not for members", async () => {
    open({}, { "GET /api/v1/members": problem(403, "forbidden") }, "member");
    expect(await screen.findByText(/Only those who run this server/)).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Members" })).toBeNull();
    await expectAccessible();
  });

  it("tries again when the server was away", async () => {
    const { server, press, list } = open(
      {},
      { "GET /api/v1/members": problem(503, "unavailable") },
    );
    await press("Try again");
    server["GET /api/v1/members"] = { body: list };
    await press("Try again");
    expect(await screen.findByText("jonas")).toBeTruthy();
  });
});

describe("an invitation", () => {
  const INVITE = "POST /api/v1/members/invitations";
  const made = (more: object = {}) => ({
    body: { id: "inv_1", url: URL, expires_at: DAY, mailed: false, mail_error: null, ...more },
  });

  it("is a link to hand over, shown once, with a code for cameras", async () => {
    const { calls, user, press } = open({}, { [INVITE]: made() });
    await press("Invite");
    await screen.findByRole("alertdialog", { name: "Invite somebody" });
    await expectAccessible();
    expect(screen.queryByRole("switch")).toBeNull();
    await user.click(screen.getByRole("radio", { name: /^Operator/ }));
    await user.type(screen.getByRole("textbox"), " lena ");
    await press("Make the link");
    await screen.findByRole("alertdialog", { name: "Hand over this link" });
    expect(screen.getByText(URL)).toBeTruthy();
    expect(await screen.findByRole("img", { name: "QR code of the link" })).toBeTruthy();
    await expectAccessible();
    await press("Copy link");
    expect(await navigator.clipboard.readText()).toBe(URL);
    expect(calls(INVITE).map(({ body }) => body)).toEqual([
      { role: "operator", login: "lena", mail: false, language: "en" },
    ]);
    await press("Done");
    await waitFor(() => expect(screen.queryByText(URL)).toBeNull());
  });

  it("goes by mail where the server can, and says when it did not", async () => {
    const { calls, user, press, server } = open(
      { can_mail: true },
      { [INVITE]: made({ mailed: true }) },
    );
    await press("Invite");
    await press("Send invitation");
    expect(await screen.findByText(/Please enter an e-mail address/)).toBeTruthy();
    await user.type(screen.getByRole("textbox"), "lena@example.org");
    await press("Send invitation");
    expect(await screen.findByText(/was sent by mail/)).toBeTruthy();
    expect(calls(INVITE)[0]?.body).toMatchObject({ login: "lena@example.org", mail: true });
    await press("Done");
    server[INVITE] = made({ mail_error: "recipient" });
    await press("Invite");
    await user.type(await screen.findByRole("textbox"), "lena@example.org");
    await press("Send invitation");
    expect(await screen.findByText(/does not take this address/)).toBeTruthy();
    await expectAccessible();
  });

  it("can be withdrawn while it is open", async () => {
    const invitation = { id: "inv_1", role: "operator" as const, login: null };
    const withdraw = "DELETE /api/v1/members/invitations/inv_1";
    const { calls, press, user } = open(
      { invitations: [{ ...invitation, created_at: DAY, expires_at: DAY }] },
      { [withdraw]: { status: 204 } },
    );
    await screen.findByRole("heading", { name: "Open invitations" });
    await press("Withdraw the invitation: Without a name");
    const question = await screen.findByRole("alertdialog");
    await expectAccessible();
    await user.click(within(question).getByRole("button", { name: "Withdraw" }));
    expect(await screen.findByText("The invitation is withdrawn.")).toBeTruthy();
    expect(calls(withdraw)).toHaveLength(1);
  });
});

describe("a member", () => {
  it.each([
    [
      "Make an operator",
      "PUT /api/v1/members/usr_2/role",
      "Make an operator",
      /is an operator now/,
    ],
    ["Suspend", "POST /api/v1/members/usr_2/suspend", "Suspend", /is suspended/],
    ["Remove", "DELETE /api/v1/members/usr_2", "Remove for good", /jonas is removed/],
  ])("%s: only after the question, which says what happens", async (entry, call, go, done) => {
    const { calls, choose, user } = open({}, { [call]: { status: 204 } });
    const question = await choose(entry);
    await expectAccessible();
    expect(calls(call)).toHaveLength(0);
    await user.click(within(question).getByRole("button", { name: go }));
    expect(await screen.findByText(done)).toBeTruthy();
    expect(calls(call)).toHaveLength(1);
  });

  it("is restored", async () => {
    const { choose, user } = open(
      { members: [SELF, member({ is_suspended: true })] },
      { "POST /api/v1/members/usr_2/restore": { status: 204 } },
    );
    const question = await choose("Restore");
    await user.click(within(question).getByRole("button", { name: "Restore" }));
    expect(await screen.findByText("jonas can sign in again.")).toBeTruthy();
  });

  it("gets a link back to the account", async () => {
    const { choose, user } = open(
      {},
      { "POST /api/v1/members/usr_2/reset": { body: { url: URL, expires_at: DAY } } },
    );
    const question = await choose("Link back to the account");
    await user.click(within(question).getByRole("button", { name: "Make the link" }));
    expect(await screen.findByText(URL)).toBeTruthy();
    expect(screen.getByText(/It leads back to the account, once/)).toBeTruthy();
  });

  it("stays as it was when the server refuses, and says why", async () => {
    const { choose, user } = open(
      { members: [SELF, member({ role: "operator" })] },
      { "PUT /api/v1/members/usr_2/role": problem(409, "last_operator") },
    );
    const question = await choose("Make a member");
    await user.click(within(question).getByRole("button", { name: "Make a member" }));
    expect(await screen.findByText(/This is the only operator/)).toBeTruthy();
    await expectAccessible();
  });
});

import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type Answer,
  expectAccessible,
  problem,
  type Server,
  serve,
  showPage,
} from "../../../../test/page.tsx";
import { MADE, passkeyBrowser, refuse } from "../../../../test/passkeyBrowser.ts";
import type { Account } from "../../../api/account.ts";
import type { User } from "../../../api/types.ts";
import { Routes } from "../../../app/Routes.tsx";
import { FreshHost } from "../../../identity/FreshHost.tsx";

const USER: User = {
  id: "usr_78",
  role: "member",
  login: "hanna",
  created_at: "",
  has_sign_in: true,
  unseen_notices: 0,
};
const DAY = "2026-01-02T10:00:00Z";
const ACCOUNT: Account = {
  user: USER,
  passkeys: [
    { id: "psk_1", name: "Laptop", created_at: DAY, last_used_at: DAY, is_backed_up: false },
    { id: "psk_2", name: "Phone", created_at: DAY, last_used_at: null, is_backed_up: true },
  ],
  password: { is_set: true, changed_at: DAY },
  recovery_codes_left: 2,
  sessions: [
    {
      id: "ses_2",
      browser: "Firefox on Linux",
      place: "203.0.113.0/24",
      method: "passkey",
      created_at: DAY,
      last_seen_at: null,
      is_current: false,
    },
    {
      id: "ses_1",
      browser: "Chrome on Android",
      place: "",
      method: "telepathy",
      created_at: DAY,
      last_seen_at: DAY,
      is_current: true,
    },
  ],
  notices: [],
};
const CHALLENGE = { body: { challenge_id: "cha_1", options: { challenge: "AQID" } } };
const SEEN = "POST /api/v1/account/notices/seen";
const ASK_AGAIN = "POST /api/v1/account/reauthenticate/passkey/options";

function open(more: Server = {}, account: Partial<Account> = {}) {
  history.replaceState(null, "", "/account");
  const server: Server = {
    "GET /api/v1/session": { body: { user: USER, registration: "closed" } },
    "GET /api/v1/account": { body: { ...ACCOUNT, ...account } },
    [SEEN]: { status: 204 },
    ...more,
  };
  const asked = serve(server);
  showPage(
    <>
      <Routes />
      <FreshHost />
    </>,
  );
  const user = userEvent.setup();
  const press = async (name: string | RegExp) =>
    user.click(await screen.findByRole("button", { name }));
  const calls = (call: string) => asked.filter((one) => one.call === call);
  return { asked, calls, server, user, press };
}

const dialog = (name: string) => screen.findByRole("alertdialog", { name });

/** Fails as long as nobody has proven who is there. */
function guarded(answer: Answer): { act: () => Answer; prove: () => Answer } {
  let isFresh = false;
  return {
    act: () => (isFresh ? answer : problem(403, "reauthenticate")),
    prove: () => {
      isFresh = true;
      return { body: { fresh_until: DAY } };
    },
  };
}

beforeEach(() => {
  passkeyBrowser();
});

describe("/account", () => {
  it("shows how one signs in, where, and how", async () => {
    open();
    const passkeys = await screen.findByRole("region", { name: "Passkeys" });
    expect(within(passkeys).getByText("On several devices")).toBeTruthy();
    const sessions = screen.getByRole("region", { name: "Where you are signed in" });
    const [here, other] = within(sessions).getAllByRole("listitem");
    expect(here?.textContent).toContain("Chrome on AndroidHereSigned in");
    expect(other?.textContent).toContain("By passkey · 203.0.113.0/24");
    expect(screen.getByText("2 codes are left.")).toBeTruthy();
    await expectAccessible();
  });

  it("adds a passkey, and the server's note of it is no news", async () => {
    const { calls, press } = open({
      "POST /api/v1/account/passkeys/options": CHALLENGE,
      "POST /api/v1/account/passkeys": { body: { id: "psk_3" } },
    });
    await press("Add");
    expect(await screen.findByText("The passkey is added.")).toBeTruthy();
    expect(calls("POST /api/v1/account/passkeys")[0]?.body).toMatchObject({ credential: MADE });
    expect(calls(SEEN)).toHaveLength(1);
  });

  it("says why no passkey was added", async () => {
    passkeyBrowser().answer = () => Promise.reject(new DOMException("", "InvalidStateError"));
    const { press } = open({ "POST /api/v1/account/passkeys/options": CHALLENGE });
    await press("Add");
    expect(await screen.findByText(/has a passkey for your account already/)).toBeTruthy();
  });

  it("renames a passkey", async () => {
    const { calls, user, press } = open({ "PATCH /api/v1/account/passkeys/psk_2": { body: {} } });
    await press("Rename the passkey Phone");
    const field = await screen.findByRole("textbox", { name: "Name" });
    await user.clear(field);
    await press("Save");
    expect(await screen.findByText("Please enter a name.")).toBeTruthy();
    await user.type(field, "  Tablet ");
    await press("Save");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(calls("PATCH /api/v1/account/passkeys/psk_2")[0]?.body).toEqual({ name: "Tablet" });
  });

  it("removes nothing without the question, and never the last way in", async () => {
    const remove = "DELETE /api/v1/account/passkeys/psk_1";
    const { calls, press } = open({ [remove]: problem(409, "last_way_in") });
    await press("Remove the passkey Laptop");
    const question = await dialog("Remove the passkey Laptop?");
    await expectAccessible();
    expect(calls(remove)).toHaveLength(0);
    await userEvent.click(within(question).getByRole("button", { name: "Remove" }));
    expect(await screen.findByText(/This is the only way into the account/)).toBeTruthy();
  });

  it("makes new recovery codes after saying what happens to the old ones", async () => {
    const { press } = open({
      "POST /api/v1/account/recovery-codes": { body: { codes: ["AAAAA-1", "BBBBB-2"] } },
    });
    await press("Make new codes");
    const question = await dialog("Make new codes?");
    expect(within(question).getByText(/stop working at once/)).toBeTruthy();
    await userEvent.click(within(question).getByRole("button", { name: "Make new codes" }));
    expect(await screen.findByText("BBBBB-2")).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Copy" }));
    expect(await navigator.clipboard.readText()).toBe("AAAAA-1\nBBBBB-2");
  });

  it("makes the first codes at once", async () => {
    const { press } = open(
      { "POST /api/v1/account/recovery-codes": { body: { codes: ["AAAAA-1"] } } },
      { recovery_codes_left: 0 },
    );
    expect(await screen.findByText("You have none.")).toBeTruthy();
    await press("Make codes");
    expect(await screen.findByText("AAAAA-1")).toBeTruthy();
  });

  it("ends one session, or all others", async () => {
    const { calls, press } = open({
      "DELETE /api/v1/account/sessions/ses_2": { status: 204 },
      "DELETE /api/v1/account/sessions": { status: 204 },
    });
    await press("Sign out Firefox on Linux");
    const one = await dialog("Sign out there?");
    await userEvent.click(within(one).getByRole("button", { name: "Sign out" }));
    await waitFor(() => expect(calls("DELETE /api/v1/account/sessions/ses_2")).toHaveLength(1));
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    await press("Sign out everywhere else");
    const all = await dialog("Sign out everywhere else?");
    await userEvent.click(within(all).getByRole("button", { name: "Sign out" }));
    await waitFor(() => expect(calls("DELETE /api/v1/account/sessions")).toHaveLength(1));
  });

  it("removes the password after the question", async () => {
    const { calls, press } = open({ "DELETE /api/v1/account/password": { status: 204 } });
    await press("Remove the password and code");
    const question = await dialog("Remove the password?");
    await userEvent.click(within(question).getByRole("button", { name: "Remove" }));
    expect(await screen.findByText("The password is removed.")).toBeTruthy();
    expect(calls("DELETE /api/v1/account/password")).toHaveLength(1);
  });

  it("changes the sign-in name", async () => {
    const { server, user, press } = open({
      "PUT /api/v1/account/login": problem(409, "login_taken"),
    });
    await press("Change the sign-in name");
    await user.type(await screen.findByRole("textbox", { name: "Sign-in name" }), "-vogel");
    await press("Save");
    expect(await screen.findByText(/Somebody here has this name already/)).toBeTruthy();
    server["PUT /api/v1/account/login"] = { status: 204 };
    await press("Save");
    expect(await screen.findByText("The sign-in name is saved.")).toBeTruthy();
  });

  it("tells what happened, asks whether that was you, and once", async () => {
    const notice = (id: string, kind: string, is_seen: boolean, details = {}) => ({
      id,
      kind,
      at: DAY,
      details,
      is_seen,
    });
    const { calls } = open(
      {},
      {
        notices: [
          notice("1", "new_device", false, { browser: "Firefox on Linux", place: "::/48" }),
          notice("2", "something_new", false, { name: 7 }),
          notice("3", "password_set", true),
        ],
      },
    );
    const part = await screen.findByRole("region", { name: "What has happened" });
    const [first, second, third] = within(part).getAllByRole("listitem");
    expect(first?.textContent).toContain("Signed in in a new browserNew");
    expect(first?.textContent).toContain("Firefox on Linux · ::/48");
    expect(second?.textContent).toContain("Something has changedNew");
    expect(third?.textContent).not.toContain("New");
    expect(within(part).getByText(/Was that you\?/)).toBeTruthy();
    // News stands first.
    expect(screen.getAllByRole("region")[0]).toBe(part);
    await waitFor(() => expect(calls(SEEN)).toHaveLength(1));
    await expectAccessible();
  });

  it("is deleted only after the name was typed", async () => {
    const erase = "DELETE /api/v1/account";
    const { calls, server, user, press } = open({ [erase]: problem(409, "last_operator") });
    await press("Delete…");
    const question = await dialog("Delete your account?");
    const button = within(question).getByRole("button", { name: "Delete for good" });
    await user.click(button);
    expect(calls(erase)).toHaveLength(0);
    await expectAccessible();
    await user.type(within(question).getByRole("textbox"), "HANNA");
    await user.click(within(question).getByRole("button", { name: "Delete for good" }));
    expect(await screen.findByText(/This is the only operator/)).toBeTruthy();
    server[erase] = { status: 204 };
    server["GET /api/v1/session"] = { body: { user: null, registration: "closed" } };
    await user.click(within(question).getByRole("button", { name: "Delete for good" }));
    expect(await screen.findByText("Your account is deleted.")).toBeTruthy();
  });

  it("says that the server cannot be reached, and tries again", async () => {
    const { server, press } = open({ "GET /api/v1/account": problem(503, "unavailable") });
    expect(await screen.findByText(/The server cannot do this right now/)).toBeTruthy();
    await expectAccessible();
    server["GET /api/v1/account"] = { body: ACCOUNT };
    await press("Try again");
    expect(await screen.findByRole("region", { name: "Passkeys" })).toBeTruthy();
  });
});

describe("before dangerous acts", () => {
  const remove = "DELETE /api/v1/account/passkeys/psk_1";

  async function beginRemoving(press: (name: string) => Promise<void>) {
    await press("Remove the passkey Laptop");
    const question = await dialog("Remove the passkey Laptop?");
    await userEvent.click(within(question).getByRole("button", { name: "Remove" }));
    return dialog("Is it still you?");
  }

  it("a passkey confirms with one press, and the act goes on by itself", async () => {
    const { act, prove } = guarded({ status: 204 });
    const { calls, press } = open({
      [remove]: act,
      [ASK_AGAIN]: CHALLENGE,
      "POST /api/v1/account/reauthenticate/passkey": prove,
    });
    await beginRemoving(press);
    await screen.findByRole("button", { name: "Confirm with a passkey" });
    await expectAccessible();
    await press("Confirm with a passkey");
    expect(await screen.findByText("The passkey is removed.")).toBeTruthy();
    expect(calls(remove)).toHaveLength(2);
  });

  it("password and code do as well; a wrong one signs nobody out", async () => {
    const { act, prove } = guarded({ status: 204 });
    const { calls, server, user, press } = open({
      [remove]: act,
      "POST /api/v1/account/reauthenticate/password": problem(401, "sign_in"),
    });
    await beginRemoving(press);
    await press("Password and code instead");
    await user.type(screen.getByLabelText("Password"), "zwölf Xylophone");
    await user.type(screen.getByLabelText("Code"), "123456");
    await press("Confirm");
    expect(await screen.findByText(/That did not confirm that it is you/)).toBeTruthy();
    await expectAccessible();
    server["POST /api/v1/account/reauthenticate/password"] = prove;
    await press("Confirm");
    expect(await screen.findByText("The passkey is removed.")).toBeTruthy();
    expect(calls(remove)).toHaveLength(2);
  });

  it("closing the question does nothing and says nothing", async () => {
    const { calls, press } = open({ [remove]: problem(403, "reauthenticate") });
    const question = await beginRemoving(press);
    await userEvent.click(within(question).getByRole("button", { name: "Cancel" }));
    const still = await dialog("Remove the passkey Laptop?");
    expect(within(still).getByRole("alert").textContent).toBe("");
    expect(calls(remove)).toHaveLength(1);
  });

  it("a passkey that is not there leaves the question open", async () => {
    passkeyBrowser().answer = refuse;
    const { press } = open({
      [remove]: problem(403, "reauthenticate"),
      [ASK_AGAIN]: CHALLENGE,
    });
    await beginRemoving(press);
    await press("Confirm with a passkey");
    expect(await screen.findByText(/No passkey was used/)).toBeTruthy();
  });

  it("who has nothing to confirm with is told what to do", async () => {
    const { press } = open(
      { "POST /api/v1/account/recovery-codes": problem(403, "reauthenticate") },
      {
        passkeys: [],
        password: { is_set: false, changed_at: null },
        recovery_codes_left: 0,
      },
    );
    await press("Make codes");
    const question = await dialog("Is it still you?");
    expect(await within(question).findByText(/Sign in by a new one-time link/)).toBeTruthy();
    expect(within(question).getAllByRole("button")).toHaveLength(1);
    await expectAccessible();
  });
});

import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { expectAccessible, problem, type Server, serve, showPage } from "../../../../test/page.tsx";
import {
  MADE,
  type PasskeyBrowser,
  passkeyBrowser,
  refuse,
} from "../../../../test/passkeyBrowser.ts";
import type { User } from "../../../api/types.ts";
import { Routes } from "../../../app/Routes.tsx";

const USER: User = {
  id: "usr_77",
  role: "member",
  login: "hanna",
  created_at: "",
  has_sign_in: true,
  unseen_notices: 0,
};
const NOBODY = { body: { user: null, registration: "closed" } };
const CHALLENGE = { body: { challenge_id: "cha_1", options: { challenge: "AQID" } } };
let browser: PasskeyBrowser;

function open(path: string, server: Server = {}) {
  history.replaceState(null, "", path);
  const all: Server = { "GET /api/v1/session": NOBODY, ...server };
  const asked = serve(all);
  showPage(<Routes />);
  return { asked, server: all, user: userEvent.setup() };
}

const press = async (user: ReturnType<typeof userEvent.setup>, name: string | RegExp) =>
  user.click(await screen.findByRole("button", { name }));

beforeEach(() => {
  browser = passkeyBrowser();
});

describe("/sign-in", () => {
  it("takes a passkey, in two presses from the start page", async () => {
    const { asked, user, server } = open("/", {
      "POST /api/v1/sign-in/passkey/options": CHALLENGE,
      "POST /api/v1/sign-in/passkey": { body: { user: USER } },
    });
    await press(user, "Sign in");
    await screen.findByRole("button", { name: "Sign in with a passkey" });
    await expectAccessible();
    server["GET /api/v1/session"] = { body: { user: USER, registration: "closed" } };
    await press(user, "Sign in with a passkey");
    await waitFor(() => expect(location.pathname).toBe("/"));
    expect(await screen.findByRole("button", { name: "You: hanna" })).toBeTruthy();
    const sent = asked.find(({ call }) => call === "POST /api/v1/sign-in/passkey");
    expect(sent?.body).toEqual({ challenge_id: "cha_1", credential: MADE });
  });

  it("says one cause and one way on when no passkey was used", async () => {
    browser.answer = refuse;
    const { user } = open("/sign-in", { "POST /api/v1/sign-in/passkey/options": CHALLENGE });
    await press(user, "Sign in with a passkey");
    expect(await screen.findByText(/No passkey was used\. If this device has none/)).toBeTruthy();
    await expectAccessible();
    // The other way begins without the old fault.
    await press(user, "Recovery code");
    expect(screen.queryByText(/No passkey was used/)).toBeNull();
  });

  it("says that a passkey of somebody else opens nothing", async () => {
    const { user } = open("/sign-in", {
      "POST /api/v1/sign-in/passkey/options": CHALLENGE,
      "POST /api/v1/sign-in/passkey": problem(401, "sign_in"),
    });
    await press(user, "Sign in with a passkey");
    expect(await screen.findByText(/This passkey does not open an account here/)).toBeTruthy();
  });

  it("offers name, password and code, and says why where there are no passkeys", async () => {
    vi.stubGlobal("isSecureContext", false);
    const { asked, user, server } = open("/sign-in", {
      "POST /api/v1/sign-in/password": problem(401, "sign_in"),
    });
    expect(await screen.findByText(/only at addresses that begin with https/)).toBeTruthy();
    await user.type(screen.getByLabelText("Sign-in name"), "hanna");
    await user.type(screen.getByLabelText("Password"), "zwölf Xylophone");
    await user.type(screen.getByLabelText("Code"), "123456{Enter}");
    expect(await screen.findByText(/do not belong together/)).toBeTruthy();
    await expectAccessible();
    expect(asked.at(-1)?.body).toEqual({
      login: "hanna",
      password: "zwölf Xylophone",
      code: "123456",
    });
    server["POST /api/v1/sign-in/password"] = {
      ...problem(429, "limit_reached"),
      headers: { "Retry-After": "600" },
    };
    await press(user, "Sign in");
    expect(await screen.findByText("Too many tries. Please wait 10 minutes.")).toBeTruthy();
  });

  it("takes a recovery code", async () => {
    const { asked, user } = open("/sign-in", {
      "POST /api/v1/sign-in/recovery": problem(401, "sign_in"),
    });
    await press(user, "Recovery code");
    await user.type(screen.getByLabelText("Recovery code"), "AAAAA-BBBBB{Enter}");
    expect(await screen.findByText(/or it was used already/)).toBeTruthy();
    expect(asked.at(-1)?.body).toEqual({ code: "AAAAA-BBBBB" });
  });

  it("is shown first to who wanted another page, and leads there", async () => {
    const { user, server } = open("/account", {
      "POST /api/v1/sign-in/passkey/options": CHALLENGE,
      "POST /api/v1/sign-in/passkey": { body: { user: USER } },
    });
    await waitFor(() => expect(location.pathname).toBe("/sign-in"));
    server["GET /api/v1/session"] = { body: { user: USER, registration: "closed" } };
    await press(user, "Sign in with a passkey");
    await waitFor(() => expect(location.pathname).toBe("/account"));
  });

  it("says that the session was refused from another kind of network", async () => {
    open("/", { "GET /api/v1/session": problem(401, "session_moved") });
    expect(await screen.findByText(/on another kind of network/)).toBeTruthy();
    await expectAccessible();
  });
});

describe("the code of a further device", () => {
  it("is kept, out of the address bar, while its person signs in", async () => {
    const { user, server } = open("/link#dvl_1.secret", {
      "POST /api/v1/sign-in/passkey/options": CHALLENGE,
      "POST /api/v1/sign-in/passkey": { body: { user: USER } },
    });
    await waitFor(() => expect(location.pathname + location.hash).toBe("/sign-in"));
    server["GET /api/v1/session"] = { body: { user: USER, registration: "closed" } };
    await press(user, "Sign in with a passkey");
    await waitFor(() => expect(location.pathname + location.hash).toBe("/link"));
  });
});

describe("/welcome", () => {
  const LOOK = "POST /api/v1/welcome/look";
  const invitation = {
    body: { kind: "invitation", role: "member", login: "hanna", expires_at: "2026-12-03T09:00Z" },
  };

  it("says what the link is for, makes the account and leads to a passkey", async () => {
    const { asked, user, server } = open("/welcome#secret", {
      [LOOK]: invitation,
      "POST /api/v1/welcome": { body: { user: { ...USER, has_sign_in: false } } },
      "POST /api/v1/account/passkeys/options": CHALLENGE,
      "POST /api/v1/account/passkeys": { body: { id: "psk_1" } },
      "GET /api/v1/account": { body: { recovery_codes_left: 0 } },
      "POST /api/v1/account/recovery-codes": { body: { codes: ["AAAAA-1", "BBBBB-2"] } },
      "POST /api/v1/account/notices/seen": { status: 204 },
    });
    expect(await screen.findByRole("heading", { name: "You are invited." })).toBeTruthy();
    expect(screen.getByText("Your sign-in name is hanna.")).toBeTruthy();
    expect(location.hash).toBe("");
    await expectAccessible();
    expect(asked.some(({ call }) => call === "POST /api/v1/welcome")).toBe(false);
    server["GET /api/v1/session"] = {
      body: { user: { ...USER, has_sign_in: false }, registration: "closed" },
    };
    await press(user, "Make my account");
    await waitFor(() => expect(location.pathname).toBe("/set-up"));
    await screen.findByRole("button", { name: "Make a passkey" });
    await expectAccessible();
    await press(user, "Make a passkey");
    const codes = await screen.findByRole("list", { name: "Recovery codes" });
    expect(codes.textContent).toBe("AAAAA-1BBBBB-2");
    await expectAccessible();
    await press(user, "I have kept them");
    await waitFor(() => expect(location.pathname).toBe("/"));
    const sent = asked.find(({ call }) => call === "POST /api/v1/account/passkeys");
    expect(sent?.body).toMatchObject({ challenge_id: "cha_1", credential: MADE });
  });

  it("leaves the codes alone of who comes back with some", async () => {
    const { asked, user } = open("/set-up", {
      "GET /api/v1/session": { body: { user: USER, registration: "closed" } },
      "POST /api/v1/account/passkeys/options": CHALLENGE,
      "POST /api/v1/account/passkeys": { body: { id: "psk_1" } },
      "GET /api/v1/account": { body: { recovery_codes_left: 7 } },
      "POST /api/v1/account/notices/seen": { status: 204 },
    });
    await press(user, "Make a passkey");
    await waitFor(() => expect(location.pathname).toBe("/"));
    expect(asked.some(({ call }) => call.includes("recovery-codes"))).toBe(false);
  });

  it("leads back to an account, and warns who is signed in", async () => {
    open("/welcome#secret", {
      "GET /api/v1/session": { body: { user: USER, registration: "closed" } },
      [LOOK]: { body: { ...invitation.body, kind: "reset", login: null } },
    });
    expect(await screen.findByRole("heading", { name: "Come back to your account." })).toBeTruthy();
    expect(await screen.findByText(/Going on signs them out here/)).toBeTruthy();
    await expectAccessible();
  });

  it.each([
    ["#used", problem(404, "not_found"), /does not work any more/],
    ["", problem(404, "not_found"), /Something is missing/],
  ])("%j is a calm page", async (hash, answer, heading) => {
    open(`/welcome${hash}`, { [LOOK]: answer });
    expect(await screen.findByRole("heading", { name: heading })).toBeTruthy();
    await expectAccessible();
  });

  it("keeps the link for another try when the server cannot be reached", async () => {
    const { user, server } = open("/welcome#secret");
    await screen.findByRole("heading", { name: "Your link could not be looked at." });
    server[LOOK] = invitation;
    await press(user, "Try again");
    expect(await screen.findByRole("heading", { name: "You are invited." })).toBeTruthy();
  });

  it("says so when the link was used between looking and pressing", async () => {
    const { user } = open("/welcome#secret", {
      [LOOK]: invitation,
      "POST /api/v1/welcome": problem(404, "not_found"),
    });
    await press(user, "Make my account");
    expect(await screen.findByText("There is nothing here any more.")).toBeTruthy();
  });
});

describe("/register", () => {
  it("makes an account where the server allows it", async () => {
    const { user, server } = open("/register", {
      "GET /api/v1/session": { body: { user: null, registration: "open" } },
      "POST /api/v1/register": problem(429, "limit_reached"),
    });
    await press(user, "Make my account");
    expect(await screen.findByText(/Too many tries/)).toBeTruthy();
    await expectAccessible();
    server["POST /api/v1/register"] = { body: { user: USER } };
    server["GET /api/v1/session"] = { body: { user: USER, registration: "open" } };
    await press(user, "Make my account");
    await waitFor(() => expect(location.pathname).toBe("/set-up"));
  });

  it("is closed otherwise, and says whom to ask", async () => {
    open("/register");
    expect(
      await screen.findByRole("heading", { name: "Accounts here are by invitation." }),
    ).toBeTruthy();
    await expectAccessible();
  });
});

describe("/set-up without passkeys", () => {
  it("sets a password with the app's codes", async () => {
    vi.stubGlobal("isSecureContext", false);
    const session = { body: { user: { ...USER, login: null }, registration: "closed" } };
    const { asked, user, server } = open("/set-up", {
      "GET /api/v1/session": session,
      "PUT /api/v1/account/login": problem(409, "login_taken"),
      "POST /api/v1/account/password/begin": problem(422, "password"),
      "POST /api/v1/account/password/confirm": problem(422, "code"),
      "GET /api/v1/account": { body: { recovery_codes_left: 0 } },
      "POST /api/v1/account/recovery-codes": { body: { codes: ["AAAAA-1"] } },
      "POST /api/v1/account/notices/seen": { status: 204 },
    });
    await press(user, "Password and code instead");
    await press(user, "Go on");
    expect(await screen.findByText("Please enter a name.")).toBeTruthy();
    expect(screen.getByText("Please use at least 12 characters.")).toBeTruthy();
    await user.type(screen.getByLabelText("Sign-in name"), "hanna");
    await user.type(screen.getByLabelText("New password"), "passwordpassword");
    await press(user, "Go on");
    expect(await screen.findByText(/Somebody here has this name already/)).toBeTruthy();
    await expectAccessible();
    server["PUT /api/v1/account/login"] = { status: 204 };
    await press(user, "Go on");
    expect(await screen.findByText(/too easy to guess/)).toBeTruthy();
    server["POST /api/v1/account/password/begin"] = {
      body: { setup_id: "set_1", secret: "ABCDEFGHIJ", uri: "otpauth://totp/x?secret=ABCDEFGHIJ" },
    };
    await press(user, "Go on");
    expect(await screen.findByText("ABCD EFGH IJ")).toBeTruthy();
    expect(await screen.findByRole("img", { name: "QR code for the app" })).toBeTruthy();
    await expectAccessible();
    await user.type(screen.getByLabelText("Six digits"), "123 456");
    await press(user, "Use it from now on");
    expect(await screen.findByText(/This code is not right\. It changes/)).toBeTruthy();
    expect(asked.at(-1)?.body).toEqual({ setup_id: "set_1", code: "123456" });
    server["POST /api/v1/account/password/confirm"] = { status: 204 };
    await press(user, "Use it from now on");
    expect(await screen.findByText("AAAAA-1")).toBeTruthy();
  });
});

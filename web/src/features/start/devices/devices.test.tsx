/** A further device gets the keys: both sides through their pages, the server in between. */
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeShelf } from "../../../../test/fakeShelf.ts";
import { LINK, Mailbox } from "../../../../test/mailbox.ts";
import { expectAccessible, type Server, serve, showPage } from "../../../../test/page.tsx";
import { newOperator, serveVault } from "../../../../test/vaultServer.ts";
import { Routes } from "../../../app/Routes.tsx";
import { b64, fromB64 } from "../../../sealing/keys/bytes.ts";
import {
  type Asked,
  formatLinkCode,
  NewDevice,
  OldDevice,
  parseLinkCode,
} from "../../../sealing/keys/deviceLink.ts";
import { memoryStore } from "../../../sealing/keys/store.ts";
import { makeVault, type Vault } from "../../../sealing/vault/vault.ts";
import { loadWords } from "../../../sealing/words/wordList.ts";
import { KeyRing } from "../../../vault/keyRing.ts";

class QuietSocket extends EventTarget {
  static readonly OPEN = 1;
  readyState = QuietSocket.OPEN;
  send() {}
  close() {}
}

// What the QR code would say: drawn from this text.
const drawn = vi.hoisted(() => ({ text: "" }));
vi.mock("qr", () => ({
  encodeQR: (text: string) => {
    drawn.text = text;
    return [[true]];
  },
}));

let mailbox: Mailbox;
let shelf: FakeShelf;
const english = loadWords("en");

beforeEach(() => {
  vi.stubGlobal("WebSocket", QuietSocket);
  mailbox = new Mailbox();
  shelf = new FakeShelf();
  drawn.text = "";
});

function open(path = "/") {
  history.replaceState(null, "", path);
  const server: Server = {
    "GET /api/v1/session": newOperator().answer,
    "GET /api/v1/meetings": { body: { meetings: [] } },
  };
  serve(server);
  serveVault(shelf);
  mailbox.serve();
  showPage(<Routes />);
  const user = userEvent.setup();
  const press = async (name: string | RegExp) =>
    user.click(await screen.findByRole("button", { name }));
  return { user, press };
}

/** Another browser's vault, on the server's shelf. */
async function vaultElsewhere(): Promise<Vault> {
  const made = await makeVault({ userId: "elsewhere", shelf, keys: memoryStore() });
  if (made.type !== "made") throw new Error(made.type);
  return made.vault;
}

const bytesOf = (text: string | undefined) => fromB64(text ?? "") ?? new Uint8Array();
const shownWords = async () =>
  within(await screen.findByRole("list", { name: "Three words" }))
    .getAllByRole("listitem")
    .map(({ textContent }) => textContent);

/** The other device of the same person, answering as its page would. */
async function oldDevice(secret: Uint8Array | null, more: Partial<Asked> = {}): Promise<OldDevice> {
  await mailbox.until(() => mailbox.link !== null);
  const commitment = bytesOf(mailbox.link?.commitment);
  const device = await OldDevice.make({ id: LINK, commitment, secret, ...more });
  mailbox.put("offer", b64(device.offer));
  expect(await device.check(bytesOf(await mailbox.value("reveal")))).toBe(true);
  return device;
}

async function sendKey(device: OldDevice, vault: Vault): Promise<void> {
  await vault.withKey(null, async (bytes) => {
    mailbox.put("parcel", b64(await device.seal(bytes)));
  });
}

describe("a browser without keys", () => {
  async function begin() {
    const vault = await vaultElsewhere();
    const page = open();
    await page.press("Use another device of yours");
    await screen.findByRole("img", { name: "QR code for your other device" });
    const code = parseLinkCode(new URL(drawn.text).hash);
    if (code === null) throw new Error(drawn.text);
    return { vault, code, ...page };
  }
  const isLocked = () =>
    screen.queryByRole("heading", { name: "This browser does not have your key ring." });

  it("gets them from the one that has seen its code, without comparing", async () => {
    const { vault, code } = await begin();
    await expectAccessible();
    expect(b64(code.commitment)).toBe(mailbox.link?.commitment);
    await sendKey(await oldDevice(code.secret), vault);
    expect(await screen.findByText("Your key ring is open.")).toBeTruthy();
    await waitFor(() => expect(isLocked()).toBeNull());
  });

  it("waits for its person's word when nobody has seen the code", async () => {
    const { vault, press } = await begin();
    const device = await oldDevice(null);
    expect(await shownWords()).toEqual(await device.words(await english));
    await expectAccessible();
    await sendKey(device, vault);
    // Nothing is used before it is said here, too.
    expect(isLocked()).not.toBeNull();
    await press("The words are the same");
    expect(await screen.findByText("Your key ring is open.")).toBeTruthy();
  });

  it("can be told first and wait for the keys then", async () => {
    const { vault, press } = await begin();
    const device = await oldDevice(null);
    await press("The words are the same");
    expect(await screen.findByRole("button", { name: "Waiting for the keys…" })).toBeTruthy();
    await sendKey(device, vault);
    expect(await screen.findByText("Your key ring is open.")).toBeTruthy();
  });

  it("takes no key ring that the server has made", async () => {
    const { press } = await begin();
    // The server plays the other device: the words are its own, and the person sees that.
    const server = await oldDevice(null);
    mailbox.put("parcel", b64(await server.seal(new Uint8Array(32).fill(7))));
    await screen.findByRole("list", { name: "Three words" });
    await press("They differ");
    await waitFor(() => expect(mailbox.calls).toContain("DELETE"));
    expect(isLocked()).not.toBeNull();
  });

  it("takes no parcel that is not from who made the offer", async () => {
    const { vault, code } = await begin();
    await oldDevice(null);
    const other = await OldDevice.make({ id: LINK, commitment: code.commitment, secret: null });
    await other.check(bytesOf(mailbox.link?.reveal ?? ""));
    await sendKey(other, vault);
    expect(await screen.findByText(/does not belong to the other device/)).toBeTruthy();
    expect(mailbox.calls.at(-1)).toBe("DELETE");
    await expectAccessible();
  });

  it("keeps no key that does not open its key ring", async () => {
    const { code } = await begin();
    const device = await oldDevice(code.secret);
    mailbox.put("parcel", b64(await device.seal(new Uint8Array(32))));
    expect(await screen.findByText(/does not open your key ring/)).toBeTruthy();
    expect(isLocked()).not.toBeNull();
  });

  it.each(["", "A", "AAAA", "no base64url?"])("stops at an offer of %j", async (value) => {
    await begin();
    mailbox.lie = (link) => ({ ...link, offer: value });
    mailbox.put("offer", "AAAA");
    expect(await screen.findByText(/does not belong to the other device/)).toBeTruthy();
    expect(mailbox.calls).not.toContain("PUT reveal");
  });

  it("says that the other side has ended it", async () => {
    await begin();
    mailbox.cancel();
    expect(await screen.findByText(/one side has ended it/)).toBeTruthy();
    await expectAccessible();
  });

  it("ends it when its person closes the code", async () => {
    const { press } = await begin();
    await press("Cancel");
    await waitFor(() => expect(mailbox.calls).toContain("DELETE"));
  });
});

describe("a browser with keys", () => {
  /** A new device that asks, answering as its page would. */
  async function newDevice() {
    const device = await NewDevice.make();
    mailbox.ask(b64(device.commitment));
    const answer = async () => {
      const reveal = device.answer(bytesOf(await mailbox.value("offer")));
      mailbox.put("reveal", b64(reveal ?? new Uint8Array()));
    };
    const receive = async () => device.open(LINK, bytesOf(await mailbox.value("parcel")));
    const code = formatLinkCode({
      id: LINK,
      commitment: device.commitment,
      secret: device.secret,
    });
    return { device, answer, receive, code };
  }

  it("hands them over by the code of the new one, with one press", async () => {
    const { answer, receive, code } = await newDevice();
    const { press } = open(`/link${code}`);
    await screen.findByRole("alertdialog", { name: "Hand over your keys?" });
    expect(location.hash).toBe("");
    expect(await screen.findByText("Firefox on Linux")).toBeTruthy();
    expect(screen.getByText(/203\.0\.113\.0\/24/)).toBeTruthy();
    expect(screen.getByText(/nothing has to be compared/)).toBeTruthy();
    await expectAccessible();
    await press("Hand over the keys");
    await answer();
    expect(await receive()).toMatchObject({ type: "opened", isProven: true });
    expect(await screen.findByText("Your keys are on the other device.")).toBeTruthy();
    await waitFor(() => expect(location.pathname).toBe("/"));
  });

  it("hands them over after the words were compared, and not before", async () => {
    const { device, answer, receive } = await newDevice();
    const { press } = open();
    expect(await screen.findByText(/Firefox on Linux is signed in as you/)).toBeTruthy();
    await expectAccessible();
    await press("See who asks");
    await press("Show the words");
    await answer();
    expect(await shownWords()).toEqual(await device.words(await english));
    await expectAccessible();
    expect(mailbox.calls).toEqual(["PUT offer"]);
    await press("The same: hand over");
    expect(await receive()).toMatchObject({ type: "opened", isProven: false });
  });

  it("hands nothing over when the words differ", async () => {
    const { answer } = await newDevice();
    const { press } = open();
    await press("See who asks");
    await press("Show the words");
    await answer();
    await screen.findByRole("list", { name: "Three words" });
    await press("They differ");
    await waitFor(() => expect(mailbox.calls).toEqual(["PUT offer", "DELETE"]));
  });

  it("refuses a code that does not belong to what the server says", async () => {
    const { code } = await newDevice();
    mailbox.ask(b64(new Uint8Array(32).fill(9)));
    open(`/link${code}`);
    expect(await screen.findByText(/does not belong to the other device/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Hand over the keys" })).toBeNull();
    expect(mailbox.calls).toEqual([]);
    await expectAccessible();
  });

  it("seals nothing for a key that does not open the commitment", async () => {
    const { code } = await newDevice();
    const { press } = open(`/link${code}`);
    await press("Hand over the keys");
    await mailbox.value("offer");
    mailbox.put("reveal", b64(new Uint8Array(64)));
    expect(await screen.findByText(/does not belong to the other device/)).toBeTruthy();
    expect(mailbox.calls).toEqual(["PUT offer", "DELETE"]);
  });

  it("is not the second to answer", async () => {
    const { code } = await newDevice();
    const { press } = open(`/link${code}`);
    await screen.findByRole("button", { name: "Hand over the keys" });
    mailbox.put("offer", b64(new Uint8Array(32)));
    await press("Hand over the keys");
    expect(await screen.findByText(/one side has ended it/)).toBeTruthy();
  });

  it("says that a code is damaged, or its time is over", async () => {
    open("/link#dvl_1.damaged");
    expect(await screen.findByText(/This code is not whole/)).toBeTruthy();
    await expectAccessible();
  });

  it("says that it cannot where it has no key to spare, and names the words", async () => {
    const { code } = await newDevice();
    // As in a browser that has kept its key since before there were spares.
    vi.spyOn(KeyRing.prototype, "withVaultKey").mockResolvedValue(null);
    open(`/link${code}`);
    expect(await screen.findByText(/Type your 24 words in the new browser/)).toBeTruthy();
    expect(screen.getAllByRole("button").map(({ textContent }) => textContent)).toContain("Close");
    await expectAccessible();
    expect(mailbox.calls).toEqual([]);
  });
});

describe("the address of a code", () => {
  it("is no use where there are no keys either", async () => {
    await vaultElsewhere();
    const device = await NewDevice.make();
    const { commitment, secret } = device;
    mailbox.ask(b64(commitment));
    open(`/link${formatLinkCode({ id: LINK, commitment, secret })}`);
    const heading = { name: "This browser does not have your keys." };
    expect(await screen.findByRole("heading", heading)).toBeTruthy();
    await expectAccessible();
    expect(mailbox.calls).toEqual([]);
  });
});

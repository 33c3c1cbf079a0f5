/** New links for people who are in the room, with a key ring and a server that keeps invitations. */
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { type InvitationServer, serveInvitations } from "../../../test/invitationServer.ts";
import { expectAccessible, serve, showPage } from "../../../test/page.tsx";
import { newOperator, serveVault } from "../../../test/vaultServer.ts";
import type { Outcome } from "../../sealing/contract.ts";
import { b64 } from "../../sealing/keys/bytes.ts";
import type { InvitedLink } from "../../vault/invitations.ts";
import type { KeyRing } from "../../vault/keyRing.ts";
import { keyRingOf } from "../../vault/session.ts";
import type { FreshFor, RoomWithin } from "./contract.ts";
import InviteDialog from "./InviteDialog.tsx";

const ID = "mtg_6mg8p21800ag05s2ctversgyed";
const URL_ = `https://meet.example/m/${ID}`;
const user = userEvent.setup();
const button = (name: string | RegExp) => screen.getByRole("button", { name });

interface Stage {
  readonly ring: KeyRing;
  readonly server: InvitationServer;
  /** What the room was asked, in order. */
  readonly asked: string[];
  readonly old: readonly InvitedLink[];
}

/** Ada and Ben have links; what becomes of private messages and of taking back is as `outcomes` say. */
async function open(
  freshOf: (old: readonly InvitedLink[]) => readonly FreshFor[],
  outcomes: { tell?: (identity: string) => Outcome; revoke?: Outcome } = {},
  before: (server: InvitationServer) => void = () => undefined,
): Promise<Stage> {
  const { id: userId } = newOperator();
  serve({});
  serveVault();
  const server = serveInvitations();
  const ring = await keyRingOf(userId);
  await ring.canHost();
  await ring.addRoom(ID, "Planning");
  const people = ["Ada", "Ben"].map((name) => ({ name, role: "attendee", expiresAt: 0 }) as const);
  const inviting = await ring.invite(ID, people);
  if (inviting.type !== "made") throw new Error(inviting.type);
  const old = inviting.made;
  const made = await ring.recertify(
    ID,
    old.map(({ id }) => id),
  );
  const certificates = made.map(({ bytes }) => b64(bytes));
  await server.answer("POST", `/api/v1/meetings/${ID}/invitations`, { invitations: certificates });
  before(server);
  const asked: string[] = [];
  const room: RoomWithin = {
    entry: "open",
    openLinkDevices: 3,
    setEntry: async () => "done",
    revoke: async (ids, isRevoked) => {
      asked.push(`revoke ${ids.join()} ${isRevoked}`);
      return outcomes.revoke ?? "done";
    },
    keepRole: async (identity, role) => {
      asked.push(`${role} ${identity}`);
      return "done";
    },
    tellPrivately: async (identity, text) => {
      asked.push(`tell ${identity} ${text}`);
      return outcomes.tell?.(identity) ?? "done";
    },
  };
  showPage(
    <InviteDialog
      userId={userId}
      meetingId={ID}
      url={URL_}
      title="Planning"
      within={room}
      fresh={freshOf(old)}
      onClose={() => undefined}
    />,
  );
  await screen.findByRole("region", { name: "Invited people" });
  return { ring, server, asked, old };
}

const one = (identity: string, change: Partial<FreshFor> = {}): FreshFor => ({
  identity,
  name: identity.charAt(0).toUpperCase() + identity.slice(1),
  role: "attendee",
  invitation: null,
  isLeaked: false,
  ...change,
});

describe("new links for the people who stay", () => {
  it("are made for who needs one; the old ones are taken back; each is told privately", async () => {
    const { ring, server, asked, old } = await open(([ada, ben]) => [
      one("ada", { invitation: ada?.id ?? "", isLeaked: true, role: "cohost" }),
      // In no other hands: Ben keeps his.
      one("ben", { invitation: ben?.id ?? "" }),
      one("cleo"),
    ]);
    expect(screen.getByText("The link for everybody was opened on 3 devices.")).toBeTruthy();
    expect(
      await screen.findByText(/^2 people stay .*: \u2068Ada\u2069, \u2068Cleo\u2069\.$/),
    ).toBeTruthy();
    await expectAccessible();
    await user.click(button("Make 2 new links"));
    expect(
      await screen.findByText(
        "2 links are made. Pass each on to its person alone. The personal link from before opens nothing any more.",
      ),
    ).toBeTruthy();
    const links = (await ring.invited(ID)).slice(2);
    expect(links.map(({ name, role, expiresAt }) => [name, role, expiresAt])).toEqual([
      ["Ada", "cohost", 0],
      ["Cleo", "attendee", 0],
    ]);
    expect(server.invitations.map(({ id, state }) => [id, state])).toEqual([
      [old[0]?.id, "revoked"],
      [old[1]?.id, "unused"],
      ...links.map(({ id }) => [id, "unused"]),
    ]);
    // In this order: nobody stops leading for a moment.
    expect(asked).toEqual(["cohost ada", `revoke ${old[0]?.id} true`]);

    await user.click(button("Send to each privately"));
    expect(
      await screen.findByText("The links were sent in the chat, to each person alone."),
    ).toBeTruthy();
    expect(asked.slice(2)).toEqual(
      ["ada", "cleo"].map(
        (identity, place) =>
          `tell ${identity} This is your new link to this meeting, for you alone. Keep it for the next time: ${URL_}${links[place]?.fragment}`,
      ),
    );
    expect(screen.queryByRole("button", { name: "Send to each privately" })).toBeNull();
    await user.click(button("Copy names and links"));
    expect(await navigator.clipboard.readText()).toBe(
      links.map(({ name, fragment }) => `${name}: ${URL_}${fragment}`).join("\n"),
    );
    await expectAccessible();
  });

  it("are for those, too, whose link the server knows to be passed on or taken back", async () => {
    const { asked, old } = await open(
      ([ada, ben]) => [
        one("ada", { invitation: ada?.id ?? "" }),
        one("ben", { invitation: ben?.id ?? "" }),
        one("dora", { invitation: "D".repeat(22) }),
      ],
      {},
      (server) => {
        Object.assign(server.invitations[0] ?? {}, { passed_on_at: "2026-01-01T10:00:00Z" });
        Object.assign(server.invitations[1] ?? {}, { state: "revoked" });
      },
    );
    await user.click(await screen.findByRole("button", { name: "Make 3 new links" }));
    // The third was unknown to the server: nothing is left to be taken back there.
    expect(
      await screen.findByText(/3 personal links from before open nothing any more/),
    ).toBeTruthy();
    expect(screen.queryByText(/not found|cannot be reached/)).toBeNull();
    expect(asked).toEqual([`revoke ${old.map(({ id }) => id).join()},${"D".repeat(22)} true`]);
  });

  it("are nobody's when all have one in no other hands", async () => {
    await open(([ada]) => [one("ada", { invitation: ada?.id ?? "" })]);
    expect(await screen.findByText(/Nobody needs a new one/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: /new link/ })).toBeNull();
  });

  it("that did not reach somebody are told of, and can be sent once more", async () => {
    let isAway = true;
    const { asked } = await open(() => [one("cleo"), one("dora")], {
      tell: (identity) => (identity === "dora" && isAway ? "gone" : "done"),
    });
    await user.click(button("Make 2 new links"));
    await user.click(await screen.findByRole("button", { name: "Send to each privately" }));
    expect(await screen.findByText(/^Not sent to \u2068Dora\u2069/)).toBeTruthy();
    isAway = false;
    await user.click(button("Send once more"));
    expect(
      await screen.findByText("The links were sent in the chat, to each person alone."),
    ).toBeTruthy();
    expect(asked.map((line) => line.split(" ")[1])).toEqual(["cleo", "dora", "dora"]);
  });

  it("are not made twice when the rest fails, and what is open is said", async () => {
    const { ring, server } = await open(
      ([ada]) => [one("ada", { invitation: ada?.id ?? "", isLeaked: true })],
      { revoke: "failed" },
    );
    await user.click(button("Make the new link"));
    expect(await screen.findByText(/could not be told/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: /new link/ })).toBeNull();
    // Not claimed: that the one before opens nothing any more.
    expect(screen.queryByText(/opens nothing any more/)).toBeNull();
    expect(await ring.invited(ID)).toHaveLength(3);
    expect(server.invitations[0]?.state).toBe("revoked");
  });

  it("are none when the key ring does not take them", async () => {
    const { ring } = await open(() => [one("cleo")]);
    vi.spyOn(ring, "invite").mockResolvedValueOnce({ type: "too-many" });
    await user.click(button("Make the new link"));
    expect((await screen.findByRole("alert")).textContent).toContain("at most");
    await user.click(button("Make the new link"));
    expect(
      await screen.findByText("One link is made. Pass it on to its person alone."),
    ).toBeTruthy();
  });
});

describe("sharing a link", () => {
  const share = async () => {
    const row = document.querySelector<HTMLElement>("[data-invitation]");
    if (row === null) throw new Error("no row");
    await user.click(within(row).getByRole("button", { name: /^More/ }));
  };

  it("is done by the browser where it can", async () => {
    const shared: ShareData[] = [];
    vi.stubGlobal(
      "navigator",
      Object.assign(navigator, { share: async (it: ShareData) => void shared.push(it) }),
    );
    const { old } = await open(() => []);
    await share();
    await user.click(screen.getByRole("menuitem", { name: "Share…" }));
    const links = old.map(({ fragment }) => `${URL_}${fragment}`);
    await waitFor(() => expect(shared).toHaveLength(1));
    expect(links).toContain(shared[0]?.url);
    expect(shared[0]?.title).toBe("Planning");
    Reflect.deleteProperty(navigator, "share");
  });

  it.each([
    ["AbortError", ""],
    ["NotAllowedError", "Link copied."],
  ])("that ends with %s says: %s", async (name, said) => {
    await navigator.clipboard.writeText("nothing");
    const fail = async () => {
      throw new DOMException("", name);
    };
    vi.stubGlobal("navigator", Object.assign(navigator, { share: fail }));
    await open(() => []);
    await share();
    await user.click(screen.getByRole("menuitem", { name: "Share…" }));
    if (said !== "") expect(await screen.findByText(said)).toBeTruthy();
    const copied = await navigator.clipboard.readText();
    expect(copied.startsWith(URL_)).toBe(said !== "");
    Reflect.deleteProperty(navigator, "share");
  });

  it("is not offered where it cannot", async () => {
    await open(() => []);
    await share();
    expect(screen.queryByRole("menuitem", { name: "Share…" })).toBeNull();
  });
});

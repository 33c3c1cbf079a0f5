import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  type Answer,
  expectAccessible,
  problem,
  type Server,
  serve,
  showPage,
} from "../../../test/page.tsx";
import { newOperator, serveVault } from "../../../test/vaultServer.ts";
import { HomeRoute } from "../../app/HomeRoute.tsx";
import { takeFragment } from "../../sealing/keys/address.ts";

const FIRST = {
  id: "mtg_6mg8p21800ag05s2ctversgyed",
  opened_at: "2026-01-01T10:00:00Z",
  participants: 3,
  url: "https://meet.example/m/mtg_6mg8p21800ag05s2ctversgyed",
};
let OPERATOR: Answer;
let SIGNED_IN: Server;

const KEY = "#1.AAECAwQFBgcICQoLDA0ODw.qSayMJuhTE780WrtO-XMtw";
const QUESTION = { name: "End this meeting for everyone?" };

class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static last: FakeSocket | undefined;
  readyState = FakeSocket.OPEN;
  constructor() {
    super();
    FakeSocket.last = this;
  }
  send() {}
  close() {}
  say(frame: unknown) {
    act(() => {
      this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
    });
  }
}

beforeEach(() => {
  vi.stubGlobal("WebSocket", FakeSocket);
  OPERATOR = newOperator().answer;
  SIGNED_IN = {
    "GET /api/v1/session": OPERATOR,
    "GET /api/v1/meetings": { body: { meetings: [FIRST] } },
  };
});

describe("for somebody who is not signed in", () => {
  beforeEach(() => {
    serve({ "GET /api/v1/session": { body: { user: null } } });
    showPage(<HomeRoute />);
  });

  it("it says what this is and what it promises", async () => {
    expect(await screen.findByRole("heading", { level: 1 })).toBeTruthy();
    expect(
      screen.getByText("Only the people in this room can see and hear. The server cannot."),
    ).toBeTruthy();
    await expectAccessible();
  });

  it("a pasted link leads to its door", async () => {
    const field = await screen.findByLabelText("Join with a link");
    await userEvent.click(field);
    await userEvent.paste(`${location.origin}/m/${FIRST.id}`);
    await userEvent.keyboard("{Enter}");
    expect(location.pathname).toBe(`/m/${FIRST.id}`);
  });

  it("a pasted link keeps its key, out of the address bar", async () => {
    const field = await screen.findByLabelText("Join with a link");
    await userEvent.click(field);
    await userEvent.paste(`${location.origin}/m/${FIRST.id}${KEY}`);
    await userEvent.keyboard("{Enter}");
    expect(location.pathname + location.hash).toBe(`/m/${FIRST.id}`);
    expect(takeFragment(FIRST.id).type).toBe("link");
  });

  it("a damaged key goes on to the door, which says so", async () => {
    const field = await screen.findByLabelText("Join with a link");
    await userEvent.click(field);
    await userEvent.paste(`${location.origin}/m/mtg_00000000000000000000000002#1.damaged`);
    await userEvent.keyboard("{Enter}");
    expect(location.hash).toBe("#1.damaged");
  });

  it("what is no link stays, with a word about it", async () => {
    await userEvent.type(await screen.findByLabelText("Join with a link"), "hello{Enter}");
    expect(await screen.findByText(/This is not a link to a room/)).toBeTruthy();
    expect(location.pathname).toBe("/");
    await expectAccessible();
  });
});

describe("for the operator", () => {
  it("a press opens a room and goes to its door", async () => {
    serve({ ...SIGNED_IN, "POST /api/v1/meetings": { status: 201, body: FIRST } });
    serveVault();
    showPage(<HomeRoute />);
    await userEvent.click(await screen.findByRole("button", { name: "Start a room now" }));
    await waitFor(() => expect(location.pathname).toBe(`/m/${FIRST.id}`));
  });

  it("a failed press says why and stays", async () => {
    serve({ ...SIGNED_IN, "POST /api/v1/meetings": problem(503, "unavailable") });
    serveVault();
    showPage(<HomeRoute />);
    await userEvent.click(await screen.findByRole("button", { name: "Start a room now" }));
    expect(await screen.findByText(/The server cannot do this right now/)).toBeTruthy();
  });

  it("the list follows what happens", async () => {
    const asked = serve(SIGNED_IN);
    serveVault();
    showPage(<HomeRoute />);
    expect(await screen.findByText("3 people are in it")).toBeTruthy();
    await expectAccessible();
    const socket = FakeSocket.last;
    socket?.say({ t: "hello", seq: 1, resumed: false });
    const isList = ({ call }: { call: string }) => call === "GET /api/v1/meetings";
    await waitFor(() => expect(asked.filter(isList)).toHaveLength(2));
    const event = (seq: number, type: string, data: unknown) =>
      socket?.say({ t: "event", seq, type: `meeting.${type}`, data });
    event(2, "participants", { ...FIRST, participants: 1 });
    expect(await screen.findByText("One person is in it")).toBeTruthy();
    event(3, "opened", { ...FIRST, id: "mtg_2", participants: 0 });
    expect(await screen.findByRole("heading", { name: "2 rooms are open." })).toBeTruthy();
    event(4, "ended", FIRST);
    event(5, "ended", { ...FIRST, id: "mtg_2" });
    expect(await screen.findByText(/Nothing is open\./)).toBeTruthy();
    await expectAccessible();
  });

  it("a room is ended for all only after the question", async () => {
    const end = `POST /api/v1/meetings/${FIRST.id}/end`;
    const asked = serve({ ...SIGNED_IN, [end]: { status: 204 } });
    showPage(<HomeRoute />);
    const user = userEvent.setup();
    const open = () => user.click(screen.getByRole("button", { name: /^End for everyone/ }));
    await screen.findByText("3 people are in it");

    await open();
    const dialog = await screen.findByRole("alertdialog", QUESTION);
    expect(within(dialog).getByText(/3 people are in the room/)).toBeTruthy();
    await expectAccessible();
    await user.click(within(dialog).getByRole("button", { name: "Cancel" }));
    expect(asked.some(({ call }) => call === end)).toBe(false);

    await open();
    await user.click(
      within(await screen.findByRole("alertdialog", QUESTION)).getByRole("button", {
        name: "End for everyone",
      }),
    );
    expect(await screen.findByText("The meeting has ended.")).toBeTruthy();
    expect(asked.filter(({ call }) => call === end)).toHaveLength(1);
  });

  it("signing out leads back to the welcome", async () => {
    serve({ ...SIGNED_IN, "DELETE /api/v1/session": { status: 204 } });
    showPage(<HomeRoute />);
    await userEvent.click(await screen.findByRole("button", { name: "You: Operator" }));
    await userEvent.click(await screen.findByRole("menuitem", { name: "Sign out" }));
    expect(await screen.findByRole("heading", { name: "Come in with your link." })).toBeTruthy();
  });
});

describe("when the session has ended elsewhere", () => {
  it("the welcome is shown instead of an error", async () => {
    serve({
      "GET /api/v1/session": OPERATOR,
      "GET /api/v1/meetings": problem(401, "unauthenticated"),
    });
    showPage(<HomeRoute />);
    expect(await screen.findByRole("heading", { name: "Come in with your link." })).toBeTruthy();
  });
});

describe("without the server", () => {
  it("says so and offers to try again", async () => {
    const server: Server = {};
    serve(server);
    showPage(<HomeRoute />);
    const retry = await screen.findByRole("button", { name: "Try again" });
    await expectAccessible();
    Object.assign(server, SIGNED_IN);
    await userEvent.click(retry);
    expect(await screen.findByText("3 people are in it")).toBeTruthy();
  });
});

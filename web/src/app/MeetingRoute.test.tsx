import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import { type FakeSealed, fakeSealed } from "../../test/fakeSealed.ts";
import { expectAccessible, problem, serve, showPage } from "../../test/page.tsx";
import type { LeaveReason } from "../features/meeting/contract.ts";
import { forgetFragment } from "../sealing/keys/address.ts";
import { b64, fromB64 } from "../sealing/keys/bytes.ts";
import { generateKey } from "../sealing/keys/ed25519.ts";
import { makeInvitation } from "../sealing/keys/invitation.ts";
import { deriveLinkKeys, formatFragment, hostFingerprint } from "../sealing/keys/link.ts";
import { MeetingRoute } from "./MeetingRoute.tsx";

const ID = "mtg_01234567890123456789abcdef";
const meeting = vi.hoisted(() => ({
  opened: 0,
  start: vi.fn(),
  leave: vi.fn(async () => undefined),
}));
const sealing = vi.hoisted(() => ({ made: [] as FakeSealed[], visitors: [] as unknown[] }));

vi.mock("../features/meeting/index.tsx", () => ({
  default: ({ onLeave }: { onLeave(reason: LeaveReason): void }) => (
    <main data-room="">
      <button type="button" onClick={() => onLeave("left")}>
        Leave
      </button>
    </main>
  ),
  openSession: () => {
    meeting.opened += 1;
    return { start: meeting.start, leave: meeting.leave };
  },
  warmUp: async () => undefined,
}));
vi.mock("../sealing/session/open.ts", () => ({
  prepareSealed: async (visitor: unknown) => {
    const sealed = fakeSealed({ phase: { type: "entering", isCrowded: false } });
    sealing.made.push(sealed);
    sealing.visitors.push(visitor);
    return { session: sealed, deviceKey: new Uint8Array(32).fill(5) };
  },
}));

const ROOM = `GET /api/v1/meetings/${ID}`;
const OPEN = {
  body: { id: ID, is_open: true, opened_at: "2026-01-01T10:00:00Z", is_host: false, entry: "open" },
};
let server: Parameters<typeof serve>[0];

beforeEach(() => {
  forgetFragment(ID);
  meeting.opened = 0;
  meeting.start.mockClear();
  meeting.leave.mockClear();
  sealing.made.length = 0;
  sealing.visitors.length = 0;
  localStorage.setItem("conclave.name", "Jonas Weber");
  server = { [ROOM]: OPEN, "GET /api/v1/session": { body: { user: null } } };
  serve(server);
});

const drawn = () => document.querySelector<HTMLElement>("[data-room]");
const sealed = () => sealing.made.at(-1) as FakeSealed;
const join = async () => {
  const button = await screen.findByRole("button", { name: "Join" });
  await act(async () => button.click());
};
const admitted = async () => {
  await waitFor(() => expect(sealed().asked).toContain("start Jonas Weber"));
  await act(async () => sealed().admit());
};

it("draws the meeting at the door, unseen, knocks at Join, and shows it when let in", async () => {
  showPage(<MeetingRoute meetingId={ID} />);
  await waitFor(() => expect(drawn()).not.toBeNull());
  expect(drawn()?.style.display).toBe("none");
  expect(sealed().asked).toEqual([]);
  await join();
  await admitted();
  const leave = await screen.findByRole("button", { name: "Leave" });
  expect(meeting.start).toHaveBeenCalledOnce();
  expect(screen.queryByRole("button", { name: "Join" })).toBeNull();
  expect(meeting.opened).toBe(1);
  // The next visit is a new one.
  await userEvent.click(leave);
  expect(drawn()).toBeNull();
  expect(sealed().asked).toContain("close");
});

it("knocks as soon as it can for who was quicker", async () => {
  showPage(<MeetingRoute meetingId={ID} />);
  await join();
  await admitted();
  expect(await screen.findByRole("button", { name: "Leave" })).toBeTruthy();
  expect(meeting.start).toHaveBeenCalledOnce();
  expect(meeting.opened).toBe(1);
});

it("waits at the door, and can go away from it", async () => {
  showPage(<MeetingRoute meetingId={ID} />);
  await join();
  await waitFor(() => expect(sealed().asked).toContain("start Jonas Weber"));
  const words = { en: ["harbour", "lemon", "violin"], de: [] };
  const waiting = { type: "waiting", members: 1, words, note: null, canWrite: true } as const;
  await act(async () => sealed().store.setState({ phase: waiting }));
  expect(screen.getByText("harbour lemon violin")).toBeTruthy();
  await userEvent.type(screen.getByLabelText("A line to the host, if you like"), "Lena, class 4b");
  await userEvent.click(screen.getByRole("button", { name: "Send" }));
  expect(sealed().asked).toContain('sendNote "Lena, class 4b"');
  await userEvent.click(screen.getByRole("button", { name: "Stop waiting" }));
  const after = sealed().asked.slice(sealed().asked.indexOf("leave"));
  expect(after.slice(0, 2)).toEqual(["leave", "close"]);
  expect(meeting.start).not.toHaveBeenCalled();
  expect(screen.getByRole("heading", { name: "You left the room." })).toBeTruthy();
});

it("says when one was not let in", async () => {
  showPage(<MeetingRoute meetingId={ID} />);
  await join();
  await waitFor(() => expect(sealed().asked).toContain("start Jonas Weber"));
  await act(async () => sealed().store.setState({ phase: { type: "over", reason: "denied" } }));
  expect(await screen.findByRole("heading", { name: "You were not let in." })).toBeTruthy();
});

it("says when the room that answered is not the one of the link", async () => {
  showPage(<MeetingRoute meetingId={ID} />);
  await join();
  await waitFor(() => expect(sealed().asked).toContain("start Jonas Weber"));
  await act(async () =>
    sealed().store.setState({
      phase: { type: "over", reason: "broken" },
      seal: { type: "broken", reason: "not-our-group", at: 0 },
    }),
  );
  const heading = "This is not the room of your link.";
  expect(await screen.findByRole("heading", { name: heading })).toBeTruthy();
  expect(meeting.start).not.toHaveBeenCalled();
});

it("turns into a calm page when the room has ended behind the door", async () => {
  showPage(<MeetingRoute meetingId={ID} />);
  await join();
  server[ROOM] = problem(404, "not_found");
  expect(await screen.findByRole("heading", { name: /no open room/ })).toBeTruthy();
});

it("takes the key out of the address and gives it to the one who knocks", async () => {
  const fragment = "#1.AAECAwQFBgcICQoLDA0ODw.EBESExQVFhcYGRobHB0eHw";
  history.replaceState(null, "", `/m/${ID}${fragment}`);
  showPage(<MeetingRoute meetingId={ID} />);
  await waitFor(() => expect(sealing.visitors).toHaveLength(1));
  expect(location.hash).toBe("");
  const { link } = sealing.visitors[0] as { link: { secret: Uint8Array } };
  expect([...link.secret]).toEqual(Array.from({ length: 16 }, (_, at) => at));
});

const SEED = "ICEiIyQlJicoKSorLC0uLw";
const INVITATION = new RegExp(`^GET /api/v1/meetings/${ID}/invitations/[\\w-]{22}$`);

/** The host's certificate for the person with this seed, as the server keeps it. */
async function invited(state: string, device: string | null) {
  const account = await generateKey();
  const secret = Uint8Array.from({ length: 16 }, (_, at) => at);
  const about = { name: "Ida", role: "attendee", expiresAt: 0 } as const;
  const keys = await deriveLinkKeys(secret, ID);
  const made = await makeInvitation(account, keys, about, fromB64(SEED) ?? undefined);
  const link = { secret, fingerprint: await hostFingerprint(account.publicKey) };
  history.replaceState(null, "", `/m/${ID}${formatFragment(link, made.seed)}`);
  server[`GET /api/v1/meetings/${ID}/invitations/${made.id}`] = {
    body: { id: made.id, certificate: b64(made.bytes), state, device },
  };
}

it("says whose personal link it is, and comes as that person", async () => {
  localStorage.removeItem("conclave.name");
  await invited("unused", null);
  showPage(<MeetingRoute meetingId={ID} />);
  expect(await screen.findByText("Made for Ida, and for one device.")).toBeTruthy();
  expect(screen.getByDisplayValue("Ida")).toBeTruthy();
  expect(sealing.visitors[0]).toMatchObject({ invitation: { facts: { role: "attendee" } } });
});

it("says that a personal link belongs to another device", async () => {
  await invited("used", b64(new Uint8Array(32)));
  showPage(<MeetingRoute meetingId={ID} />);
  expect(await screen.findByText(/belongs to Ida’s other device/)).toBeTruthy();
});

it.each([
  ["revoked", "This personal link has been taken back."],
  ["expired", "The time of this personal link is over."],
])("is a calm page for a personal link that is %s", async (state, heading) => {
  await invited(state, null);
  showPage(<MeetingRoute meetingId={ID} />);
  expect(await screen.findByRole("heading", { name: heading })).toBeTruthy();
  expect(sealing.visitors).toEqual([]);
  await expectAccessible();
});

it("is a calm page for a personal link that nobody knows", async () => {
  await invited("unused", null);
  for (const call of Object.keys(server)) {
    if (INVITATION.test(call)) server[call] = problem(404, "not_found");
  }
  showPage(<MeetingRoute meetingId={ID} />);
  const heading = "This personal link is not known here.";
  expect(await screen.findByRole("heading", { name: heading })).toBeTruthy();
});

it("leaves a room that was set out for when the page goes away before it was shown", async () => {
  const { unmount } = showPage(<MeetingRoute meetingId={ID} />);
  await waitFor(() => expect(drawn()).not.toBeNull());
  await join();
  await waitFor(() => expect(sealed().asked).toContain("start Jonas Weber"));
  unmount();
  await waitFor(() => expect(sealed().asked.slice(-2)).toEqual(["leave", "close"]));
  expect(meeting.leave).toHaveBeenCalledOnce();
});

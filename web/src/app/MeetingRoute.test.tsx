import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import { serve, showPage } from "../../test/page.tsx";
import type { LeaveReason } from "../features/meeting/contract.ts";
import { MeetingRoute } from "./MeetingRoute.tsx";

const ID = "mtg_01234567890123456789abcdef";
const CONNECTION = { url: "", token: "t", identity: "me", role: "guest" };
const meeting = vi.hoisted(() => ({
  opened: 0,
  start: vi.fn(),
  leave: vi.fn(async () => undefined),
}));

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

beforeEach(() => {
  meeting.opened = 0;
  meeting.start.mockClear();
  localStorage.setItem("conclave.name", "Jonas Weber");
  serve({
    [`GET /api/v1/meetings/${ID}`]: {
      body: { id: ID, opened_at: "2026-01-01T10:00:00Z", is_host: false },
    },
    [`POST /api/v1/meetings/${ID}/join`]: { body: CONNECTION },
  });
});

const drawn = () => document.querySelector<HTMLElement>("[data-room]");
const join = async () => {
  const button = await screen.findByRole("button", { name: "Join" });
  await act(async () => button.click());
};

it("draws the meeting at the door, unseen, and shows it at Join", async () => {
  showPage(<MeetingRoute meetingId={ID} />);
  await waitFor(() => expect(drawn()).not.toBeNull());
  expect(drawn()?.style.display).toBe("none");
  expect(screen.queryByRole("button", { name: "Leave" })).toBeNull();
  expect(meeting.start).not.toHaveBeenCalled();
  await join();
  const leave = await screen.findByRole("button", { name: "Leave" });
  expect(meeting.start).toHaveBeenCalledOnce();
  expect(screen.queryByRole("button", { name: "Join" })).toBeNull();
  expect(meeting.opened).toBe(1);
  // The next visit is a new one.
  await userEvent.click(leave);
  expect(drawn()).toBeNull();
});

it("goes in before the meeting has been drawn, too", async () => {
  showPage(<MeetingRoute meetingId={ID} />);
  await join();
  expect(await screen.findByRole("button", { name: "Leave" })).toBeTruthy();
  expect(meeting.start).toHaveBeenCalledOnce();
  expect(meeting.opened).toBe(1);
});

it("leaves a room that was set out for when the page goes away before it was shown", async () => {
  const { unmount } = showPage(<MeetingRoute meetingId={ID} />);
  await waitFor(() => expect(drawn()).not.toBeNull());
  meeting.start.mockImplementationOnce(() => setTimeout(unmount, 0));
  await join();
  await waitFor(() => expect(meeting.leave).toHaveBeenCalledOnce());
});

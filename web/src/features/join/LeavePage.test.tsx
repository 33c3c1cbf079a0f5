import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { expectAccessible, serve, showPage } from "../../../test/page.tsx";
import { LeavePage } from "./LeavePage.tsx";

const SERVER = { "GET /api/v1/server": { body: { media: { udp_ports: [7882, 7883] } } } };

describe("after the meeting", () => {
  it.each([
    ["left", "Go in again"],
    ["elsewhere", "Take it over here"],
    ["blocked", "Try again"],
    ["lost", "Try again"],
    ["denied", "Knock once more"],
    ["locked", "Try again"],
    ["full", "Try again"],
  ] as const)("%s: there is a way back", async (reason, button) => {
    serve(SERVER);
    const onAgain = vi.fn();
    showPage(<LeavePage reason={reason} onAgain={onAgain} />);
    await expectAccessible();
    await userEvent.click(screen.getByRole("button", { name: button }));
    expect(onAgain).toHaveBeenCalledOnce();
  });

  it.each(["ended", "removed", "broken", "unproven"] as const)(
    "%s: only the start page is left",
    async (reason) => {
      serve(SERVER);
      showPage(<LeavePage reason={reason} onAgain={() => {}} />);
      expect(screen.getAllByRole("button").map((button) => button.textContent)).toEqual([
        "To the start page",
      ]);
      await expectAccessible();
    },
  );

  it("ended for now: the link stays good", () => {
    serve(SERVER);
    showPage(<LeavePage reason="ended" isKept onAgain={() => {}} />);
    expect(screen.getByText(/Your link stays good for the next time\./)).toBeTruthy();
    expect(screen.queryByText(/no longer opens/)).toBeNull();
  });

  it("blocked: names the ports and the command", async () => {
    serve(SERVER);
    showPage(<LeavePage reason="blocked" onAgain={() => {}} />);
    expect(await screen.findByText(/UDP ports 7882 and 7883/)).toBeTruthy();
    expect(screen.getByRole("alert").textContent).toContain("conclave doctor");
  });
});

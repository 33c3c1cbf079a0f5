import { describe, expect, it } from "vitest";
import type { HostedInvitation } from "../../../api/types.ts";
import type { InvitedLink } from "../../../vault/invitations.ts";
import { endOf, type InvitedRow, isLive, type Known, renewedEnd, rowsOf } from "./rows.ts";

const NOW = Date.UTC(2026, 0, 10, 12);
const DAY = 24 * 60 * 60;

const link = (id: string, at = 0): InvitedLink => ({
  id,
  seed: id,
  name: id,
  role: "attendee",
  expiresAt: 0,
  at,
  fragment: `#${id}`,
  device: null,
});
const served = (id: string, change: Partial<HostedInvitation> = {}): HostedInvitation => ({
  id,
  certificate: "",
  state: "unused",
  device: null,
  created_at: "2026-01-01T10:00:00Z",
  bound_at: null,
  passed_on_at: null,
  ...change,
});
const rows = (known: Partial<Known>) =>
  rowsOf({ links: [], served: [], strays: new Map(), others: new Set(), ...known });

describe("rows", () => {
  it("stand with the newest list first, each list as it was typed", () => {
    const links = [link("a", 1), link("b", 1), link("c", 2), link("d", 2)];
    expect(rows({ links }).map(({ id }) => id)).toEqual(["c", "d", "a", "b"]);
  });

  it("put what matters most before the rest", () => {
    const passed = { state: "used", passed_on_at: "2026-01-02", bound_at: "2026-01-01" } as const;
    const standing = (change: Partial<HostedInvitation>, others = new Set<string>()) =>
      rows({ links: [link("a")], served: [served("a", change)], others })[0]?.standing.type;
    expect(standing(passed)).toBe("passed-on");
    expect(standing(passed, new Set("a"))).toBe("other-device");
    expect(standing({ ...passed, state: "revoked" }, new Set("a"))).toBe("revoked");
    expect(standing({ state: "expired" })).toBe("expired");
    expect(rows({ links: [link("a")] })[0]?.standing.type).toBe("unsent");
    expect(rows({ links: [link("a")], served: null })[0]?.standing.type).toBe("unknown");
  });

  it("of the server's alone have no link, whatever time it names", () => {
    const strays = new Map([["s", { id: "s", name: null, role: "cohost", expiresAt: 0 } as const]]);
    const [row] = rows({ strays, served: [served("s", { created_at: "whenever" })] });
    expect(row).toMatchObject({ name: null, fragment: null, at: 0, role: "cohost" });
    expect(row && isLive(row)).toBe(true);
  });
});

describe("the end of a link", () => {
  it("is counted from now, in seconds", () => {
    expect(endOf("meeting", NOW)).toBe(0);
    expect(endOf("week", NOW)).toBe(NOW / 1_000 + 7 * DAY);
  });

  it("of one in place of another leaves as much time, and never a time out of reason", () => {
    const row = (expiresAt: number, at: number) => ({ expiresAt, at }) as InvitedRow;
    const then = NOW - 3 * DAY * 1_000;
    expect(renewedEnd(row(0, then), NOW)).toBe(0);
    expect(renewedEnd(row(endOf("week", then), then), NOW)).toBe(endOf("week", NOW));
    for (const at of [0, Number.NaN, NOW * 9, -NOW]) {
      expect(renewedEnd(row(endOf("week", then), at), NOW)).toBe(endOf("day", NOW));
    }
  });
});

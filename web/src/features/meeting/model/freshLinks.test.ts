import { describe, expect, it } from "vitest";
import { guest, invitedAs, member } from "../../../../test/fakeSealed.ts";
import { candidates, cleaningOf } from "./cleaning.ts";
import { freshFor } from "./freshLinks.ts";

describe("who is asked about a new link after cleaning", () => {
  const members = [
    member("me", { isSelf: true, role: "host" }),
    member("other", { role: "host" }),
    member("ada", { verification: "invitation", invited: invitedAs("i1", "Ada L") }),
    member("ben", { role: "cohost" }),
    member("cleo", {
      verification: "invitation",
      invited: { ...invitedAs("i2", "Cleo"), isOtherDevice: true },
    }),
    member("dora", {
      verification: "invitation",
      part: "presenter",
      invited: invitedAs("i3", "Dora"),
    }),
    member("thief", { verification: "invitation", invited: invitedAs("i3", "Dora") }),
    member("nameless", { name: null }),
  ];
  const all = candidates(members, [guest("s1")]);
  const stays = new Map([
    ["thief", false],
    ["nameless", true],
    ["s1", true],
  ]);

  it("is who stays with a name, with what they came by", () => {
    const cleaning = cleaningOf(all, stays);
    // Dora's link stays hers, though somebody else had it.
    expect(cleaning.invitations).toEqual([]);
    expect(freshFor(cleaning, members)).toEqual([
      { identity: "ada", name: "Ada L", role: "attendee", invitation: "i1", isLeaked: false },
      { identity: "ben", name: "Ben", role: "cohost", invitation: null, isLeaked: false },
      { identity: "cleo", name: "Cleo", role: "attendee", invitation: "i2", isLeaked: true },
      { identity: "dora", name: "Dora", role: "presenter", invitation: "i3", isLeaked: true },
    ]);
  });

  it("is nobody who has left meanwhile", () => {
    const cleaning = cleaningOf(all, stays);
    const here = members.filter(({ identity }) => identity === "ben");
    expect(freshFor(cleaning, here).map(({ identity }) => identity)).toEqual(["ben"]);
  });
});

import { expect, test } from "vitest";
import { guest, invitedAs, member, message } from "../../../../test/fakeSealed.ts";
import { candidates, cleaningOf, type ReportWords, report } from "./cleaning.ts";

const MEMBERS = [
  member("me", { isSelf: true, role: "host", verification: "host" }),
  member("ada", { verification: "account" }),
  member("ida", { verification: "invitation", invited: invitedAs("i1", "Ida") }),
  member("co", { role: "cohost", verification: "link" }),
  member("posted", { verification: "link" }),
  member("walked", { verification: "door" }),
  member("thief", { verification: "link", invited: invitedAs("i1", "Ida") }),
  member("leaked", { verification: "door", invited: invitedAs("i2", "Leo") }),
  member("gone", { isLeaving: true }),
];
const DOOR = [
  guest("s1", { name: null, proof: "unknown" }),
  guest("s2", { invited: { ...invitedAs("i3", "Max"), standing: "other-device" } }),
];
const all = candidates(MEMBERS, DOOR);

test("who is proven stays, whoever came by a link for everybody goes", () => {
  const stays = all.filter(({ staysByDefault }) => staysByDefault).map(({ id }) => id);
  expect(stays).toEqual(["me", "ada", "ida", "co"]);
  expect(all.map(({ id }) => id)).not.toContain("gone");
  // Those to decide about come first.
  expect(all.slice(0, 2).map(({ id }) => id)).toEqual(["posted", "walked"]);
});

test("what is done: people out, guests refused, their links taken back", () => {
  const { identities, seats, invitations } = cleaningOf(all, new Map());
  expect(identities).toEqual(["posted", "walked", "thief", "leaked"]);
  expect(seats).toEqual(["s1", "s2"]);
  // Ida stays, so her link stays hers although somebody else came by it too.
  expect(invitations).toEqual(["i2", "i3"]);
});

test("the host decides otherwise, but not about hosts", () => {
  const stays = new Map([
    ["posted", true],
    ["ida", false],
    ["me", false],
  ]);
  const { identities, invitations, stayed } = cleaningOf(all, stays);
  expect(identities).toEqual(["walked", "thief", "leaked", "ida"]);
  expect(invitations).toEqual(["i1", "i2", "i3"].filter((id) => invitations.includes(id)));
  expect(new Set(invitations)).toEqual(new Set(["i1", "i2", "i3"]));
  expect(stayed.map(({ id }) => id)).toContain("me");
});

const WORDS: ReportWords = {
  title: "Report",
  intro: "Seen here.",
  went: "Went",
  stayed: "Stayed",
  said: "Wrote:",
  nothingSaid: "Wrote nothing.",
  nameless: "Nobody",
  noteOfOrigin: "Note.",
  came: ({ came }) => came,
  time: (at) => `t${at}`,
};

test("the report says who, how, since when and what was written", () => {
  const { gone, stayed } = cleaningOf(candidates(MEMBERS.slice(0, 5), DOOR.slice(0, 1)), new Map());
  const chat = [
    message("1", { identity: "posted", text: "rude\nwords", sentAt: 7 }),
    message("2", { identity: "posted", text: "taken back", isDeleted: true }),
    message("3", { identity: "ada", text: "other" }),
  ];
  expect(report({ gone, stayed, at: 9 }, chat, WORDS).split("\n")).toEqual([
    "Report",
    "t9",
    "",
    "Seen here.",
    "",
    "Went",
    "- Posted: link, t0",
    "  Wrote:",
    "    t7: rude words",
    "- Nobody: unknown, t0",
    "  Wrote nothing.",
    "",
    "Stayed",
    "- Me: host",
    "- Ada: account",
    "- Ida: invitation",
    "- Co: link",
    "",
    "Note.",
    "",
  ]);
});

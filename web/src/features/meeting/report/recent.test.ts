import { describe, expect, it } from "vitest";
import { fakeSealed, invitedAs, member, message } from "../../../../test/fakeSealed.ts";
import { somebody } from "../../../../test/people.ts";
import type { Sealed, Witnessed } from "../../../sealing/contract.ts";
import { type Call, INITIAL_CALL } from "../model/call.ts";
import { buildReport, CHAT_MS, others } from "./build.ts";
import {
  callEvents,
  goneSince,
  groupEvents,
  NOTHING_YET,
  noticeEvent,
  RECENT_MS,
  remember,
} from "./recent.ts";

const NOW = 1_000_000;
const call = (change: Partial<Call>): Call => ({ ...INITIAL_CALL, ...change });
const sealed = (change: Partial<Sealed>): Sealed => fakeSealed(change).store.getState();
const told = (events: ReturnType<typeof callEvents>) =>
  events.map(({ type, who, what }) => [type, who, what].filter((part) => part !== null).join(" "));

describe("the last minute", () => {
  it("is kept, and nothing before it", () => {
    const event = (at: number) =>
      ({ ...noticeEvent({ type: "frozen", by: "Hanna" }, at) }) as never;
    const gone = (identity: string, leftAt: number) => ({ member: member(identity), leftAt });
    let recent = remember(NOTHING_YET, NOW, [event(NOW)], [gone("tom", NOW)]);
    recent = remember(recent, NOW + RECENT_MS, [event(NOW + RECENT_MS)], [gone("eve", NOW + 1)]);
    expect(recent.events.map(({ at }) => at)).toEqual([NOW, NOW + RECENT_MS]);
    expect(recent.gone.map(({ member: { identity } }) => identity)).toEqual(["tom", "eve"]);
    recent = remember(recent, NOW + RECENT_MS + 1);
    expect(recent.events.map(({ at }) => at)).toEqual([NOW + RECENT_MS]);
    expect(recent.gone.map(({ member: { identity } }) => identity)).toEqual(["eve"]);
  });

  it("holds no more than a report takes, and who left twice once", () => {
    const event = { at: NOW, type: "joined", who: null, name: null, what: null } as const;
    const recent = remember(NOTHING_YET, NOW, Array(500).fill(event));
    expect(recent.events).toHaveLength(200);
    const twice = [1, 2].reduce(
      (before, leftAt) =>
        remember(before, NOW, [], [{ member: member("tom"), leftAt: NOW + leftAt }]),
      NOTHING_YET,
    );
    expect(twice.gone.map(({ leftAt }) => leftAt)).toEqual([NOW + 2]);
  });

  it("tells of cameras, microphones and the shared screen, not of who has just come", () => {
    const tom = somebody("tom");
    const share = { identity: "tom", name: "tom", isSelf: false, video: null, hasSound: false };
    const before = call({ people: [tom] });
    const after = call({
      people: [
        { ...tom, isCameraOn: true, isMicrophoneOn: false },
        somebody("eve", { isCameraOn: true }),
      ],
      share,
    });
    expect(told(callEvents(before, after, NOW))).toEqual([
      "camera-on tom",
      "microphone-off tom",
      "share-on tom",
    ]);
    expect(told(callEvents(after, before, NOW))).toEqual([
      "camera-off tom",
      "microphone-on tom",
      "share-off tom",
    ]);
    const other = call({ people: after.people, share: { ...share, identity: "eve" } });
    expect(told(callEvents(after, other, NOW))).toEqual(["share-off tom", "share-on eve"]);
    expect(callEvents(after, after, NOW)).toEqual([]);
  });

  it("tells of hands, and keeps words that were taken back", () => {
    const line = message("one", { text: "you fool" });
    const before = sealed({ members: [member("tom"), member("eve")], chat: [line] });
    const after = sealed({
      members: [member("tom", { handPlace: 1 }), member("eve"), member("new", { handPlace: 2 })],
      chat: [{ ...line, text: "", isDeleted: true }, message("two")],
    });
    expect(told(groupEvents(before, after, NOW))).toEqual(["hand-up tom", "deleted ada you fool"]);
    expect(told(groupEvents(after, before, NOW))).toEqual(["hand-down tom", "edited ada "]);
    const edited = sealed({ chat: [{ ...line, text: "friend", isEdited: true }] });
    expect(told(groupEvents(before, edited, NOW))).toEqual(["edited ada you fool"]);
    const reacted = {
      ...before,
      chat: [{ ...line, reactions: [{ emoji: "👍", identities: [] }] }],
    };
    expect(groupEvents(before, reacted, NOW)).toEqual([]);
  });

  it("knows who has left", () => {
    const self = member("me", { isSelf: true });
    const before = sealed({ members: [self, member("tom"), member("eve")] });
    const after = sealed({ members: [member("eve")] });
    expect(goneSince(before, after, NOW)).toEqual([{ member: member("tom"), leftAt: NOW }]);
    expect(goneSince(before, before, NOW)).toEqual([]);
  });

  it("tells of what the group has said", () => {
    const tom = { identity: "tom", name: "Tom\ud800" };
    const notices = [
      { type: "member-joined", ...tom },
      { type: "member-left", ...tom },
      { type: "reaction", ...tom, emoji: "👍" },
      { type: "order", what: "mute", by: "Hanna" },
      { type: "frozen", by: "Hanna" },
      { type: "thawed", by: "Hanna" },
    ] as const;
    expect(
      notices.map((notice) => {
        const { type, who, name, what } = noticeEvent(notice, NOW) ?? {};
        return [type, who, name, what];
      }),
    ).toEqual([
      ["joined", "tom", "Tom\uFFFD", null],
      ["left", "tom", "Tom\uFFFD", null],
      ["reaction", "tom", "Tom\uFFFD", "👍"],
      ["order", null, "Hanna", "mute"],
      ["frozen", null, "Hanna", null],
      ["thawed", null, "Hanna", null],
    ]);
    expect(noticeEvent({ type: "sealed-again" }, NOW)).toBeNull();
  });
});

describe("a report", () => {
  const device = (deviceKey: string, change = {}) => ({
    deviceKey,
    accountKey: null,
    addedBy: null,
    ...change,
  });
  const witnessed: Witnessed = {
    instance: "I",
    devices: new Map([
      ["me", device("M")],
      ["tom", device("T", { addedBy: "me" })],
      ["eve", device("E")],
    ]),
    openLinkDevices: 0,
    certificate: null,
  };
  const members = [
    member("me", { isSelf: true }),
    member("eve", { verification: "invitation", invited: invitedAs("i1", "Eve W") }),
    member("unseen"),
  ];
  const recent = { events: [], gone: [{ member: member("tom"), leftAt: NOW - 5 }] };
  const material = { meetingId: "mtg_1", witnessed, recent, at: NOW };
  const choice = { about: new Set(["tom"]), note: "n".repeat(2_000), pictures: [] };

  it("is about who is here or has just left", () => {
    expect(others({ sealed: sealed({ members }), recent }).map(({ leftAt }) => leftAt)).toEqual([
      null,
      null,
      NOW - 5,
    ]);
    const back = [...members, member("tom")];
    expect(others({ sealed: sealed({ members: back }), recent })).toHaveLength(3);
    const report = buildReport({ ...material, sealed: sealed({ members }) }, choice);
    expect(report?.about).toMatchObject([{ device_key: "T", added_by: "me", left_at: NOW - 5 }]);
    expect(report?.people).toMatchObject([
      { device_key: "M" },
      { device_key: "E", came: "invitation", invitation: "i1", invited_as: "Eve W" },
    ]);
    expect(report?.note).toHaveLength(1_000);
    expect(report?.reporter).toMatchObject({ device_key: "M", account_key: null, name: "Me" });
  });

  it("has the chat of five minutes, as it was seen", () => {
    const chat = [
      message("old", { sentAt: NOW - CHAT_MS - 1 }),
      message("first", { sentAt: NOW - CHAT_MS, privateWith: { identity: "eve", name: "Eve" } }),
      message("failed", { sentAt: NOW, state: "failed" }),
      message("last", { sentAt: NOW, name: "x".repeat(99), isEdited: true, isFromBefore: true }),
    ];
    const report = buildReport({ ...material, sealed: sealed({ members, chat }) }, choice);
    expect(report?.chat).toMatchObject([
      { text: "Words of first", private_with: { identity: "eve", name: "Eve" }, edited: false },
      { text: "Words of last", private_with: null, edited: true, from_before: true },
    ]);
    expect(report?.chat.at(-1)?.name).toHaveLength(64);
  });

  it("has no key of a room in it", () => {
    const link = "https://h.example/m/mtg_6mg8#1.AAEC.qSay.wMHC";
    const chat = [message("one", { sentAt: NOW, text: `Your link: ${link}` })];
    const here = { ...material, sealed: sealed({ members, chat }) };
    const before = sealed({ chat });
    const after = sealed({ chat: [{ ...chat[0], text: "", isDeleted: true } as never] });
    const events = groupEvents(before, after, NOW);
    const report = buildReport(
      { ...here, recent: { ...recent, events } },
      { ...choice, note: link },
    );
    expect(report?.events).toHaveLength(1);
    expect(JSON.stringify(report)).not.toContain("AAEC");
    expect(report?.chat[0]?.text).toBe("Your link: https://h.example/m/mtg_6mg8#…");
  });

  it("names the account only with its word for the device", () => {
    const devices = new Map([["me", device("M", { accountKey: "A" })]]);
    const guest = { ...material, sealed: sealed({ members }) };
    const withAccount = { ...guest, witnessed: { ...witnessed, devices, certificate: "C" } };
    const reporter = (from: Parameters<typeof buildReport>[0]) =>
      buildReport(from, choice)?.reporter;
    expect(reporter(withAccount)).toMatchObject({ account_key: "A", certificate: "C" });
    const bare = { ...withAccount, witnessed: { ...withAccount.witnessed, certificate: null } };
    expect(reporter(bare)).toMatchObject({ account_key: null, certificate: null });
    const guestKey = { ...guest, witnessed: { ...witnessed, certificate: "C" } };
    expect(reporter(guestKey)).toMatchObject({ account_key: null, certificate: null });
  });

  it("is none without a group", () => {
    const here = { ...material, sealed: sealed({ members }) };
    const nowhere = { ...witnessed, instance: null };
    expect(buildReport({ ...here, witnessed: nowhere }, choice)).toBeNull();
    const strange = { ...witnessed, devices: new Map() };
    expect(buildReport({ ...here, witnessed: strange }, choice)).toBeNull();
    expect(buildReport({ ...here, sealed: sealed({ members: [] }) }, choice)).toBeNull();
  });
});

import { expect, test } from "vitest";
import type { CommitFacts, GroupFacts, KeyPackageFacts, LeafFacts } from "../engine/contract.ts";
import { isComingBack, judge } from "./judge.ts";
import { encodeContext, type MeetingContext, type Policy } from "./meetingContext.ts";
import { accountFingerprint, LINK_PSK_ID } from "./roles.ts";

const key = (n: number) => new Uint8Array(32).fill(n);
const ACCOUNT = key(200);
const leaf = (n: number, accountKey: Uint8Array | null = null): LeafFacts => ({
  leaf: n,
  signatureKey: key(n),
  accountKey,
});
const pack = (n: number, accountKey: Uint8Array | null = null): KeyPackageFacts => ({
  ref: key(n + 100),
  signatureKey: key(n),
  accountKey,
});
const POLICY: Policy = { entry: "open", isLocked: false, history: 0, cohosts: [key(1)] };
const CONTEXT: MeetingContext = {
  meetingId: new TextEncoder().encode("mtg_a"),
  instance: new Uint8Array(16).fill(1),
  creatorKey: key(0),
  hostFingerprint: accountFingerprint(ACCOUNT),
  mac: key(9),
  policy: POLICY,
};

function group(policy: Partial<Policy> = {}): GroupFacts {
  return {
    groupId: CONTEXT.instance,
    epoch: 4,
    ownLeaf: 3,
    // 0 host, 1 co-host, 2 and 3 members, 4 another host
    roster: [leaf(0, ACCOUNT), leaf(1), leaf(2), leaf(3, key(201)), leaf(4, ACCOUNT)],
    meeting: encodeContext({ ...CONTEXT, policy: { ...POLICY, ...policy } }),
    authenticator: key(7),
  };
}

function commit(sender: number, facts: Partial<CommitFacts> = {}): CommitFacts {
  return { sender, adds: [], removes: [], meeting: null, psks: [], ...facts };
}

const changed = encodeContext({ ...CONTEXT, policy: { ...POLICY, isLocked: true } });
const PSK = [LINK_PSK_ID];

const ALLOWED: readonly [string, Partial<Policy>, CommitFacts][] = [
  ["anybody renews its leaf", {}, commit(2)],
  ["anybody binds to the link", {}, commit(2, { psks: PSK })],
  ["anybody adds by the link", {}, commit(2, { adds: [pack(5), pack(6)], psks: PSK })],
  ["a host adds without it", { entry: "lobby" }, commit(0, { adds: [pack(5)] })],
  ["a co-host adds although locked", { isLocked: true }, commit(1, { adds: [pack(5)] })],
  [
    "anybody lets back in",
    { entry: "lobby" },
    commit(2, { adds: [pack(3, key(201))], removes: [3] }),
  ],
  ["anybody lets a guest back in", {}, commit(3, { adds: [pack(2)], removes: [2] })],
  ["anybody takes out who is lost", {}, commit(2, { removes: [3] })],
  ["even a host who is lost", {}, commit(2, { removes: [0] })],
  ["a host changes the policy", {}, commit(0, { meeting: changed })],
];

const REFUSED: readonly [string, Partial<Policy>, CommitFacts][] = [
  ["nobody who is not in", {}, commit(8)],
  ["no foreign PSK", {}, commit(0, { psks: [key(1)] })],
  ["no two PSKs", {}, commit(0, { psks: [LINK_PSK_ID, LINK_PSK_ID] })],
  ["no member adds without the link", {}, commit(2, { adds: [pack(5)] })],
  ["no member adds into a lobby", { entry: "lobby" }, commit(2, { adds: [pack(5)], psks: PSK })],
  ["no member adds when locked", { isLocked: true }, commit(2, { adds: [pack(5)], psks: PSK })],
  ["nobody twice", {}, commit(0, { adds: [pack(5), pack(5)] })],
  ["nobody who is in already", {}, commit(0, { adds: [pack(3, key(201))] })],
  ["nobody back under another account", {}, commit(2, { adds: [pack(3)], removes: [3] })],
  ["nobody back with a new account", {}, commit(3, { adds: [pack(2, ACCOUNT)], removes: [2] })],
  ["nobody removes itself", {}, commit(0, { removes: [0] })],
  ["nobody removes nobody", {}, commit(0, { removes: [77] })],
  ["no co-host changes the policy", {}, commit(1, { meeting: changed })],
  ["no damaged policy", {}, commit(0, { meeting: key(1) })],
  ["not the MAC", {}, commit(0, { meeting: encodeContext({ ...CONTEXT, mac: key(8) }) })],
  [
    "not the creator",
    {},
    commit(0, { meeting: encodeContext({ ...CONTEXT, creatorKey: key(8) }) }),
  ],
];

test.each(ALLOWED)("%s", (_name, policy, facts) => {
  expect(judge(group(policy), facts)).toBeNull();
});

test.each(REFUSED)("%s", (_name, policy, facts) => {
  expect(judge(group(policy), facts)).toEqual(expect.any(String));
});

test("a group without a meeting changes nothing", () => {
  expect(judge({ ...group(), meeting: key(1) }, commit(0))).toBe("the group has no meeting");
});

test("coming back is the same device with the same account", () => {
  expect(isComingBack(leaf(3, key(201)), pack(3, key(201)))).toBe(true);
  expect(isComingBack(leaf(3, key(201)), pack(3, key(202)))).toBe(false);
  expect(isComingBack(leaf(3), pack(4))).toBe(false);
});

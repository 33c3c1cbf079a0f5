import { expect, test } from "vitest";
import type {
  CommitFacts,
  GroupFacts,
  InvitationFacts,
  KeyPackageFacts,
  LeafFacts,
} from "../engine/contract.ts";
import { isComingBack, judge } from "./judge.ts";
import { encodeContext, type MeetingContext, type Policy } from "./meetingContext.ts";
import { accountFingerprint, invitationIdOf, LINK_PSK_ID } from "./roles.ts";

const key = (n: number) => new Uint8Array(32).fill(n);
const ACCOUNT = key(200);
const leaf = (n: number, accountKey: Uint8Array | null = null): LeafFacts => ({
  leaf: n,
  signatureKey: key(n),
  accountKey,
  invitation: null,
});
const pack = (n: number, accountKey: Uint8Array | null = null): KeyPackageFacts => ({
  ref: key(n + 100),
  signatureKey: key(n),
  accountKey,
  invitation: null,
});
const POLICY: Policy = {
  entry: "open",
  isLocked: false,
  history: 0,
  cohosts: [key(1)],
  revoked: [],
  template: "none",
  attendees: 0x1ff,
  people: [],
  blocked: [],
};
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

const invited = (n: number, other: Partial<InvitationFacts> = {}): InvitationFacts => ({
  meetingId: "mtg_a",
  key: key(n),
  role: "attendee",
  expiresAt: 0,
  name: new Uint8Array(),
  accountKey: ACCOUNT,
  signature: new Uint8Array(64),
  ...other,
});
const comes = (n: number, invitation: InvitationFacts): KeyPackageFacts => ({
  ...pack(n),
  invitation,
});
/** 5 holds invitation 50, 6 the co-host's 60. */
function withInvited(policy: Partial<Policy> = {}): GroupFacts {
  const facts = group(policy);
  const five = { ...leaf(5), invitation: invited(50) };
  const six = { ...leaf(6), invitation: invited(60, { role: "cohost" }) };
  return { ...facts, roster: [...facts.roster, five, six] };
}

const changed = encodeContext({ ...CONTEXT, policy: { ...POLICY, isLocked: true } });
const PSK = [LINK_PSK_ID];

function withPolicy(policy: Partial<Policy>): Uint8Array {
  return encodeContext({ ...CONTEXT, policy: { ...POLICY, ...policy } });
}
const FULL: Partial<Policy> = { revoked: [key(70).slice(0, 16)], blocked: [key(9)] };

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
  [
    "anybody lets the host in",
    { entry: "lobby", isLocked: true },
    commit(2, { adds: [pack(7, ACCOUNT)], psks: PSK }),
  ],
  ["anybody lets a guest back in", {}, commit(3, { adds: [pack(2)], removes: [2] })],
  ["anybody takes out who is lost", {}, commit(2, { removes: [3] })],
  ["even a host who is lost", {}, commit(2, { removes: [0] })],
  ["a host changes the policy", {}, commit(0, { meeting: changed })],
  ["a co-host changes the policy", {}, commit(1, { meeting: changed })],
  [
    "a co-host names another one, and shuts out",
    FULL,
    commit(1, {
      meeting: withPolicy({
        cohosts: [key(1), key(2)],
        revoked: [key(70).slice(0, 16), key(71).slice(0, 16)],
        blocked: [key(9), key(10)],
      }),
    }),
  ],
  ["a host forgives", FULL, commit(0, { meeting: withPolicy({}) })],
  [
    "a host comes in, whoever blocked its device",
    { blocked: [key(7)] },
    commit(2, { adds: [pack(7, ACCOUNT)], psks: PSK }),
  ],
];

const REFUSED: readonly [string, Partial<Policy>, CommitFacts][] = [
  ["nobody who is not in", {}, commit(8)],
  ["no foreign PSK", {}, commit(0, { psks: [key(1)] })],
  ["no two PSKs", {}, commit(0, { psks: [LINK_PSK_ID, LINK_PSK_ID] })],
  ["no member adds without the link", {}, commit(2, { adds: [pack(5)] })],
  ["no member adds into a lobby", { entry: "lobby" }, commit(2, { adds: [pack(5)], psks: PSK })],
  ["no member adds when locked", { isLocked: true }, commit(2, { adds: [pack(5)], psks: PSK })],
  ["no host without the link", { entry: "lobby" }, commit(2, { adds: [pack(7, ACCOUNT)] })],
  ["nobody twice", {}, commit(0, { adds: [pack(5), pack(5)] })],
  ["nobody who is in already", {}, commit(0, { adds: [pack(3, key(201))] })],
  ["nobody back under another account", {}, commit(2, { adds: [pack(3)], removes: [3] })],
  ["nobody back with a new account", {}, commit(3, { adds: [pack(2, ACCOUNT)], removes: [2] })],
  ["nobody removes itself", {}, commit(0, { removes: [0] })],
  ["nobody removes nobody", {}, commit(0, { removes: [77] })],
  ["no member changes the policy", {}, commit(2, { meeting: changed })],
  ["no co-host takes a role", {}, commit(1, { meeting: withPolicy({ cohosts: [] }) })],
  [
    "no co-host restores a link",
    FULL,
    commit(1, { meeting: withPolicy({ ...FULL, revoked: [] }) }),
  ],
  ["no co-host forgives", FULL, commit(1, { meeting: withPolicy({ ...FULL, blocked: [] }) })],
  ["nobody adds a blocked device", FULL, commit(0, { adds: [pack(9)], psks: PSK })],
  [
    "not even as somebody who comes back",
    { blocked: [key(2)] },
    commit(0, { adds: [pack(2)], removes: [2] }),
  ],
  ["no damaged policy", {}, commit(0, { meeting: key(1) })],
  ["not the MAC", {}, commit(0, { meeting: encodeContext({ ...CONTEXT, mac: key(8) }) })],
  [
    "not the creator",
    {},
    commit(0, { meeting: encodeContext({ ...CONTEXT, creatorKey: key(8) }) }),
  ],
];

const LOBBY = { entry: "lobby" } as const;
const REVOKED = { ...LOBBY, revoked: [invitationIdOf(invited(70))] };
const INVITED_IN: readonly [string, Partial<Policy>, CommitFacts][] = [
  ["anybody adds who is invited", LOBBY, commit(2, { adds: [comes(7, invited(70))], psks: PSK })],
  [
    "two at once",
    LOBBY,
    commit(2, { adds: [comes(7, invited(70)), comes(8, invited(80))], psks: PSK }),
  ],
  ["one lets in its second device", LOBBY, commit(5, { adds: [comes(7, invited(50))] })],
  ["a co-host by invitation adds", LOBBY, commit(6, { adds: [pack(7)] })],
  ["a host adds a second device", LOBBY, commit(0, { adds: [comes(7, invited(50))] })],
  ["a host adds even who is revoked", REVOKED, commit(0, { adds: [comes(7, invited(70))] })],
  [
    "in place of the first device, which goes",
    LOBBY,
    commit(2, { adds: [comes(7, invited(50))], removes: [5], psks: PSK }),
  ],
  ["the same device back", LOBBY, commit(2, { adds: [comes(5, invited(50))], removes: [5] })],
];
const KEPT_OUT: readonly [string, Partial<Policy>, CommitFacts][] = [
  ["not without the link", LOBBY, commit(2, { adds: [comes(7, invited(70))] })],
  [
    "not when locked",
    { ...LOBBY, isLocked: true },
    commit(2, { adds: [comes(7, invited(70))], psks: PSK }),
  ],
  [
    "no second device when locked",
    { ...LOBBY, isLocked: true },
    commit(5, { adds: [comes(7, invited(50))] }),
  ],
  ["not another's second device", {}, commit(2, { adds: [comes(7, invited(50))], psks: PSK })],
  [
    "not twice by one invitation",
    {},
    commit(2, { adds: [comes(7, invited(70)), comes(8, invited(70))], psks: PSK }),
  ],
  ["not who is revoked", REVOKED, commit(2, { adds: [comes(7, invited(70))], psks: PSK })],
  [
    "not by another meeting's invitation",
    {},
    commit(2, { adds: [comes(7, invited(70, { meetingId: "mtg_b" }))], psks: PSK }),
  ],
  [
    "not by another host's",
    {},
    commit(2, { adds: [comes(7, invited(70, { accountKey: key(201) }))], psks: PSK }),
  ],
  ["not back without it", LOBBY, commit(2, { adds: [pack(5)], removes: [5] })],
  ["not back with another's", LOBBY, commit(2, { adds: [comes(5, invited(70))], removes: [5] })],
];

test.each(INVITED_IN)("invited: %s", (_name, policy, facts) => {
  expect(judge(withInvited(policy), facts)).toBeNull();
});

test.each(KEPT_OUT)("invited: %s", (_name, policy, facts) => {
  expect(judge(withInvited(policy), facts)).toEqual(expect.any(String));
});

test("a co-host's invitation that is revoked makes no co-host", () => {
  const revoked = [invitationIdOf(invited(60))];
  const facts = commit(6, { adds: [pack(7)] });
  expect(judge(withInvited({ ...LOBBY, revoked }), facts)).toEqual(expect.any(String));
});

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

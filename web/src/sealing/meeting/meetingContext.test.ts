import { expect, test } from "vitest";
import {
  decodeContext,
  encodeContext,
  MAX_BLOCKED,
  MAX_COHOSTS,
  MAX_PEOPLE,
  MAX_REVOKED,
  type MeetingContext,
  type Policy,
  type Standing,
} from "./meetingContext.ts";
import { seeded } from "./model/world.ts";

const CONTEXT: MeetingContext = {
  meetingId: new TextEncoder().encode("mtg_01"),
  instance: new Uint8Array(16).fill(1),
  creatorKey: new Uint8Array(32).fill(2),
  hostFingerprint: new Uint8Array(16).fill(3),
  mac: new Uint8Array(32).fill(4),
  policy: {
    entry: "open",
    isLocked: false,
    history: 0,
    cohosts: [],
    revoked: [],
    template: "none",
    attendees: 0x1ff,
    people: [],
    blocked: [],
  },
};
const key = (n: number) =>
  Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? n >> 8 : n & 0xff));

const id = (n: number) =>
  Uint8Array.from({ length: 16 }, (_, place) => (place === 0 ? n >> 8 : n & 0xff));

test("the bytes are those of the protocol", () => {
  const bytes = encodeContext(CONTEXT);
  expect([...bytes.subarray(0, 9)]).toEqual([1, 6, 109, 116, 103, 95, 48, 49, 1]);
  expect([...bytes.subarray(-11)]).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0]);
  expect(bytes.length).toBe(1 + 7 + 16 + 32 + 16 + 32 + 4 + 1 + 1 + 1 + 2 + 1 + 1);
});

test.each([0, 1, 2, MAX_COHOSTS])("with %d co-hosts it reads what it wrote", (count) => {
  const cohosts = Array.from({ length: count }, (_, at) => key(at));
  const policy: Policy = {
    ...CONTEXT.policy,
    entry: "lobby",
    isLocked: true,
    history: 300,
    cohosts,
  };
  const context = { ...CONTEXT, policy };
  expect(decodeContext(encodeContext(context))).toEqual(context);
});

test.each([1, 2, MAX_REVOKED])("with %d revoked invitations it reads what it wrote", (count) => {
  const revoked = Array.from({ length: count }, (_, at) => id(at));
  const context = { ...CONTEXT, policy: { ...CONTEXT.policy, revoked } };
  expect(decodeContext(encodeContext(context))).toEqual(context);
});

test.each([1, 2, MAX_PEOPLE])("with %d people's standings it reads what it wrote", (count) => {
  const parts = ["attendee", "presenter", "listener"] as const;
  const people = Array.from({ length: count }, (_, at): Standing => {
    return { key: key(at), part: parts[at % 3] ?? "attendee", more: at, less: 0xffff - at };
  });
  const blocked = people.slice(0, MAX_BLOCKED).map((standing) => standing.key);
  const policy: Policy = {
    ...CONTEXT.policy,
    template: "board",
    attendees: 0xabc,
    people,
    blocked,
  };
  const context = { ...CONTEXT, policy };
  expect(decodeContext(encodeContext(context))).toEqual(context);
});

const plain = (n: number): Standing => ({ key: key(n), part: "attendee", more: 0, less: 0 });

test("every other way to write it is refused", () => {
  const withPeople = (people: readonly Standing[]) =>
    encodeContext({ ...CONTEXT, policy: { ...CONTEXT.policy, people } });
  const withBlocked = (blocked: readonly Uint8Array[]) =>
    encodeContext({ ...CONTEXT, policy: { ...CONTEXT.policy, blocked } });
  const onePerson = withPeople([plain(1)]);
  const cohostStanding = onePerson.slice();
  cohostStanding[onePerson.length - 6] = 1;
  const noPart = onePerson.slice();
  noPart[onePerson.length - 6] = 4;
  const bytes = encodeContext(CONTEXT);
  const at = (place: number, value: number) => {
    const damaged = bytes.slice();
    damaged[place < 0 ? bytes.length + place : place] = value;
    return damaged;
  };
  const withCohosts = (cohosts: readonly Uint8Array[]) =>
    encodeContext({ ...CONTEXT, policy: { ...CONTEXT.policy, cohosts } });
  const withRevoked = (revoked: readonly Uint8Array[]) =>
    encodeContext({ ...CONTEXT, policy: { ...CONTEXT.policy, revoked } });
  const longWay = Uint8Array.from([1, 0x40, 6, ...bytes.subarray(2)]);
  const bad = [
    new Uint8Array(),
    at(0, 2),
    at(0, 0),
    at(-11, 2),
    at(-10, 2),
    at(-7, 0xc0),
    at(-7, 1),
    at(-6, 0xc0),
    at(-6, 1),
    at(-6, 16),
    at(-5, 6),
    at(-2, 1),
    at(-2, 37),
    at(-1, 0xc0),
    at(-1, 1),
    at(-1, 32),
    cohostStanding,
    noPart,
    withPeople([plain(2), plain(1)]),
    withPeople([plain(1), { ...plain(1), more: 1 }]),
    withPeople(Array.from({ length: MAX_PEOPLE + 1 }, (_, place) => plain(place))),
    withBlocked([key(2), key(1)]),
    withBlocked(Array.from({ length: MAX_BLOCKED + 1 }, (_, place) => key(place))),
    bytes.subarray(0, -1),
    Uint8Array.from([...bytes, 0]),
    longWay,
    withCohosts([key(2), key(1)]),
    withCohosts([key(1), key(1)]),
    withCohosts(Array.from({ length: MAX_COHOSTS + 1 }, (_, place) => key(place))),
    withRevoked([id(2), id(1)]),
    withRevoked([id(1), id(1)]),
    withRevoked(Array.from({ length: MAX_REVOKED + 1 }, (_, place) => id(place))),
    Uint8Array.from([...bytes.subarray(0, -1), 3, 1, 2, 3]),
  ];
  for (const damaged of bad) expect(decodeContext(damaged)).toBeNull();
});

test("random bytes are never read wrongly", () => {
  const random = seeded(5);
  const bytes = encodeContext(CONTEXT);
  for (let round = 0; round < 2_000; round += 1) {
    const damaged = bytes.slice(0, Math.ceil(random() * bytes.length));
    damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
    const read = decodeContext(damaged);
    if (read !== null) expect(encodeContext(read)).toEqual(damaged);
  }
});

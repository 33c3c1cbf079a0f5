import { expect, test } from "vitest";
import type { InvitationFacts, LeafFacts } from "../engine/contract.ts";
import { b64, utf8 } from "../meeting/bytes.ts";
import type { Setup } from "../meeting/io.ts";
import { newPerson } from "../meeting/people.ts";
import { accountFingerprint, identityOf } from "../meeting/roles.ts";
import {
  begin,
  type DoorEntry,
  type Group,
  type LastCommit,
  type State,
} from "../meeting/state.ts";
import { createWitness } from "./witness.ts";

const HOST = new Uint8Array(32).fill(9);
const INSTANCE = new Uint8Array(16).fill(3);

function leafOf(number: number, change: Partial<LeafFacts> = {}): LeafFacts {
  const signatureKey = new Uint8Array(32).fill(number);
  return { leaf: number, signatureKey, accountKey: null, invitation: null, ...change };
}

function invitation(accountKey: Uint8Array): InvitationFacts {
  return {
    meetingId: "mtg_a",
    key: new Uint8Array(32).fill(5),
    role: "attendee",
    expiresAt: 0,
    name: new Uint8Array(),
    accountKey,
    signature: new Uint8Array(64),
  };
}

function groupOf(roster: readonly LeafFacts[], groupId = INSTANCE): Group {
  return {
    facts: {
      groupId,
      epoch: 1,
      ownLeaf: 0,
      roster,
      meeting: new Uint8Array(),
      authenticator: new Uint8Array(32),
    },
    context: {
      meetingId: utf8("mtg_a"),
      hostFingerprint: accountFingerprint(HOST),
      policy: { cohosts: [], revoked: [], people: [], blocked: [], attendees: 0 },
    } as unknown as Group["context"],
  };
}

interface Here {
  readonly leaf: LeafFacts;
  readonly hasLink?: boolean;
}

function stateOf(
  here: readonly Here[],
  { groupId = INSTANCE, door = [] as DoorEntry[], last = null as LastCommit | null } = {},
): State {
  const group = groupOf(
    here.map(({ leaf }) => leaf),
    groupId,
  );
  const people = here.map(({ leaf, hasLink = false }) => newPerson(leaf, group, 0, { hasLink }));
  return {
    ...begin({ link: null, knownDevices: new Map() } as unknown as Setup),
    group,
    people: new Map(people.map((person) => [person.identity, person])),
    door: new Map(door.map((entry) => [entry.seat, entry])),
    last,
  };
}

function knock(seat: string, leaf: LeafFacts, hasProof: boolean): DoorEntry {
  return { seat, facts: { ...leaf, ref: new Uint8Array(32) }, hasProof } as unknown as DoorEntry;
}

const watch = (certificate: Uint8Array | null = null) => {
  const signed: Uint8Array[] = [];
  const sign = async (content: Uint8Array) => {
    signed.push(content);
    return new Uint8Array(64);
  };
  return { ...createWitness({ sign, certificate }), signed };
};

const nameOf = (leaf: LeafFacts, instance = INSTANCE) => identityOf(leaf.signatureKey, instance);

test("devices are known with who let them in, and stay known when they are gone", () => {
  const { store, saw } = watch(new Uint8Array(64).fill(1));
  expect(store.getState()).toMatchObject({ instance: null, openLinkDevices: 0 });
  expect(store.getState().certificate).toBe(b64(new Uint8Array(64).fill(1)));
  const [host, ada, tom] = [leafOf(0, { accountKey: HOST }), leafOf(1), leafOf(2)];
  const before = stateOf([{ leaf: host }, { leaf: ada }]);
  saw(before);
  saw({ ...before, last: null });
  const last = { people: before.people, sender: 0 } as LastCommit;
  saw(stateOf([{ leaf: host }, { leaf: ada }, { leaf: tom }], { last }));
  saw(stateOf([{ leaf: host }]));
  const { devices, instance } = store.getState();
  expect(instance).toBe(b64(INSTANCE));
  expect([...devices]).toEqual([
    [nameOf(host), { deviceKey: b64(host.signatureKey), accountKey: b64(HOST), addedBy: null }],
    [nameOf(ada), { deviceKey: b64(ada.signatureKey), accountKey: null, addedBy: null }],
    [nameOf(tom), { deviceKey: b64(tom.signatureKey), accountKey: null, addedBy: nameOf(host) }],
  ]);
});

test("who came by the link for everybody is counted once, host and personal links are not", () => {
  const { store, saw } = watch();
  const host = leafOf(0, { accountKey: HOST });
  const invited = leafOf(1, { invitation: invitation(HOST) });
  const foreign = leafOf(2, { invitation: invitation(new Uint8Array(32)) });
  const [byLink, bare] = [leafOf(3), leafOf(4)];
  const count = () => store.getState().openLinkDevices;
  saw(
    stateOf([
      { leaf: host, hasLink: true },
      { leaf: invited, hasLink: true },
    ]),
  );
  expect(count()).toBe(0);
  const door = [knock("s1", byLink, true), knock("s2", bare, false), knock("s3", foreign, true)];
  saw(stateOf([{ leaf: host }], { door }));
  expect(count()).toBe(2);
  // Inside, the same device; and one that was given the link after it was let in without.
  saw(stateOf([{ leaf: host }, { leaf: byLink, hasLink: true }, { leaf: bare, hasLink: true }]));
  expect(count()).toBe(2);
  saw(stateOf([{ leaf: host }, { leaf: leafOf(5) }, { leaf: leafOf(6), hasLink: true }]));
  expect(count()).toBe(3);
});

test("another sitting is seen anew", () => {
  const { store, saw } = watch();
  const tom = leafOf(2);
  saw(stateOf([{ leaf: tom, hasLink: true }]));
  expect(store.getState().openLinkDevices).toBe(1);
  const other = new Uint8Array(16).fill(8);
  saw(stateOf([{ leaf: leafOf(4) }], { groupId: other }));
  expect(store.getState()).toMatchObject({ instance: b64(other), openLinkDevices: 0 });
  expect([...store.getState().devices.keys()]).toEqual([nameOf(leafOf(4), other)]);
});

test("without a group nothing is seen, and nothing is told twice", () => {
  const { store, saw } = watch();
  let told = 0;
  store.subscribe(() => {
    told += 1;
  });
  saw(begin({ link: null, knownDevices: new Map() } as unknown as Setup));
  expect(told).toBe(0);
  const state = stateOf([{ leaf: leafOf(1) }]);
  saw(state);
  saw(state);
  saw({ ...state, people: new Map(state.people) });
  expect(told).toBe(1);
});

test("nothing is signed but a report's digest, under its label", async () => {
  const { signReport, signed } = watch();
  await signReport(new Uint8Array(32).fill(6));
  expect(signed).toEqual([Uint8Array.of(...utf8("conclave report v1"), ...Array(32).fill(6))]);
  await expect(signReport(utf8("conclave knock v1"))).rejects.toThrow(RangeError);
  expect(signed).toHaveLength(1);
});

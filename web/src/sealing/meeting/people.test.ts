import { expect, test } from "vitest";
import { encodeContext, type MeetingContext } from "./meetingContext.ts";
import { afterCommit, newPerson } from "./people.ts";
import type { Group } from "./state.ts";

const key = (n: number) => new Uint8Array(32).fill(n);
const context: MeetingContext = {
  meetingId: new TextEncoder().encode("mtg_a"),
  instance: new Uint8Array(16).fill(1),
  creatorKey: key(0),
  hostFingerprint: new Uint8Array(16),
  mac: key(9),
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

function groupOf(epoch: number, ...keys: number[]): Group {
  const roster = keys.map((n, leaf) => ({
    leaf,
    signatureKey: key(n),
    accountKey: null,
    invitation: null,
  }));
  const facts = {
    groupId: context.instance,
    epoch,
    ownLeaf: 0,
    roster,
    meeting: encodeContext(context),
    authenticator: key(7),
  };
  return { facts, context };
}

test.each([true, false])("who comes back had the link before, or not: %s", (hasLink) => {
  const before = groupOf(3, 0, 5);
  const people = new Map(
    before.facts.roster.map((leaf) => {
      const person = newPerson(leaf, before, 100, { name: "Ben", hasLink });
      return [person.identity, person];
    }),
  );
  const add = { ref: key(50), signatureKey: key(5), accountKey: null, invitation: null };
  // Without the link PSK, as whoever is let in again is.
  const commit = { sender: 0, adds: [add], removes: [1], meeting: null, psks: [] };
  const admission = { commit, now: 200, isByUs: true, seats: new Map<string, string>() };
  const after = [...afterCommit(people, groupOf(4, 0, 5), admission).values()];
  const back = after.find((person) => person.leaf.signatureKey[0] === 5);
  expect(back).toMatchObject({ name: "Ben", joinedAt: 100, sinceEpoch: 4, hasLink });
});

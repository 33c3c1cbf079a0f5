/**
 * What this device has seen of the sitting and can vouch for: whose devices were here, who let them
 * in, how many came by the link for everybody. Reads the machine's state, changes nothing in it, and
 * forgets all of it with the sitting.
 */

import { createStore } from "zustand/vanilla";
import type { Witness, Witnessed, WitnessedDevice } from "../contract.ts";
import type { InvitationFacts } from "../engine/contract.ts";
import { b64 } from "../meeting/bytes.ts";
import { personOfLeaf } from "../meeting/people.ts";
import { isHostOf, isOfThisHost } from "../meeting/roles.ts";
import type { Group, LastCommit, Person, State } from "../meeting/state.ts";
import { signedContent } from "../report/seal.ts";

/** A room that thousands knock at: counting ends, the number stays. */
const MOST_DEVICES = 5_000;

export interface WitnessPorts {
  /** With the device key. */
  readonly sign: (content: Uint8Array) => Promise<Uint8Array>;
  /** The account's, 64 bytes; null: a guest. */
  readonly certificate: Uint8Array | null;
}

export interface Watching extends Witness {
  /** After each step of the machine. */
  saw(state: State): void;
}

export function createWitness({ sign, certificate }: WitnessPorts): Watching {
  const store = createStore<Witnessed>(() => ({
    instance: null,
    devices: new Map(),
    openLinkDevices: 0,
    certificate: certificate === null ? null : b64(certificate),
  }));
  /** Device keys that came by the link for everybody; and those that knocked without a whole link. */
  let byLink = new Set<string>();
  let withoutLink = new Set<string>();
  let seen: Pick<State, "people" | "door" | "group"> | null = null;

  function saw(state: State): void {
    const { group, people, door } = state;
    if (group === null) return;
    if (seen?.people === people && seen.door === door && seen.group === group) return;
    seen = { people, door, group };
    const instance = b64(group.facts.groupId);
    const before = store.getState();
    const isAnew = before.instance !== instance;
    if (isAnew) {
      byLink = new Set();
      withoutLink = new Set();
    }
    count(state, group);
    const known = isAnew ? new Map<string, WitnessedDevice>() : before.devices;
    const devices = withNew(known, people, state.last);
    const openLinkDevices = byLink.size;
    if (!isAnew && devices === known && openLinkDevices === before.openLinkDevices) return;
    store.setState({ instance, devices, openLinkDevices });
  }

  function count({ people, door }: State, group: Group): void {
    for (const { facts, hasProof } of door.values()) {
      if (isNamed(facts, group)) continue;
      note(hasProof ? byLink : withoutLink, facts.signatureKey);
    }
    for (const { leaf, hasLink } of people.values()) {
      const isCounted = hasLink && !isNamed(leaf, group);
      if (isCounted && !withoutLink.has(b64(leaf.signatureKey))) note(byLink, leaf.signatureKey);
    }
  }

  return { store, saw, signReport: async (digest) => sign(signedContent(digest)) };
}

function note(devices: Set<string>, key: Uint8Array): void {
  if (devices.size < MOST_DEVICES) devices.add(b64(key));
}

/** A host, or somebody with a personal link of this room's host. */
function isNamed(
  leaf: { readonly accountKey: Uint8Array | null; readonly invitation: InvitationFacts | null },
  { context }: Group,
): boolean {
  if (isHostOf(leaf, context)) return true;
  return leaf.invitation !== null && isOfThisHost(leaf.invitation, context);
}

/** The very map of before when nobody is new. */
function withNew(
  known: ReadonlyMap<string, WitnessedDevice>,
  people: ReadonlyMap<string, Person>,
  last: LastCommit | null,
): ReadonlyMap<string, WitnessedDevice> {
  const fresh = [...people.values()].filter(({ identity }) => !known.has(identity));
  if (fresh.length === 0 || known.size >= MOST_DEVICES) return known;
  const next = new Map(known);
  for (const { identity, leaf } of fresh) {
    const isOfLast = last !== null && !last.people.has(identity);
    const by = isOfLast ? personOfLeaf(last.people, last.sender) : null;
    next.set(identity, {
      deviceKey: b64(leaf.signatureKey),
      accountKey: leaf.accountKey === null ? null : b64(leaf.accountKey),
      addedBy: by?.identity ?? null,
    });
  }
  return next;
}

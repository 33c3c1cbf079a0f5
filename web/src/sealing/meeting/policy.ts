/** The policy after what its host or a co-host wishes of it (docs/reference/sealing-protocol.md, 3). Pure. */

import { b64, compareBytes, fromB64 } from "./bytes.ts";
import {
  MAX_BLOCKED,
  MAX_COHOSTS,
  MAX_PEOPLE,
  MAX_REVOKED,
  type Policy,
  type Standing,
} from "./meetingContext.ts";
import { invitedPart } from "./roles.ts";
import type { Group, PolicyPatch, StandingPatch } from "./state.ts";

export function patched({ context, facts }: Group, patch: PolicyPatch, isHost: boolean): Policy {
  const { policy } = context;
  const list = (
    before: readonly Uint8Array[],
    changes: ReadonlyMap<string, boolean>,
    most: number,
  ) => (isHost ? changed(before, changes, most) : extended(before, changes, most));
  const people = new Map(policy.people.map((standing) => [b64(standing.key), standing]));
  for (const [key, change] of patch.people) {
    const leaf = facts.roster.find(({ signatureKey }) => b64(signatureKey) === key);
    if (leaf === undefined) continue;
    const came = invitedPart(leaf, context);
    const before = people.get(key) ?? { key: leaf.signatureKey, part: came, more: 0, less: 0 };
    const next = after(before, change);
    people.delete(key);
    if (next.part !== came || next.more !== 0 || next.less !== 0) people.set(key, next);
  }
  return {
    entry: patch.entry ?? policy.entry,
    isLocked: patch.isLocked ?? policy.isLocked,
    history: patch.history ?? policy.history,
    cohosts: list(policy.cohosts, patch.cohosts, MAX_COHOSTS),
    revoked: list(policy.revoked, patch.revoked, MAX_REVOKED),
    template: patch.template ?? policy.template,
    attendees: patch.attendees ?? policy.attendees,
    // The last who were spoken of stay when there are too many.
    people: [...people.values()].slice(-MAX_PEOPLE).sort((a, b) => compareBytes(a.key, b.key)),
    blocked: list(policy.blocked, patch.blocked, MAX_BLOCKED),
  };
}

function after(before: Standing, { part, allow, forbid, reset }: StandingPatch): Standing {
  const { key, more, less } =
    part === null || part === before.part ? before : { key: before.key, more: 0, less: 0 };
  return {
    key,
    part: part ?? before.part,
    more: ((more & ~reset) | allow) & ~forbid,
    less: ((less & ~reset) | forbid) & ~allow,
  };
}

/** The newest stay when there are more than the policy holds. */
function changed(
  before: readonly Uint8Array[],
  changes: ReadonlyMap<string, boolean>,
  most: number,
): readonly Uint8Array[] {
  const kept = before.filter((item) => !changes.has(b64(item)));
  return [...kept, ...added(changes)].slice(-most).sort(compareBytes);
}

/** A co-host takes nothing back: what does not fit any more is left out. */
function extended(
  before: readonly Uint8Array[],
  changes: ReadonlyMap<string, boolean>,
  most: number,
): readonly Uint8Array[] {
  const known = new Set(before.map(b64));
  const fresh = added(changes).filter((item) => !known.has(b64(item)));
  return [...before, ...fresh].slice(0, most).sort(compareBytes);
}

function added(changes: ReadonlyMap<string, boolean>): readonly Uint8Array[] {
  return [...changes].flatMap(([item, is]) => (is ? (fromB64(item) ?? []) : []));
}

/**
 * Who may change what in the group (docs/reference/sealing-protocol.md, 3). Pure and synchronous: it
 * runs in the engine's worker, before a commit is applied, on what is signed and nothing else.
 *
 * It cannot know who left or is lost, for only the server and a `bye` say so: a Remove of somebody
 * else is therefore never refused here. What the machine does about a Remove that nothing
 * justifies is in `verdict.ts`.
 */

import type { SealedRole } from "../contract.ts";
import type {
  CommitFacts,
  InvitationFacts,
  Judge,
  KeyPackageFacts,
  LeafFacts,
} from "../engine/contract.ts";
import { isSame } from "./bytes.ts";
import { decodeContext, type MeetingContext, macInput } from "./meetingContext.ts";
import { doesCount, isBlocked, isHostOf, LINK_PSK_ID, roleOf } from "./roles.ts";

export const judge: Judge = (before, commit) => {
  const context = decodeContext(before.meeting);
  if (context === null) return "the group has no meeting";
  const sender = before.roster.find((leaf) => leaf.leaf === commit.sender);
  if (sender === undefined) return "the sender is no member";
  const role = roleOf(sender, context);
  return (
    judgePsks(commit) ??
    judgeMeeting(role, context, commit) ??
    judgeRemoves(before.roster, commit) ??
    judgeAdds(role, context, before.roster, commit)
  );
};

function judgePsks({ psks }: CommitFacts): string | null {
  if (psks.length > 1) return "more than one PSK";
  return psks.every((id) => isSame(id, LINK_PSK_ID)) ? null : "an unknown PSK";
}

function judgeMeeting(
  role: SealedRole,
  context: MeetingContext,
  { meeting }: CommitFacts,
): string | null {
  if (meeting === null) return null;
  if (role === "member") return "only who leads changes the policy";
  const next = decodeContext(meeting);
  if (next === null) return "a damaged policy";
  if (!isSame(macInput(next), macInput(context)) || !isSame(next.mac, context.mac)) {
    return "more than the policy changed";
  }
  return role === "host" || LISTS.every((list) => holdsAll(next.policy[list], context.policy[list]))
    ? null
    : "a co-host takes nothing back";
}

/** To these a co-host only adds: it takes nobody's role and forgives nobody. */
const LISTS = ["cohosts", "revoked", "blocked"] as const;

function holdsAll(next: readonly Uint8Array[], before: readonly Uint8Array[]): boolean {
  return before.every((item) => next.some((other) => isSame(item, other)));
}

function judgeRemoves(roster: readonly LeafFacts[], commit: CommitFacts): string | null {
  if (commit.removes.includes(commit.sender)) return "nobody removes itself";
  return commit.removes.every((leaf) => roster.some((member) => member.leaf === leaf))
    ? null
    : "a Remove of nobody";
}

function judgeAdds(
  role: SealedRole,
  context: MeetingContext,
  roster: readonly LeafFacts[],
  commit: CommitFacts,
): string | null {
  const staying = roster.filter(({ leaf }) => !commit.removes.includes(leaf));
  for (const [at, add] of commit.adds.entries()) {
    const others = commit.adds.filter((_, place) => place !== at);
    if (others.some((other) => isSame(other.signatureKey, add.signatureKey))) {
      return "the same key twice";
    }
    const old = roster.find((leaf) => isSame(leaf.signatureKey, add.signatureKey));
    if (old !== undefined && !commit.removes.includes(old.leaf)) return "the key is in the group";
    // A co-host could keep the host out of their own room else.
    if (isBlocked(add, context.policy) && !isHostOf(add, context)) return "a blocked device";
    if (role !== "member" || (old !== undefined && isComingBack(old, add))) continue;
    const fault = judgeAddByMember(context, roster, { commit, add, others, staying });
    if (fault !== null) return fault;
  }
  return null;
}

/** Of a device that was not in the group before. */
function judgeAddByMember(
  context: MeetingContext,
  roster: readonly LeafFacts[],
  {
    commit,
    add,
    others,
    staying,
  }: {
    readonly commit: CommitFacts;
    readonly add: KeyPackageFacts;
    readonly others: readonly KeyPackageFacts[];
    readonly staying: readonly LeafFacts[];
  },
): string | null {
  const { policy } = context;
  const { invitation } = add;
  const hasLink = commit.psks.length > 0;
  // Whoever is inside may let the host in: they must never be locked out of their own room.
  if (hasLink && isHostOf(add, context)) return null;
  if (policy.isLocked) return "a member adds nobody while it is locked";
  if (invitation === null) {
    return hasLink && policy.entry === "open" ? null : "a member adds only by the link";
  }
  if (!doesCount(invitation, context)) return "an invitation that does not count";
  const sender = roster.find((leaf) => leaf.leaf === commit.sender);
  if (sender?.invitation != null && isSame(sender.invitation.key, invitation.key)) return null;
  const isHeld = [...staying, ...others].some(
    (other) => other.invitation !== null && isSame(other.invitation.key, invitation.key),
  );
  if (isHeld) return "an invitation that another device has";
  return hasLink ? null : "a member adds only by the link";
}

/** The same device, the same account and the same invitation as before. */
export function isComingBack(old: LeafFacts, add: KeyPackageFacts): boolean {
  if (!isSame(old.signatureKey, add.signatureKey)) return false;
  if (!isSameInvitation(old.invitation, add.invitation)) return false;
  if (old.accountKey === null || add.accountKey === null) return old.accountKey === add.accountKey;
  return isSame(old.accountKey, add.accountKey);
}

function isSameInvitation(old: InvitationFacts | null, add: InvitationFacts | null): boolean {
  if (old === null || add === null) return old === add;
  return isSame(old.signature, add.signature) && isSame(old.key, add.key);
}

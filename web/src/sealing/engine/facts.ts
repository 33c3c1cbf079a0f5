/** What the rest of `sealing/` sees of a group and of a commit: plain values, copies of all bytes. */
import type { ClientState } from "ts-mls/clientState.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { type KeyPackage, makeKeyPackageRef } from "ts-mls/keyPackage.js";
import type { Proposal } from "ts-mls/proposal.js";
import { isEqual } from "./bytes.ts";
import type { CommitFacts, GroupFacts, KeyPackageFacts, LeafFacts } from "./contract.ts";
import type { Credentials } from "./credentials.ts";
import { EngineFailed } from "./errors.ts";
import { leafAt, meetingOf } from "./rules.ts";

export function groupFacts(state: ClientState, credentials: Credentials): GroupFacts {
  const { groupContext, ratchetTree } = state;
  const meeting = meetingOf(groupContext.extensions);
  if (meeting === null) throw new EngineFailed("a group with other extensions");
  const roster: LeafFacts[] = [];
  for (let leaf = 0; 2 * leaf < ratchetTree.length; leaf++) {
    const node = leafAt(ratchetTree, leaf);
    if (node === null) continue;
    const signatureKey = node.signaturePublicKey.slice();
    roster.push({ leaf, signatureKey, ...credentials.ownerOf(node) });
  }
  return {
    groupId: groupContext.groupId.slice(),
    epoch: Number(groupContext.epoch),
    ownLeaf: state.privatePath.leafIndex,
    roster,
    meeting: meeting.slice(),
    authenticator: state.keySchedule.epochAuthenticator.slice(),
  };
}

/** Of a KeyPackage whose credential was validated. */
export async function keyPackageFacts(
  keyPackage: KeyPackage,
  credentials: Credentials,
  suite: CiphersuiteImpl,
): Promise<KeyPackageFacts> {
  return {
    ref: await makeKeyPackageRef(keyPackage, suite.hash),
    signatureKey: keyPackage.leafNode.signaturePublicKey.slice(),
    ...credentials.ownerOf(keyPackage.leafNode),
  };
}

/** Of proposals that keep the fixed rules. */
export async function commitFacts(
  sender: number,
  proposals: readonly Proposal[],
  before: GroupFacts,
  credentials: Credentials,
  suite: CiphersuiteImpl,
): Promise<CommitFacts> {
  const adds: KeyPackageFacts[] = [];
  const removes: number[] = [];
  const psks: Uint8Array[] = [];
  let meeting: Uint8Array | null = null;
  for (const proposal of proposals) {
    if (proposal.proposalType === "add") {
      adds.push(await keyPackageFacts(proposal.add.keyPackage, credentials, suite));
    } else if (proposal.proposalType === "remove") {
      removes.push(proposal.remove.removed);
    } else if (proposal.proposalType === "psk") {
      const id = proposal.psk.preSharedKeyId;
      if (id.psktype === "external") psks.push(id.pskId.slice());
    } else if (proposal.proposalType === "group_context_extensions") {
      const next = meetingOf(proposal.groupContextExtensions.extensions);
      if (next !== null && !isEqual(next, before.meeting)) meeting = next.slice();
    }
  }
  return { sender, adds, removes, meeting, psks };
}

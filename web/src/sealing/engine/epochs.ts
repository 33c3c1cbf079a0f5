/**
 * Steps between the states that ts-mls makes of a group: what a lost commit has spent, which past
 * epochs go along, what is forgotten. States are values; nothing here changes one.
 */
import { addHistoricalReceiverData, type ClientState } from "ts-mls/clientState.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import type { GroupContext } from "ts-mls/groupContext.js";
import type { PrivateMessage } from "ts-mls/privateMessage.js";
import type { RatchetTree } from "ts-mls/ratchetTree.js";
import { consumeRatchet, type SecretTree } from "ts-mls/secretTree.js";
import { leafToNodeIndex, toLeafIndex } from "ts-mls/treemath.js";
import { zeroOutUint8Array } from "ts-mls/util/byteArray.js";

/**
 * A commit that was sent has used one generation of the own handshake ratchet, whether it won or
 * not. ts-mls forgets that when its new state is thrown away, and the next commit of the epoch
 * would use the same key and nonce again.
 */
export async function spend(state: ClientState, suite: CiphersuiteImpl): Promise<ClientState> {
  const node = leafToNodeIndex(toLeafIndex(state.privatePath.leafIndex));
  const { newTree } = await consumeRatchet(state.secretTree, node, "commit", suite);
  return { ...state, secretTree: newTree };
}

/** The epoch after an own commit, with the past as it is now: messages were opened meanwhile. */
export function withPastOf(next: ClientState, present: ClientState): ClientState {
  return { ...next, historicalReceiverData: addHistoricalReceiverData(present)[0] };
}

/** Back from `present` to the state before it; what was opened since stays opened. */
export function rewind(previous: ClientState, present: ClientState | null): ClientState {
  if (present === null) return previous;
  const past = present.historicalReceiverData;
  const spent = past.get(previous.groupContext.epoch);
  const older = [...previous.historicalReceiverData].map(
    ([epoch, data]) => [epoch, past.get(epoch) ?? data] as const,
  );
  return {
    ...previous,
    secretTree: spent?.secretTree ?? previous.secretTree,
    historicalReceiverData: new Map(older),
  };
}

/** What it takes to open a message of one epoch. */
export interface Receiving {
  readonly senderDataSecret: Uint8Array;
  readonly secretTree: SecretTree;
  readonly ratchetTree: RatchetTree;
  readonly groupContext: GroupContext;
}

/** Null: an epoch too far back, or ahead. */
export function receivingAt(state: ClientState, { epoch }: PrivateMessage): Receiving | null {
  if (epoch !== state.groupContext.epoch) return state.historicalReceiverData.get(epoch) ?? null;
  const { secretTree, ratchetTree, groupContext, keySchedule } = state;
  const { senderDataSecret } = keySchedule;
  return { senderDataSecret, secretTree, ratchetTree, groupContext };
}

export function withSecretTree(
  state: ClientState,
  epoch: bigint,
  secretTree: SecretTree,
): ClientState {
  if (epoch === state.groupContext.epoch) return { ...state, secretTree };
  const data = state.historicalReceiverData.get(epoch);
  if (data === undefined) return state;
  const past = new Map(state.historicalReceiverData).set(epoch, { ...data, secretTree });
  return { ...state, historicalReceiverData: past };
}

/** Overwrites the secrets that only this state holds; later states share the others. */
export function forget(state: ClientState | null): void {
  if (state === null) return;
  const { initSecret, exporterSecret, externalSecret, confirmationKey, membershipKey } =
    state.keySchedule;
  for (const secret of [
    initSecret,
    exporterSecret,
    externalSecret,
    confirmationKey,
    membershipKey,
  ]) {
    zeroOutUint8Array(secret);
  }
}

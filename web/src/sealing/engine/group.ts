/**
 * One member's group: its present state, the state before, and an own commit that waits for its
 * epoch. Calls must come one at a time (`Queue`). A refusal leaves everything as it was.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { ClientConfig } from "ts-mls/clientConfig.js";
import { type ClientState, makePskIndex } from "ts-mls/clientState.js";
import { createCommit } from "ts-mls/createCommit.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import type { FramedContent } from "ts-mls/framedContent.js";
import { defaultKeyPackageEqualityConfig } from "ts-mls/keyPackageEqualityConfig.js";
import { mlsExporter } from "ts-mls/keySchedule.js";
import { protectApplicationData, unprotectPrivateMessage } from "ts-mls/messageProtection.js";
import type { PrivateMessage } from "ts-mls/privateMessage.js";
import { processPrivateMessage } from "ts-mls/processMessages.js";
import type { Proposal } from "ts-mls/proposal.js";
import type { PskIndex } from "ts-mls/pskIndex.js";
import type { SecretTree } from "ts-mls/secretTree.js";
import { zeroOutUint8Array } from "ts-mls/util/byteArray.js";
import { asText, isEqual } from "./bytes.ts";
import type {
  Applied,
  CommitFacts,
  GroupFacts,
  Judge,
  Opened,
  Refused,
  Staged,
} from "./contract.ts";
import type { Credentials } from "./credentials.ts";
import { forget, receivingAt, rewind, spend, withPastOf, withSecretTree } from "./epochs.ts";
import { EngineFailed } from "./errors.ts";
import { commitFacts, groupFacts } from "./facts.ts";
import { faultOfCommit, faultOfRoster, faultOfTree, LINK_PSK_ID, leafAt } from "./rules.ts";
import {
  isRefused,
  readPrivateMessage,
  refusalOf,
  refuse,
  writePrivateMessage,
  writeWelcome,
} from "./wire.ts";

/** Messages are padded to whole multiples: a length says little about what was written. */
const PADDING = 256;
/** Own messages that are known again when they are echoed: what the server keeps to replay. */
const ECHOES = 2000;

export interface GroupSurroundings {
  readonly suite: CiphersuiteImpl;
  readonly credentials: Credentials;
  readonly judge: Judge;
  readonly now: () => number;
  readonly psk: () => Uint8Array | null;
}

export function clientConfig(credentials: Credentials): ClientConfig {
  return {
    keyRetentionConfig: {
      retainKeysForGenerations: 64,
      retainKeysForEpochs: 3,
      maximumForwardRatchetSteps: 1000,
    },
    // Looked at by `faultOfKeyPackage`, with our clock.
    lifetimeConfig: { maximumTotalLifetime: 0n, validateLifetimeOnReceive: false },
    keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
    paddingConfig: { kind: "padUntilLength", padUntilLength: PADDING },
    authService: credentials,
  };
}

export function pskIndex(psk: Uint8Array | null): PskIndex {
  return makePskIndex(undefined, psk === null ? {} : { [asText(LINK_PSK_ID)]: psk });
}

/** Bytes around an application message inside its encryption: length, signature with length. */
function paddingFor(content: Uint8Array): number {
  const header = content.length < 64 ? 1 : content.length < 16384 ? 2 : 4;
  const length = header + content.length + 2 + 64;
  return Math.ceil(length / PADDING) * PADDING - length;
}

interface StagedCommit {
  readonly next: ClientState;
  readonly facts: CommitFacts;
}

interface Unprotected {
  readonly content: FramedContent;
  readonly sender: number;
  readonly secretTree: SecretTree;
  readonly consumed: readonly Uint8Array[];
}

export class Group {
  readonly #around: GroupSurroundings;
  /** Null once a commit removed our leaf. */
  #state: ClientState | null;
  #previous: ClientState | null = null;
  #staged: StagedCommit | null = null;
  readonly #sent = new Set<string>();

  constructor(around: GroupSurroundings, state: ClientState) {
    this.#around = around;
    this.#state = state;
  }

  #present(): ClientState {
    if (this.#state === null) throw new EngineFailed("not a member of a group");
    return this.#state;
  }

  facts() {
    return groupFacts(this.#present(), this.#around.credentials);
  }

  async commit(proposals: readonly Proposal[]): Promise<Staged | Refused> {
    await this.discard();
    const { suite, credentials, judge, now, psk } = this.#around;
    const state = this.#present();
    const sender = state.privatePath.leafIndex;
    const inline = proposals.map(
      (proposal) => ({ proposalOrRefType: "proposal", proposal }) as const,
    );
    const fault = faultOfCommit({ proposals: inline, path: undefined }, sender, state, now());
    if (fault !== null) return refuse("forbidden", fault);
    const before = this.facts();
    const facts = await commitFacts(sender, proposals, before, credentials, suite);
    if (facts.psks.length > 0 && psk() === null) return refuse("no-psk", "no link PSK");
    const verdict = judge(before, facts);
    if (verdict !== null) return refuse("forbidden", verdict);
    try {
      const made = await createCommit(
        { state, cipherSuite: suite, pskIndex: pskIndex(psk()) },
        { extraProposals: [...proposals], ratchetTreeExtension: true },
      );
      const unsound = faultOfTree(made.newState.ratchetTree);
      if (unsound !== null) return refuse("forbidden", unsound);
      if (made.commit.wireformat !== "mls_private_message") throw new EngineFailed("no commit");
      this.#staged = { next: made.newState, facts };
      return {
        type: "staged",
        commit: this.#send(made.commit.privateMessage),
        welcome: made.welcome === undefined ? null : writeWelcome(made.welcome),
      };
    } catch (error) {
      if (error instanceof EngineFailed) throw error;
      return refusalOf(error);
    }
  }

  async merge(): Promise<Applied> {
    const staged = this.#staged;
    if (staged === null) throw new EngineFailed("no commit to merge");
    const state = this.#present();
    const before = this.facts();
    const spent = await spend(state, this.#around.suite);
    this.#advance(withPastOf(staged.next, spent), spent);
    return { type: "applied", before, after: this.facts(), commit: staged.facts };
  }

  async discard(): Promise<void> {
    if (this.#staged === null) return;
    this.#state = await spend(this.#present(), this.#around.suite);
    forget(this.#staged.next);
    this.#staged = null;
  }

  async apply(bytes: Uint8Array): Promise<Applied | Refused> {
    const message = this.#read(bytes, "commit");
    if (isRefused(message)) return message;
    const present = this.#present();
    if (message.epoch !== present.groupContext.epoch) {
      return refuse("wrong-epoch", `a commit of epoch ${message.epoch}`);
    }
    const { suite, credentials } = this.#around;
    try {
      // What the own lost commit used up stays used up, also after `undo`.
      const base = this.#staged === null ? present : await spend(present, suite);
      const opened = await this.#unprotect(message, base);
      if (isRefused(opened)) return opened;
      const { content, sender } = opened;
      if (content.contentType !== "commit") return refuse("malformed", "no commit");
      if (sender === base.privatePath.leafIndex) return refuse("forged", "in our name");
      const fault = faultOfCommit(content.commit, sender, base, this.#around.now());
      if (fault !== null) return refuse("forbidden", fault);
      const proposals = content.commit.proposals.flatMap((entry) =>
        entry.proposalOrRefType === "proposal" ? [entry.proposal] : [],
      );
      for (const proposal of proposals) {
        if (proposal.proposalType !== "add") continue;
        if (!(await credentials.validate(proposal.add.keyPackage.leafNode))) {
          return refuse("forbidden", "a credential that proves nothing");
        }
      }
      const before = groupFacts(base, credentials);
      const facts = await commitFacts(sender, proposals, before, credentials, suite);
      const previous = withSecretTree(base, message.epoch, opened.secretTree);
      return await this.#process(message, base, previous, before, facts);
    } catch (error) {
      if (error instanceof EngineFailed) throw error;
      return refusalOf(error);
    }
  }

  /** A commit that its sender signed and that keeps the fixed rules: the library's and the judge's. */
  async #process(
    message: PrivateMessage,
    base: ClientState,
    previous: ClientState,
    before: GroupFacts,
    facts: CommitFacts,
  ): Promise<Applied | Refused> {
    const { suite, credentials, judge, psk } = this.#around;
    if (facts.psks.length > 0 && psk() === null) return refuse("no-psk", "no link PSK");
    const isRemoved = facts.removes.includes(before.ownLeaf);
    let verdict: string | null = "not judged";
    const result = await processPrivateMessage(base, message, pskIndex(psk()), suite, () => {
      verdict = judge(before, facts);
      // What comes after this nobody who is removed can read; with the slot taken again the
      // library would try to.
      return verdict === null && !isRemoved ? "accept" : "reject";
    });
    if (verdict !== null) return refuse("forbidden", verdict);
    if (isRemoved) {
      const own = leafAt(base.ratchetTree, before.ownLeaf)?.signaturePublicKey;
      const isReplaced =
        own !== undefined && facts.adds.some((add) => isEqual(add.signatureKey, own));
      this.#advance(null, previous);
      return { type: "removed", by: facts.sender, isReplaced };
    }
    const next = result.newState;
    const fault =
      faultOfTree(next.ratchetTree) ??
      faultOfRoster(
        base.ratchetTree,
        next.ratchetTree,
        facts.removes,
        facts.adds.map((add) => add.signatureKey),
      );
    if (fault !== null) {
      forget(next);
      return refuse("forbidden", fault);
    }
    const after = groupFacts(next, credentials);
    this.#advance(next, previous);
    return { type: "applied", before, after, commit: facts };
  }

  async undo(): Promise<boolean> {
    if (this.#previous === null) return false;
    const undone = this.#state;
    if (this.#staged !== null) forget(this.#staged.next);
    this.#state = rewind(this.#previous, undone);
    this.#previous = null;
    this.#staged = null;
    forget(undone);
    return true;
  }

  async protect(content: Uint8Array): Promise<{ bytes: Uint8Array; epoch: number }> {
    const state = this.#present();
    const result = await protectApplicationData(
      state.signaturePrivateKey,
      state.keySchedule.senderDataSecret,
      content,
      new Uint8Array(),
      state.groupContext,
      state.secretTree,
      state.privatePath.leafIndex,
      { kind: "alwaysPad", paddingLength: paddingFor(content) },
      this.#around.suite,
    );
    this.#state = { ...state, secretTree: result.newSecretTree };
    return { bytes: this.#send(result.privateMessage), epoch: Number(state.groupContext.epoch) };
  }

  async open(bytes: Uint8Array): Promise<Opened | Refused> {
    const message = this.#read(bytes, "application");
    if (isRefused(message)) return message;
    const state = this.#present();
    const opened = await this.#unprotect(message, state);
    if (isRefused(opened)) return opened;
    const { content, sender, secretTree, consumed } = opened;
    if (content.contentType !== "application") return refuse("malformed", "no message");
    if (sender === state.privatePath.leafIndex) return refuse("forged", "in our name");
    this.#state = withSecretTree(state, message.epoch, secretTree);
    for (const secret of consumed) zeroOutUint8Array(secret);
    return {
      type: "opened",
      sender,
      epoch: Number(message.epoch),
      content: content.applicationData.slice(),
    };
  }

  exportSecret(label: string, context: Uint8Array, length: number): Promise<Uint8Array> {
    const { exporterSecret } = this.#present().keySchedule;
    return mlsExporter(exporterSecret, label, context, length, this.#around.suite);
  }

  close(): void {
    forget(this.#state);
    forget(this.#previous);
    forget(this.#staged?.next ?? null);
    this.#state = null;
    this.#previous = null;
    this.#staged = null;
    this.#sent.clear();
  }

  #advance(next: ClientState | null, previous: ClientState): void {
    const isStale = this.#staged !== null && this.#staged.next.keySchedule !== next?.keySchedule;
    if (isStale) forget(this.#staged?.next ?? null);
    this.#staged = null;
    forget(this.#previous);
    this.#previous = previous;
    this.#state = next;
  }

  #send(message: PrivateMessage): Uint8Array {
    const bytes = writePrivateMessage(message);
    this.#sent.add(asText(sha256(bytes)));
    const [oldest] = this.#sent;
    if (this.#sent.size > ECHOES && oldest !== undefined) this.#sent.delete(oldest);
    return bytes;
  }

  /** Decoded, of this group, of the right type, not our own. */
  #read(bytes: Uint8Array, contentType: "commit" | "application"): PrivateMessage | Refused {
    const message = readPrivateMessage(bytes);
    if (isRefused(message)) return message;
    if (this.#state === null) return refuse("wrong-group", "no member of it any more");
    if (!isEqual(message.groupId, this.#state.groupContext.groupId)) {
      return refuse("wrong-group", "another group");
    }
    if (this.#sent.has(asText(sha256(bytes)))) return refuse("own", "an echo");
    if (message.contentType === "proposal") return refuse("forbidden", "a standalone proposal");
    if (message.contentType !== contentType) return refuse("malformed", `no ${contentType}`);
    return message;
  }

  /** Whatever goes wrong here, a used-up generation among it, makes a message not to believe. */
  async #unprotect(message: PrivateMessage, state: ClientState): Promise<Unprotected | Refused> {
    const at = receivingAt(state, message);
    if (at === null) return refuse("wrong-epoch", `epoch ${message.epoch}`);
    try {
      const { tree, content, consumed } = await unprotectPrivateMessage(
        at.senderDataSecret,
        message,
        at.secretTree,
        at.ratchetTree,
        at.groupContext,
        state.clientConfig.keyRetentionConfig,
        this.#around.suite,
      );
      const { sender } = content.content;
      if (sender.senderType !== "member") return refuse("forged", "not from a member");
      return { content: content.content, sender: sender.leafIndex, secretTree: tree, consumed };
    } catch (error) {
      return { ...refusalOf(error), reason: "forged" };
    }
  }
}

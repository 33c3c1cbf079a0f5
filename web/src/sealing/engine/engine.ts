/**
 * The MLS engine over ts-mls: device key, KeyPackages, one group, sealed boxes. Needs no worker and
 * no page; `worker.ts` runs it in one. Must never answer a stranger's bytes with an exception, and
 * never hand out a private key.
 */
import { type ClientState, createGroup, joinGroup } from "ts-mls/clientState.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import type { PrivateKey } from "ts-mls/crypto/hpke.js";
import {
  generateKeyPackageWithKey,
  type KeyPackage,
  makeKeyPackageRef,
  type PrivateKeyPackage,
  verifyKeyPackage,
} from "ts-mls/keyPackage.js";
import { verifyLeafNodeSignatureKeyPackage } from "ts-mls/leafNode.js";
import type { PreSharedKeyID } from "ts-mls/presharedkey.js";
import type { Proposal } from "ts-mls/proposal.js";
import { concat, isEqual, utf8 } from "./bytes.ts";
import type {
  Applied,
  Changes,
  DeviceKey,
  EngineSetup,
  GroupFacts,
  Judge,
  KeyPackageFacts,
  MlsEngine,
  Opened,
  Refused,
  Staged,
} from "./contract.ts";
import { type CheckCredential, Credentials } from "./credentials.ts";
import { EngineFailed } from "./errors.ts";
import { groupFacts, keyPackageFacts } from "./facts.ts";
import { clientConfig, Group, pskIndex } from "./group.ts";
import { Queue } from "./queue.ts";
import {
  CAPABILITIES,
  faultOfKeyPackage,
  faultOfLeaf,
  faultOfPsks,
  groupExtensions,
  LINK_PSK_ID,
  leafAt,
  lifetimeAt,
  meetingOf,
} from "./rules.ts";
import { makeSuite, type Native } from "./suite.ts";
import {
  isRefused,
  readKeyPackage,
  readWelcome,
  refusalOf,
  refuse,
  writeKeyPackage,
} from "./wire.ts";

/** A knock at a time; some more for Welcomes that are on their way. */
const MAX_KEY_PACKAGES = 8;
/** Encapsulated X25519 key, before the ciphertext. */
const ENC_LENGTH = 32;
const NO_KEY = new Uint8Array();

export interface EngineOptions {
  readonly judge: Judge;
  readonly checkCredential: CheckCredential;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** For tests of browsers without Ed25519 or X25519. */
  readonly native?: Native;
}

interface OwnKeyPackage {
  readonly ref: Uint8Array;
  readonly publicPackage: KeyPackage;
  readonly privatePackage: PrivateKeyPackage;
}

interface Ready {
  readonly suite: CiphersuiteImpl;
  readonly device: DeviceKey;
  readonly credential: Uint8Array;
  readonly box: { readonly privateKey: PrivateKey; readonly publicKey: Uint8Array };
}

class TsMlsEngine implements MlsEngine {
  readonly #options: EngineOptions;
  readonly #now: () => number;
  readonly #credentials: Credentials;
  readonly #queue = new Queue();
  #ready: Ready | null = null;
  #group: Group | null = null;
  #psk: Uint8Array | null = null;
  #keyPackages: OwnKeyPackage[] = [];

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#credentials = new Credentials(options.checkCredential);
  }

  setUp(setup: EngineSetup): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#ready !== null) throw new EngineFailed("set up already");
      const { credential } = setup;
      // A copy, for `close` overwrites it.
      const device =
        setup.device.type === "raw"
          ? { ...setup.device, seed: setup.device.seed.slice() }
          : setup.device;
      const suite = await makeSuite(device, this.#options.native);
      const keys = await suite.hpke.generateKeyPair();
      const publicKey = await suite.hpke.exportPublicKey(keys.publicKey);
      const box = { privateKey: keys.privateKey, publicKey };
      this.#ready = { suite, device, credential: credential.slice(), box };
    });
  }

  keyPackage(): Promise<{ bytes: Uint8Array; ref: Uint8Array }> {
    return this.#queue.run(async () => {
      const made = await this.#makeKeyPackage();
      const { suite } = this.#set();
      const ref = await makeKeyPackageRef(made.publicPackage, suite.hash);
      this.#keyPackages = [...this.#keyPackages, { ...made, ref }].slice(-MAX_KEY_PACKAGES);
      return { bytes: writeKeyPackage(made.publicPackage), ref: ref.slice() };
    });
  }

  inspect(keyPackage: Uint8Array): Promise<KeyPackageFacts | Refused> {
    return this.#queue.run(async () => {
      const read = await this.#checkedKeyPackage(keyPackage);
      if (isRefused(read)) return read;
      return keyPackageFacts(read, this.#credentials, this.#set().suite);
    });
  }

  create(groupId: Uint8Array, meeting: Uint8Array): Promise<GroupFacts> {
    return this.#queue.run(async () => {
      const { suite } = this.#set();
      const own = await this.#makeKeyPackage();
      if (!(await this.#credentials.validate(own.publicPackage.leafNode))) {
        throw new EngineFailed("the own credential proves nothing");
      }
      const state = await createGroup(
        groupId.slice(),
        own.publicPackage,
        own.privatePackage,
        groupExtensions(meeting),
        suite,
        clientConfig(this.#credentials),
      );
      return this.#enter(state);
    });
  }

  setPsk(psk: Uint8Array): Promise<void> {
    return this.#queue.run(() => {
      this.#psk = psk.slice();
    });
  }

  join(welcome: Uint8Array): Promise<GroupFacts | Refused> {
    return this.#queue.run(async () => {
      const { suite } = this.#set();
      const read = readWelcome(welcome);
      if (isRefused(read)) return read;
      if (read.cipherSuite !== suite.name) return refuse("malformed", "another suite");
      const own = this.#keyPackages.find((mine) =>
        read.secrets.some((secret) => isEqual(secret.newMember, mine.ref)),
      );
      if (own === undefined) return refuse("not-for-us", "none of our KeyPackages");
      const asked: PreSharedKeyID[] = [];
      const index = pskIndex(this.#psk);
      const findPsk = (id: PreSharedKeyID) => {
        asked.push(id);
        return faultOfPsks(asked) === null ? index.findPsk(id) : undefined;
      };
      try {
        const state = await joinGroup(
          read,
          own.publicPackage,
          own.privatePackage,
          { findPsk },
          suite,
          undefined,
          undefined,
          clientConfig(this.#credentials),
        );
        const fault = faultOfJoined(state, own.publicPackage);
        if (fault !== null) return refuse("forbidden", fault);
        const facts = this.#enter(state);
        this.#keyPackages = this.#keyPackages.filter((mine) => mine !== own);
        return { ...facts, isLinkBound: asked.length > 0 };
      } catch (error) {
        if (error instanceof EngineFailed) throw error;
        const fault = faultOfPsks(asked);
        if (fault !== null) return refuse("forbidden", fault);
        if (asked.length > 0 && this.#psk === null) return refuse("no-psk", "no link PSK");
        return refusalOf(error);
      }
    });
  }

  commit(changes: Changes): Promise<Staged | Refused> {
    return this.#queue.run(async () => {
      const group = this.#inGroup();
      await group.discard();
      const proposals: Proposal[] = [];
      if (changes.meeting !== null) {
        const extensions = groupExtensions(changes.meeting);
        proposals.push({
          proposalType: "group_context_extensions",
          groupContextExtensions: { extensions },
        });
      }
      for (const removed of changes.removes) {
        proposals.push({ proposalType: "remove", remove: { removed } });
      }
      for (const bytes of changes.adds) {
        const keyPackage = await this.#checkedKeyPackage(bytes);
        if (isRefused(keyPackage)) return keyPackage;
        proposals.push({ proposalType: "add", add: { keyPackage } });
      }
      if (changes.withPsk) {
        const pskNonce = this.#set().suite.rng.randomBytes(32);
        const preSharedKeyId = { psktype: "external", pskId: LINK_PSK_ID, pskNonce } as const;
        proposals.push({ proposalType: "psk", psk: { preSharedKeyId } });
      }
      return group.commit(proposals);
    });
  }

  merge(): Promise<Applied> {
    return this.#queue.run(() => this.#inGroup().merge());
  }

  discard(): Promise<void> {
    return this.#queue.run(() => this.#inGroup().discard());
  }

  apply(commit: Uint8Array): Promise<Applied | Refused> {
    return this.#queue.run(
      () => this.#group?.apply(commit) ?? refuse("wrong-group", "no group here"),
    );
  }

  undo(): Promise<boolean> {
    return this.#queue.run(() => this.#group?.undo() ?? false);
  }

  protect(content: Uint8Array): Promise<{ bytes: Uint8Array; epoch: number }> {
    return this.#queue.run(() => this.#inGroup().protect(content));
  }

  open(message: Uint8Array): Promise<Opened | Refused> {
    return this.#queue.run(
      () => this.#group?.open(message) ?? refuse("wrong-group", "no group here"),
    );
  }

  exportSecret(label: string, context: Uint8Array, length: number): Promise<Uint8Array> {
    return this.#queue.run(() => this.#inGroup().exportSecret(label, context, length));
  }

  exportFrameKeys(identities: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#queue.run(async () => {
      const group = this.#inGroup();
      const keys = new Map<string, Uint8Array>();
      for (const identity of identities) {
        keys.set(identity, await group.exportSecret("conclave frame v1", utf8(identity), 32));
      }
      return keys;
    });
  }

  boxKey(): Promise<Uint8Array> {
    return this.#queue.run(() => this.#set().box.publicKey.slice());
  }

  sealTo(
    recipient: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    content: Uint8Array,
  ): Promise<Uint8Array> {
    return this.#queue.run(async () => {
      const { hpke } = this.#set().suite;
      try {
        const key = await hpke.importPublicKey(recipient.slice());
        const { enc, ct } = await hpke.seal(key, content, info, aad);
        return concat(enc, ct);
      } catch {
        throw new EngineFailed("no key to seal to");
      }
    });
  }

  openBox(info: Uint8Array, aad: Uint8Array, box: Uint8Array): Promise<Uint8Array | null> {
    return this.#queue.run(async () => {
      const ready = this.#set();
      const enc = box.slice(0, ENC_LENGTH);
      const sealed = box.slice(ENC_LENGTH);
      try {
        return await ready.suite.hpke.open(ready.box.privateKey, enc, sealed, info, aad);
      } catch {
        return null;
      }
    });
  }

  sign(content: Uint8Array): Promise<Uint8Array> {
    return this.#queue.run(() => this.#set().suite.signature.sign(NO_KEY, content));
  }

  verify(signatureKey: Uint8Array, content: Uint8Array, signature: Uint8Array): Promise<boolean> {
    return this.#queue.run(() =>
      this.#set().suite.signature.verify(signatureKey, content, signature),
    );
  }

  close(): void {
    const { device } = this.#ready ?? {};
    if (device?.type === "raw") device.seed.fill(0);
    this.#psk?.fill(0);
    for (const { privatePackage } of this.#keyPackages) {
      privatePackage.initPrivateKey.fill(0);
      privatePackage.hpkePrivateKey.fill(0);
    }
    this.#group?.close();
    this.#group = null;
    this.#ready = null;
    this.#psk = null;
    this.#keyPackages = [];
  }

  #set(): Ready {
    if (this.#ready === null) throw new EngineFailed("not set up, or closed");
    return this.#ready;
  }

  #inGroup(): Group {
    if (this.#group === null) throw new EngineFailed("no group");
    return this.#group;
  }

  #enter(state: ClientState): GroupFacts {
    const facts = groupFacts(state, this.#credentials);
    this.#group?.close();
    this.#group = new Group(
      {
        suite: this.#set().suite,
        credentials: this.#credentials,
        judge: this.#options.judge,
        now: this.#now,
        psk: () => this.#psk,
      },
      state,
    );
    return facts;
  }

  #makeKeyPackage() {
    const { suite, device, credential } = this.#set();
    return generateKeyPackageWithKey(
      { credentialType: "basic", identity: credential.slice() },
      CAPABILITIES,
      lifetimeAt(this.#now()),
      [],
      { signKey: NO_KEY, publicKey: device.publicKey.slice() },
      suite,
    );
  }

  async #checkedKeyPackage(bytes: Uint8Array): Promise<KeyPackage | Refused> {
    const { suite } = this.#set();
    const read = readKeyPackage(bytes);
    if (isRefused(read)) return read;
    const fault = faultOfKeyPackage(read, this.#now());
    if (fault !== null) return refuse("forbidden", fault);
    const isSigned =
      (await verifyKeyPackage(read, suite.signature)) &&
      (await verifyLeafNodeSignatureKeyPackage(read.leafNode, suite.signature));
    if (!isSigned) return refuse("forged", "a signature that is not the device key's");
    if (!(await this.#credentials.validate(read.leafNode))) {
      return refuse("forbidden", "a credential that proves nothing");
    }
    return read;
  }
}

/** The fixed rules, for a group that somebody else made. */
function faultOfJoined(state: ClientState, own: KeyPackage): string | null {
  const { groupContext, ratchetTree, privatePath } = state;
  if (groupContext.version !== "mls10") return "another version";
  if (meetingOf(groupContext.extensions) === null) return "other extensions";
  const leaf = leafAt(ratchetTree, privatePath.leafIndex);
  if (leaf === null || !isEqual(leaf.signaturePublicKey, own.leafNode.signaturePublicKey)) {
    return "not our leaf";
  }
  for (let at = 0; 2 * at < ratchetTree.length; at++) {
    const member = leafAt(ratchetTree, at);
    const fault = member === null ? null : faultOfLeaf(member);
    if (fault !== null) return fault;
  }
  return null;
}

export function createEngine(options: EngineOptions): MlsEngine {
  return new TsMlsEngine(options);
}

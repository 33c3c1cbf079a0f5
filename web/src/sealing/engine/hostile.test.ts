/** What an engine refuses, from a member with a real key and from bytes without any sense. */
import {
  createCommit,
  createGroupInfoWithExternalPub,
  joinGroupExternal,
} from "ts-mls/createCommit.js";
import { createProposal } from "ts-mls/createMessage.js";
import type { Extension } from "ts-mls/extension.js";
import { encodeMlsMessage } from "ts-mls/message.js";
import type { Proposal } from "ts-mls/proposal.js";
import { beforeAll, describe, expect, it } from "vitest";
import {
  forge,
  type Intruder,
  intrude,
  makePackage,
  signCommit,
  signProposals,
} from "../../../test/sealing/intruder.ts";
import {
  expectOk,
  exporter,
  GROUP_ID,
  groupOf,
  MEETING,
  member,
  NOTHING,
  PSK,
  step,
  text,
} from "../../../test/sealing/members.ts";
import type { MlsEngine } from "./contract.ts";
import { CAPABILITIES, groupExtensions, LINK_PSK_ID, lifetimeAt } from "./rules.ts";

const add = (keyPackage: Awaited<ReturnType<typeof makePackage>>): Proposal => ({
  proposalType: "add",
  add: { keyPackage: keyPackage.publicPackage },
});
const remove = (removed: number): Proposal => ({ proposalType: "remove", remove: { removed } });
const psk = (pskId: Uint8Array, length = 32): Proposal => ({
  proposalType: "psk",
  psk: {
    preSharedKeyId: { psktype: "external", pskId, pskNonce: new Uint8Array(length).fill(3) },
  },
});
const policy = (extensions: Extension[]): Proposal => ({
  proposalType: "group_context_extensions",
  groupContextExtensions: { extensions },
});

describe("a member that keeps to no rule", () => {
  let a: MlsEngine;
  let b: MlsEngine;
  let intruder: Intruder;

  beforeAll(async () => {
    const members = await groupOf(2);
    [a, b] = members as [MlsEngine, MlsEngine];
    intruder = await intrude(members, a);
  });

  async function expectRefused(bytes: Uint8Array, reason: string, detail: RegExp): Promise<void> {
    const before = await exporter(b);
    const answer = await b.apply(bytes);
    expect(answer).toMatchObject({ type: "refused", reason });
    if (answer.type === "refused") expect(answer.detail).toMatch(detail);
    expect(await exporter(b)).toEqual(before);
  }

  it("cannot use proposals of other types", async () => {
    const refused: [Proposal, RegExp][] = [
      [{ proposalType: 0xf0c1, proposalData: text("x") }, /type 61633/],
      [
        {
          proposalType: "reinit",
          reinit: {
            groupId: GROUP_ID,
            version: "mls10",
            cipherSuite:
              CAPABILITIES.ciphersuites[0] ?? "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
            extensions: [],
          },
        },
        /type reinit/,
      ],
      [psk(text("another psk")), /unknown PSK/],
      [psk(LINK_PSK_ID, 16), /unknown PSK/],
      [
        {
          proposalType: "psk",
          psk: {
            preSharedKeyId: {
              psktype: "resumption",
              usage: "application",
              pskGroupId: GROUP_ID,
              pskEpoch: 1n,
              pskNonce: new Uint8Array(32),
            },
          },
        },
        /unknown PSK/,
      ],
    ];
    for (const [proposal, detail] of refused) {
      const { commit } = await forge(intruder, [proposal]);
      await expectRefused(commit, "forbidden", detail);
    }
  });

  it("cannot bind a commit to two PSKs", async () => {
    const { commit } = await forge(intruder, [psk(LINK_PSK_ID), psk(LINK_PSK_ID, 31)]);
    await expectRefused(commit, "forbidden", /more than one PSK|unknown PSK/);
  });

  it("cannot have other extensions, fewer, more, or in another order", async () => {
    const [required, meeting] = groupExtensions(MEETING) as [Extension, Extension];
    const senders: Extension = { extensionType: "external_senders", extensionData: text("") };
    const others: Extension[][] = [
      [meeting],
      [required],
      [meeting, required],
      [required, meeting, meeting],
      [{ ...required, extensionData: Uint8Array.of(0, 0, 0) }, meeting],
      [required, { extensionType: "application_id", extensionData: text("x") }],
    ];
    others.push([], [required, meeting, senders]);
    for (const extensions of others) {
      const bytes = await signProposals(intruder, [policy(extensions)]);
      await expectRefused(bytes, "forbidden", /other extensions/);
    }
    const bytes = await signProposals(intruder, [policy(groupExtensions(text("1"))), policy([])]);
    await expectRefused(bytes, "forbidden", /more than one list/);
  });

  it("cannot remove itself, nobody, or one twice", async () => {
    const self = intruder.state.privatePath.leafIndex;
    for (const removes of [[9], [2 ** 32 - 1], [0, 0], [self]]) {
      const bytes = await signProposals(intruder, removes.map(remove));
      await expectRefused(bytes, "forbidden", /./);
    }
  });

  it("cannot become somebody else", async () => {
    const own = 2 * intruder.state.privatePath.leafIndex;
    const node = intruder.state.ratchetTree[own];
    if (node?.nodeType !== "leaf") throw new Error("no leaf");
    const changes = [
      { credential: { credentialType: "basic", identity: text("account:another") } },
      { signaturePublicKey: new Uint8Array(32).fill(4) },
    ] as const;
    for (const change of changes) {
      const ratchetTree = intruder.state.ratchetTree.slice();
      ratchetTree[own] = { nodeType: "leaf", leaf: { ...node.leaf, ...change } };
      const state = { ...intruder.state, ratchetTree };
      const { commit } = await forge(intruder, [], { state });
      await expectRefused(commit, "forbidden", /changed credential/);
    }
  });

  it("cannot put extensions into its leaf, or take its capabilities away", async () => {
    const own = 2 * intruder.state.privatePath.leafIndex;
    const node = intruder.state.ratchetTree[own];
    if (node?.nodeType !== "leaf") throw new Error("no leaf");
    const extensions: Extension[] = [{ extensionType: "application_id", extensionData: text("x") }];
    const changes = [{ extensions }, { capabilities: { ...CAPABILITIES, extensions: [] } }];
    for (const change of changes) {
      const ratchetTree = intruder.state.ratchetTree.slice();
      ratchetTree[own] = { nodeType: "leaf", leaf: { ...node.leaf, ...change } };
      const { commit } = await forge(intruder, [], { state: { ...intruder.state, ratchetTree } });
      await expectRefused(commit, "forbidden", /a leaf with/);
    }
  });

  it("cannot add who is no member of the kind we know", async () => {
    const seconds = BigInt(Math.floor(Date.now() / 1000));
    const bad: [Parameters<typeof makePackage>[0], RegExp][] = [
      [{ credential: { credentialType: "x509", certificates: [text("x")] } }, /basic/],
      [{ credential: { credentialType: "basic", identity: text("wrong") } }, /proves nothing/],
      [{ capabilities: { ...CAPABILITIES, versions: [] } }, /capabilities/],
      [{ capabilities: { ...CAPABILITIES, ciphersuites: [] } }, /capabilities/],
      [{ lifetime: { notBefore: 0n, notAfter: 2n ** 63n - 1n } }, /too long/],
      [{ lifetime: { notBefore: seconds - 9n, notAfter: seconds - 2n } }, /outside/],
      [{ lifetime: { notBefore: seconds + 99n, notAfter: seconds + 200n } }, /outside/],
      [{ extensions: [{ extensionType: 0xf0c0, extensionData: text("x") }] }, /KeyPackage with/],
      [{ leafExtensions: [{ extensionType: 0xf0c0, extensionData: text("x") }] }, /leaf with ext/],
    ];
    for (const [parts, detail] of bad) {
      const made = await makePackage(parts);
      const inspected = await a.inspect(made.bytes);
      expect(inspected).toMatchObject({ type: "refused", reason: "forbidden" });
      const bytes = await signProposals(intruder, [add(made)]);
      await expectRefused(bytes, "forbidden", detail);
    }
  });

  it("cannot add with a signature that is not the device's", async () => {
    const made = await makePackage();
    const other = await makePackage();
    const keyPackage = { ...made.publicPackage, signature: other.publicPackage.signature };
    const bytes = encodeMlsMessage({ version: "mls10", wireformat: "mls_key_package", keyPackage });
    expect(await a.inspect(bytes)).toMatchObject({ reason: "forged" });
    const leafNode = { ...made.publicPackage.leafNode, signature: other.publicPackage.signature };
    const inner = { ...made.publicPackage, leafNode };
    const innerBytes = encodeMlsMessage({
      version: "mls10",
      wireformat: "mls_key_package",
      keyPackage: inner,
    });
    expect(await a.inspect(innerBytes)).toMatchObject({ reason: "forged" });
  });

  it("cannot add a key that is in the tree, or one twice", async () => {
    const twin = await makePackage({}, intruder.device);
    const once = await makePackage();
    const again = await makePackage({}, once.device);
    const blind = {
      compareKeyPackages: () => false,
      compareKeyPackageToLeafNode: () => false,
    };
    const clientConfig = { ...intruder.state.clientConfig, keyPackageEqualityConfig: blind };
    const state = { ...intruder.state, clientConfig };
    for (const adds of [[twin], [once, again]]) {
      const made = await forge(intruder, adds.map(add), { state });
      await expectRefused(made.commit, "forbidden", /./);
    }
  });

  it("cannot give a new member an encryption key of the tree", async () => {
    const node = intruder.state.ratchetTree[0];
    if (node?.nodeType !== "leaf") throw new Error("no leaf");
    const key = node.leaf.hpkePublicKey;
    const made = await makePackage();
    const { hpke } = made.suite;
    const generate = hpke.generateKeyPair;
    let calls = 0;
    const suite = {
      ...made.suite,
      hpke: {
        ...hpke,
        generateKeyPair: generate,
        // The second public key that goes into a KeyPackage is the leaf's.
        exportPublicKey: async (own: Parameters<typeof hpke.exportPublicKey>[0]) =>
          calls++ === 0 ? key : hpke.exportPublicKey(own),
      },
    };
    const { generateKeyPackageWithKey } = await import("ts-mls/keyPackage.js");
    const copied = await generateKeyPackageWithKey(
      { credentialType: "basic", identity: text("") },
      CAPABILITIES,
      lifetimeAt(Date.now()),
      [],
      { signKey: new Uint8Array(), publicKey: made.device.publicKey },
      suite,
    );
    expect(copied.publicPackage.leafNode.hpkePublicKey).toEqual(key);
    const proposal: Proposal = {
      proposalType: "add",
      add: { keyPackage: copied.publicPackage },
    };
    const { commit } = await forge(intruder, [proposal]);
    await expectRefused(commit, "forbidden", /encryption key twice/);
  });

  it("cannot send too many proposals", async () => {
    const bytes = await signProposals(
      intruder,
      Array.from({ length: 451 }, () => remove(0)),
    );
    await expectRefused(bytes, "forbidden", /too many/);
  });

  it("cannot update leaves by proposals, or refer to proposals", async () => {
    const node = intruder.state.ratchetTree[2 * intruder.state.privatePath.leafIndex];
    if (node?.nodeType !== "leaf") throw new Error("no leaf");
    const leafNode = {
      ...node.leaf,
      leafNodeSource: "update",
      signature: new Uint8Array(64),
    } as const;
    const update: Proposal = { proposalType: "update", update: { leafNode } };
    const bytes = await signProposals(intruder, [update]);
    await expectRefused(bytes, "forbidden", /type update/);
    const reference = new Uint8Array(32);
    const proposals = [{ proposalOrRefType: "reference", reference } as const];
    const referring = await signCommit(intruder, { proposals, path: undefined });
    await expectRefused(referring, "forbidden", /by reference/);
  });

  it("cannot leave out the path where there has to be one", async () => {
    for (const proposals of [[], [remove(0)], [policy(groupExtensions(text("x")))]]) {
      const bytes = await signProposals(intruder, proposals);
      await expectRefused(bytes, "forbidden", /path is required/);
    }
  });

  it("cannot send handshakes in the open, proposals alone, or commits from outside", async () => {
    const open = await forge(intruder, [], { isPublic: true });
    await expectRefused(open.commit, "forbidden", /PublicMessage/);
    for (const isPublic of [true, false]) {
      const made = await createProposal(intruder.state, isPublic, remove(0), intruder.suite);
      await expectRefused(encodeMlsMessage(made.message), "forbidden", /PublicMessage|standalone/);
      expect(await b.open(encodeMlsMessage(made.message))).toMatchObject({ reason: "forbidden" });
      // What refers to it names a proposal that nobody kept.
      const { commit } = await createCommit({
        state: made.newState,
        cipherSuite: intruder.suite,
      });
      if (isPublic) continue;
      await expectRefused(encodeMlsMessage(commit), "forbidden", /reference/);
    }
    const info = await createGroupInfoWithExternalPub(intruder.state, [], intruder.suite);
    const outside = await makePackage();
    const { publicMessage } = await joinGroupExternal(
      info,
      outside.publicPackage,
      outside.privatePackage,
      false,
      outside.suite,
      intruder.state.ratchetTree,
    );
    const wireformat = "mls_public_message";
    const commit = encodeMlsMessage({ version: "mls10", wireformat, publicMessage });
    await expectRefused(commit, "forbidden", /PublicMessage/);
  });

  it("cannot hide a commit from outside in a message from inside", async () => {
    const kemOutput = new Uint8Array(32).fill(9);
    const proposal: Proposal = { proposalType: "external_init", externalInit: { kemOutput } };
    const bytes = await signProposals(intruder, [proposal]);
    await expectRefused(bytes, "forbidden", /external_init/);
  });

  it("cannot speak for another leaf", async () => {
    const { privatePath } = intruder.state;
    for (const leafIndex of [0, 1]) {
      const state = { ...intruder.state, privatePath: { ...privatePath, leafIndex } };
      const made = await forge(intruder, [psk(LINK_PSK_ID)], { state });
      await expectRefused(made.commit, "forged", /./);
    }
  });

  it("cannot make a commit that leads nowhere", async () => {
    // Without the tree's keys: a path to other nodes, another confirmation, another transcript.
    const { groupContext, keySchedule } = intruder.state;
    const { suite } = intruder;
    const random = (length: number) => suite.rng.randomBytes(length);
    const wrong = [
      { ...intruder.state, keySchedule: { ...keySchedule, initSecret: random(32) } },
      { ...intruder.state, confirmationTag: random(32) },
      { ...intruder.state, groupContext: { ...groupContext, treeHash: random(32) } },
    ];
    for (const state of wrong) {
      const made = await forge(intruder, [], { state });
      await expectRefused(made.commit, "forged", /./);
    }
  });

  it("cannot commit to another group or epoch", async () => {
    const { groupContext } = intruder.state;
    const groupId = new Uint8Array(16).fill(1);
    const other = { ...intruder.state, groupContext: { ...groupContext, groupId } };
    await expectRefused((await forge(intruder, [], { state: other })).commit, "wrong-group", /./);
    for (const epoch of [0n, 1n, 3n, 2n ** 64n - 1n]) {
      const state = { ...intruder.state, groupContext: { ...groupContext, epoch } };
      const made = await forge(intruder, [], { state });
      await expectRefused(made.commit, "wrong-epoch", /./);
    }
  });

  it("can still make a commit that keeps the rules, at last", async () => {
    const made = await forge(intruder, []);
    expect((await b.apply(made.commit)).type).toBe("applied");
    expectOk(await a.apply(made.commit));
    intruder.state = made.next;
    await step([a, b], b, { removes: [2] });
    expect(await exporter(a)).toEqual(await exporter(b));
  });
});

describe("a group that somebody else made", () => {
  async function founder(extensions: Extension[], parts: Parameters<typeof makePackage>[0] = {}) {
    const { createGroup } = await import("ts-mls/clientState.js");
    const { clientConfig } = await import("./group.ts");
    const { Credentials } = await import("./credentials.ts");
    const made = await makePackage(parts);
    const config = clientConfig(
      new Credentials(() => ({ ok: true, accountKey: null, invitation: null })),
    );
    const state = await createGroup(
      GROUP_ID,
      made.publicPackage,
      made.privatePackage,
      extensions,
      made.suite,
      config,
    );
    return { state, suite: made.suite, device: made.device };
  }

  async function invite(by: Intruder, proposals: readonly Proposal[] = []) {
    const { engine } = await member();
    const { readKeyPackage, isRefused } = await import("./wire.ts");
    const keyPackage = readKeyPackage((await engine.keyPackage()).bytes);
    if (isRefused(keyPackage)) throw new Error("no KeyPackage");
    const added: Proposal = { proposalType: "add", add: { keyPackage } };
    const { welcome } = await forge(by, [added, ...proposals]);
    return { engine, welcome: welcome ?? new Uint8Array() };
  }

  it("is joined with the two extensions, and with no others", async () => {
    const good = await invite(await founder(groupExtensions(MEETING)));
    expect(expectOk(await good.engine.join(good.welcome)).meeting).toEqual(MEETING);
    const [required, meeting] = groupExtensions(MEETING) as [Extension, Extension];
    for (const extensions of [[], [required], [meeting], [meeting, required]]) {
      const { engine, welcome } = await invite(await founder(extensions));
      expect(await engine.join(welcome)).toMatchObject({ reason: "forbidden" });
      await expect(engine.merge()).rejects.toThrow();
    }
  });

  it("is not joined when a member is not of the kind we know", async () => {
    const bad: Parameters<typeof makePackage>[0][] = [
      { credential: { credentialType: "basic", identity: text("wrong") } },
      { capabilities: { ...CAPABILITIES, extensions: [] } },
      { leafExtensions: [{ extensionType: 0xf0c0, extensionData: text("") }] },
    ];
    for (const parts of bad) {
      const { engine, welcome } = await invite(await founder(groupExtensions(MEETING), parts));
      expect(await engine.join(welcome)).toMatchObject({ reason: "forbidden" });
    }
  });

  it("is not joined by a PSK that is not the link's", async () => {
    const by = await founder(groupExtensions(MEETING));
    for (const ids of [[psk(text("other"))], [psk(LINK_PSK_ID), psk(text("other"))]]) {
      const { engine, welcome } = await invite(by, ids);
      await engine.setPsk(PSK);
      expect(await engine.join(welcome)).toMatchObject({ reason: "forbidden" });
    }
  });
});

describe("bytes without sense", () => {
  it("are refused wherever they arrive, and change nothing", async () => {
    let seed = 5;
    const below = (limit: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * limit);
    };
    const mutate = (bytes: Uint8Array): Uint8Array => {
      const kind = below(5);
      const at = below(bytes.length);
      if (kind === 0) return bytes.slice(0, at);
      if (kind === 1) return Uint8Array.of(...bytes, below(256));
      if (kind === 2) return Uint8Array.of(...bytes.slice(0, at), ...bytes.slice(at + 1));
      const copy = bytes.slice();
      copy[at] = kind === 3 ? below(256) : (copy[at] ?? 0) ^ (1 << below(8));
      return copy;
    };
    const [a, b] = (await groupOf(2)) as [MlsEngine, MlsEngine];
    const joiner = await member();
    const { bytes: keyPackage } = await joiner.engine.keyPackage();
    const message = (await a.protect(text("hello"))).bytes;
    const staged = expectOk(await a.commit({ ...NOTHING, adds: [keyPackage], removes: [] }));
    const path = expectOk(await a.commit({ ...NOTHING, meeting: text("new") }));
    await a.discard();
    const welcome = staged.welcome ?? new Uint8Array();
    const before = await exporter(b);
    const sameAs = (one: Uint8Array, other: Uint8Array) => one.join() === other.join();
    for (let turn = 0; turn < 400; turn++) {
      const pairs: [Uint8Array, (bytes: Uint8Array) => Promise<object>][] = [
        [staged.commit, (bytes) => b.apply(bytes)],
        [path.commit, (bytes) => b.apply(bytes)],
        [message, (bytes) => b.open(bytes)],
        [keyPackage, (bytes) => b.inspect(bytes)],
        [welcome, (bytes) => joiner.engine.join(bytes)],
      ];
      for (const [good, call] of pairs) {
        const bad = mutate(good);
        if (sameAs(bad, good)) continue;
        expect(await call(bad)).toMatchObject({ type: "refused" });
      }
    }
    // Things of the wrong kind, and nothing at all.
    const odd = [
      new Uint8Array(),
      new Uint8Array(300),
      new Uint8Array(513 * 1024),
      keyPackage,
      welcome,
      message,
      path.commit,
      "text" as unknown as Uint8Array,
    ];
    for (const bytes of odd) {
      if (bytes !== path.commit) {
        expect(await b.apply(bytes)).toMatchObject({ type: "refused" });
      }
      if (bytes !== message) expect(await b.open(bytes)).toMatchObject({ type: "refused" });
      if (bytes !== welcome) {
        expect(await joiner.engine.join(bytes)).toMatchObject({ type: "refused" });
      }
      if (bytes !== keyPackage) expect(await b.inspect(bytes)).toMatchObject({ type: "refused" });
    }
    expect(await exporter(b)).toEqual(before);
    expectOk(await b.open(message));
    expect((await b.apply(path.commit)).type).toBe("applied");
    expectOk(await joiner.engine.join(welcome));
  });
});

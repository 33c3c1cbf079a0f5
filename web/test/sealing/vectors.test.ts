/**
 * The official MLS vectors of suite 1 (test/vectors), against the corrected library and the
 * cryptography of `suite.ts`: what the browser runs.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { decodeAuthenticatedContent } from "ts-mls/authenticatedContent.js";
import { defaultClientConfig } from "ts-mls/clientConfig.js";
import { joinGroup, makePskIndex } from "ts-mls/clientState.js";
import type { Decoder } from "ts-mls/codec/tlsDecoder.js";
import type { Encoder } from "ts-mls/codec/tlsEncoder.js";
import { decodeVarLenData, determineLength } from "ts-mls/codec/variableLength.js";
import { decodeCommit, encodeCommit } from "ts-mls/commit.js";
import { applyUpdatePathSecret } from "ts-mls/createCommit.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { refhash } from "ts-mls/crypto/hash.js";
import { decryptWithLabel, encryptWithLabel } from "ts-mls/crypto/hpke.js";
import { deriveSecret, deriveTreeSecret, expandWithLabel } from "ts-mls/crypto/kdf.js";
import { verifyWithLabel } from "ts-mls/crypto/signature.js";
import { encodeGroupContext, type GroupContext } from "ts-mls/groupContext.js";
import { verifyGroupInfoConfirmationTag, verifyGroupInfoSignature } from "ts-mls/groupInfo.js";
import { decodeGroupSecrets, encodeGroupSecrets } from "ts-mls/groupSecrets.js";
import { makeKeyPackageRef } from "ts-mls/keyPackage.js";
import { initializeEpoch, mlsExporter } from "ts-mls/keySchedule.js";
import { verifyLeafNodeSignature } from "ts-mls/leafNode.js";
import { decodeMlsMessage, encodeMlsMessage } from "ts-mls/message.js";
import { unprotectPrivateMessage } from "ts-mls/messageProtection.js";
import { unprotectPublicMessage } from "ts-mls/messageProtectionPublic.js";
import { verifyParentHashes } from "ts-mls/parentHash.js";
import { getCommitSecret } from "ts-mls/pathSecrets.js";
import { computePskSecret } from "ts-mls/presharedkey.js";
import { type PrivateKeyPath, toPrivateKeyPath } from "ts-mls/privateKeyPath.js";
import { processPrivateMessage, processPublicMessage } from "ts-mls/processMessages.js";
import * as proposals from "ts-mls/proposal.js";
import {
  addLeafNode,
  decodeRatchetTree,
  encodeRatchetTree,
  removeLeafNode,
  resolution,
  updateLeafNode,
} from "ts-mls/ratchetTree.js";
import { createSecretTree, ratchetToGeneration } from "ts-mls/secretTree.js";
import { expandSenderDataKey, expandSenderDataNonce, type ReuseGuard } from "ts-mls/sender.js";
import { createConfirmedHash, createInterimHash } from "ts-mls/transcriptHash.js";
import { treeHash, treeHashRoot } from "ts-mls/treeHash.js";
import * as treemath from "ts-mls/treemath.js";
import { applyUpdatePath, decodeUpdatePath } from "ts-mls/updatePath.js";
import { bytesToBase64 } from "ts-mls/util/byteArray.js";
import { decryptGroupInfo, decryptGroupSecrets } from "ts-mls/welcome.js";
import { beforeAll, describe, expect, it } from "vitest";
import { makeSuite, SUITE_NAME } from "../../src/sealing/engine/suite.ts";
import { webcryptoDevice } from "./members.ts";

// biome-ignore lint/suspicious/noExplicitAny: sixteen shapes of JSON, described beside the vectors.
type Json = any;

const FOLDER = join(import.meta.dirname, "../vectors");

function load(name: string): [number, Json][] {
  const all: Json[] = JSON.parse(
    gunzipSync(readFileSync(join(FOLDER, `${name}.json.gz`))).toString("utf8"),
  );
  return [...all.entries()];
}

const hex = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, "hex"));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The whole of the bytes, or the test fails. */
function whole<T>(decoder: Decoder<T>, value: string): T {
  const bytes = hex(value);
  const decoded = decoder(bytes, 0);
  if (decoded === undefined) throw new Error("not decodable");
  expect(decoded[1]).toBe(bytes.length);
  return decoded[0];
}

function message<W extends string>(value: string, wireformat: W) {
  const found = whole(decodeMlsMessage, value);
  if (found.wireformat !== wireformat) throw new Error(`a ${found.wireformat}`);
  return found as Extract<typeof found, { wireformat: W }>;
}

function contextOf(x: Json, more: Partial<GroupContext> = {}): GroupContext {
  return {
    version: "mls10",
    cipherSuite: SUITE_NAME,
    groupId: hex(x.group_id),
    epoch: BigInt(x.epoch ?? 0),
    treeHash: hex(x.tree_hash ?? ""),
    confirmedTranscriptHash: hex(x.confirmed_transcript_hash),
    extensions: [],
    ...more,
  };
}

let suite: CiphersuiteImpl;
beforeAll(async () => {
  suite = await makeSuite(await webcryptoDevice());
});

describe.each([
  "passive-client-welcome",
  "passive-client-handling-commit",
  "passive-client-random",
])("%s", (name) => {
  it.each(load(name))("%i", { timeout: 240_000 }, async (_index, x) => {
    const { keyPackage } = message(x.key_package, "mls_key_package");
    const { welcome } = message(x.welcome, "mls_welcome");
    const psks: Record<string, Uint8Array> = {};
    for (const psk of x.external_psks) psks[bytesToBase64(hex(psk.psk_id))] = hex(psk.psk);
    let state = await joinGroup(
      welcome,
      keyPackage,
      {
        hpkePrivateKey: hex(x.encryption_priv),
        initPrivateKey: hex(x.init_priv),
        signaturePrivateKey: hex(x.signature_priv),
      },
      makePskIndex(undefined, psks),
      suite,
      x.ratchet_tree === null ? undefined : whole(decodeRatchetTree, x.ratchet_tree),
      undefined,
      defaultClientConfig,
    );
    expect(toHex(state.keySchedule.epochAuthenticator)).toBe(x.initial_epoch_authenticator);
    for (const epoch of x.epochs) {
      for (const bytes of [...epoch.proposals, epoch.commit]) {
        const found = whole(decodeMlsMessage, bytes);
        const index = makePskIndex(state, psks);
        if (found.wireformat === "mls_private_message") {
          state = (await processPrivateMessage(state, found.privateMessage, index, suite)).newState;
        } else if (found.wireformat === "mls_public_message") {
          state = (await processPublicMessage(state, found.publicMessage, index, suite)).newState;
        } else throw new Error("no handshake");
      }
      expect(toHex(state.keySchedule.epochAuthenticator)).toBe(epoch.epoch_authenticator);
    }
  });
});

describe("messages", () => {
  const again = <T>(decoder: Decoder<T>, encoder: Encoder<T>, value: string) =>
    expect(toHex(encoder(whole(decoder, value)))).toBe(value);

  it.each(load("messages"))("%i", (_index, x) => {
    for (const kind of [
      "mls_welcome",
      "mls_group_info",
      "mls_key_package",
      "public_message_application",
      "public_message_proposal",
      "public_message_commit",
      "private_message",
    ]) {
      again(decodeMlsMessage, encodeMlsMessage, x[kind]);
    }
    again(decodeRatchetTree, encodeRatchetTree, x.ratchet_tree);
    again(decodeGroupSecrets, encodeGroupSecrets, x.group_secrets);
    again(decodeCommit, encodeCommit, x.commit);
    again(proposals.decodeAdd, proposals.encodeAdd, x.add_proposal);
    again(proposals.decodeUpdate, proposals.encodeUpdate, x.update_proposal);
    again(proposals.decodeRemove, proposals.encodeRemove, x.remove_proposal);
    again(proposals.decodePSK, proposals.encodePSK, x.pre_shared_key_proposal);
    again(proposals.decodeReinit, proposals.encodeReinit, x.re_init_proposal);
    again(proposals.decodeExternalInit, proposals.encodeExternalInit, x.external_init_proposal);
    again(
      proposals.decodeGroupContextExtensions,
      proposals.encodeGroupContextExtensions,
      x.group_context_extensions_proposal,
    );
  });
});

it.each(load("deserialization"))("deserialization %i", (_index, x) => {
  const { length, lengthFieldSize } = determineLength(hex(x.vlbytes_header));
  expect(length).toBe(x.length);
  expect(lengthFieldSize).toBe(x.vlbytes_header.length / 2);
  expect(() => decodeVarLenData(Uint8Array.of(0xc0), 0)).toThrow();
});

it.each(load("tree-math"))("tree-math %i", (_index, x) => {
  const width: number = x.n_leaves;
  expect(treemath.nodeWidth(width)).toBe(x.n_nodes);
  expect(treemath.root(width)).toBe(x.root);
  for (let at = 0; at < x.n_nodes; at++) {
    const node = treemath.toNodeIndex(at);
    if (x.left[at] !== null) expect(treemath.left(node)).toBe(x.left[at]);
    if (x.right[at] !== null) expect(treemath.right(node)).toBe(x.right[at]);
    if (x.parent[at] !== null) expect(treemath.parent(node, width)).toBe(x.parent[at]);
    if (x.sibling[at] !== null) expect(treemath.sibling(node, width)).toBe(x.sibling[at]);
  }
});

it.each(load("crypto-basics"))("crypto-basics %i", async (_index, x) => {
  const { ref_hash: ref, expand_with_label: expand, derive_secret: derive } = x;
  const { derive_tree_secret: tree, sign_with_label: sign, encrypt_with_label: encrypt } = x;
  expect(toHex(await refhash(ref.label, hex(ref.value), suite.hash))).toBe(ref.out);
  const expanded = await expandWithLabel(
    hex(expand.secret),
    expand.label,
    hex(expand.context),
    expand.length,
    suite.kdf,
  );
  expect(toHex(expanded)).toBe(expand.out);
  expect(toHex(await deriveSecret(hex(derive.secret), derive.label, suite.kdf))).toBe(derive.out);
  const derived = await deriveTreeSecret(
    hex(tree.secret),
    tree.label,
    tree.generation,
    tree.length,
    suite.kdf,
  );
  expect(toHex(derived)).toBe(tree.out);
  const isSigned = await verifyWithLabel(
    hex(sign.pub),
    sign.label,
    hex(sign.content),
    hex(sign.signature),
    suite.signature,
  );
  expect(isSigned).toBe(true);
  const key = await suite.hpke.importPrivateKey(hex(encrypt.priv));
  const open = (enc: Uint8Array, sealed: Uint8Array) =>
    decryptWithLabel(key, encrypt.label, hex(encrypt.context), enc, sealed, suite.hpke);
  expect(toHex(await open(hex(encrypt.kem_output), hex(encrypt.ciphertext)))).toBe(
    encrypt.plaintext,
  );
  const { enc, ct } = await encryptWithLabel(
    await suite.hpke.importPublicKey(hex(encrypt.pub)),
    encrypt.label,
    hex(encrypt.context),
    hex(encrypt.plaintext),
    suite.hpke,
  );
  expect(toHex(await open(enc, ct))).toBe(encrypt.plaintext);
});

it.each(load("key-schedule"))("key-schedule %i", async (_index, x) => {
  let initSecret = hex(x.initial_init_secret);
  for (const [index, epoch] of x.epochs.entries()) {
    const context = contextOf({ ...epoch, group_id: x.group_id, epoch: index });
    expect(toHex(encodeGroupContext(context))).toBe(epoch.group_context);
    const made = await initializeEpoch(
      initSecret,
      hex(epoch.commit_secret),
      context,
      hex(epoch.psk_secret),
      suite.kdf,
    );
    const { keySchedule } = made;
    const secrets = {
      joiner_secret: made.joinerSecret,
      welcome_secret: made.welcomeSecret,
      encryption_secret: made.encryptionSecret,
      init_secret: keySchedule.initSecret,
      sender_data_secret: keySchedule.senderDataSecret,
      exporter_secret: keySchedule.exporterSecret,
      external_secret: keySchedule.externalSecret,
      confirmation_key: keySchedule.confirmationKey,
      membership_key: keySchedule.membershipKey,
      resumption_psk: keySchedule.resumptionPsk,
      epoch_authenticator: keySchedule.epochAuthenticator,
    };
    for (const [name, secret] of Object.entries(secrets)) expect(toHex(secret)).toBe(epoch[name]);
    const { publicKey } = await suite.hpke.deriveKeyPair(hex(epoch.external_secret));
    expect(toHex(await suite.hpke.exportPublicKey(publicKey))).toBe(epoch.external_pub);
    const { label, context: about, length, secret } = epoch.exporter;
    const exported = mlsExporter(keySchedule.exporterSecret, label, hex(about), length, suite);
    expect(toHex(await exported)).toBe(secret);
    initSecret = keySchedule.initSecret;
  }
});

it.each(load("secret-tree"))("secret-tree %i", async (_index, x) => {
  const secret = hex(x.sender_data.sender_data_secret);
  const sealed = hex(x.sender_data.ciphertext);
  expect(toHex(await expandSenderDataKey(suite, secret, sealed))).toBe(x.sender_data.key);
  expect(toHex(await expandSenderDataNonce(suite, secret, sealed))).toBe(x.sender_data.nonce);
  const { keyRetentionConfig } = defaultClientConfig;
  let tree = await createSecretTree(x.leaves.length, hex(x.encryption_secret), suite.kdf);
  for (const [leafIndex, generations] of x.leaves.entries()) {
    for (const one of generations) {
      const reuseGuard = new Uint8Array(4) as ReuseGuard;
      const sender = { leafIndex, generation: one.generation, reuseGuard };
      for (const [type, name] of [
        ["application", "application"],
        ["commit", "handshake"],
      ] as const) {
        const step = await ratchetToGeneration(tree, sender, type, keyRetentionConfig, suite);
        expect(toHex(step.key)).toBe(one[`${name}_key`]);
        expect(toHex(step.nonce)).toBe(one[`${name}_nonce`]);
        tree = step.newTree;
      }
    }
  }
});

it.each(load("psk_secret"))("psk_secret %i", async (_index, x) => {
  const psks = x.psks.map((psk: Json) => [
    { psktype: "external", pskId: hex(psk.psk_id), pskNonce: hex(psk.psk_nonce) },
    hex(psk.psk),
  ]);
  expect(toHex(await computePskSecret(psks, suite))).toBe(x.psk_secret);
});

it.each(load("transcript-hashes"))("transcript-hashes %i", async (_index, x) => {
  const { wireformat, content, auth } = whole(decodeAuthenticatedContent, x.authenticated_content);
  if (content.contentType !== "commit" || auth.contentType !== "commit") throw new Error("type");
  const after = hex(x.confirmed_transcript_hash_after);
  const tag = auth.confirmationTag;
  expect(await suite.hash.verifyMac(hex(x.confirmation_key), tag, after)).toBe(true);
  const confirmed = await createConfirmedHash(
    hex(x.interim_transcript_hash_before),
    { wireformat, content, signature: auth.signature },
    suite.hash,
  );
  expect(toHex(confirmed)).toBe(x.confirmed_transcript_hash_after);
  const interim = await createInterimHash(after, tag, suite.hash);
  expect(toHex(interim)).toBe(x.interim_transcript_hash_after);
});

it.each(load("welcome"))("welcome %i", async (_index, x) => {
  const { welcome } = message(x.welcome, "mls_welcome");
  const { keyPackage } = message(x.key_package, "mls_key_package");
  const key = await suite.hpke.importPrivateKey(hex(x.init_priv));
  const ref = await makeKeyPackageRef(keyPackage, suite.hash);
  const secrets = await decryptGroupSecrets(key, ref, welcome, suite.hpke);
  if (secrets === undefined) throw new Error("no secrets");
  const none = new Uint8Array(32);
  const info = await decryptGroupInfo(welcome, secrets.joinerSecret, none, suite);
  if (info === undefined) throw new Error("no group info");
  expect(await verifyGroupInfoSignature(info, hex(x.signer_pub), suite.signature)).toBe(true);
  expect(await verifyGroupInfoConfirmationTag(info, secrets.joinerSecret, none, suite)).toBe(true);
});

it.each(load("tree-operations"))("tree-operations %i", async (_index, x) => {
  const before = whole(decodeRatchetTree, x.tree_before);
  expect(toHex(await treeHashRoot(before, suite.hash))).toBe(x.tree_hash_before);
  const proposal = whole(proposals.decodeProposal, x.proposal);
  const sender = treemath.toLeafIndex(x.proposal_sender);
  let after = before;
  if (proposal.proposalType === "add") {
    [after] = addLeafNode(before, proposal.add.keyPackage.leafNode);
  } else if (proposal.proposalType === "update") {
    after = updateLeafNode(before, proposal.update.leafNode, sender);
  } else if (proposal.proposalType === "remove") {
    after = removeLeafNode(before, treemath.toLeafIndex(proposal.remove.removed));
  }
  expect(toHex(encodeRatchetTree(after))).toBe(x.tree_after);
  expect(toHex(await treeHashRoot(after, suite.hash))).toBe(x.tree_hash_after);
});

it.each(load("tree-validation"))("tree-validation %i", async (_index, x) => {
  const tree = whole(decodeRatchetTree, x.tree);
  for (const [at, node] of tree.entries()) {
    const index = treemath.toNodeIndex(at);
    expect(resolution(tree, index)).toEqual(x.resolutions[at]);
    expect(toHex(await treeHash(tree, index, suite.hash))).toBe(x.tree_hashes[at]);
    if (node?.nodeType !== "leaf") continue;
    const leaf = treemath.nodeToLeafIndex(index);
    const isSigned = verifyLeafNodeSignature(node.leaf, hex(x.group_id), leaf, suite.signature);
    expect(await isSigned).toBe(true);
  }
  expect(await verifyParentHashes(tree, suite.hash)).toBe(true);
});

it.each(load("treekem"))("treekem %i", async (_index, x) => {
  const tree = whole(decodeRatchetTree, x.ratchet_tree);
  const paths: PrivateKeyPath[] = [];
  for (const leaf of x.leaves_private) {
    const secrets: Record<number, Uint8Array> = {};
    for (const { node, path_secret } of leaf.path_secrets) secrets[node] = hex(path_secret);
    const { privateKeys } = await toPrivateKeyPath(secrets, leaf.index, suite);
    const own = { [2 * leaf.index]: hex(leaf.encryption_priv) };
    paths.push({ leafIndex: leaf.index, privateKeys: { ...privateKeys, ...own } });
  }
  for (const one of x.update_paths) {
    const sender = treemath.toLeafIndex(one.sender);
    const path = whole(decodeUpdatePath, one.update_path);
    const updated = await applyUpdatePath(tree, sender, path, suite.hash);
    const after = await treeHashRoot(updated, suite.hash);
    expect(toHex(after)).toBe(one.tree_hash_after);
    const context = contextOf(x, { treeHash: after });
    for (const own of paths) {
      const expected = one.path_secrets[own.leafIndex];
      if (own.leafIndex === one.sender) {
        expect(expected).toBeNull();
        continue;
      }
      const { nodeIndex, pathSecret } = await applyUpdatePathSecret(
        tree,
        own,
        sender,
        context,
        path,
        [],
        suite,
      );
      expect(toHex(pathSecret)).toBe(expected);
      const node = treemath.toNodeIndex(nodeIndex);
      const commitSecret = await getCommitSecret(updated, node, pathSecret, suite.kdf);
      expect(toHex(commitSecret)).toBe(one.commit_secret);
    }
  }
});

it.each(load("message-protection"))("message-protection %i", async (_index, x) => {
  const context = contextOf(x);
  const sender = hex(x.signature_pub);
  const secretTree = () => createSecretTree(2, hex(x.encryption_secret), suite.kdf);
  for (const kind of ["proposal", "commit", "application"] as const) {
    const { privateMessage } = message(x[`${kind}_priv`], "mls_private_message");
    const { content } = (
      await unprotectPrivateMessage(
        hex(x.sender_data_secret),
        privateMessage,
        await secretTree(),
        [],
        context,
        defaultClientConfig.keyRetentionConfig,
        suite,
        sender,
      )
    ).content;
    const inside =
      content.contentType === "application"
        ? content.applicationData
        : content.contentType === "commit"
          ? encodeCommit(content.commit)
          : proposals.encodeProposal(content.proposal);
    expect(toHex(inside)).toBe(x[kind]);
    if (kind === "application") continue;
    const { publicMessage } = message(x[`${kind}_pub`], "mls_public_message");
    const open = await unprotectPublicMessage(
      hex(x.membership_key),
      context,
      [],
      publicMessage,
      suite,
      sender,
    );
    const shown =
      open.content.contentType === "commit"
        ? encodeCommit(open.content.commit)
        : proposals.encodeProposal(open.content.proposal);
    expect(toHex(shown)).toBe(x[kind]);
  }
});

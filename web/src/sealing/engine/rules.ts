/**
 * The fixed rules of every group (docs/reference/sealing-protocol.md, 2 and 3), beside what MLS itself
 * demands: which leaves, KeyPackages, extensions and commits there may be. Who may do what is the
 * judge's. Pure; each rule answers with the words for its refusal, or null.
 */
import type { Capabilities } from "ts-mls/capabilities.js";
import type { ClientState } from "ts-mls/clientState.js";
import type { Commit } from "ts-mls/commit.js";
import type { Extension } from "ts-mls/extension.js";
import type { KeyPackage } from "ts-mls/keyPackage.js";
import type { LeafNode } from "ts-mls/leafNode.js";
import type { PreSharedKeyID } from "ts-mls/presharedkey.js";
import type { Proposal } from "ts-mls/proposal.js";
import type { RatchetTree } from "ts-mls/ratchetTree.js";
import { encodeRequiredCapabilities } from "ts-mls/requiredCapabilities.js";
import { asText, isEqual, utf8 } from "./bytes.ts";
import { SUITE_NAME } from "./suite.ts";

const MEETING_EXTENSION = 0xf0c0;
export const LINK_PSK_ID = utf8("conclave link v1");

const DAY_S = 24 * 3600;
const LIFETIME_S = 30 * DAY_S;
/** For clocks that are not ours: the day back, the thirty days, and an hour for rounding. */
const MAX_LIFETIME_S = LIFETIME_S + DAY_S + 3600;
/** A full meeting replaced at once, and some; the library's work grows with the square. */
const MAX_PROPOSALS = 450;

export const CAPABILITIES: Capabilities = {
  versions: ["mls10"],
  ciphersuites: [SUITE_NAME],
  extensions: [MEETING_EXTENSION],
  proposals: [],
  credentials: ["basic"],
};

const REQUIRED: Extension = {
  extensionType: "required_capabilities",
  extensionData: encodeRequiredCapabilities({
    extensionTypes: [MEETING_EXTENSION],
    proposalTypes: [],
    credentialTypes: [],
  }),
};

/** The whole list, at creation and in every change: other libraries refuse what is not required. */
export function groupExtensions(meeting: Uint8Array): Extension[] {
  return [REQUIRED, { extensionType: MEETING_EXTENSION, extensionData: meeting.slice() }];
}

/** The bytes of 0xF0C0; null unless these are exactly our two extensions in their order. */
export function meetingOf(extensions: readonly Extension[]): Uint8Array | null {
  const [required, meeting] = extensions;
  if (extensions.length !== 2 || required === undefined || meeting === undefined) return null;
  if (required.extensionType !== REQUIRED.extensionType) return null;
  if (!isEqual(required.extensionData, REQUIRED.extensionData)) return null;
  return meeting.extensionType === MEETING_EXTENSION ? meeting.extensionData : null;
}

export function lifetimeAt(now: number): { notBefore: bigint; notAfter: bigint } {
  const second = Math.floor(now / 1000);
  return { notBefore: BigInt(second - DAY_S), notAfter: BigInt(second + LIFETIME_S) };
}

export function faultOfLeaf(leaf: LeafNode): string | null {
  const { capabilities } = leaf;
  if (leaf.credential.credentialType !== "basic") return "not a basic credential";
  if (leaf.signaturePublicKey.length !== 32) return "not an Ed25519 key";
  if (leaf.hpkePublicKey.length !== 32) return "not an X25519 key";
  if (leaf.extensions.length > 0) return "a leaf with extensions";
  const isCapable =
    capabilities.versions.includes("mls10") &&
    capabilities.ciphersuites.includes(SUITE_NAME) &&
    capabilities.extensions.includes(MEETING_EXTENSION) &&
    capabilities.credentials.includes("basic");
  return isCapable ? null : "a leaf without the capabilities";
}

/** Everything but signatures and credential. */
export function faultOfKeyPackage(keyPackage: KeyPackage, now: number): string | null {
  const { leafNode } = keyPackage;
  if (keyPackage.version !== "mls10") return "another version";
  if (keyPackage.cipherSuite !== SUITE_NAME) return "another suite";
  if (keyPackage.extensions.length > 0) return "a KeyPackage with extensions";
  if (keyPackage.initKey.length !== 32) return "not an X25519 key";
  if (isEqual(keyPackage.initKey, leafNode.hpkePublicKey)) return "one key for two purposes";
  if (leafNode.leafNodeSource !== "key_package") return "not a leaf of a KeyPackage";
  const { notBefore, notAfter } = leafNode.lifetime;
  const second = BigInt(Math.floor(now / 1000));
  if (notAfter - notBefore > BigInt(MAX_LIFETIME_S)) return "too long a lifetime";
  if (notBefore > second || notAfter < second) return "outside its lifetime";
  return faultOfLeaf(leafNode);
}

function isLinkPsk(id: PreSharedKeyID): boolean {
  return id.psktype === "external" && isEqual(id.pskId, LINK_PSK_ID) && id.pskNonce.length === 32;
}

/** The PSKs a Welcome asks for: none, or the link's. */
export function faultOfPsks(ids: readonly PreSharedKeyID[]): string | null {
  if (ids.length > 1) return "more than one PSK";
  return ids.every(isLinkPsk) ? null : "an unknown PSK";
}

function faultOfProposal(proposal: Proposal, now: number): string | null {
  switch (proposal.proposalType) {
    case "add":
      return faultOfKeyPackage(proposal.add.keyPackage, now);
    case "remove":
      return null;
    case "psk":
      return faultOfPsks([proposal.psk.preSharedKeyId]);
    case "group_context_extensions":
      return meetingOf(proposal.groupContextExtensions.extensions) === null
        ? "other extensions"
        : null;
    default:
      return `a proposal of type ${proposal.proposalType}`;
  }
}

export function leafAt(tree: RatchetTree, leaf: number): LeafNode | null {
  const node = tree[2 * leaf];
  return node?.nodeType === "leaf" ? node.leaf : null;
}

/** The same device with the same credential. */
export function isSameMember(a: LeafNode, b: LeafNode): boolean {
  return (
    a.credential.credentialType === "basic" &&
    b.credential.credentialType === "basic" &&
    isEqual(a.credential.identity, b.credential.identity) &&
    isEqual(a.signaturePublicKey, b.signaturePublicKey)
  );
}

/** A commit that its sender has signed, before anything of it is applied. */
export function faultOfCommit(
  commit: Commit,
  sender: number,
  before: ClientState,
  now: number,
): string | null {
  const own = leafAt(before.ratchetTree, sender);
  if (own === null) return "the sender is no member";
  if (commit.proposals.length > MAX_PROPOSALS) return "too many proposals";
  let policies = 0;
  let psks = 0;
  for (const entry of commit.proposals) {
    if (entry.proposalOrRefType !== "proposal") return "a proposal by reference";
    const { proposal } = entry;
    if (proposal.proposalType === "group_context_extensions" && ++policies > 1) {
      return "more than one list of extensions";
    }
    if (proposal.proposalType === "psk" && ++psks > 1) return "more than one PSK";
    const fault = faultOfProposal(proposal, now);
    if (fault !== null) return fault;
  }
  if (commit.path === undefined) return null;
  const { leafNode } = commit.path;
  if (!isSameMember(own, leafNode)) return "a changed credential or signature key";
  return faultOfLeaf(leafNode);
}

/** No key twice in a tree, among members and nodes: the library looks at parts of it only. */
export function faultOfTree(tree: RatchetTree): string | null {
  const encryption = new Set<string>();
  const signature = new Set<string>();
  for (const node of tree) {
    if (node === undefined) continue;
    const key = node.nodeType === "leaf" ? node.leaf.hpkePublicKey : node.parent.hpkePublicKey;
    const text = asText(key);
    if (encryption.has(text)) return "an encryption key twice";
    encryption.add(text);
    if (node.nodeType === "parent") continue;
    const name = asText(node.leaf.signaturePublicKey);
    if (signature.has(name)) return "a signature key twice";
    signature.add(name);
  }
  return null;
}

/** Members that stay are who they were; members that are new came by an Add of this commit. */
export function faultOfRoster(
  before: RatchetTree,
  after: RatchetTree,
  removes: readonly number[],
  adds: readonly Uint8Array[],
): string | null {
  const gone = new Set(removes);
  const leaves = Math.ceil(Math.max(before.length, after.length) / 2);
  for (let leaf = 0; leaf < leaves; leaf++) {
    const was = gone.has(leaf) ? null : leafAt(before, leaf);
    const is = leafAt(after, leaf);
    if (was !== null && (is === null || !isSameMember(was, is))) return "another member's leaf";
    if (was === null && is !== null && !adds.some((key) => isEqual(key, is.signaturePublicKey))) {
      return "a leaf that nobody added";
    }
  }
  return null;
}

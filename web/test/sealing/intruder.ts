/**
 * A member that keeps to no rule: holds the library's state in its own hands and signs whatever it
 * likes with its real key. For tests of what an engine must refuse.
 */
import { type ClientState, joinGroup } from "ts-mls/clientState.js";
import type { Commit } from "ts-mls/commit.js";
import { createCommit } from "ts-mls/createCommit.js";
import type { Credential } from "ts-mls/credential.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { createContentCommitSignature } from "ts-mls/framedContent.js";
import { generateKeyPackageWithKey, type KeyPackage } from "ts-mls/keyPackage.js";
import { encodeMlsMessage } from "ts-mls/message.js";
import { protect } from "ts-mls/messageProtection.js";
import type { Proposal } from "ts-mls/proposal.js";
import type { DeviceKey, MlsEngine } from "../../src/sealing/engine/contract.ts";
import { Credentials } from "../../src/sealing/engine/credentials.ts";
import { clientConfig, pskIndex } from "../../src/sealing/engine/group.ts";
import { CAPABILITIES, lifetimeAt } from "../../src/sealing/engine/rules.ts";
import { makeSuite } from "../../src/sealing/engine/suite.ts";
import {
  isRefused,
  readWelcome,
  writeKeyPackage,
  writePrivateMessage,
} from "../../src/sealing/engine/wire.ts";
import { expectOk, NOTHING, text, webcryptoDevice } from "./members.ts";

const NO_KEY = new Uint8Array();

export interface Intruder {
  state: ClientState;
  readonly suite: CiphersuiteImpl;
  readonly device: DeviceKey;
}

type Parts = Partial<{
  credential: Credential;
  capabilities: typeof CAPABILITIES;
  lifetime: { notBefore: bigint; notAfter: bigint };
  extensions: KeyPackage["extensions"];
  leafExtensions: KeyPackage["extensions"];
}>;

export async function makePackage(parts: Parts = {}, device?: DeviceKey) {
  const key = device ?? (await webcryptoDevice());
  const suite = await makeSuite(key);
  const made = await generateKeyPackageWithKey(
    parts.credential ?? { credentialType: "basic", identity: text("") },
    parts.capabilities ?? CAPABILITIES,
    parts.lifetime ?? lifetimeAt(Date.now()),
    parts.extensions ?? [],
    { signKey: NO_KEY, publicKey: key.publicKey },
    suite,
    parts.leafExtensions,
  );
  return { ...made, bytes: writeKeyPackage(made.publicPackage), suite, device: key };
}

/** Added by `by`, seen by all `present`. */
export async function intrude(
  present: readonly MlsEngine[],
  by: MlsEngine,
  parts: Parts = {},
): Promise<Intruder> {
  const { bytes, publicPackage, privatePackage, suite, device } = await makePackage(parts);
  const staged = expectOk(await by.commit({ ...NOTHING, adds: [bytes] }));
  await by.merge();
  for (const other of present) if (other !== by) expectOk(await other.apply(staged.commit));
  const welcome = readWelcome(staged.welcome ?? NO_KEY);
  if (isRefused(welcome)) throw new Error(welcome.detail);
  const config = clientConfig(
    new Credentials(() => ({ ok: true, accountKey: null, invitation: null })),
  );
  const state = await joinGroup(
    welcome,
    publicPackage,
    privatePackage,
    pskIndex(null),
    suite,
    undefined,
    undefined,
    config,
  );
  return { state, suite, device };
}

export interface Forged {
  readonly commit: Uint8Array;
  readonly welcome: Uint8Array | null;
  readonly next: ClientState;
}

/** A commit of any proposals, with its real signature. */
export async function forge(
  { state, suite }: Intruder,
  proposals: readonly Proposal[],
  options: { isPublic?: boolean; state?: ClientState; psk?: Uint8Array } = {},
): Promise<Forged> {
  const made = await createCommit(
    {
      state: options.state ?? state,
      cipherSuite: suite,
      pskIndex: { findPsk: () => options.psk ?? new Uint8Array(32) },
    },
    {
      extraProposals: [...proposals],
      ratchetTreeExtension: true,
      wireAsPublicMessage: options.isPublic ?? false,
    },
  );
  const { welcome } = made;
  return {
    commit: encodeMlsMessage(made.commit),
    welcome: welcome
      ? encodeMlsMessage({ version: "mls10", wireformat: "mls_welcome", welcome })
      : null,
    next: made.newState,
  };
}

/** Signed and sealed as it should be, whatever it says; it leads to no epoch. */
export async function signCommit({ state, suite }: Intruder, commit: Commit): Promise<Uint8Array> {
  const { groupContext, keySchedule, secretTree, privatePath, clientConfig: config } = state;
  const { leafIndex } = privatePath;
  const nothing = new Uint8Array();
  const { signature, framedContent } = await createContentCommitSignature(
    groupContext,
    "mls_private_message",
    commit,
    { senderType: "member", leafIndex },
    nothing,
    NO_KEY,
    suite.signature,
  );
  const confirmationTag = suite.rng.randomBytes(32);
  const auth = { contentType: "commit", signature, confirmationTag } as const;
  const { privateMessage } = await protect(
    keySchedule.senderDataSecret,
    nothing,
    groupContext,
    secretTree,
    { ...framedContent, auth },
    leafIndex,
    config.paddingConfig,
    suite,
  );
  return writePrivateMessage(privateMessage);
}

/** The same with proposals inline and no path. */
export function signProposals(
  intruder: Intruder,
  proposals: readonly Proposal[],
): Promise<Uint8Array> {
  const inline = proposals.map(
    (proposal) => ({ proposalOrRefType: "proposal", proposal }) as const,
  );
  return signCommit(intruder, { proposals: inline, path: undefined });
}

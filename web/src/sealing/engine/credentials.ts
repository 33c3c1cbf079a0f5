/**
 * Whose leaf it is: asks the rule for credentials once per leaf and remembers the answer, because
 * ts-mls asks for every leaf in every commit, and facts are needed where nothing may wait.
 */
import type { AuthenticationService } from "ts-mls/authenticationService.js";
import type { Credential } from "ts-mls/credential.js";
import type { LeafNode } from "ts-mls/leafNode.js";
import { asText } from "./bytes.ts";
import { EngineFailed } from "./errors.ts";

export interface CredentialFacts {
  /** Null: no account. */
  readonly accountKey: Uint8Array | null;
}

/** Null: not the shape of a ConclaveCredential, or its certificate is not for this key. */
export type CheckCredential = (
  identity: Uint8Array,
  signatureKey: Uint8Array,
) => CredentialFacts | null | Promise<CredentialFacts | null>;

/** Answers kept; a full meeting has 200 members. */
const MOST = 1000;

export class Credentials implements AuthenticationService {
  readonly #check: CheckCredential;
  readonly #known = new Map<string, CredentialFacts | null>();

  constructor(check: CheckCredential) {
    this.#check = check;
  }

  async validateCredential(credential: Credential, signatureKey: Uint8Array): Promise<boolean> {
    if (credential.credentialType !== "basic") return false;
    const name = nameOf(credential.identity, signatureKey);
    let found = this.#known.get(name);
    if (found === undefined) {
      found = await this.#check(credential.identity, signatureKey);
    } else {
      this.#known.delete(name);
    }
    // The oldest go first: whoever is in the group was asked about a moment ago.
    this.#known.set(name, found);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST && oldest !== undefined) this.#known.delete(oldest);
    return found !== null;
  }

  validate(leaf: LeafNode): Promise<boolean> {
    return this.validateCredential(leaf.credential, leaf.signaturePublicKey);
  }

  /** Of a leaf that was validated before. */
  accountOf({ credential, signaturePublicKey }: LeafNode): Uint8Array | null {
    const facts =
      credential.credentialType === "basic" &&
      this.#known.get(nameOf(credential.identity, signaturePublicKey));
    if (!facts) throw new EngineFailed("a leaf that was never validated");
    return facts.accountKey?.slice() ?? null;
  }
}

function nameOf(identity: Uint8Array, signatureKey: Uint8Array): string {
  return `${asText(signatureKey)} ${asText(identity)}`;
}

/**
 * Whose leaf it is: asks the rule for credentials once per leaf and remembers the answer, because
 * ts-mls asks for every leaf in every commit, and facts are needed where nothing may wait.
 */
import type { AuthenticationService } from "ts-mls/authenticationService.js";
import type { Credential } from "ts-mls/credential.js";
import type { LeafNode } from "ts-mls/leafNode.js";
import { asText } from "./bytes.ts";
import type { InvitationFacts } from "./contract.ts";
import { EngineFailed } from "./errors.ts";

/** Not ok: not the shape of a ConclaveCredential, or something in it is not for this key. */
export type CheckedCredential = ({ readonly ok: true } & Owner) | { readonly ok: false };

/** Whose leaf it is, and how they came. */
export interface Owner {
  readonly accountKey: Uint8Array | null;
  readonly invitation: InvitationFacts | null;
}

export type CheckCredential = (
  identity: Uint8Array,
  signatureKey: Uint8Array,
) => CheckedCredential | Promise<CheckedCredential>;

/** Answers kept; a full meeting has 200 members. */
const MOST = 1000;

export class Credentials implements AuthenticationService {
  readonly #check: CheckCredential;
  readonly #known = new Map<string, CheckedCredential>();

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
    return found.ok;
  }

  validate(leaf: LeafNode): Promise<boolean> {
    return this.validateCredential(leaf.credential, leaf.signaturePublicKey);
  }

  /** Of a leaf that was validated before. */
  ownerOf({ credential, signaturePublicKey }: LeafNode): Owner {
    const { identity } = credential.credentialType === "basic" ? credential : { identity: null };
    const checked = identity && this.#known.get(nameOf(identity, signaturePublicKey));
    if (!checked?.ok) throw new EngineFailed("a leaf that was never validated");
    const { accountKey, invitation } = checked;
    return { accountKey: accountKey?.slice() ?? null, invitation };
  }
}

function nameOf(identity: Uint8Array, signatureKey: Uint8Array): string {
  return `${asText(signatureKey)} ${asText(identity)}`;
}

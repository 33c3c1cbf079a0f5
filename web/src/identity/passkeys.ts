/**
 * The browser's passkeys (WebAuthn Level 3): from the server's options to an answer for it, and what
 * stood in the way in words that a page can explain. Browsers do not say whether somebody closed the
 * question or has no passkey, so that pages cannot find out who has one: both are "cancelled".
 */
import { b64, fromB64 } from "../sealing/keys/bytes.ts";

export type PasskeyFault =
  /** Closed by the person, timed out, or there is none here. */
  | "cancelled"
  /** This authenticator has one for this account already. */
  | "known"
  /** Only addresses that begin with https have passkeys. */
  | "insecure"
  | "unsupported"
  /** The address of the page is not one that passkeys can belong to, for example a bare number. */
  | "address"
  | "failed";

export class PasskeyFailed extends Error {
  override readonly name = "PasskeyFailed";
  readonly fault: PasskeyFault;

  constructor(fault: PasskeyFault) {
    super(fault);
    this.fault = fault;
  }
}

/** Null: passkeys can be used on this page. */
export function passkeyHindrance(): PasskeyFault | null {
  if (!globalThis.isSecureContext) return "insecure";
  return typeof globalThis.PublicKeyCredential === "function" && navigator.credentials !== undefined
    ? null
    : "unsupported";
}

/** The answer to the server's question. Rejects with `PasskeyFailed`. */
export function answerWithPasskey(
  options: PublicKeyCredentialRequestOptionsJSON,
): Promise<unknown> {
  return answered(() => navigator.credentials.get({ publicKey: requestOptions(options) }));
}

/** A new passkey. Rejects with `PasskeyFailed`. */
export function createPasskey(options: PublicKeyCredentialCreationOptionsJSON): Promise<unknown> {
  return answered(() => navigator.credentials.create({ publicKey: creationOptions(options) }));
}

async function answered(ask: () => Promise<Credential | null>): Promise<unknown> {
  const hindrance = passkeyHindrance();
  if (hindrance !== null) throw new PasskeyFailed(hindrance);
  let credential: Credential | null;
  try {
    credential = await ask();
  } catch (error) {
    throw new PasskeyFailed(faultOf(error));
  }
  if (credential === null) throw new PasskeyFailed("cancelled");
  return toJson(credential as PublicKeyCredential);
}

function faultOf(error: unknown): PasskeyFault {
  switch (error instanceof Error ? error.name : "") {
    case "NotAllowedError":
    case "AbortError":
      return "cancelled";
    case "InvalidStateError":
      return "known";
    case "SecurityError":
      return "address";
    case "NotSupportedError":
      return "unsupported";
    default:
      return "failed";
  }
}

// --- conversions, for browsers from before WebAuthn Level 3

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const found = fromB64(text);
  if (found === null) throw new PasskeyFailed("failed");
  return found;
}

function descriptors(
  list: PublicKeyCredentialDescriptorJSON[] | undefined,
): PublicKeyCredentialDescriptor[] {
  return (list ?? []).map(({ id, transports }) => ({
    type: "public-key",
    id: bytes(id),
    ...(transports ? { transports: transports as AuthenticatorTransport[] } : {}),
  }));
}

export function requestOptions(
  json: PublicKeyCredentialRequestOptionsJSON,
): PublicKeyCredentialRequestOptions {
  if (typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function") {
    return PublicKeyCredential.parseRequestOptionsFromJSON(json);
  }
  const { challenge, allowCredentials, extensions: _, hints: __, ...rest } = json;
  return {
    ...(rest as PublicKeyCredentialRequestOptions),
    challenge: bytes(challenge),
    allowCredentials: descriptors(allowCredentials),
  };
}

export function creationOptions(
  json: PublicKeyCredentialCreationOptionsJSON,
): PublicKeyCredentialCreationOptions {
  if (typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function") {
    return PublicKeyCredential.parseCreationOptionsFromJSON(json);
  }
  const { challenge, user, excludeCredentials, extensions: _, hints: __, ...rest } = json;
  return {
    ...(rest as PublicKeyCredentialCreationOptions),
    challenge: bytes(challenge),
    user: { ...user, id: bytes(user.id) },
    excludeCredentials: descriptors(excludeCredentials),
  };
}

export function toJson(credential: PublicKeyCredential): unknown {
  if (typeof credential.toJSON === "function") return credential.toJSON();
  const { response } = credential;
  const text = (buffer: ArrayBuffer | null) => buffer && b64(new Uint8Array(buffer));
  const common = { clientDataJSON: text(response.clientDataJSON) };
  const made = response as AuthenticatorAttestationResponse;
  const used = response as AuthenticatorAssertionResponse;
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: {},
    response: made.attestationObject
      ? {
          ...common,
          attestationObject: text(made.attestationObject),
          transports: made.getTransports?.() ?? [],
        }
      : {
          ...common,
          authenticatorData: text(used.authenticatorData),
          signature: text(used.signature),
          userHandle: text(used.userHandle),
        },
  };
}

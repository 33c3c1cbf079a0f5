/**
 * Bytes to MLS structures and back. Everything on the wire is an MLSMessage (RFC 9420, 6), KeyPackages
 * too. Strict: trailing bytes, other versions and other ways to write the same thing are malformed.
 */
import type { KeyPackage } from "ts-mls/keyPackage.js";
import { decodeMlsMessage, encodeMlsMessage, type MLSMessage } from "ts-mls/message.js";
import { MlsError } from "ts-mls/mlsError.js";
import type { PrivateMessage } from "ts-mls/privateMessage.js";
import type { Welcome } from "ts-mls/welcome.js";
import { isEqual } from "./bytes.ts";
import type { Refusal, Refused } from "./contract.ts";

/** More than any frame of the socket carries. */
const MAX_BYTES = 512 * 1024;

export function refuse(reason: Refusal, detail: string): Refused {
  return { type: "refused", reason, detail };
}

export const isRefused = <T>(value: T | Refused): value is Refused =>
  typeof value === "object" && value !== null && "type" in value && value.type === "refused";

/** What the library threw at a stranger's bytes, in our words. */
export function refusalOf(error: unknown): Refused {
  const name = error instanceof MlsError ? error.name : "";
  const detail = error instanceof Error ? error.message : String(error);
  switch (name) {
    case "CryptoError":
    case "CryptoVerificationError":
      return refuse("forged", detail);
    case "ValidationError":
    case "UsageError":
      return refuse("forbidden", detail);
    default:
      // The rest is what broken structures do deep inside: missing nodes, keys that are no keys.
      return refuse("malformed", detail);
  }
}

/** The library keeps views of what it decodes: decode a copy that nobody else has. */
function decode(bytes: Uint8Array): MLSMessage | Refused {
  if (!(bytes instanceof Uint8Array)) return refuse("malformed", "no bytes");
  if (bytes.length > MAX_BYTES) return refuse("malformed", "too long");
  try {
    const decoded = decodeMlsMessage(bytes.slice(), 0);
    if (decoded === undefined) return refuse("malformed", "no MLSMessage");
    const [message] = decoded;
    return isEqual(encodeMlsMessage(message), bytes)
      ? message
      : refuse("malformed", "not the bytes of an MLSMessage and nothing else");
  } catch (error) {
    return refuse("malformed", error instanceof Error ? error.message : "no MLSMessage");
  }
}

export function readKeyPackage(bytes: Uint8Array): KeyPackage | Refused {
  const message = decode(bytes);
  if (isRefused(message)) return message;
  if (message.wireformat !== "mls_key_package") return refuse("malformed", "no KeyPackage");
  return message.keyPackage;
}

export function readWelcome(bytes: Uint8Array): Welcome | Refused {
  const message = decode(bytes);
  if (isRefused(message)) return message;
  if (message.wireformat !== "mls_welcome") return refuse("malformed", "no Welcome");
  return message.welcome;
}

export function readPrivateMessage(bytes: Uint8Array): PrivateMessage | Refused {
  const message = decode(bytes);
  if (isRefused(message)) return message;
  if (message.wireformat === "mls_private_message") return message.privateMessage;
  return message.wireformat === "mls_public_message"
    ? refuse("forbidden", "a PublicMessage")
    : refuse("malformed", "no PrivateMessage");
}

export const writeKeyPackage = (keyPackage: KeyPackage): Uint8Array =>
  encodeMlsMessage({ version: "mls10", wireformat: "mls_key_package", keyPackage });

export const writeWelcome = (welcome: Welcome): Uint8Array =>
  encodeMlsMessage({ version: "mls10", wireformat: "mls_welcome", welcome });

export const writePrivateMessage = (privateMessage: PrivateMessage): Uint8Array =>
  encodeMlsMessage({ version: "mls10", wireformat: "mls_private_message", privateMessage });

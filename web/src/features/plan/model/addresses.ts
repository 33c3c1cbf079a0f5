/** E-mail addresses as people type them. The server takes the same (HTML, "valid e-mail address"). */
import { MOST_ADDRESSES } from "../../../api/plans.ts";

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const ADDRESS = new RegExp(`^[a-z0-9.!#$%&'*+/=?^_\`{|}~-]{1,64}@${LABEL}(?:\\.${LABEL})*$`, "i");
const MAX_LENGTH = 254;

export type ReadAddresses =
  | { readonly type: "read"; readonly addresses: readonly string[] }
  | { readonly type: "bad"; readonly address: string }
  | { readonly type: "none" | "too-many" };

export function isAddress(text: string): boolean {
  return text.length <= MAX_LENGTH && ADDRESS.test(text);
}

/** One to a line, or with commas, semicolons or blanks between them; each once. */
export function readAddresses(text: string): ReadAddresses {
  const found = [...new Set(text.split(/[\s,;]+/u).filter((part) => part !== ""))];
  const bad = found.find((address) => !isAddress(address));
  if (bad !== undefined) return { type: "bad", address: bad.slice(0, 80) };
  if (found.length === 0) return { type: "none" };
  return found.length > MOST_ADDRESSES ? { type: "too-many" } : { type: "read", addresses: found };
}

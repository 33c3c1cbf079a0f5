/**
 * The 24 words on paper that open the vault (docs/reference/sealing-protocol.md, 9): 256 bits and a
 * checksum. Reading says which word cannot be right. Must never be stored or sent.
 */

import { concat, sha256 } from "../keys/bytes.ts";
import { decodeWords, encodeWords, nearest, type WordList } from "./wordList.ts";

const COUNT = 24;
const SECRET = 32;

export async function recoveryWords(
  secret: Uint8Array,
  list: WordList,
): Promise<readonly string[]> {
  if (secret.length !== SECRET) throw new RangeError("a recovery secret has 32 bytes");
  return encodeWords(concat(secret, (await sha256(secret)).slice(0, 1)), COUNT, list);
}

export type ReadRecovery =
  | { readonly type: "read"; readonly secret: Uint8Array }
  | { readonly type: "count"; readonly count: number }
  /** `at` counts from 0; what it may have been. */
  | {
      readonly type: "unknown-word";
      readonly at: number;
      readonly typed: string;
      readonly nearest: readonly string[];
    }
  /** All are words of the list, but not these, or not in this order. */
  | { readonly type: "checksum" };

/** `lists`: the one that the words are most likely from first. */
export async function readRecoveryWords(
  text: string,
  lists: readonly [WordList, ...WordList[]],
): Promise<ReadRecovery> {
  // Numbers and dots stand before the words on the printed sheet.
  const typed = text.split(/[\s\d.,;:()-]+/u).filter((part) => part !== "");
  if (typed.length !== COUNT) return { type: "count", count: typed.length };
  const tries = lists.map((list) => ({ list, decoded: decodeWords(typed, list) }));
  for (const { decoded } of tries) {
    if (!decoded.ok) continue;
    const secret = decoded.bytes.slice(0, SECRET);
    const [checksum] = await sha256(secret);
    if (checksum === decoded.bytes[SECRET]) return { type: "read", secret };
  }
  if (tries.some(({ decoded }) => decoded.ok)) return { type: "checksum" };
  // The list in which most of the words are found is the one they are from.
  const reached = tries.map(({ list, decoded }) => ({ list, at: decoded.ok ? COUNT : decoded.at }));
  const best = reached.reduce((a, b) => (b.at > a.at ? b : a));
  const word = typed[best.at] as string;
  return { type: "unknown-word", at: best.at, typed: word, nearest: nearest(word, best.list) };
}

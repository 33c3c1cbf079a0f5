/**
 * Codes that people compare (docs/reference/sealing-protocol.md, 8). Each is a hash of what the two
 * sides have to agree on; who sees another code is in another group.
 */

import { concat, sha256, source, utf8 } from "../keys/bytes.ts";
import { encodeWords, type WordList } from "./wordList.ts";

const DIGITS = 30;

/** Eight words: which group this is, who made it, and with which link. Stable for the sitting. */
export async function meetingCode(
  group: {
    readonly groupId: Uint8Array;
    readonly creatorKey: Uint8Array;
    readonly mac: Uint8Array;
  },
  list: WordList,
): Promise<readonly string[]> {
  const { groupId, creatorKey, mac } = group;
  return encodeWords(await sha256(utf8("conclave code v1"), groupId, creatorKey, mac), 8, list);
}

/** Thirty digits: who is in the room right now. Another one with every key change. */
export async function rosterCode(epochAuthenticator: Uint8Array): Promise<string> {
  return decimals(await sha256(utf8("conclave roster v1"), epochAuthenticator));
}

/** Three words that both sides of the door see. */
export async function doorWords(
  keyPackageRef: Uint8Array,
  list: WordList,
): Promise<readonly string[]> {
  return encodeWords(await sha256(utf8("conclave door v1"), keyPackageRef), 3, list);
}

/**
 * Three words on both devices of one person: the same exactly if nobody sits between them. `reveal`:
 * what opens the new device's commitment, made before the old one's `offer` was known to anybody.
 */
export async function deviceWords(
  { commitment, offer }: { readonly commitment: Uint8Array; readonly offer: Uint8Array },
  reveal: Uint8Array,
  list: WordList,
): Promise<readonly string[]> {
  return encodeWords(
    await sha256(utf8("conclave device words v1"), commitment, offer, reveal),
    3,
    list,
  );
}

/** Sixty digits, the same for both accounts. */
export async function safetyNumber(one: Uint8Array, other: Uint8Array): Promise<string> {
  const halves = await Promise.all([one, other].map(accountDigits));
  return halves.sort().join("");
}

async function accountDigits(accountKey: Uint8Array): Promise<string> {
  const content = concat(utf8("conclave safety v1"), accountKey);
  return decimals(new Uint8Array(await crypto.subtle.digest("SHA-512", source(content))));
}

/** The number in these bytes modulo 10^30, with its leading zeros. */
function decimals(bytes: Uint8Array): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return (value % 10n ** BigInt(DIGITS)).toString().padStart(DIGITS, "0");
}

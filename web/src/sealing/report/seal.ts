/**
 * A report as a signed file, and what such a file is worth (docs/reference/report-format.md). The
 * signature says which device made it and that nothing was changed since; never that what stands in
 * it is true. Pure but for WebCrypto; a file is read as what a stranger has made.
 */

import { b64, concat, fromB64, fromUtf8, sha256, utf8 } from "../keys/bytes.ts";
import { isCertified, memberIdentity } from "../keys/credential.ts";
import { verify } from "../keys/ed25519.ts";
import { encodeWords, type WordList } from "../words/wordList.ts";
import { canonical, type Json } from "./canonical.ts";
import { KIND, MOST_BYTES, type Report, readFields } from "./format.ts";

const WORDS = 6;

/** SHA-256 of the document without its signature. */
export function digestOf(report: Report): Promise<Uint8Array> {
  return sha256(utf8(canonical(report as unknown as Json)));
}

/** What the device key signs, and nothing else with this label. `digest`: 32 bytes. */
export function signedContent(digest: Uint8Array): Uint8Array {
  if (digest.length !== 32) throw new RangeError("no SHA-256");
  return concat(utf8("conclave report v1"), digest);
}

/** Of both: the words are those of this report by this device. */
export async function reportWords(
  digest: Uint8Array,
  deviceKey: string,
  list: WordList,
): Promise<readonly string[]> {
  const key = fromB64(deviceKey) ?? new Uint8Array();
  return encodeWords(await sha256(utf8("conclave report words v1"), key, digest), WORDS, list);
}

export interface SealedReport {
  /** The file's content. */
  readonly text: string;
  readonly digest: Uint8Array;
}

/** `sign` is given the digest. What would be too large loses its oldest events and lines. */
export async function sealReport(
  wanted: Report,
  sign: (digest: Uint8Array) => Promise<Uint8Array>,
): Promise<SealedReport> {
  const report = fitting(wanted);
  const digest = await digestOf(report);
  const signature = b64(await sign(digest));
  return { text: canonical({ ...report, signature } as unknown as Json), digest };
}

/** Room for the signature beside it. */
const MOST_DOCUMENT = MOST_BYTES - 1_000;

function fitting(report: Report): Report {
  const size = utf8(canonical(report as unknown as Json)).length;
  if (size <= MOST_DOCUMENT || report.chat.length + report.events.length === 0) return report;
  return fitting({
    ...report,
    chat: report.chat.slice(Math.ceil(report.chat.length / 2)),
    events: report.events.slice(Math.ceil(report.events.length / 2)),
  });
}

export type OpenedReport =
  | { readonly type: "good"; readonly report: Report; readonly digest: Uint8Array }
  | { readonly type: "too-large" }
  /** Made by a later version than this one. */
  | { readonly type: "newer" }
  | { readonly type: "no-report" }
  /** Was a report; is not what was signed any more. */
  | { readonly type: "altered" };

/** Never rejects for what stands in the file. */
export async function openReport(file: Uint8Array): Promise<OpenedReport> {
  if (file.length > MOST_BYTES) return { type: "too-large" };
  const text = fromUtf8(file);
  const value = text === null ? undefined : parse(text);
  if (text === null || value === undefined) {
    return { type: looksLikeOne(file) ? "altered" : "no-report" };
  }
  const { kind, v } = (value ?? {}) as { kind?: unknown; v?: unknown };
  if (kind !== KIND) return { type: "no-report" };
  if (Number.isSafeInteger(v) && (v as number) > 1) return { type: "newer" };
  const signed = readFields(value);
  if (signed === null) return { type: "altered" };
  const { report, signature } = signed;
  try {
    // Exactly as it was written: no other program may read something else out of it.
    if (canonical({ ...report, signature } as unknown as Json) !== text) return { type: "altered" };
    const digest = await digestOf(report);
    if (!(await isSigned(report, digest, signature))) return { type: "altered" };
    return { type: "good", report, digest };
  } catch {
    // Half a character, which no report has.
    return { type: "altered" };
  }
}

async function isSigned(report: Report, digest: Uint8Array, signature: string): Promise<boolean> {
  const { device_key: device, account_key: account, certificate } = report.reporter;
  const key = keyOf(device);
  if (!(await verify(key, signedContent(digest), keyOf(signature)))) return false;
  if ((account === null) !== (certificate === null)) return false;
  if (account !== null && certificate !== null) {
    const credential = { accountKey: keyOf(account), certificate: keyOf(certificate) };
    if (!(await isCertified(credential, key))) return false;
  }
  const instance = keyOf(report.instance);
  const people = [report.reporter, ...report.about, ...report.people];
  const identities = await Promise.all(
    people.map((person) => memberIdentity(keyOf(person.device_key), instance)),
  );
  return people.every((person, at) => person.identity === identities[at]);
}

/** `readFields` has seen to it that it is base64url. */
const keyOf = (text: string) => fromB64(text) as Uint8Array<ArrayBuffer>;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Cut off or damaged: what begins as a report does, or names itself one. */
function looksLikeOne(file: Uint8Array): boolean {
  const text = new TextDecoder().decode(file.subarray(0, MOST_BYTES));
  return text.startsWith('{"about":[') || text.includes(`"kind":"${KIND}"`);
}

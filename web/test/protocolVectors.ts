/** The test vectors of docs/reference/sealing-protocol.md, and bytes in hexadecimal. */
import { readFileSync } from "node:fs";

type Values = Readonly<Record<string, string>>;

const document = readFileSync(
  new URL("../../docs/reference/sealing-protocol.md", import.meta.url),
  "utf8",
);
const block = /```json\n(\{[\s\S]*?\n\})\n```/.exec(document)?.[1] ?? "{}";

export const vectors = JSON.parse(block) as { readonly given: Values; readonly follows: Values };

export const hex = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString("hex");

export const unhex = (text: string | undefined): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(text ?? "", "hex"));

/** A given value's bytes. */
export const given = (name: string): Uint8Array<ArrayBuffer> => unhex(vectors.given[name]);

/** The bytes of a value that follows. */
export const follows = (name: string): Uint8Array<ArrayBuffer> => unhex(vectors.follows[name]);

export const MEETING = vectors.given["meeting_id"] ?? "";

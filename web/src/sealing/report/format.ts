/**
 * What stands in a report (docs/reference/report-format.md), and the strict reading of one that
 * somebody else has handed over. Names of fields are those of the file. Pure.
 */

import {
  BAD,
  bytes,
  type Check,
  count,
  flag,
  list,
  nullable,
  object,
  oneOf,
  type Shaped,
  text,
} from "../meeting/shape.ts";

export const KIND = "conclave report";
/** Of a file; a larger one is not looked into. */
export const MOST_BYTES = 10_000_000;

export const MOST_NOTE = 1_000;
export const MOST_TEXT = 4_000;
export const MOST_EVENTS = 200;
export const MOST_CHAT = 200;
export const MOST_PICTURES = 8;
/** base64url units of one picture. */
export const MOST_PICTURE = 300_000;
export const MOST_NAME = 64;
export const MOST_PEOPLE = 1_000;

/** As `bytes`, but left as it is written. */
const b64 =
  (length: number): Check<string> =>
  (value) =>
    bytes(length)(value) === BAD ? BAD : (value as string);

const identity: Check<string> = (value) =>
  typeof value === "string" && /^[\w-]{22}$/.test(value) ? value : BAD;
const name = text(MOST_NAME);
/** Present in every report, null where there is nothing: left out is another file. */
const orNull =
  <T>(check: Check<T>): Check<T | null> =>
  (value) =>
    value === undefined ? BAD : nullable(check)(value);

const PERSON = {
  identity,
  device_key: b64(32),
  name: orNull(name),
  role: oneOf("host", "cohost", "member"),
  /** How they came to be in the room; the strongest that was proven. */
  came: oneOf("host", "account", "invitation", "link", "door"),
  invitation: orNull(b64(16)),
  invited_as: orNull(name),
  other_device: flag,
  /** The identity whose key change let them in, where the reporter saw it. */
  added_by: orNull(identity),
  joined_at: count,
  left_at: orNull(count),
};

export const EVENTS = [
  "joined",
  "left",
  "share-on",
  "share-off",
  "camera-on",
  "camera-off",
  "microphone-on",
  "microphone-off",
  "hand-up",
  "hand-down",
  "reaction",
  "order",
  "frozen",
  "thawed",
  "edited",
  "deleted",
] as const;

const EVENT = {
  at: count,
  type: oneOf(...EVENTS),
  /** Whose act; null: known by the name only. */
  who: orNull(identity),
  name: orNull(name),
  /** Of a reaction its sign, of an order which, of a changed message the words before. */
  what: orNull(text(MOST_TEXT)),
};

const LINE = {
  at: count,
  who: text(MOST_NAME),
  name,
  text: text(MOST_TEXT),
  /** Between the reporter and this one person. */
  private_with: orNull(object({ identity: text(MOST_NAME), name })),
  edited: flag,
  deleted: flag,
  /** Handed on by a host to a newcomer: not seen when it was written. */
  from_before: flag,
};

const REPORT = {
  v: (value: unknown) => (value === 1 ? (1 as const) : BAD),
  kind: oneOf(KIND),
  meeting: text(40, 1),
  instance: b64(16),
  /** Milliseconds since 1970 by the reporter's clock, here and in every `at`. */
  made_at: count,
  reporter: object({
    identity,
    device_key: b64(32),
    account_key: orNull(b64(32)),
    certificate: orNull(b64(64)),
    name: orNull(name),
  }),
  about: list(object(PERSON), MOST_PEOPLE),
  people: list(object(PERSON), MOST_PEOPLE),
  events: list(object(EVENT), MOST_EVENTS),
  chat: list(object(LINE), MOST_CHAT),
  note: text(MOST_NOTE),
  pictures: list(
    object({
      who: identity,
      source: oneOf("camera", "screen"),
      at: count,
      /** base64url of a JPEG file. */
      jpeg: text(MOST_PICTURE, 1),
    }),
    MOST_PICTURES,
  ),
};

export type Report = Shaped<typeof REPORT>;
export type ReportPerson = Shaped<typeof PERSON>;
export type ReportEvent = Shaped<typeof EVENT>;
export type ReportLine = Shaped<typeof LINE>;
export type ReportPicture = Report["pictures"][number];

const readReport = object(REPORT);
const readSigned = object({ ...REPORT, signature: b64(64) });

export interface SignedReport {
  readonly report: Report;
  readonly signature: string;
}

/** Null: is none. Fields that are none of a report's are left out. */
export function readFields(value: unknown): SignedReport | null {
  const fields = readSigned(value);
  const report = readReport(value);
  return fields === BAD || report === BAD ? null : { report, signature: fields.signature };
}

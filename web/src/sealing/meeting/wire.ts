/** The frames of the sealing socket (docs/reference/sealing-protocol.md, 7), read strictly. */

import { b64 } from "./bytes.ts";
import { BAD, bytes, count, flag, list, nullable, object, oneOf, tagged, text } from "./shape.ts";

const MEMBERS = 1_000;
const seat = text(128, 1);
const identity = text(64, 1);
const ticket = object({ url: text(2_048), token: text(8_192, 1) });
const role = text(16);
const why = oneOf("left", "lost", "removed", "replaced");
const admitted = list(object({ seat, identity }), MEMBERS);
const removed = list(object({ seat, why }), MEMBERS);

export type Ticket = Exclude<ReturnType<typeof ticket>, typeof BAD>;

const parse = tagged("t", {
  hello: {
    seat,
    resume: text(512, 1),
    resumed: flag,
    role,
    instance: nullable(bytes(16)),
    seq: count,
  },
  instance: { instance: nullable(bytes(16)) },
  waiting: { members: count },
  denied: { reason: oneOf("denied", "full", "locked", "ended") },
  welcome: {
    seq: count,
    epoch: count,
    bytes: bytes(),
    identity,
    ticket,
    seats: list(object({ seat, identity, is_live: flag, role }), MEMBERS),
  },
  knock: {
    seat,
    key_package: bytes(),
    intro: bytes(),
    proof: bytes(),
    sign: bytes(),
    /** The device to which the server has bound the invitation that this knock names; empty: none. */
    bound: nullable(bytes()),
    /** A line to who may open the door, sealed with the link's key. */
    note: nullable(bytes()),
  },
  knock_gone: { seat },
  commit: { seq: count, epoch: count, bytes: bytes(), from: seat, admitted, removed },
  message: { seq: count, epoch: count, bytes: bytes(), from: seat },
  settled: { epoch: count },
  reopened: { epoch: count, hash: text(64) },
  presence: { seat, state: oneOf("live", "lost", "left") },
  granted: { seat, role },
  removed: { why },
  ended: {},
  ping: {},
  bye: { reason: text(32), retry_after_ms: nullable(count) },
  ok: { n: count, seq: nullable(count), ticket: nullable(ticket) },
  error: {
    n: nullable(count),
    code: text(64),
    /** Of `work`: what there is to do. */
    challenge: nullable(bytes()),
    bits: nullable(count),
  },
});

export type ServerFrame = Exclude<ReturnType<typeof parse>, typeof BAD>;
export type FrameOf<T extends ServerFrame["t"]> = Extract<ServerFrame, { readonly t: T }>;

/** Null for what is no frame of the protocol. */
export function readFrame(value: unknown): ServerFrame | null {
  const frame = parse(value);
  return frame === BAD ? null : frame;
}

/** What the client sends; bytes are base64url already. */
export type ClientFrame = Readonly<Record<string, unknown>> & { readonly t: string };

/** A frame with its bytes written as the socket wants them. */
export function writeFrame(t: string, fields: Readonly<Record<string, unknown>>): ClientFrame {
  const written = Object.entries(fields).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? b64(value) : value,
  ]);
  return { t, ...Object.fromEntries(written) };
}

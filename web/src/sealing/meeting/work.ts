/**
 * A crowded door wants work before it listens (docs/reference/sealing-protocol.md, 7): it is done
 * outside the machine, and the same knock goes out again with the nonce.
 */

import { b64, isSame } from "./bytes.ts";
import { onEntryError } from "./connection.ts";
import type { KnockFields, Next } from "./state.ts";
import type { Done, Turn } from "./turn.ts";
import type { FrameOf } from "./wire.ts";

/** More than any honest server asks for; a phone works for some seconds at that. */
const MOST_BITS = 22;
const SHORTEST = 16;
const LONGEST = 48;
const AGAIN_MS = 2_000;

export interface WorkJob {
  readonly type: "work";
  readonly challenge: Uint8Array;
  readonly bits: number;
  readonly fields: KnockFields;
}

export function onWorkWanted(
  t: Turn,
  fields: KnockFields,
  { challenge, bits }: FrameOf<"error">,
): Done {
  const length = challenge?.length ?? 0;
  if (challenge === null || length < SHORTEST || length > LONGEST || Number(bits) > MOST_BITS) {
    // A door that asks for what cannot be done: as if it were too full.
    return onEntryError(t, "knock", "rate");
  }
  t.job({ type: "work", challenge, bits: Number(bits), fields });
}

export function runWork(t: Turn, { challenge, bits, fields }: WorkJob): void {
  if (!isWanted(t, fields)) return;
  const ask = { challenge, bits, keyPackage: fields.key_package };
  t.ask("work", ask, { type: "worked", challenge, fields });
}

export function onWorked(
  t: Turn,
  { challenge, fields }: Extract<Next, { type: "worked" }>,
  nonce: Uint8Array,
): void {
  if (!isWanted(t, fields)) return;
  const work = { challenge: b64(challenge), nonce: b64(nonce) };
  t.request("knock", { ...fields, work }, { type: "knock", fields });
}

/** The worker has failed, or was ended with the socket that it worked for. */
export function onNoWork(t: Turn, { fields }: Extract<Next, { type: "worked" }>): void {
  if (isWanted(t, fields)) t.timer("enter", t.now + AGAIN_MS);
}

/** Still at the door of this sitting, by the same socket: `forgetSeat` clears what is older. */
function isWanted({ state }: Turn, { instance }: KnockFields): boolean {
  const { stage, isGreeted, instance: known } = state;
  return stage === "knocking" && isGreeted && known !== null && isSame(known, instance);
}

/**
 * The account key: made once, at the first sign-in; it certifies devices, and its fingerprint is in
 * the links of the meetings that its person opens. Lives in the vault; here it is only made, read
 * and used.
 */

import type { DeviceKey } from "../engine/contract.ts";
import { isSame, randomBytes } from "./bytes.ts";
import { fromPkcs8, toPkcs8 } from "./ed25519.ts";

export interface NewAccount {
  /** For the vault, and nowhere else. */
  readonly pkcs8: Uint8Array;
  readonly publicKey: Uint8Array;
}

export async function makeAccount(seed: Uint8Array = randomBytes(32)): Promise<NewAccount> {
  const pkcs8 = toPkcs8(seed);
  const key = (await fromPkcs8(pkcs8)) as DeviceKey;
  return { pkcs8, publicKey: key.publicKey };
}

/** The key to sign with; null when the two do not belong together. */
export async function readAccount(
  pkcs8: Uint8Array,
  publicKey: Uint8Array,
): Promise<DeviceKey | null> {
  const key = await fromPkcs8(pkcs8);
  return key !== null && isSame(key.publicKey, publicKey) ? key : null;
}

/** Members of a group for tests: engines with keys of their own, and a group that talks. */

import type {
  Changes,
  DeviceKey,
  GroupFacts,
  Judge,
  MlsEngine,
  Refused,
} from "../../src/sealing/engine/contract.ts";
import { createEngine, type EngineOptions } from "../../src/sealing/engine/engine.ts";

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const GROUP_ID = new Uint8Array(16).fill(7);
export const MEETING = text("a meeting and its policy");
export const PSK = new Uint8Array(32).fill(9);
export const NOTHING: Changes = { adds: [], removes: [], meeting: null, withPsk: false };
export const agree: Judge = () => null;

export async function webcryptoDevice(): Promise<DeviceKey> {
  const keys = (await crypto.subtle.generateKey("Ed25519", false, [
    "sign",
    "verify",
  ])) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey));
  return { type: "webcrypto", privateKey: keys.privateKey, publicKey };
}

/** Credentials of tests: any bytes but "wrong"; "account:" and the key behind it. */
export const checkCredential: EngineOptions["checkCredential"] = (identity) => {
  const written = new TextDecoder().decode(identity);
  if (written.startsWith("wrong")) return { ok: false };
  const accountKey = written.startsWith("account:") ? identity.slice(8) : null;
  return { ok: true, accountKey, invitation: null };
};

export interface Member {
  readonly engine: MlsEngine;
  readonly device: DeviceKey;
}

export async function member(
  options: Partial<EngineOptions> & { device?: DeviceKey; credential?: string } = {},
): Promise<Member> {
  const { device = await webcryptoDevice(), credential = "", ...rest } = options;
  const engine = createEngine({ judge: agree, checkCredential, ...rest });
  await engine.setUp({ device, credential: text(credential) });
  return { engine, device };
}

export function expectOk<T extends object>(answer: T | Refused): T {
  if ("type" in answer && answer.type === "refused") {
    throw new Error(`refused: ${answer.reason}, ${answer.detail}`);
  }
  return answer as T;
}

/** One commit by `by`: it wins, everybody applies it, who is added joins. */
export async function step(
  present: readonly MlsEngine[],
  by: MlsEngine,
  changes: Partial<Changes>,
  joiners: readonly MlsEngine[] = [],
): Promise<GroupFacts> {
  const adds = [...(changes.adds ?? [])];
  for (const joiner of joiners) adds.push((await joiner.keyPackage()).bytes);
  const staged = expectOk(await by.commit({ ...NOTHING, ...changes, adds }));
  const merged = await by.merge();
  if (merged.type !== "applied") throw new Error("not applied");
  for (const other of present) {
    if (other === by) continue;
    expectOk(await other.apply(staged.commit));
  }
  for (const joiner of joiners) {
    if (staged.welcome === null) throw new Error("no welcome");
    expectOk(await joiner.join(staged.welcome));
  }
  return merged.after;
}

/** A group of `count`, the first of whom made it. */
export async function groupOf(count: number): Promise<MlsEngine[]> {
  const members: MlsEngine[] = [];
  for (let at = 0; at < count; at++) members.push((await member()).engine);
  const [first, ...others] = members;
  if (!first) throw new Error("an empty group");
  await first.create(GROUP_ID, MEETING);
  if (others.length > 0) await step([first], first, {}, others);
  return members;
}

export const exporter = (engine: MlsEngine): Promise<Uint8Array> =>
  engine.exportSecret("test", text("context"), 32);

/**
 * MLS engines of the web client for tests in other languages: one JSON request a line on standard
 * input, one JSON answer a line on standard output, in the order of the requests. Bytes are
 * `{"b": base64}`. Holds keys of tests only.
 *
 * Request: {"engine": name, "call": method, "args": [...]}; "new" makes an engine of that name from
 * {seed, publicKey, credential, isJudged}. Answer: {"ok": value} or {"failed": message}.
 */

import { createInterface } from "node:readline";
import type { MlsEngine } from "../../src/sealing/engine/contract.ts";
import { createEngine } from "../../src/sealing/engine/engine.ts";
import { checkCredential } from "../../src/sealing/keys/credential.ts";
import { judge } from "../../src/sealing/meeting/judge.ts";

interface Request {
  readonly engine: string;
  readonly call: string;
  readonly args: readonly unknown[];
}

interface Setup {
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly credential: Uint8Array;
  readonly isJudged: boolean;
}

const engines = new Map<string, MlsEngine>();
function revive(_key: string, value: unknown): unknown {
  if (typeof value === "object" && value !== null && "b" in value && typeof value.b === "string") {
    return new Uint8Array(Buffer.from(value.b, "base64"));
  }
  return value;
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { b: Buffer.from(value).toString("base64") };
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}

async function make(name: string, setup: Setup): Promise<null> {
  const engine = createEngine({ judge: setup.isJudged ? judge : () => null, checkCredential });
  const { seed, publicKey, credential } = setup;
  await engine.setUp({ device: { type: "raw", seed, publicKey }, credential });
  engines.set(name, engine);
  return null;
}

async function answer(request: Request): Promise<unknown> {
  if (request.call === "new") return make(request.engine, request.args[0] as Setup);
  const engine = engines.get(request.engine);
  if (engine === undefined) throw new Error("no such engine");
  if (request.call === "close") {
    engine.close();
    engines.delete(request.engine);
    return null;
  }
  const method = engine[request.call as keyof MlsEngine] as (...args: unknown[]) => unknown;
  return method.apply(engine, [...request.args]);
}

for await (const line of createInterface({ input: process.stdin })) {
  let said: unknown;
  try {
    said = { ok: (await answer(JSON.parse(line, revive) as Request)) ?? null };
  } catch (error) {
    said = { failed: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
  process.stdout.write(`${JSON.stringify(said, plain)}\n`);
}

/** Starts the engine in a worker of its own. */
import { trustedWorker } from "../../trustedWorker.ts";
import { createWorkerEngine } from "./client.ts";
import type { MlsEngine } from "./contract.ts";
import address from "./worker.ts?worker&url";

/** `close` of the engine ends the worker. */
export function startEngine(): MlsEngine {
  return createWorkerEngine(trustedWorker(address, { name: "keys" }));
}

/** Proof of work in a worker of its own, which is there only while there is something to do. */
import { trustedWorker } from "../../trustedWorker.ts";
import { createWork, type Work } from "./client.ts";
import address from "./worker.ts?worker&url";

export function startWork(): Work {
  return createWork(() => trustedWorker(address, { name: "work" }));
}

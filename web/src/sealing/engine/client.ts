/** The engine as the page sees it: every call goes to the worker that holds the keys. */
import type { MlsEngine } from "./contract.ts";
import { Calls, type Port } from "./rpc.ts";

/** What a browser's Worker is, as far as it matters here. */
export interface WorkerPort extends Port {
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  addEventListener(type: "error" | "messageerror", listener: (event: Event) => void): void;
  terminate(): void;
}

/** The worker is this engine's alone: `close` ends it. */
export function createWorkerEngine(worker: WorkerPort): MlsEngine {
  const calls = new Calls(worker);
  worker.addEventListener("error", () => calls.end("the worker has failed"));
  worker.addEventListener("messageerror", () => calls.end("the worker cannot be understood"));
  return {
    setUp: (setup) => calls.call("setUp", setup),
    keyPackage: () => calls.call("keyPackage"),
    inspect: (keyPackage) => calls.call("inspect", keyPackage),
    create: (groupId, meeting) => calls.call("create", groupId, meeting),
    setPsk: (psk) => calls.call("setPsk", psk),
    join: (welcome) => calls.call("join", welcome),
    commit: (changes) => calls.call("commit", changes),
    merge: () => calls.call("merge"),
    discard: () => calls.call("discard"),
    apply: (commit) => calls.call("apply", commit),
    undo: () => calls.call("undo"),
    protect: (content) => calls.call("protect", content),
    open: (message) => calls.call("open", message),
    exportSecret: (label, context, length) => calls.call("exportSecret", label, context, length),
    exportFrameKeys: (identities) => calls.call("exportFrameKeys", identities),
    boxKey: () => calls.call("boxKey"),
    sealTo: (recipient, info, aad, content) => calls.call("sealTo", recipient, info, aad, content),
    openBox: (info, aad, box) => calls.call("openBox", info, aad, box),
    sign: (content) => calls.call("sign", content),
    verify: (key, content, signature) => calls.call("verify", key, content, signature),
    close() {
      calls.end("closed");
      worker.terminate();
    },
  };
}

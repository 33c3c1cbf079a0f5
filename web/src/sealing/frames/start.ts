/** Puts the prelude into the worker that runs this. Has to run before livekit-client's code does. */
import { install, type WorkerNote, type WorkerScope } from "./prelude.ts";

const scope = globalThis as unknown as WorkerScope;
install(scope, () => performance.now());
scope.postMessage({ kind: "conclave:ready" } satisfies WorkerNote);

/** The engine's worker: keys and judge live here, the page gets answers. Entry of its own bundle. */
import { checkCredential } from "../keys/credential.ts";
import { judge } from "../meeting/judge.ts";
import { createEngine } from "./engine.ts";
import { type Port, serveEngine } from "./rpc.ts";

serveEngine(globalThis as unknown as Port, createEngine({ judge, checkCredential }));

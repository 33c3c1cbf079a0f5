/** The worker that does what a crowded door asks for. Entry of its own bundle; knows no key. */
import { serveWork, type WorkPort } from "./serve.ts";

serveWork(globalThis as unknown as WorkPort);

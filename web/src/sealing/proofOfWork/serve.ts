/** One task, one answer: the nonce. The page ends the worker when it wants none any more. */
import { nonceBytes, search, type Task } from "./search.ts";

export interface WorkPort {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** 2^30 tries: a thousand times what the most that is ever taken on needs on average. */
const MOST_TRIES = 2 ** 30;

export function serveWork(port: WorkPort): void {
  port.addEventListener("message", ({ data }: MessageEvent<Task>) => {
    const nonce = search(data, 0, MOST_TRIES);
    port.postMessage(nonce === null ? null : nonceBytes(nonce));
  });
}

/**
 * Calls to an engine across a port: numbered requests, answered in their order because the engine
 * answers in order. Bytes and key handles cross by structured clone. Errors cross as their message
 * alone. Must never let a message through that asks for anything but a method of `MlsEngine`.
 */
import type { MlsEngine } from "./contract.ts";
import { EngineFailed } from "./errors.ts";

/** What both a Worker and a MessagePort can do. */
export interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

type Method = keyof MlsEngine;

/** Exhaustive: a method that is missing here does not compile. */
const METHODS: Readonly<Record<Method, true>> = {
  setUp: true,
  keyPackage: true,
  inspect: true,
  create: true,
  setPsk: true,
  join: true,
  commit: true,
  merge: true,
  discard: true,
  apply: true,
  undo: true,
  protect: true,
  open: true,
  exportSecret: true,
  exportFrameKeys: true,
  boxKey: true,
  sealTo: true,
  openBox: true,
  sign: true,
  verify: true,
  close: true,
};

interface Request {
  readonly n: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}

type Response =
  | { readonly n: number; readonly value: unknown }
  | { readonly n: number; readonly failed: string };

function isRequest(data: unknown): data is Request {
  if (typeof data !== "object" || data === null) return false;
  const { n, method, args } = data as Partial<Record<keyof Request, unknown>>;
  return (
    Number.isSafeInteger(n) &&
    typeof method === "string" &&
    Object.hasOwn(METHODS, method) &&
    Array.isArray(args)
  );
}

/** The engine's side. */
export function serveEngine(port: Port, engine: MlsEngine): void {
  const answer = (response: Response) => port.postMessage(response);
  port.addEventListener("message", async ({ data }) => {
    if (!isRequest(data)) return;
    const { n, method, args } = data;
    const call = engine[method] as (...args: unknown[]) => unknown;
    try {
      answer({ n, value: await call.apply(engine, [...args]) });
    } catch (error) {
      answer({ n, failed: error instanceof Error ? error.message : String(error) });
    }
  });
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: EngineFailed) => void;
}

/** The page's side of a port. */
export class Calls {
  readonly #port: Port;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  /** Set once: nothing is asked any more. */
  #over: string | null = null;

  constructor(port: Port) {
    this.#port = port;
    port.addEventListener("message", ({ data }) => this.#answered(data as Response));
  }

  call<M extends Method>(method: M, ...args: Parameters<MlsEngine[M]>): ReturnType<MlsEngine[M]> {
    const answer = new Promise((resolve, reject) => {
      if (this.#over !== null) {
        reject(new EngineFailed(this.#over));
        return;
      }
      const n = this.#next++;
      this.#waiting.set(n, { resolve, reject });
      try {
        this.#port.postMessage({ n, method, args } satisfies Request);
      } catch (error) {
        this.#waiting.delete(n);
        reject(new EngineFailed(error instanceof Error ? error.message : String(error)));
      }
    });
    return answer as ReturnType<MlsEngine[M]>;
  }

  /** The other side is gone: every call fails, those that wait and those to come. */
  end(reason: string): void {
    this.#over ??= reason;
    for (const { reject } of this.#waiting.values()) reject(new EngineFailed(this.#over));
    this.#waiting.clear();
  }

  #answered(response: Response): void {
    const waiting = this.#waiting.get(response?.n);
    if (waiting === undefined) return;
    this.#waiting.delete(response.n);
    if ("failed" in response) waiting.reject(new EngineFailed(response.failed));
    else waiting.resolve(response.value as never);
  }
}

/** Work as the page sees it: one task at a time, given up by `stop`. */

export interface WorkAsk {
  /** 16 to 48 bytes. */
  readonly challenge: Uint8Array;
  readonly bits: number;
  readonly keyPackage: Uint8Array;
}

export interface Work {
  /** The nonce, 8 bytes. Rejects when it was given up or the worker has failed. */
  find(ask: WorkAsk): Promise<Uint8Array>;
  stop(): void;
}

/** What a browser's Worker is, as far as it matters here. */
export interface WorkerLike {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  addEventListener(type: "error" | "messageerror", listener: (event: Event) => void): void;
  terminate(): void;
}

export function createWork(start: () => WorkerLike): Work {
  let end: (() => void) | null = null;

  function stop(): void {
    end?.();
  }

  return {
    stop,
    async find({ challenge, bits, keyPackage }) {
      stop();
      const digest = crypto.subtle.digest("SHA-256", keyPackage as BufferSource);
      let isGivenUp = false;
      end = () => {
        isGivenUp = true;
      };
      const task = { challenge, digest: new Uint8Array(await digest), bits };
      if (isGivenUp) throw new Error("given up");
      return new Promise((resolve, reject) => {
        const worker = start();
        const finish = (answer: unknown) => {
          end = null;
          worker.terminate();
          if (answer instanceof Uint8Array) resolve(answer);
          else reject(new Error("no work was done"));
        };
        end = () => finish(null);
        worker.addEventListener("message", ({ data }) => finish(data));
        worker.addEventListener("error", () => finish(null));
        worker.addEventListener("messageerror", () => finish(null));
        worker.postMessage(task);
      });
    },
  };
}

import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { follows, given, hex, vectors } from "../../../test/protocolVectors.ts";
import { createWork, type WorkerLike } from "./client.ts";
import { nonceBytes, search } from "./search.ts";
import { serveWork } from "./serve.ts";

const LABEL = "conclave work v1";
const CHALLENGE = new Uint8Array(29).fill(7);
const KEY_PACKAGE = new Uint8Array(300).fill(9);
const digestOf = (content: Uint8Array) =>
  new Uint8Array(createHash("sha256").update(content).digest());

/** As the server checks it, by another SHA-256. */
function hash(challenge: Uint8Array, nonce: Uint8Array): string {
  const hashed = createHash("sha256").update(LABEL).update(challenge);
  return hashed.update(digestOf(KEY_PACKAGE)).update(nonce).digest("hex");
}

test("the nonce of the protocol's appendix", () => {
  const bits = Number(vectors.given["work_bits"]);
  const task = {
    challenge: given("work_challenge"),
    digest: digestOf(given("work_key_package")),
    bits,
  };
  expect(hex(nonceBytes(search(task, 0, 2 ** 24) as number))).toBe(hex(follows("work_nonce")));
});

test.each([16, 17, 29, 32, 47, 48])("a challenge of %i bytes is met", (length) => {
  const challenge = Uint8Array.from({ length }, (_, at) => (at * 37) % 256);
  const task = { challenge, digest: digestOf(KEY_PACKAGE), bits: 12 };
  const nonce = search(task, 0, 1_000_000) as number;
  expect(hash(challenge, nonceBytes(nonce)).slice(0, 3)).toBe("000");
  // It is the first one: none before it is passed over.
  for (let before = 0; before < nonce; before += 1) {
    const tried = Number.parseInt(hash(challenge, nonceBytes(before)).slice(0, 3), 16);
    expect(tried).not.toBe(0);
  }
});

test("bits are counted one by one, and none are met at once", () => {
  const digest = digestOf(KEY_PACKAGE);
  expect(search({ challenge: CHALLENGE, digest, bits: 0 }, 5, 1)).toBe(5);
  for (const bits of [1, 7, 9, 10]) {
    const nonce = search({ challenge: CHALLENGE, digest, bits }, 0, 1_000_000) as number;
    const zeros = BigInt(`0x${hash(CHALLENGE, nonceBytes(nonce))}`).toString(2).length;
    expect(256 - zeros).toBeGreaterThanOrEqual(bits);
  }
  expect(search({ challenge: CHALLENGE, digest, bits: 32 }, 0, 100)).toBeNull();
});

test("a nonce beyond 32 bits is written whole", () => {
  const first = 2 ** 32 + 5;
  const digest = digestOf(KEY_PACKAGE);
  const nonce = search({ challenge: CHALLENGE, digest, bits: 4 }, first, 1_000) as number;
  expect(nonce).toBeGreaterThanOrEqual(first);
  expect(hash(CHALLENGE, nonceBytes(nonce))[0]).toBe("0");
});

class FakeWorker implements WorkerLike {
  static last: FakeWorker;
  isEnded = false;
  isServing = true;
  readonly #page = new Map<string, (event: never) => void>();
  #serve: (event: MessageEvent) => void = () => undefined;

  constructor() {
    FakeWorker.last = this;
    serveWork({
      postMessage: (message) => this.tell("message", { data: message }),
      addEventListener: (_type, listener) => {
        this.#serve = listener;
      },
    });
  }
  addEventListener(type: string, listener: (event: never) => void): void {
    this.#page.set(type, listener);
  }
  tell(type: string, event: object): void {
    this.#page.get(type)?.(event as never);
  }
  postMessage(message: unknown): void {
    if (this.isServing) this.#serve({ data: message } as MessageEvent);
  }
  terminate(): void {
    this.isEnded = true;
  }
}

class IdleWorker extends FakeWorker {
  override isServing = false;
}

const ASK = { challenge: CHALLENGE, bits: 8, keyPackage: KEY_PACKAGE };

test("the worker is started for the work, and ended with it", async () => {
  const nonce = await createWork(() => new FakeWorker()).find(ASK);
  expect(hash(CHALLENGE, nonce).slice(0, 2)).toBe("00");
  expect(FakeWorker.last.isEnded).toBe(true);
});

const started = async () => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve));
};

test("who leaves ends it", async () => {
  const work = createWork(() => new IdleWorker());
  const found = work.find(ASK);
  const refused = expect(found).rejects.toThrow();
  await started();
  work.stop();
  await refused;
  expect(FakeWorker.last.isEnded).toBe(true);
  work.stop();
});

test("given up before it began, no worker is started", async () => {
  let starts = 0;
  const work = createWork(() => {
    starts += 1;
    return new IdleWorker();
  });
  const refused = expect(work.find(ASK)).rejects.toThrow();
  work.stop();
  await refused;
  expect(starts).toBe(0);
});

test.each(["error", "messageerror", "message"])("a worker that fails by %s", async (type) => {
  const refused = expect(createWork(() => new IdleWorker()).find(ASK)).rejects.toThrow();
  await started();
  FakeWorker.last.tell(type, { data: null });
  await refused;
  expect(FakeWorker.last.isEnded).toBe(true);
});

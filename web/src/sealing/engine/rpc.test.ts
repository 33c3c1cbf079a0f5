/** The engine across a port, as a page and its worker have it. */
import { afterEach, describe, expect, it } from "vitest";
import {
  agree,
  checkCredential,
  expectOk,
  exporter,
  GROUP_ID,
  MEETING,
  member,
  NOTHING,
  text,
  webcryptoDevice,
} from "../../../test/sealing/members.ts";
import { createWorkerEngine, type WorkerPort } from "./client.ts";
import type { MlsEngine } from "./contract.ts";
import { createEngine } from "./engine.ts";
import { EngineFailed } from "./errors.ts";
import { serveEngine } from "./rpc.ts";

const open: MessagePort[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

/** A worker without a thread: the port behaves the same. */
function workerFor(engine: MlsEngine) {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  serveEngine(port1, engine);
  port1.start();
  port2.start();
  const failures: ((event: Event) => void)[] = [];
  let isTerminated = false;
  const worker: WorkerPort = {
    postMessage: (message) => port2.postMessage(message),
    addEventListener(type: string, listener: (event: never) => void) {
      if (type === "message") {
        port2.addEventListener("message", listener as (event: MessageEvent) => void);
      } else {
        failures.push(listener as (event: Event) => void);
      }
    },
    terminate() {
      isTerminated = true;
      port2.close();
    },
  };
  return {
    worker,
    port: port2,
    fail: () => failures[0]?.(new Event("error")),
    isTerminated: () => isTerminated,
  };
}

const fresh = () => createEngine({ judge: agree, checkCredential });

async function remote() {
  const held = workerFor(fresh());
  const engine = createWorkerEngine(held.worker);
  const device = await webcryptoDevice();
  await engine.setUp({ device, credential: text("") });
  return { ...held, engine, device };
}

describe("an engine in a worker", () => {
  it("does everything that an engine does", async () => {
    const { engine, device } = await remote();
    const other = await member();
    const created = await engine.create(GROUP_ID, MEETING);
    expect(created.roster).toEqual([
      { leaf: 0, signatureKey: device.publicKey, accountKey: null, invitation: null },
    ]);
    const { bytes: keyPackage, ref } = await other.engine.keyPackage();
    expect(await engine.inspect(keyPackage)).toMatchObject({ ref });
    const lost = expectOk(await engine.commit(NOTHING));
    expect(lost.welcome).toBeNull();
    await engine.discard();
    await engine.setPsk(new Uint8Array(32));
    const staged = expectOk(await engine.commit({ ...NOTHING, adds: [keyPackage] }));
    expect((await engine.merge()).type).toBe("applied");
    expectOk(await other.engine.join(staged.welcome ?? new Uint8Array()));
    expect(await exporter(engine)).toEqual(await exporter(other.engine));
    const mine = await engine.protect(text("hello"));
    expect(expectOk(await other.engine.open(mine.bytes)).content).toEqual(text("hello"));
    const theirs = await other.engine.protect(text("hello back"));
    expect(expectOk(await engine.open(theirs.bytes)).content).toEqual(text("hello back"));
    const commit = expectOk(await other.engine.commit(NOTHING));
    expect((await engine.apply(commit.commit)).type).toBe("applied");
    expect(await engine.undo()).toBe(true);
    const keys = await engine.exportFrameKeys(["a", "b"]);
    expect([...keys.keys()]).toEqual(["a", "b"]);
    const box = await engine.sealTo(await engine.boxKey(), text("i"), text("a"), text("for me"));
    expect(await engine.openBox(text("i"), text("a"), box)).toEqual(text("for me"));
    const signature = await engine.sign(text("signed"));
    expect(await engine.verify(device.publicKey, text("signed"), signature)).toBe(true);
    const welcome = staged.welcome ?? new Uint8Array();
    expect(await engine.join(welcome)).toMatchObject({ reason: "not-for-us" });
  });

  it("answers in the order of the calls", async () => {
    const { engine } = await remote();
    const order: string[] = [];
    await Promise.all([
      engine.create(GROUP_ID, MEETING).then(() => order.push("create")),
      engine.commit(NOTHING).then(() => order.push("commit")),
      engine.merge().then(() => order.push("merge")),
      engine.sign(text("x")).then(() => order.push("sign")),
    ]);
    expect(order).toEqual(["create", "commit", "merge", "sign"]);
  });

  it("fails with one error, whatever went wrong on the other side", async () => {
    const { engine } = await remote();
    await expect(engine.merge()).rejects.toThrow(EngineFailed);
    await expect(engine.protect(text("x"))).rejects.toThrow("no group");
    // A function cannot be cloned: the call fails, the next one works.
    const broken = (() => 0) as unknown as Uint8Array;
    await expect(engine.sign(broken)).rejects.toThrow(EngineFailed);
    expect(await engine.undo()).toBe(false);
  });

  it("hears nothing but the methods of the contract", async () => {
    const { engine, port } = await remote();
    const bad = [
      null,
      "sign",
      { n: 1 },
      { n: "1", method: "sign", args: [] },
      { n: 1, method: "constructor", args: [] },
      { n: 1, method: "__proto__", args: [] },
      { n: 1, method: "sign", args: "x" },
    ];
    for (const message of bad) port.postMessage(message);
    expect(await engine.undo()).toBe(false);
  });

  it("fails every call once the worker is gone", async () => {
    const { engine, fail } = await remote();
    const waiting = engine.create(GROUP_ID, MEETING);
    fail();
    await expect(waiting).rejects.toThrow("failed");
    await expect(engine.undo()).rejects.toThrow(EngineFailed);
  });

  it("ends its worker with `close`", async () => {
    const { engine, isTerminated } = await remote();
    engine.close();
    expect(isTerminated()).toBe(true);
    await expect(engine.undo()).rejects.toThrow("closed");
  });
});

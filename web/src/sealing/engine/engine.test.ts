/** What the engine promises in contract.ts, among members that keep to the rules. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { describe, expect, it, vi } from "vitest";
import {
  agree,
  checkCredential,
  expectOk,
  exporter,
  GROUP_ID,
  groupOf,
  MEETING,
  member,
  NOTHING,
  PSK,
  step,
  text,
  webcryptoDevice,
} from "../../../test/sealing/members.ts";
import type { CommitFacts, DeviceKey, GroupFacts, MlsEngine } from "./contract.ts";
import { createEngine } from "./engine.ts";
import { EngineFailed } from "./errors.ts";

async function pair(): Promise<[MlsEngine, MlsEngine]> {
  const [a, b] = await groupOf(2);
  if (!a || !b) throw new Error("too few");
  return [a, b];
}

async function three(): Promise<[MlsEngine, MlsEngine, MlsEngine]> {
  const [a, b, c] = await groupOf(3);
  if (!a || !b || !c) throw new Error("too few");
  return [a, b, c];
}

/** What a member knows of its epoch. */
async function stateOf(engine: MlsEngine): Promise<string> {
  return (await exporter(engine)).join();
}

function rawDevice(): DeviceKey {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  return { type: "raw", seed, publicKey: ed25519.getPublicKey(seed) };
}

describe("KeyPackages", () => {
  it("are told apart by their reference, and carry the account", async () => {
    const { engine } = await member();
    const someone = await member({ credential: "account:kkkk" });
    const { bytes, ref } = await someone.engine.keyPackage();
    expect(ref).toHaveLength(32);
    expect(await engine.inspect(bytes)).toEqual({
      ref,
      signatureKey: someone.device.publicKey,
      accountKey: text("kkkk"),
      invitation: null,
    });
    expect((await someone.engine.keyPackage()).ref).not.toEqual(ref);
  });

  it("live thirty days, from a day back", async () => {
    const day = 24 * 3600 * 1000;
    const now = 1_800_000_000_000;
    const { bytes } = await (await member({ now: () => now })).engine.keyPackage();
    const at = async (when: number) => (await member({ now: () => when })).engine.inspect(bytes);
    expect(await at(now + 30 * day)).toHaveProperty("ref");
    expect(await at(now - day)).toHaveProperty("ref");
    const outside = { type: "refused", reason: "forbidden", detail: "outside its lifetime" };
    expect(await at(now + 30 * day + 1000)).toEqual(outside);
    expect(await at(now - day - 1000)).toEqual(outside);
  });

  it("are refused with a credential that proves nothing", async () => {
    const { engine } = await member();
    const { bytes } = await (await member({ credential: "wrong" })).engine.keyPackage();
    expect(await engine.inspect(bytes)).toMatchObject({ reason: "forbidden" });
    await engine.create(GROUP_ID, MEETING);
    const adds = [bytes];
    expect(await engine.commit({ ...NOTHING, adds })).toMatchObject({ reason: "forbidden" });
  });

  it("are good for one group, and the newest eight are kept", async () => {
    const [a] = await pair();
    const { engine } = await member();
    const { bytes: first } = await engine.keyPackage();
    for (let more = 0; more < 8; more++) await engine.keyPackage();
    const staged = expectOk(await a.commit({ ...NOTHING, adds: [first] }));
    const welcome = staged.welcome ?? new Uint8Array();
    expect(await engine.join(welcome)).toMatchObject({ reason: "not-for-us" });
  });
});

describe("a group", () => {
  it("begins with who made it", async () => {
    const { engine, device } = await member({ credential: "account:me" });
    const facts = await engine.create(GROUP_ID, MEETING);
    expect(facts).toMatchObject({ groupId: GROUP_ID, epoch: 0, ownLeaf: 0, meeting: MEETING });
    expect(facts.roster).toEqual([
      { leaf: 0, signatureKey: device.publicKey, accountKey: text("me"), invitation: null },
    ]);
    expect(facts.authenticator).toHaveLength(32);
  });

  it("says before and after of a commit, to who made it and to who gets it", async () => {
    const [a, b, c] = await three();
    const other = await member();
    const { bytes, ref } = await other.engine.keyPackage();
    const staged = expectOk(
      await a.commit({ adds: [bytes], removes: [2], meeting: text("next"), withPsk: false }),
    );
    const applied = await b.apply(staged.commit);
    const merged = await a.merge();
    if (merged.type !== "applied" || applied.type !== "applied") throw new Error("not applied");
    expect(applied.commit).toEqual(merged.commit);
    expect(applied.commit).toMatchObject({ sender: 0, removes: [2], meeting: text("next") });
    expect(applied.commit.adds).toEqual([
      { ref, signatureKey: other.device.publicKey, accountKey: null, invitation: null },
    ]);
    expect(applied.before.epoch + 1).toBe(applied.after.epoch);
    expect(applied.after.authenticator).toEqual(merged.after.authenticator);
    expect(applied.after.roster).toEqual(merged.after.roster);
    const joined = expectOk(await other.engine.join(staged.welcome ?? new Uint8Array()));
    expect(joined.ownLeaf).toBe(2);
    expect(joined.authenticator).toEqual(merged.after.authenticator);
    expect(await c.apply(staged.commit)).toEqual({ type: "removed", by: 0, isReplaced: false });
  });

  it("asks the judge before anything happens, with the same facts on both sides", async () => {
    const seen: [GroupFacts, CommitFacts][] = [];
    const judge = vi.fn((before: GroupFacts, commit: CommitFacts) => {
      seen.push([before, commit]);
      return commit.meeting === null ? null : "not you";
    });
    const [a] = await pair();
    const strict = await member({ judge });
    await step([a], a, { removes: [1] }, [strict.engine]);
    const before = await stateOf(strict.engine);
    const staged = expectOk(await a.commit({ ...NOTHING, meeting: text("mine") }));
    expect(await strict.engine.apply(staged.commit)).toEqual({
      type: "refused",
      reason: "forbidden",
      detail: "not you",
    });
    expect(seen[0]?.[1]).toMatchObject({ sender: 0, meeting: text("mine"), adds: [], psks: [] });
    expect(await stateOf(strict.engine)).toBe(before);
    const own = await strict.engine.commit({ ...NOTHING, meeting: text("mine too") });
    expect(own).toMatchObject({ reason: "forbidden", detail: "not you" });
    await a.discard();
    await step([a, strict.engine], a, {});
  });

  it("refuses a commit of its own that breaks a rule", async () => {
    const [a, b] = await pair();
    const refusals = [
      { ...NOTHING, removes: [0] },
      { ...NOTHING, removes: [5] },
      { ...NOTHING, removes: [1, 1] },
      { ...NOTHING, adds: [(await b.keyPackage()).bytes] },
    ];
    for (const changes of refusals) {
      expect(await a.commit(changes)).toMatchObject({ reason: "forbidden" });
    }
    const adds = [text("nonsense")];
    expect(await a.commit({ ...NOTHING, adds })).toMatchObject({ reason: "malformed" });
    expect(await a.commit({ ...NOTHING, withPsk: true })).toMatchObject({ reason: "no-psk" });
    await expect(a.merge()).rejects.toThrow(EngineFailed);
    await step([a, b], a, {});
  });

  it("takes a device back in the commit that removes its old leaf", async () => {
    const device = await webcryptoDevice();
    const [a, b] = await pair();
    const old = await member({ device });
    await step([a, b], a, {}, [old.engine]);
    const again = await member({ device });
    const { bytes } = await again.engine.keyPackage();
    const staged = expectOk(await b.commit({ ...NOTHING, adds: [bytes], removes: [2] }));
    await b.merge();
    expectOk(await a.apply(staged.commit));
    expect(await old.engine.apply(staged.commit)).toEqual({
      type: "removed",
      by: 1,
      isReplaced: true,
    });
    expect(expectOk(await again.engine.join(staged.welcome ?? new Uint8Array())).ownLeaf).toBe(2);
    expect(await exporter(again.engine)).toEqual(await exporter(a));
    // Out of it: nothing can be said or read, until the commit turns out to be undone.
    expect(await old.engine.apply(staged.commit)).toMatchObject({ reason: "wrong-group" });
    expect(await old.engine.open(staged.commit)).toMatchObject({ reason: "wrong-group" });
    await expect(old.engine.protect(text("x"))).rejects.toThrow(EngineFailed);
    expect(await old.engine.undo()).toBe(true);
    await old.engine.protect(text("x"));
  });

  it("replaces its leaf's engine by joining again", async () => {
    const [a, b] = await pair();
    const { bytes } = await b.keyPackage();
    const staged = expectOk(await a.commit({ ...NOTHING, adds: [bytes], removes: [1] }));
    await a.merge();
    const joined = await b.join(staged.welcome ?? new Uint8Array());
    expect(joined).toMatchObject({ isLinkBound: false });
    expect(await exporter(b)).toEqual(await exporter(a));
  });
});

describe("the link PSK", () => {
  it("is what a member needs to follow, and a joiner to come in; both can try again", async () => {
    const [a, b] = await pair();
    await a.setPsk(PSK);
    const { engine } = await member();
    const { bytes } = await engine.keyPackage();
    const staged = expectOk(await a.commit({ ...NOTHING, adds: [bytes], withPsk: true }));
    const merged = await a.merge();
    if (merged.type !== "applied") throw new Error("not applied");
    expect(merged.commit.psks).toEqual([text("conclave link v1")]);
    const before = await stateOf(b);
    const welcome = staged.welcome ?? new Uint8Array();
    expect(await b.apply(staged.commit)).toMatchObject({ reason: "no-psk" });
    expect(await engine.join(welcome)).toMatchObject({ reason: "no-psk" });
    for (const other of [b, engine]) await other.setPsk(new Uint8Array(32));
    expect(await b.apply(staged.commit)).toMatchObject({ reason: "forged" });
    expect(await engine.join(welcome)).toMatchObject({ reason: "forged" });
    expect(await stateOf(b)).toBe(before);
    for (const other of [b, engine]) await other.setPsk(PSK);
    expectOk(await b.apply(staged.commit));
    expect(await engine.join(welcome)).toMatchObject({ epoch: 2, isLinkBound: true });
    expect(await exporter(engine)).toEqual(await exporter(a));
    expect(await exporter(b)).toEqual(await exporter(a));
  });
});

describe("two commits of one epoch", () => {
  it("foreign wins: the own is dropped and made again", async () => {
    const [a, b, c] = await three();
    expectOk(await a.commit({ ...NOTHING, meeting: text("of a") }));
    const other = expectOk(await b.commit({ ...NOTHING, meeting: text("of b") }));
    await b.merge();
    for (const engine of [a, c]) expectOk(await engine.apply(other.commit));
    await expect(a.merge()).rejects.toThrow(EngineFailed);
    const after = await step([a, b, c], a, { meeting: text("of a again") });
    expect(after.meeting).toEqual(text("of a again"));
  });

  it("a commit that was discarded has used its place: the next one can be read", async () => {
    const [a, b] = await pair();
    const lost = expectOk(await a.commit(NOTHING));
    await a.discard();
    await a.discard();
    const kept = expectOk(await a.commit(NOTHING));
    const third = expectOk(await a.commit({ ...NOTHING, meeting: text("third") }));
    await a.merge();
    // Never the same key and nonce: each of the three can be read by who has read the others.
    for (const staged of [lost, kept]) {
      const reader = await stateOf(b);
      expect((await b.apply(staged.commit)).type).toBe("applied");
      expect(await b.undo()).toBe(true);
      expect(await stateOf(b)).toBe(reader);
    }
    expectOk(await b.apply(third.commit));
    expect(await exporter(b)).toEqual(await exporter(a));
  });

  it("messages said and heard while a commit waits stay said and heard", async () => {
    const [a, b] = await pair();
    const staged = expectOk(await a.commit(NOTHING));
    const heard = await b.protect(text("while it waits"));
    expectOk(await a.open(heard.bytes));
    await a.merge();
    expect(await a.open(heard.bytes)).toMatchObject({ reason: "forged" });
    expectOk(await b.apply(staged.commit));
  });
});

describe("undo", () => {
  it("goes one commit back, and no further", async () => {
    const [a, b] = await pair();
    expect(await a.undo()).toBe(true);
    expect(await a.undo()).toBe(false);
    await step([a], a, {}, []);
    const before = await stateOf(b);
    expect(await b.undo()).toBe(false);
    expect(await stateOf(b)).toBe(before);
  });

  it("does not take the same commit twice, and goes on with another", async () => {
    const [a, b, c] = await three();
    const first = await stateOf(b);
    const bad = expectOk(await c.commit({ ...NOTHING, meeting: text("bad") }));
    await c.merge();
    const early = await a.protect(text("before it"));
    for (const engine of [a, b]) expectOk(await engine.apply(bad.commit));
    const late = await a.protect(text("after it"));
    expectOk(await b.open(early.bytes));
    expectOk(await b.open(late.bytes));
    for (const engine of [a, b]) expect(await engine.undo()).toBe(true);
    expect(await stateOf(b)).toBe(first);
    expect(await b.apply(bad.commit)).toMatchObject({ reason: "forged" });
    expect(await b.open(early.bytes)).toMatchObject({ reason: "forged" });
    expect(await b.open(late.bytes)).toMatchObject({ reason: "wrong-epoch" });
    await step([a, b], a, { removes: [2] });
    expect(await exporter(a)).toEqual(await exporter(b));
  });

  it("takes back a commit of one's own, whose place stays used", async () => {
    const [a, b] = await pair();
    const undone = expectOk(await a.commit(NOTHING));
    await a.merge();
    expectOk(await b.apply(undone.commit));
    for (const engine of [a, b]) expect(await engine.undo()).toBe(true);
    await step([a, b], a, {});
    expect(await exporter(a)).toEqual(await exporter(b));
    expect(await a.apply(undone.commit)).toMatchObject({ reason: "own" });
  });
});

describe("messages", () => {
  it("say who sent them and when, once", async () => {
    const [a, b, c] = await three();
    const { bytes, epoch } = await a.protect(text("hello"));
    expect(epoch).toBe(1);
    for (const engine of [b, c]) {
      expect(await engine.open(bytes)).toEqual({
        type: "opened",
        sender: 0,
        epoch: 1,
        content: text("hello"),
      });
      expect(await engine.open(bytes)).toMatchObject({ reason: "forged" });
    }
    expect(await a.open(bytes)).toMatchObject({ reason: "own" });
    const commit = expectOk(await a.commit(NOTHING));
    expect(await a.apply(commit.commit)).toMatchObject({ reason: "own" });
  });

  it("can be read in another order", async () => {
    const [a, b] = await pair();
    const sent = [];
    for (let count = 0; count < 20; count++) sent.push((await a.protect(text(`${count}`))).bytes);
    for (const [index, bytes] of [...sent.entries()].reverse()) {
      expect(expectOk(await b.open(bytes)).content).toEqual(text(`${index}`));
    }
  });

  it("can be read for three epochs more", async () => {
    const [a, b] = await pair();
    const sent = [];
    for (let epoch = 0; epoch < 5; epoch++) {
      sent.push((await a.protect(text(`${epoch}`))).bytes);
      if (epoch < 4) await step([a, b], b, {});
    }
    const [far, ...near] = sent;
    expect(await b.open(far ?? new Uint8Array())).toMatchObject({ reason: "wrong-epoch" });
    for (const [index, bytes] of near.entries()) {
      expect(expectOk(await b.open(bytes)).epoch).toBe(index + 2);
    }
    for (const bytes of near) expect(await b.open(bytes)).toMatchObject({ reason: "forged" });
  });

  it("are as long as many others", async () => {
    const [a, b] = await pair();
    const lengths = new Map<number, number>();
    for (const length of [0, 1, 63, 64, 100, 188, 189, 190, 250, 400, 445, 446, 447, 20_000]) {
      const content = new Uint8Array(length).fill(length);
      const { bytes } = await a.protect(content);
      expect(expectOk(await b.open(bytes)).content).toEqual(content);
      lengths.set(length, bytes.length);
    }
    const [shortest] = lengths.values();
    if (shortest === undefined) throw new Error("nothing sent");
    for (const length of [1, 63, 64, 100, 188]) expect(lengths.get(length)).toBe(shortest);
    for (const length of [189, 190, 250, 400]) expect(lengths.get(length)).toBe(shortest + 256);
    expect(lengths.get(447)).toBeGreaterThan(shortest + 256);
  });
});

describe("keys", () => {
  it("are the exporter's, per label, context and epoch", async () => {
    const [a, b] = await pair();
    const keys = await a.exportFrameKeys(["one", "two"]);
    expect(keys.get("two")).toEqual(await b.exportSecret("conclave frame v1", text("two"), 32));
    expect(keys.get("one")).not.toEqual(keys.get("two"));
    expect(await a.exportSecret("x", text(""), 16)).toHaveLength(16);
    await step([a, b], a, {});
    expect((await b.exportFrameKeys(["one"])).get("one")).not.toEqual(keys.get("one"));
  });

  it("seal to one person", async () => {
    const [a, b, c] = await three();
    const [info, aad] = [text("info"), text("aad")];
    const box = await a.sealTo(await b.boxKey(), info, aad, text("for b"));
    expect(box).toHaveLength(32 + 5 + 16);
    expect(await b.openBox(info, aad, box)).toEqual(text("for b"));
    expect(await c.openBox(info, aad, box)).toBeNull();
    expect(await b.openBox(info, text("other"), box)).toBeNull();
    expect(await b.openBox(text("other"), aad, box)).toBeNull();
    for (const bad of [new Uint8Array(), box.slice(0, 40), new Uint8Array(60), text("x")]) {
      expect(await b.openBox(info, aad, bad)).toBeNull();
    }
    await expect(a.sealTo(text("no key"), info, aad, text(""))).rejects.toThrow(EngineFailed);
  });

  it("sign with the device, and verify anybody's", async () => {
    const { engine, device } = await member();
    const signature = await engine.sign(text("knock"));
    expect(ed25519.verify(signature, text("knock"), device.publicKey)).toBe(true);
    expect(await engine.verify(device.publicKey, text("knock"), signature)).toBe(true);
    expect(await engine.verify(device.publicKey, text("other"), signature)).toBe(false);
    for (const bad of [new Uint8Array(), new Uint8Array(64), new Uint8Array(32).fill(255)]) {
      expect(await engine.verify(bad, text("knock"), signature)).toBe(false);
      expect(await engine.verify(device.publicKey, text("knock"), bad)).toBe(false);
    }
  });
});

describe("a browser without Ed25519 or X25519", () => {
  it("does the same with a raw key and other code", async () => {
    const device = rawDevice();
    const old = await member({ device, native: { ed25519: false, x25519: false } });
    const [a, b] = await pair();
    await step([a, b], a, {}, [old.engine]);
    await step([a, b, old.engine], old.engine, { meeting: text("by the old one") });
    expect(await exporter(old.engine)).toEqual(await exporter(b));
    const box = await old.engine.sealTo(await a.boxKey(), text(""), text(""), text("to a"));
    expect(await a.openBox(text(""), text(""), box)).toEqual(text("to a"));
    const back = await a.sealTo(await old.engine.boxKey(), text(""), text(""), text("to old"));
    expect(await old.engine.openBox(text(""), text(""), back)).toEqual(text("to old"));
    const signature = await old.engine.sign(text("x"));
    expect(await a.verify(device.publicKey, text("x"), signature)).toBe(true);
    expect(await old.engine.verify(device.publicKey, text("x"), signature)).toBe(true);
    const bad = [new Uint8Array(), new Uint8Array(64).fill(255)];
    for (const wrong of bad) {
      expect(await old.engine.verify(device.publicKey, text("x"), wrong)).toBe(false);
      expect(await old.engine.verify(wrong, text("x"), signature)).toBe(false);
    }
    // The caller's own copy of the seed stays, the engine's does not.
    const seed = device.type === "raw" ? device.seed.slice() : new Uint8Array();
    old.engine.close();
    expect(device).toMatchObject({ seed });
  });
});

describe("calls that make no sense", () => {
  it("fail, and say so", async () => {
    const engine = createEngine({ judge: agree, checkCredential });
    await expect(engine.keyPackage()).rejects.toThrow(EngineFailed);
    await expect(engine.create(GROUP_ID, MEETING)).rejects.toThrow(EngineFailed);
    const device = await webcryptoDevice();
    await engine.setUp({ device, credential: text("") });
    await expect(engine.setUp({ device, credential: text("") })).rejects.toThrow(EngineFailed);
    for (const call of [
      () => engine.commit(NOTHING),
      () => engine.merge(),
      () => engine.discard(),
      () => engine.protect(text("x")),
      () => engine.exportSecret("x", text(""), 32),
      () => engine.exportFrameKeys(["x"]),
    ]) {
      await expect(call()).rejects.toThrow(EngineFailed);
    }
    expect(await engine.undo()).toBe(false);
    expect(await engine.apply(text("x"))).toMatchObject({ reason: "wrong-group" });
    expect(await engine.open(text("x"))).toMatchObject({ reason: "wrong-group" });
    const wrong = await member({ credential: "wrong" });
    await expect(wrong.engine.create(GROUP_ID, MEETING)).rejects.toThrow(EngineFailed);
  });

  it("come after `close`", async () => {
    const [a, b] = await pair();
    await b.keyPackage();
    await b.setPsk(PSK);
    expectOk(await b.commit(NOTHING));
    b.close();
    b.close();
    await expect(b.exportSecret("x", text(""), 32)).rejects.toThrow(EngineFailed);
    await expect(b.sign(text("x"))).rejects.toThrow(EngineFailed);
    const { bytes } = await a.protect(text("x"));
    expect(await b.open(bytes)).toMatchObject({ reason: "wrong-group" });
  });

  it("do not meet each other", async () => {
    const [a, b] = await pair();
    const sent = await Promise.all([1, 2, 3, 4].map((n) => a.protect(text(`${n}`))));
    const opened = await Promise.all(sent.map(({ bytes }) => b.open(bytes)));
    expect(opened.map((one) => expectOk(one).content)).toEqual(["1", "2", "3", "4"].map(text));
  });
});

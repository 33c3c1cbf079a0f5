import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { follows, given, hex, vectors } from "../../../test/protocolVectors.ts";
import type { DeviceKey } from "../engine/contract.ts";
import { makeAccount, readAccount } from "./account.ts";
import {
  certify,
  checkCredential,
  decodeCredential,
  encodeCredential,
  memberIdentity,
} from "./credential.ts";
import { askAgain, fromPkcs8, generateKey, sign, toPkcs8, verify } from "./ed25519.ts";

const DEVICE = follows("device_key");
const CREDENTIAL = follows("credential");
const GUEST = Uint8Array.of(1, 0, 0);

const account = async () => (await fromPkcs8(toPkcs8(given("account_seed")))) as DeviceKey;
const device = async () => (await fromPkcs8(toPkcs8(given("device_seed")))) as DeviceKey;

/** A browser whose WebCrypto has no Ed25519, as Chromium before 137. */
function withoutEd25519(): void {
  const { generateKey: generate, importKey } = crypto.subtle;
  const refuse = () => Promise.reject(new DOMException("no such algorithm", "NotSupportedError"));
  const isIt = (algorithm: unknown) => algorithm === "Ed25519";
  vi.spyOn(crypto.subtle, "generateKey").mockImplementation(((...all: unknown[]) =>
    isIt(all[0]) ? refuse() : Reflect.apply(generate, crypto.subtle, all)) as never);
  vi.spyOn(crypto.subtle, "importKey").mockImplementation(((...all: unknown[]) =>
    isIt(all[2]) ? refuse() : Reflect.apply(importKey, crypto.subtle, all)) as never);
  askAgain();
}

afterEach(() => {
  vi.restoreAllMocks();
  askAgain();
});

describe.each(["WebCrypto", "noble"])("by %s", (kind) => {
  const prepare = () => {
    if (kind === "noble") withoutEd25519();
  };

  it("gives the vectors", async () => {
    prepare();
    const owner = await account();
    expect(owner.type).toBe(kind === "noble" ? "raw" : "webcrypto");
    expect(hex(owner.publicKey)).toBe(vectors.follows["account_key"]);
    expect(hex((await device()).publicKey)).toBe(vectors.follows["device_key"]);
    const credential = await certify(owner, DEVICE);
    expect(hex(credential.certificate)).toBe(vectors.follows["certificate"]);
    expect(hex(encodeCredential({ account: credential, bound: null }))).toBe(
      vectors.follows["credential"],
    );
    const signed = await sign(await device(), follows("knock_content"));
    expect(hex(signed)).toBe(vectors.follows["knock_sign"]);
    expect(await verify(DEVICE, follows("knock_content"), signed)).toBe(true);
  });

  it("takes a certified device for the account's", async () => {
    prepare();
    expect(await checkCredential(CREDENTIAL, DEVICE)).toMatchObject({
      ok: true,
      accountKey: follows("account_key"),
    });
  });

  it("refuses a certificate for another device", async () => {
    prepare();
    expect(await checkCredential(CREDENTIAL, follows("account_key"))).toEqual({ ok: false });
    expect(await checkCredential(CREDENTIAL, new Uint8Array(31))).toEqual({ ok: false });
  });

  it("refuses every changed byte", async () => {
    prepare();
    await fc.assert(
      fc.asyncProperty(fc.nat(99), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const altered = CREDENTIAL.map((byte, place) => (place === at ? byte ^ change : byte));
        expect(await checkCredential(altered, DEVICE)).toEqual({ ok: false });
      }),
      { numRuns: kind === "noble" ? 25 : 100 },
    );
  });

  it("verifies nothing of another shape", async () => {
    prepare();
    const signature = follows("knock_sign");
    const content = follows("knock_content");
    expect(await verify(new Uint8Array(32).fill(255), content, signature)).toBe(false);
    expect(await verify(DEVICE.slice(1), content, signature)).toBe(false);
    expect(await verify(DEVICE, content, signature.slice(1))).toBe(false);
    expect(await verify(DEVICE, content, new Uint8Array(64).fill(255))).toBe(false);
  });

  it("makes keys that sign", async () => {
    prepare();
    const key = await generateKey();
    const content = Uint8Array.of(1, 2, 3);
    expect(await verify(key.publicKey, content, await sign(key, content))).toBe(true);
    if (key.type === "webcrypto") expect(key.privateKey.extractable).toBe(false);
  });
});

describe("credential", () => {
  it("of a guest names nobody", async () => {
    const nobody = { account: null, bound: null };
    expect(encodeCredential(nobody)).toEqual(GUEST);
    expect(decodeCredential(GUEST)).toEqual(nobody);
    expect(await checkCredential(GUEST, DEVICE)).toEqual({
      ok: true,
      accountKey: null,
      invitation: null,
    });
  });

  it("reads back what it writes", () => {
    const decoded = decodeCredential(CREDENTIAL);
    expect(decoded && encodeCredential(decoded)).toEqual(CREDENTIAL);
  });

  it.each([
    [],
    [1],
    [1, 0],
    [0, 0, 0],
    [2, 0, 0],
    [2, 0, 0, 0],
    [2, 0, 0, 1, 9],
    [3, 0, 0],
    [1, 0, 0, 0],
    [1, 0x40, 0, 0],
    [1, 32, ...new Uint8Array(32), 0],
    [1, 0, 0x40, 64, ...new Uint8Array(64)],
    [...CREDENTIAL, 0],
    [...CREDENTIAL.slice(0, 34), 0x80, 0, 0, 64, ...CREDENTIAL.slice(36)],
  ])("is not %j", async (...bytes) => {
    expect(await checkCredential(Uint8Array.from(bytes), DEVICE)).toEqual({ ok: false });
  });

  it("is nothing that was not written so", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const decoded = decodeCredential(Uint8Array.from(bytes));
        if (decoded !== null) expect(encodeCredential(decoded)).toEqual(Uint8Array.from(bytes));
      }),
    );
  });

  it("gives the member's name in a sitting", async () => {
    const identity = await memberIdentity(DEVICE, given("instance"));
    expect(identity).toBe(vectors.follows["identity"]);
  });
});

describe("account key", () => {
  it("comes back from what the vault keeps", async () => {
    const made = await makeAccount();
    const key = await readAccount(made.pkcs8, made.publicKey);
    expect(key?.publicKey).toEqual(made.publicKey);
    const { certificate } = await certify(key as DeviceKey, DEVICE);
    const identity = encodeCredential({
      account: { accountKey: made.publicKey, certificate },
      bound: null,
    });
    expect((await checkCredential(identity, DEVICE)).ok).toBe(true);
  });

  it("is none when its halves do not belong together", async () => {
    const made = await makeAccount();
    expect(await readAccount(made.pkcs8, DEVICE)).toBeNull();
    expect(await readAccount(made.pkcs8.slice(1), made.publicKey)).toBeNull();
    expect(await readAccount(new Uint8Array(48), made.publicKey)).toBeNull();
  });
});

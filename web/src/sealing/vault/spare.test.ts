import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeShelf } from "../../../test/fakeShelf.ts";
import { hex } from "../../../test/protocolVectors.ts";
import { memoryStore, openKeyStore } from "../keys/store.ts";
import { addMeeting } from "./content.ts";
import { adoptVault, makeVault, openVault, type Place, restoreVault, type Vault } from "./vault.ts";

const MEETING = { id: "mtg_1", secret: "AAECAwQFBgcICQoLDA0ODw", title: "Planung", at: 7 };
let shelf: FakeShelf;
const device = (keys = memoryStore()): Place => ({ userId: "usr_1", shelf, keys });

beforeEach(() => {
  shelf = new FakeShelf();
  vi.stubGlobal("indexedDB", new IDBFactory());
});

async function made(place: Place) {
  const making = await makeVault(place);
  if (making.type !== "made") throw new Error(making.type);
  await making.vault.change(addMeeting(MEETING));
  return making;
}

async function opened(place: Place): Promise<Vault> {
  const opening = await openVault(place);
  if (opening.type !== "open") throw new Error(opening.type);
  return opening.vault;
}

const copyOf = (vault: Vault) => vault.withKey(null, async (bytes) => bytes.slice());

describe("the vault key for a further device", () => {
  it("opens the vault there, after a reload too, and can be handed on", async () => {
    await made(device(await openKeyStore()));
    const key = await copyOf(await opened(device(await openKeyStore())));
    expect(key).toHaveLength(32);
    const far = device();
    const adopted = await adoptVault(far, key as Uint8Array);
    if (adopted.type !== "open") throw new Error(adopted.type);
    expect(adopted.vault.content.meetings).toEqual([MEETING]);
    const again = await opened(far);
    expect(again.account.publicKey).toEqual(adopted.vault.account.publicKey);
    expect(hex(await copyOf(again))).toBe(hex(key));
  });

  it("is what the 24 words open as well", async () => {
    const { vault, recoverySecret } = await made(device());
    const restored = await restoreVault(device(), recoverySecret);
    if (restored.type !== "open") throw new Error(restored.type);
    expect(hex(await copyOf(restored.vault))).toBe(hex(await copyOf(vault)));
  });

  it("is gone from memory when it has been used, and nowhere in what is kept", async () => {
    const keys = memoryStore();
    const { vault } = await made(device(keys));
    let seen: Uint8Array | undefined;
    const key = await vault.withKey(null, async (bytes) => {
      seen = bytes;
      return hex(bytes);
    });
    expect(hex(seen ?? null)).toBe("00".repeat(32));
    for (const name of await keys.names()) {
      const value = await keys.get(name);
      const parts = value instanceof CryptoKey ? [value] : Object.values(value as object);
      for (const part of parts) {
        if (part instanceof CryptoKey) expect(part.extractable).toBe(false);
        else if (part instanceof Uint8Array) expect(hex(part)).not.toContain(key);
      }
    }
  });

  it("cannot be read out by a browser that has none to spare, but for the words", async () => {
    const keys = memoryStore();
    const { vault, recoverySecret } = await made(device(keys));
    const key = hex(await copyOf(vault));
    await keys.remove("vault-spare.usr_1");
    expect(await copyOf(vault)).toBeNull();
    expect(hex(await vault.withKey(recoverySecret, async (bytes) => bytes.slice()))).toBe(key);
    expect(await vault.withKey(new Uint8Array(32), async () => "never")).toBeNull();
    for (const broken of [7, {}, { lock: 1, wrapped: new Uint8Array(60) }]) {
      await keys.put("vault-spare.usr_1", broken);
      expect(await copyOf(vault)).toBeNull();
    }
  });

  it("that is damaged in this browser is not handed on", async () => {
    const keys = memoryStore();
    const { vault } = await made(device(keys));
    const spare = (await keys.get("vault-spare.usr_1")) as { wrapped: Uint8Array };
    await keys.put("vault-spare.usr_1", {
      ...spare,
      wrapped: spare.wrapped.with(20, (spare.wrapped[20] ?? 0) ^ 1),
    });
    expect(await copyOf(vault)).toBeNull();
  });

  it("is refused and not kept when it is another one", async () => {
    await made(device());
    const far = device();
    for (const bytes of [new Uint8Array(32), new Uint8Array(31), new Uint8Array()]) {
      expect(await adoptVault(far, bytes)).toEqual({ type: "other-key" });
    }
    expect(await openVault(far)).toEqual({ type: "locked" });
    shelf.answer = "unavailable";
    expect(await adoptVault(far, new Uint8Array(32))).toEqual({ type: "unavailable" });
    shelf = new FakeShelf();
    expect(await adoptVault(device(), new Uint8Array(32))).toEqual({ type: "none" });
  });
});

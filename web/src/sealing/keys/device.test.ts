import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deviceKey, forgetDeviceKey, type Holder } from "./device.ts";
import { askAgain, sign, verify } from "./ed25519.ts";
import { memoryStore, openKeyStore } from "./store.ts";

const GUEST: Holder = { type: "guest", meetingId: "mtg_1" };
const USER: Holder = { type: "user", userId: "usr_1" };
const NOW = 1_793_611_800_000;
const DAY = 86_400_000;

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
  vi.stubGlobal("IDBKeyRange", IDBKeyRange);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  askAgain();
});

describe("a device key", () => {
  it("is the same after a reload, and cannot be read out", async () => {
    const first = await deviceKey(await openKeyStore(), USER, NOW);
    const second = await deviceKey(await openKeyStore(), USER, NOW);
    expect(first.notes).toEqual([]);
    expect(second.key.publicKey).toEqual(first.key.publicKey);
    const content = Uint8Array.of(1);
    expect(await verify(first.key.publicKey, content, await sign(second.key, content))).toBe(true);
    expect(second.key.type === "webcrypto" && second.key.privateKey.extractable).toBe(false);
  });

  it("is another one for each meeting and each user", async () => {
    const store = await openKeyStore();
    const holders: Holder[] = [
      GUEST,
      USER,
      { type: "guest", meetingId: "mtg_2" },
      { type: "guest", meetingId: "usr_1" },
      { type: "user", userId: "usr_2" },
    ];
    const keys = await Promise.all(holders.map((holder) => deviceKey(store, holder, NOW)));
    expect(new Set(keys.map(({ key }) => key.publicKey.join())).size).toBe(holders.length);
  });

  it("is one when two tabs make it at once", async () => {
    const [one, other] = await Promise.all([openKeyStore(), openKeyStore()]);
    const keys = await Promise.all([deviceKey(one, GUEST, NOW), deviceKey(other, GUEST, NOW)]);
    expect(keys[0].key.publicKey).toEqual(keys[1].key.publicKey);
  });

  it("can be forgotten", async () => {
    const store = await openKeyStore();
    const first = await deviceKey(store, GUEST, NOW);
    await forgetDeviceKey(store, GUEST);
    expect(await store.names()).toEqual([]);
    const second = await deviceKey(store, GUEST, NOW);
    expect(second.key.publicKey).not.toEqual(first.key.publicKey);
  });

  it("of a guest goes after thirty days; a user's stays", async () => {
    const store = await openKeyStore();
    await deviceKey(store, GUEST, NOW);
    await deviceKey(store, USER, NOW);
    await store.put("guest.mtg_odd", "no key");
    await deviceKey(store, { type: "guest", meetingId: "mtg_2" }, NOW + 31 * DAY);
    expect([...(await store.names())].sort()).toEqual(["guest.mtg_2", "user.usr_1"]);
  });

  it.each([
    ["text", "no key"],
    ["null", null],
    ["half of one", { publicKey: new Uint8Array(32), at: 1 }],
  ])("replaces %s in its place", async (_what, value) => {
    const store = await openKeyStore();
    await store.put("user.usr_1", value);
    const made = await deviceKey(store, USER, NOW);
    expect(made.notes).toEqual([]);
    expect((await deviceKey(store, USER, NOW)).key.publicKey).toEqual(made.key.publicKey);
  });
});

describe("what is less than that is said", () => {
  it("in a window without IndexedDB", async () => {
    vi.stubGlobal("indexedDB", undefined);
    const store = await openKeyStore();
    const first = await deviceKey(store, GUEST, NOW);
    expect(first.notes).toEqual(["forgotten-after-reload"]);
    expect(first.key.type).toBe("webcrypto");
    const again = await deviceKey(store, GUEST, NOW);
    expect(again.key.publicKey).toEqual(first.key.publicKey);
    expect(again.notes).toEqual(["forgotten-after-reload"]);
  });

  it.each(["onerror", "onblocked"] as const)("where opening ends in %s", async (event) => {
    const opening: Record<string, unknown> = { error: new DOMException("no", "UnknownError") };
    vi.stubGlobal("indexedDB", {
      open: () => {
        queueMicrotask(() => (opening[event] as () => void)());
        return opening;
      },
    });
    expect((await openKeyStore()).isLasting).toBe(false);
  });

  it("where keys cannot be written", async () => {
    const store = {
      ...memoryStore(),
      isLasting: true,
      add: () => Promise.reject(new Error("full")),
    };
    expect((await deviceKey(store, GUEST, NOW)).notes).toEqual(["forgotten-after-reload"]);
  });

  it("where keys cannot be read", async () => {
    const store = {
      ...memoryStore(),
      isLasting: true,
      get: () => Promise.reject(new Error("gone")),
    };
    expect((await deviceKey(store, USER, NOW)).notes).toEqual([]);
  });

  it("where another tab has put something else there", async () => {
    const store = { ...memoryStore(), isLasting: true, add: async () => "no key" };
    expect((await deviceKey(store, USER, NOW)).notes).toEqual(["forgotten-after-reload"]);
  });

  it("without Ed25519 in WebCrypto", async () => {
    vi.spyOn(crypto.subtle, "generateKey").mockRejectedValue(new DOMException("no"));
    askAgain();
    const store = await openKeyStore();
    const made = await deviceKey(store, GUEST, NOW);
    expect(made.key.type).toBe("raw");
    expect(made.notes).toEqual(["key-extractable", "forgotten-after-reload"]);
    expect(await store.names()).toEqual([]);
  });
});

describe("the store", () => {
  it.each(["memory", "IndexedDB"])("in %s keeps, adds once, removes", async (kind) => {
    const store = kind === "memory" ? memoryStore() : await openKeyStore();
    expect(await store.get("a")).toBeUndefined();
    await store.put("a", 1);
    expect(await store.add("a", 2)).toBe(1);
    expect(await store.add("b", 2)).toBe(2);
    await store.remove("a");
    expect(await store.names()).toEqual(["b"]);
  });

  it("rejects what it cannot hold, and goes on", async () => {
    const store = await openKeyStore();
    await expect(store.put("a", () => 1)).rejects.toThrow();
    await store.put("a", 1);
    expect(await store.get("a")).toBe(1);
  });

  it("lets a newer page change the database", async () => {
    await openKeyStore();
    await new Promise((resolve, reject) => {
      const opening = indexedDB.open("conclave", 2);
      opening.onsuccess = resolve;
      opening.onerror = reject;
      opening.onblocked = reject;
    });
  });
});

import { IDBFactory } from "fake-indexeddb";
import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { follows, given, hex, MEETING, vectors } from "../../../test/protocolVectors.ts";
import { b64 } from "../keys/bytes.ts";
import { certify, checkCredential, encodeCredential } from "../keys/credential.ts";
import { hostFingerprint, isHost, makeLink } from "../keys/link.ts";
import { type KeyStore, memoryStore, openKeyStore } from "../keys/store.ts";
import { readRecoveryWords, recoveryWords } from "../words/recovery.ts";
import { loadWords } from "../words/wordList.ts";
import {
  addMeeting,
  decodeContent,
  encodeContent,
  MOST_BLOCKED,
  pinAccount,
  removeMeetings,
  renameMeeting,
  setBlocked,
  unpinAccount,
  type VaultContent,
} from "./content.ts";
import {
  addInvited,
  invitedOf,
  MOST_INVITED,
  pinDevices,
  unpinDevice,
  type VaultInvited,
} from "./invited.ts";
import {
  makeVaultKey,
  openContent,
  sealContent,
  splitStored,
  unwrapVaultKey,
  wrappingKey,
} from "./seal.ts";
import type { Shelf } from "./shelf.ts";
import {
  forgetVault,
  makeVault,
  openVault,
  type Place,
  repairVault,
  restoreVault,
  type Vault,
} from "./vault.ts";

const at = Number(vectors.given["at"]);
const KEY = "bw8O6z-_-SXGbQPhnc5I1e3J_-5RzSaucd055W9_3aI";
const meeting = (id: string, title = "Planung") => ({
  id,
  secret: "AAECAwQFBgcICQoLDA0ODw",
  title,
  at,
});

const invited = (more: Partial<VaultInvited> = {}): VaultInvited => ({
  seed: "EBESExQVFhcYGRobHB0eHw",
  name: "Anna Berg",
  role: "attendee",
  until: 0,
  at,
  ...more,
});
const seedOf = (place: number) =>
  Buffer.from(Array.from({ length: 16 }, (_, at) => (place >> (8 * at)) & 255)).toString(
    "base64url",
  );

/** The server: compare and set, nothing else. Everything that reached it is in `seen`. */
class FakeShelf implements Shelf {
  bytes: Uint8Array | null = null;
  version = 0;
  isAway = false;
  readonly seen: Uint8Array[] = [];
  /** Runs once before the next write arrives. */
  before: (() => Promise<unknown>) | null = null;

  async fetch() {
    if (this.isAway) return { type: "unavailable" } as const;
    if (this.bytes === null) return { type: "none" } as const;
    return { type: "found", bytes: this.bytes.slice(), version: `"${this.version}"` } as const;
  }

  async store(bytes: Uint8Array, version: string | null) {
    if (this.isAway) return { type: "unavailable" } as const;
    const { before } = this;
    this.before = null;
    await before?.();
    const present = this.bytes === null ? null : `"${this.version}"`;
    if (version !== present) return { type: "conflict" } as const;
    this.bytes = bytes.slice();
    this.seen.push(this.bytes);
    this.version += 1;
    return { type: "stored", version: `"${this.version}"` } as const;
  }
}

let shelf: FakeShelf;
const device = (keys: KeyStore = memoryStore()): Place => ({ userId: "usr_1", shelf, keys });

beforeEach(() => {
  shelf = new FakeShelf();
  vi.stubGlobal("indexedDB", new IDBFactory());
});

async function made(place = device()): Promise<{ vault: Vault; recoverySecret: Uint8Array }> {
  const making = await makeVault(place);
  if (making.type !== "made") throw new Error(making.type);
  return making;
}

async function opened(place: Place): Promise<Vault> {
  const opening = await openVault(place);
  if (opening.type !== "open") throw new Error(opening.type);
  return opening.vault;
}

const ids = (vault: Vault) => vault.content.meetings.map(({ id }) => id);

describe("vectors", () => {
  it("wraps the vault key", async () => {
    const wrapping = await wrappingKey(given("recovery_secret"));
    const raw = await crypto.subtle.importKey("raw", given("vault_key"), "AES-GCM", true, [
      "encrypt",
      "decrypt",
    ]);
    const { key, wrapped } = await makeVaultKey(wrapping, raw, given("wrap_nonce"));
    expect(hex(wrapped)).toBe(vectors.follows["wrapped_vault_key"]);
    expect(key.extractable).toBe(false);
    const content = decodeContent(new TextEncoder().encode(vectors.follows["vault_json"]));
    const blob = await sealContent(key, content as VaultContent, given("vault_nonce"));
    expect(hex(blob)).toBe(vectors.follows["vault_blob"]);
    const again = await unwrapVaultKey(wrapping, follows("wrapped_vault_key"));
    expect(again && (await openContent(again.key, follows("vault_blob")))).toEqual(content);
  });
});

describe("a vault", () => {
  it("does not exist at first", async () => {
    expect(await openVault(device())).toEqual({ type: "none" });
    expect(await restoreVault(device(), new Uint8Array(32))).toEqual({ type: "none" });
  });

  it("keeps what was put into it, on this device after a reload", async () => {
    const { vault } = await made(device(await openKeyStore()));
    expect(vault.isRemembered).toBe(true);
    expect(await vault.change(addMeeting(meeting(MEETING)))).toEqual({ type: "stored" });
    const again = await opened(device(await openKeyStore()));
    expect(again.content.meetings).toEqual([meeting(MEETING)]);
    expect(again.account.publicKey).toEqual(vault.account.publicKey);
  });

  it("comes back with the 24 words on another device", async () => {
    const { vault, recoverySecret } = await made();
    await vault.change(addMeeting(meeting(MEETING)));
    const other = device();
    expect(await openVault(other)).toEqual({ type: "locked" });
    const list = await loadWords("de");
    const read = await readRecoveryWords((await recoveryWords(recoverySecret, list)).join(" "), [
      list,
    ]);
    const restored = await restoreVault(
      other,
      read.type === "read" ? read.secret : new Uint8Array(32),
    );
    expect(restored.type === "open" && ids(restored.vault)).toEqual([MEETING]);
    expect(ids(await opened(other))).toEqual([MEETING]);
  });

  it("holds the account that certifies devices and hosts meetings", async () => {
    const { vault } = await made();
    const deviceKey = follows("device_key");
    const account = await certify(vault.account, deviceKey);
    const identity = encodeCredential({ account, bound: null });
    const { publicKey } = vault.account;
    expect(await checkCredential(identity, deviceKey)).toMatchObject({
      ok: true,
      accountKey: publicKey,
    });
    const link = await makeLink(publicKey);
    expect(link.fingerprint).toEqual(await hostFingerprint(publicKey));
    expect(await isHost(link, publicKey)).toBe(true);
  });

  it("is made once: the slower browser opens the other's", async () => {
    await made();
    expect(await makeVault(device())).toEqual({ type: "exists" });
    expect(shelf.version).toBe(1);
  });

  it("lets nothing out but ciphertext", async () => {
    const { vault, recoverySecret } = await made();
    await vault.change(addMeeting(meeting(MEETING, "Kanarienvogel")));
    await vault.change(pinAccount({ key: KEY, name: "Rotkehlchen", at }));
    const all = Buffer.concat(shelf.seen);
    for (const secret of [MEETING, "Kanarienvogel", "Rotkehlchen", KEY, "AAECAwQF"]) {
      expect(all.includes(secret)).toBe(false);
    }
    for (const secret of [recoverySecret, vault.content.account.pkcs8, vault.account.publicKey]) {
      expect(all.includes(Buffer.from(secret))).toBe(false);
    }
  });

  it("is not opened by other words", async () => {
    await made();
    const place = device();
    expect(await restoreVault(place, new Uint8Array(32))).toEqual({ type: "other-words" });
    expect(await place.keys.names()).toEqual([]);
  });

  it("is somebody's own: another user of this browser does not open it", async () => {
    const place = device();
    await made(place);
    expect(await openVault({ ...place, userId: "usr_2" })).toEqual({ type: "locked" });
  });

  it("is locked again where it was forgotten", async () => {
    const place = device();
    await made(place);
    await forgetVault(place);
    expect(await openVault(place)).toEqual({ type: "locked" });
    expect(await place.keys.names()).toEqual([]);
  });

  it("works for the sitting where nothing can be kept, and says so", async () => {
    const broken = {
      ...memoryStore(),
      get: () => Promise.reject(new Error("no")),
      put: () => Promise.reject(new Error("no")),
    };
    const { vault } = await made(device(broken));
    expect(vault.isRemembered).toBe(false);
    expect(await vault.change(addMeeting(meeting("a")))).toEqual({ type: "stored" });
    expect(await openVault(device(broken))).toEqual({ type: "locked" });
  });
});

describe("two devices at once", () => {
  it("lose nothing", async () => {
    const { vault: one, recoverySecret } = await made();
    const restored = await restoreVault(device(), recoverySecret);
    if (restored.type !== "open") throw new Error(restored.type);
    const other = restored.vault;
    await one.change(addMeeting(meeting("a")));
    await Promise.all([
      one.change(addMeeting(meeting("b"))),
      other.change(addMeeting(meeting("c"))),
      one.change(pinAccount({ key: KEY, name: "Zoë", at })),
      other.change(renameMeeting("a", "Neu")),
    ]);
    await Promise.all([one.refresh(), other.refresh()]);
    expect(one.content).toEqual(other.content);
    expect(ids(one).sort()).toEqual(["a", "b", "c"]);
    expect(one.content.meetings.find(({ id }) => id === "a")?.title).toBe("Neu");
    expect(one.content.pins).toHaveLength(1);
  });

  it("lose no invitation, and pin one device", async () => {
    const { vault: one, recoverySecret } = await made();
    const restored = await restoreVault(device(), recoverySecret);
    if (restored.type !== "open") throw new Error(restored.type);
    const other = restored.vault;
    const [anna, ben, carl] = [1, 2, 3].map((place) => invited({ seed: seedOf(place) }));
    if (!anna || !ben || !carl) throw new Error("three");
    await one.change(addMeeting(meeting("a")));
    await one.change(addInvited("a", [anna]));
    const second = KEY.replace("b", "c");
    await Promise.all([
      one.change(addInvited("a", [ben])),
      other.change(addInvited("a", [carl])),
      one.change(pinDevices("a", new Map([[anna.seed, KEY]]))),
    ]);
    await other.change(pinDevices("a", new Map([[anna.seed, second]])));
    await Promise.all([one.refresh(), other.refresh()]);
    expect(one.content).toEqual(other.content);
    const seeds = invitedOf(one.content, "a").map(({ seed }) => seed);
    expect(seeds.toSorted()).toEqual([anna.seed, ben.seed, carl.seed].toSorted());
    expect(invitedOf(one.content, "a")[0]?.device).toBe(KEY);
  });

  it("converge, whatever they do", async () => {
    const id = fc.constantFrom("a", "b", "c");
    const change = fc.oneof(
      fc.record({ what: fc.constant("add" as const), id }),
      fc.record({ what: fc.constant("rename" as const), id }),
      fc.record({ what: fc.constant("remove" as const), id }),
    );
    const step = fc.record({ who: fc.nat(1), change, isWaiting: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        shelf = new FakeShelf();
        const { vault: one, recoverySecret } = await made();
        const restored = await restoreVault(device(), recoverySecret);
        const vaults = [one, restored.type === "open" ? restored.vault : one];
        const work = [];
        for (const { who, change: wish, isWaiting } of steps) {
          const vault = vaults[who] as Vault;
          const made = {
            add: addMeeting(meeting(wish.id)),
            rename: renameMeeting(wish.id, "Neu"),
            remove: removeMeetings([wish.id]),
          }[wish.what];
          work.push(vault.change(made));
          if (isWaiting) await Promise.all(work);
        }
        expect((await Promise.all(work)).every(({ type }) => type === "stored")).toBe(true);
        await Promise.all(vaults.map((vault) => vault.refresh()));
        expect(vaults[0]?.content).toEqual(vaults[1]?.content);
      }),
      { numRuns: 20 },
    );
  });

  it("give up after a while, and say so", async () => {
    const { vault } = await made();
    const rude = async () => {
      shelf.version += 1;
      shelf.before = rude;
    };
    shelf.before = rude;
    expect(await vault.change(addMeeting(meeting("a")))).toEqual({ type: "unavailable" });
    shelf.before = null;
    expect(ids(vault)).toEqual([]);
    expect(await vault.change(addMeeting(meeting("a")))).toEqual({ type: "stored" });
  });
});

describe("damage", () => {
  it.each([0, 30, 59, 60, 75, 120])("at byte %i is said, and never written over", async (place) => {
    const keys = memoryStore();
    const { vault, recoverySecret } = await made(device(keys));
    await vault.change(addMeeting(meeting("a")));
    const bytes = shelf.bytes as Uint8Array;
    bytes[place] = (bytes[place] as number) ^ 1;
    shelf.version += 1;
    const before = bytes.slice();
    const isWrapped = place < 60;
    // The wrapped key is not needed where the key is known.
    const opening = await openVault(device(keys));
    expect(opening.type).toBe(isWrapped ? "open" : "damaged");
    expect((await restoreVault(device(), recoverySecret)).type).toBe(
      isWrapped ? "other-words" : "damaged",
    );
    if (!isWrapped) {
      expect(await vault.change(addMeeting(meeting("b")))).toEqual({ type: "damaged" });
      expect(shelf.bytes).toEqual(before);
    }
  });

  it.each([0, 1, 87, 1024 * 1024 + 1])("%i bytes are no vault", async (length) => {
    const keys = memoryStore();
    const { vault, recoverySecret } = await made(device(keys));
    shelf.bytes = new Uint8Array(length);
    expect(await openVault(device(keys))).toEqual({ type: "damaged", canRepair: true });
    expect(await restoreVault(device(), recoverySecret)).toEqual({ type: "damaged" });
    expect(await vault.refresh()).toEqual({ type: "damaged" });
    expect(splitStored(shelf.bytes)).toBeNull();
  });

  it("is repaired with what this browser read last", async () => {
    const keys = await openKeyStore();
    const { vault } = await made(device(keys));
    await vault.change(addMeeting(meeting("a")));
    shelf.bytes = new Uint8Array(500);
    shelf.version += 1;
    const repaired = await repairVault(device(keys));
    expect(repaired.type === "open" && ids(repaired.vault)).toEqual(["a"]);
  });

  it("is repaired when the server has lost it all", async () => {
    const keys = memoryStore();
    const { vault } = await made(device(keys));
    shelf.bytes = null;
    expect(await vault.change(addMeeting(meeting("a")))).toEqual({ type: "none" });
    expect(await openVault(device(keys))).toEqual({ type: "damaged", canRepair: true });
    expect((await repairVault(device(keys))).type).toBe("open");
  });

  it("is not repaired where nothing is known, nor what is whole", async () => {
    const keys = memoryStore();
    const place = device(keys);
    await made(place);
    const { version } = shelf;
    expect((await repairVault(place)).type).toBe("open");
    await keys.remove("vault-copy.usr_1");
    shelf.bytes = new Uint8Array(500);
    expect(await repairVault(place)).toEqual({ type: "damaged", canRepair: false });
    expect(shelf.version).toBe(version);
  });

  it("does not repair what it cannot reach", async () => {
    const keys = memoryStore();
    await made(device(keys));
    shelf.isAway = true;
    expect(await repairVault(device(keys))).toEqual({ type: "unavailable" });
  });

  it("of the account in it is damage", async () => {
    const wrapping = await wrappingKey(new Uint8Array(32));
    const { key, wrapped } = await makeVaultKey(wrapping);
    const account = { pkcs8: new Uint8Array(48), publicKey: new Uint8Array(32) };
    const blob = await sealContent(key, { account, meetings: [], pins: [] });
    shelf.bytes = Uint8Array.from([...wrapped, ...blob]);
    expect(await restoreVault(device(), new Uint8Array(32))).toEqual({ type: "damaged" });
  });
});

describe("a server that does not answer", () => {
  it("is no vault that is lost", async () => {
    const keys = memoryStore();
    const { vault } = await made(device(keys));
    shelf.isAway = true;
    const away = { type: "unavailable" };
    expect(await openVault(device(keys))).toEqual(away);
    expect(await makeVault(device())).toEqual(away);
    expect(await restoreVault(device(), new Uint8Array(32))).toEqual(away);
    expect(await vault.change(addMeeting(meeting("a")))).toEqual(away);
    expect(await vault.refresh()).toEqual(away);
    shelf.isAway = false;
    expect(await vault.change(addMeeting(meeting("b")))).toEqual({ type: "stored" });
    expect(ids(vault)).toEqual(["b"]);
  });

  it("is told apart from a vault that is full", async () => {
    const { vault } = await made();
    const huge = addMeeting(meeting("a", "x".repeat(1024 * 1024)));
    expect(await vault.change(huge)).toEqual({ type: "full" });
    expect(ids(vault)).toEqual([]);
  });
});

describe("content", () => {
  const content = decodeContent(
    new TextEncoder().encode(vectors.follows["vault_json"]),
  ) as VaultContent;

  it("comes back", () => {
    expect(decodeContent(encodeContent(content))).toEqual(content);
  });

  it("is changed in one place", () => {
    const added = addMeeting(meeting("x"))(content);
    expect(added.meetings).toHaveLength(2);
    expect(addMeeting(meeting("x", "Neu"))(added).meetings).toHaveLength(2);
    expect(renameMeeting("x", "Neu")(added).meetings.at(-1)?.title).toBe("Neu");
    expect(renameMeeting("gone", "Neu")(content)).toEqual(content);
    expect(removeMeetings(["x"])(added)).toEqual(content);
    expect(pinAccount({ key: KEY, name: "Neu", at })(content).pins).toHaveLength(1);
    expect(unpinAccount(KEY)(content).pins).toEqual([]);
  });

  it("keeps whom a meeting invited, and comes back with them", () => {
    const entry = invited({ role: "cohost", until: 1_793_611_800, device: KEY });
    const added = addInvited(MEETING, [invited({ seed: seedOf(1) }), entry])(content);
    expect(decodeContent(encodeContent(added))).toEqual(added);
    expect(addInvited(MEETING, [entry])(added)).toEqual(added);
    expect(addInvited("gone", [entry])(content)).toEqual(content);
    expect(renameMeeting(MEETING, "Neu")(added).meetings[0]?.invited).toHaveLength(2);
    const { device: _, ...unpinned } = entry;
    expect(invitedOf(unpinDevice(MEETING, entry.seed)(added), MEETING)[1]).toEqual(unpinned);
    expect(invitedOf(removeMeetings([MEETING])(added), MEETING)).toEqual([]);
  });

  it("takes nothing in that would make it unreadable", () => {
    const good = invited();
    for (const bad of [{ until: Number.NaN }, { seed: "AA" }, { device: "AA" }]) {
      const entries = [good, invited({ seed: seedOf(1), ...bad })];
      expect(invitedOf(addInvited(MEETING, entries)(content), MEETING)).toEqual([]);
    }
    const added = addInvited(MEETING, [good])(content);
    for (const device of ["", "AA", "no base64url?", "x".repeat(9_999)]) {
      expect(pinDevices(MEETING, new Map([[good.seed, device]]))(added)).toEqual(added);
    }
  });

  it("keeps which devices stay outside, 200 at most and nothing that is no key", () => {
    const shut = setBlocked(MEETING, [KEY, "AA", "no key?"])(content);
    expect(shut.meetings[0]?.blocked).toEqual([KEY]);
    expect(decodeContent(encodeContent(shut))).toEqual(shut);
    expect(setBlocked("gone", [KEY])(content)).toEqual(content);
    expect(setBlocked(MEETING, [])(shut).meetings[0]?.blocked).toEqual([]);
    const keys = Array.from({ length: MOST_BLOCKED + 1 }, (_, place) =>
      b64(Uint8Array.from({ length: 32 }, (__, at) => (at === 0 ? place : 1))),
    );
    const full = setBlocked(MEETING, keys)(content);
    expect(full.meetings[0]?.blocked).toEqual(keys.slice(1));
    const over = { ...full.meetings[0], blocked: keys };
    for (const blocked of [over.blocked, null, {}, [7], ["AA"]]) {
      const text = JSON.stringify({ ...stored, meetings: [{ ...meeting("x"), blocked }] });
      expect(decodeContent(new TextEncoder().encode(text))).toBeNull();
    }
  });

  it("invites 1,000 at most, and none of those who do not all fit", () => {
    const many = Array.from({ length: MOST_INVITED }, (_, place) =>
      invited({ seed: seedOf(place) }),
    );
    const full = addInvited(MEETING, many)(content);
    expect(invitedOf(full, MEETING)).toHaveLength(MOST_INVITED);
    expect(addInvited(MEETING, [invited({ seed: seedOf(5_000) })])(full)).toEqual(full);
    expect(decodeContent(encodeContent(full))).toEqual(full);
    const [first] = full.meetings;
    const over = { ...first, invited: [...many, invited({ seed: seedOf(5_000) })] };
    const bytes = encodeContent({ ...full, meetings: [over as (typeof full.meetings)[number]] });
    expect(decodeContent(bytes)).toBeNull();
  });

  it.each<[string, unknown]>([
    ["a list of none", [null]],
    ["no list", {}],
    ["null", null],
    ["a short seed", [{ ...invited(), seed: "AA" }]],
    ["a seed that is none", [{ ...invited(), seed: 7 }]],
    ["no name", [{ ...invited(), name: null }]],
    ["an unknown role", [{ ...invited(), role: "host" }]],
    ["a time before all times", [{ ...invited(), until: -1 }]],
    ["half a second", [{ ...invited(), until: 0.5 }]],
    ["no end", [{ ...invited(), until: undefined }]],
    ["no time", [{ ...invited(), at: "now" }]],
    ["a device that is none", [{ ...invited(), device: "AA" }]],
    ["a device that is null", [{ ...invited(), device: null }]],
  ])("is not one whose invited are %s", (_what, value) => {
    const text = JSON.stringify({ ...stored, meetings: [{ ...meeting("x"), invited: value }] });
    expect(decodeContent(new TextEncoder().encode(text))).toBeNull();
  });

  const stored = JSON.parse(vectors.follows["vault_json"] ?? "{}") as Record<string, unknown>;
  it.each([
    ["", ""],
    ["{", "{"],
    ["null", null],
    ["a list", []],
    ["another version", { ...stored, v: 2 }],
    ["no account", { ...stored, account: undefined }],
    ["a list for an account", { ...stored, account: [] }],
    ["a short key", { ...stored, account: { key: "AA", public: "AA" } }],
    ["no key", { ...stored, account: { public: KEY } }],
    ["no meetings", { ...stored, meetings: undefined }],
    ["meetings that are none", { ...stored, meetings: [null] }],
    ["a meeting without an id", { ...stored, meetings: [{ ...meeting("x"), id: 7 }] }],
    ["a meeting without a title", { ...stored, meetings: [{ ...meeting("x"), title: null }] }],
    ["a meeting without a time", { ...stored, meetings: [{ ...meeting("x"), at: "now" }] }],
    ["a damaged secret", { ...stored, meetings: [{ ...meeting("x"), secret: "AA" }] }],
    ["a secret that is none", { ...stored, meetings: [{ ...meeting("x"), secret: 7 }] }],
    ["pins that are none", { ...stored, pins: ["x"] }],
    ["a pin without a name", { ...stored, pins: [{ key: KEY, at }] }],
    ["a pin without a time", { ...stored, pins: [{ key: KEY, name: "x" }] }],
    ["a damaged pin", { ...stored, pins: [{ key: "AA", name: "x", at }] }],
  ])("is not %s", (_what, value) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    expect(decodeContent(new TextEncoder().encode(text))).toBeNull();
  });

  it("is no other bytes", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((t) => new TextEncoder().encode(t)),
        ),
        (b) => {
          expect(decodeContent(Uint8Array.from(b))).toBeNull();
        },
      ),
    );
  });
});

import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeShelf } from "../../test/fakeShelf.ts";
import { b64 } from "../sealing/keys/bytes.ts";
import {
  decodeInvitation,
  invitationKey,
  invitedName,
  isSignedByAccount,
} from "../sealing/keys/invitation.ts";
import {
  deriveLinkKeys,
  formatFragment,
  hostFingerprint,
  isHost,
  parseFragment,
} from "../sealing/keys/link.ts";
import { type KeyStore, memoryStore } from "../sealing/keys/store.ts";
import { aloneShelf, type Lock } from "./aloneShelf.ts";
import { KeyRing } from "./keyRing.ts";
import { CLOSED, type KeyRingView } from "./view.ts";

const ROOM = "mtg_6mg8p21800ag05s2ctversgyed";
const OTHER = "mtg_00000000000000000000000001";

/** One after the other for each name, as between the tabs of a browser. */
function tabLock(): Lock {
  const tails = new Map<string, Promise<unknown>>();
  return (name, work) => {
    const mine = (tails.get(name) ?? Promise.resolve()).then(work);
    tails.set(
      name,
      mine.catch(() => undefined),
    );
    return mine;
  };
}

let shelf: FakeShelf;

interface Browser {
  readonly keys: KeyStore;
  readonly lock: Lock;
}

const browser = (): Browser => ({ keys: memoryStore(), lock: tabLock() });

/** A tab of a browser. */
function tab({ keys, lock }: Browser = browser()) {
  let view: KeyRingView = CLOSED;
  const show = (shown: KeyRingView) => {
    view = shown;
  };
  const ring = new KeyRing({ userId: "usr_1", shelf, keys, lock, now: () => 7, show });
  return { ring, view: () => view };
}

const fragmentOf = (view: KeyRingView, id = ROOM) => view.rooms.get(id)?.fragment ?? "none";

async function link(fragment: string) {
  const parsed = parseFragment(fragment);
  if (parsed.type !== "link") throw new Error(parsed.type);
  return parsed.link;
}

beforeEach(() => {
  shelf = new FakeShelf();
  vi.stubGlobal("window", {});
});

describe("a key ring", () => {
  it("is made at the first opening, and its 24 words stay until they are on paper", async () => {
    const home = browser();
    const first = tab(home);
    expect(await first.ring.open()).toBe("open");
    expect(first.view().hasUnwrittenWords).toBe(true);
    const words = await first.ring.words("en");
    expect(words).toHaveLength(24);

    expect(await first.ring.isWord(6, ` ${words?.[6]?.toUpperCase()} `, "en")).toBe(true);
    expect(await first.ring.isWord(6, words?.[7] ?? "", "en")).toBe(false);
    expect(await first.ring.isWord(6, "", "en")).toBe(false);

    const second = tab(home);
    expect(await second.ring.open()).toBe("open");
    expect(await second.ring.words("en")).toEqual(words);
    await second.ring.wordsAreWritten();
    expect(second.view().hasUnwrittenWords).toBe(false);
    expect(await second.ring.words("de")).toBeNull();
    expect(await second.ring.isWord(6, words?.[6] ?? "", "en")).toBe(false);
    const third = tab(home);
    await third.ring.open();
    expect(third.view().hasUnwrittenWords).toBe(false);
  });

  it("is made once, by however many tabs", async () => {
    const home = browser();
    const tabs = [tab(home), tab(home), tab(home)];
    const statuses = await Promise.all(tabs.map(({ ring }) => ring.open()));
    expect(statuses).toEqual(["open", "open", "open"]);
    expect(shelf.version).toBe(1);
  });

  it("gives a room a link that names its person as host", async () => {
    const { ring, view } = tab();
    expect(await ring.canHost()).toBe(true);
    const room = await ring.addRoom(ROOM, "  Planung  ");
    expect(room?.isKept).toBe(true);
    expect(view().rooms.get(ROOM)).toEqual({ fragment: room?.fragment, title: "Planung" });
    const vault = await ring.vaultOf(ROOM);
    const named = await link(room?.fragment ?? "");
    expect(await isHost(named, vault?.account.publicKey ?? null)).toBe(true);
  });

  it("seals titles for its rooms and opens them in another browser", async () => {
    const { ring } = tab();
    await ring.canHost();
    await ring.addRoom(ROOM, "");
    const words = (await ring.words("de"))?.join(" ") ?? "";
    const sealed = await ring.sealTitle(ROOM, "Planung – Frühling");
    expect(sealed).toMatch(/^[\w-]+$/);

    const away = tab();
    expect(await away.ring.open()).toBe("locked");
    expect(await away.ring.openTitle(ROOM, sealed ?? "")).toBeNull();
    expect(await away.ring.restore(words, "en")).toEqual({ type: "open" });
    expect(await away.ring.openTitle(ROOM, sealed ?? "")).toBe("Planung – Frühling");
    expect(await away.ring.openTitle(ROOM, "AAAA")).toBeNull();
    expect(await away.ring.openTitle(ROOM, "no base64url?")).toBeNull();
    expect(await away.ring.openTitle(OTHER, sealed ?? "")).toBeNull();
    expect(await away.ring.sealTitle(ROOM, " \u202e ")).toBeNull();
  });

  it("loses nothing when two browsers write at once", async () => {
    const one = tab();
    await one.ring.canHost();
    const words = (await one.ring.words("en"))?.join(" ") ?? "";
    const two = tab();
    await two.ring.open();
    await two.ring.restore(words, "en");
    await Promise.all([one.ring.addRoom(ROOM, "one"), two.ring.addRoom(OTHER, "two")]);
    await Promise.all([one.ring.refresh(), two.ring.refresh()]);
    for (const { view } of [one, two]) {
      expect([...view().rooms.values()].map(({ title }) => title).sort()).toEqual(["one", "two"]);
    }
    expect(fragmentOf(one.view(), OTHER)).toBe(fragmentOf(two.view(), OTHER));
  });

  it("renames, and forgets what has ended", async () => {
    const { ring, view } = tab();
    await ring.canHost();
    await ring.addRoom(ROOM, "old");
    expect(await ring.rename(ROOM, "new")).toBe(true);
    expect(view().rooms.get(ROOM)?.title).toBe("new");
    expect(await ring.rename(OTHER, "new")).toBe(false);
    expect(ring.kept()).toEqual([ROOM]);
    const { version } = shelf;
    await ring.forget([OTHER]);
    expect(shelf.version).toBe(version);
    await ring.forget([ROOM, OTHER]);
    expect(view().rooms.size).toBe(0);
    expect(await ring.rename(ROOM, "x")).toBe(false);
    expect(await ring.sealTitle(ROOM, "x")).toBeNull();
  });

  it("keeps a room's key in the page when the server does not take it", async () => {
    const { ring, view } = tab();
    await ring.canHost();
    shelf.writes = "unavailable";
    const room = await ring.addRoom(ROOM, "Planung");
    expect(room?.isKept).toBe(false);
    expect(fragmentOf(view())).toBe(room?.fragment);
    expect(await ring.sealTitle(ROOM, "Planung")).not.toBeNull();
  });
});

describe("personal invitations", () => {
  const people = (...names: string[]) =>
    names.map((name) => ({ name, role: "attendee", expiresAt: 0 }) as const);
  const DEVICE = b64(new Uint8Array(32).fill(5));
  const OTHER_DEVICE = b64(new Uint8Array(32).fill(6));

  async function host() {
    const stage = tab();
    await stage.ring.canHost();
    await stage.ring.addRoom(ROOM, "Planung");
    return stage;
  }

  async function made(ring: KeyRing, ...names: string[]) {
    const inviting = await ring.invite(ROOM, people(...names));
    if (inviting.type !== "made") throw new Error(inviting.type);
    return inviting.made;
  }

  it("are on the ring before they are handed out, and their certificates come from there", async () => {
    const { ring, view } = await host();
    const { version } = shelf;
    const links = await made(ring, "Anna Berg", "Ben Claus");
    expect(shelf.version).toBe(version + 1);
    expect(await ring.invited(ROOM)).toEqual(links);
    const [anna] = links;
    if (anna === undefined) throw new Error("nobody");
    const parsed = parseFragment(anna.fragment);
    if (parsed.type !== "link" || parsed.seed === null) throw new Error(parsed.type);
    expect(formatFragment(parsed.link)).toBe(fragmentOf(view()));
    const [certificate, ...more] = await ring.recertify(ROOM, [anna.id, "unknown"]);
    expect(more).toEqual([]);
    const facts = decodeInvitation(certificate?.bytes ?? new Uint8Array());
    if (facts === null) throw new Error("no invitation");
    expect(certificate?.id).toBe(anna.id);
    expect(await isSignedByAccount(facts)).toBe(true);
    expect(facts.key).toEqual((await invitationKey(parsed.seed, ROOM)).publicKey);
    expect(await invitedName(await deriveLinkKeys(parsed.link.secret, ROOM), facts)).toBe(
      "Anna Berg",
    );
    expect(await hostFingerprint(facts.accountKey)).toEqual(parsed.link.fingerprint);
  });

  it("are read from certificates of one's own only", async () => {
    const { ring } = await host();
    const [anna] = await made(ring, "Anna Berg");
    const [certificate] = await ring.recertify(ROOM, [anna?.id ?? ""]);
    const bytes = certificate?.bytes ?? new Uint8Array();
    const read = { id: anna?.id, name: "Anna Berg", role: "attendee", expiresAt: 0 };
    expect(await ring.readCertificate(ROOM, bytes)).toEqual(read);
    const forged = bytes.slice();
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    expect(await ring.readCertificate(ROOM, forged)).toBeNull();
    expect(await ring.readCertificate(ROOM, new Uint8Array(9))).toBeNull();
    expect(await ring.readCertificate(OTHER, bytes)).toBeNull();
    const stranger = await host();
    expect(stranger.ring.status).toBe("locked");
    expect(await stranger.ring.readCertificate(ROOM, bytes)).toBeNull();
  });

  it("keep out whom their host has shut out, where there is a key to the room", async () => {
    const { ring } = await host();
    expect(ring.blocked(ROOM)).toEqual([]);
    await ring.keepBlocked(ROOM, [DEVICE]);
    expect(ring.blocked(ROOM)).toEqual([DEVICE]);
    await ring.keepBlocked("mtg_unknown", [DEVICE]);
    expect(ring.blocked("mtg_unknown")).toEqual([]);
    await ring.keepBlocked(ROOM, []);
    expect(ring.blocked(ROOM)).toEqual([]);
  });

  it("pin the first device that the server names, and notice another one", async () => {
    const { ring } = await host();
    const [anna, ben] = await made(ring, "Anna Berg", "Ben Claus");
    if (!anna || !ben) throw new Error("nobody");
    expect(await ring.noteDevices(ROOM, new Map([[anna.id, DEVICE]]))).toEqual(new Set());
    const { version } = shelf;
    const named = new Map([
      [anna.id, DEVICE],
      ["somebody else's", DEVICE],
    ]);
    expect(await ring.noteDevices(ROOM, named)).toEqual(new Set());
    expect(shelf.version).toBe(version);
    const lie = new Map([
      [anna.id, OTHER_DEVICE],
      [ben.id, OTHER_DEVICE],
    ]);
    expect(await ring.noteDevices(ROOM, lie)).toEqual(new Set([anna.id]));
    expect(await ring.releaseDevice(ROOM, anna.id)).toBe(true);
    expect(await ring.noteDevices(ROOM, lie)).toEqual(new Set());
    expect(await ring.releaseDevice(ROOM, "unknown")).toBe(false);
    expect(await ring.releaseDevice(OTHER, anna.id)).toBe(false);
  });

  it("are refused where nothing can be kept, or there are too many", async () => {
    const { ring } = await host();
    expect(await ring.invite(OTHER, people("Anna"))).toEqual({ type: "no-key" });
    expect(await ring.invited(OTHER)).toEqual([]);
    expect(await ring.recertify(OTHER, ["x"])).toEqual([]);
    shelf.writes = "unavailable";
    expect(await ring.invite(ROOM, people("Anna"))).toEqual({ type: "unavailable" });
    shelf.writes = "ok";
    expect(await ring.invited(ROOM)).toEqual([]);
    const many = Array.from({ length: 1_001 }, (_, place) => `Person ${place}`);
    expect(await ring.invite(ROOM, people(...many))).toEqual({ type: "too-many" });
    expect(await ring.invited(ROOM)).toEqual([]);
    await made(ring, "Anna");
    await ring.forget([ROOM]);
    expect(await ring.invited(ROOM)).toEqual([]);
  });
});

describe("without the vault", () => {
  async function strangeBrowser() {
    const home = tab();
    await home.ring.canHost();
    await home.ring.addRoom(ROOM, "at home");
    const words = (await home.ring.words("en"))?.join(" ") ?? "";
    return { home, words, away: browser() };
  }

  it("rooms are opened with a ring of this browser alone, and the vault is left alone", async () => {
    const { home, away } = await strangeBrowser();
    const { version, bytes } = shelf;
    const { ring, view } = tab(away);
    expect(await ring.canHost()).toBe(true);
    expect(ring.status).toBe("locked");
    const room = await ring.addRoom(OTHER, "away");
    expect(room?.isKept).toBe(true);
    expect(shelf.version).toBe(version);
    expect(shelf.bytes).toEqual(bytes);
    expect(view().hasUnwrittenWords).toBe(false);

    const named = await link(fragmentOf(view(), OTHER));
    const [alone, own] = [await ring.vaultOf(OTHER), await home.ring.vaultOf(ROOM)];
    expect(await isHost(named, alone?.account.publicKey ?? null)).toBe(true);
    expect(await isHost(named, own?.account.publicKey ?? null)).toBe(false);
    // The same ring after a reload.
    const again = tab(away);
    await again.ring.open();
    expect(fragmentOf(again.view(), OTHER)).toBe(room?.fragment);
  });

  it("its rooms stay its own when the words open the vault", async () => {
    const { home, words, away } = await strangeBrowser();
    const { ring, view } = tab(away);
    await ring.canHost();
    await ring.addRoom(OTHER, "away");
    expect(await ring.restore(words, "en")).toEqual({ type: "open" });
    expect([...view().rooms.keys()].sort()).toEqual([OTHER, ROOM].sort());
    expect(fragmentOf(view())).toBe(fragmentOf(home.view()));
    const own = await ring.vaultOf(ROOM);
    expect((await ring.vaultOf(OTHER))?.account.publicKey).not.toEqual(own?.account.publicKey);
    expect((await ring.vaultOf("mtg_unknown"))?.account.publicKey).toEqual(own?.account.publicKey);
    await ring.forget([OTHER]);
    expect([...view().rooms.keys()]).toEqual([ROOM]);
  });

  it("two tabs share one", async () => {
    const { away } = await strangeBrowser();
    const [one, two] = [tab(away), tab(away)];
    await Promise.all([one.ring.canHost(), two.ring.canHost()]);
    const keys = await Promise.all([one, two].map(({ ring }) => ring.vaultOf(OTHER)));
    expect(keys[0]?.account.publicKey).toEqual(keys[1]?.account.publicKey);
  });

  it("starts one anew when its key is gone", async () => {
    const { away } = await strangeBrowser();
    await tab(away).ring.canHost();
    await away.keys.remove("vault.alone.usr_1");
    const later = tab(away);
    expect(await later.ring.canHost()).toBe(true);
    expect((await later.ring.addRoom(OTHER, ""))?.isKept).toBe(true);
  });

  it("says what is wrong with the words", async () => {
    const { words, away } = await strangeBrowser();
    const { ring } = tab(away);
    await ring.open();
    expect(await ring.restore("one two", "en")).toEqual({ type: "count", count: 2 });
    const typo = words.split(" ").with(4, "xylofohn").join(" ");
    expect(await ring.restore(typo, "de")).toMatchObject({ type: "unknown-word", at: 4 });
    shelf.version = 0;
    shelf.bytes = null;
    const stranger = tab();
    await stranger.ring.open();
    expect(await ring.restore(words, "en")).toEqual({ type: "other-words" });
    expect(ring.status).toBe("locked");
  });

  it("opens no room while it only cannot be reached", async () => {
    const { ring, view } = tab();
    shelf.answer = "unavailable";
    expect(await ring.canHost()).toBe(false);
    expect(view().status).toBe("unavailable");
    expect(await ring.addRoom(ROOM, "")).toBeNull();
    expect(await ring.vaultOf(ROOM)).toBeNull();
    shelf.answer = "ok";
    expect(await ring.canHost()).toBe(true);
    expect(view().status).toBe("open");
  });
});

describe("a damaged vault", () => {
  it("is said, never overwritten, and put back by who has read it", async () => {
    const home = browser();
    const { ring } = tab(home);
    await ring.canHost();
    await ring.addRoom(ROOM, "Planung");
    const good = shelf.bytes?.slice();
    const broken = good?.with(good.length - 1, (good.at(-1) ?? 0) ^ 1) ?? null;
    shelf.bytes = broken;

    const later = tab(home);
    expect(await later.ring.open()).toBe("repairable");
    expect(await later.ring.canHost()).toBe(true);
    await later.ring.addRoom(OTHER, "");
    expect(shelf.bytes).toEqual(broken);
    expect(await later.ring.repair()).toBe("open");
    expect(shelf.bytes).toEqual(good);
    expect([...later.view().rooms.keys()].sort()).toEqual([OTHER, ROOM].sort());
  });

  it("is noticed while it is open, too", async () => {
    const { ring, view } = tab();
    await ring.open();
    shelf.bytes = new Uint8Array(200);
    shelf.version += 1;
    await ring.refresh();
    expect(view().status).toBe("repairable");
    shelf.answer = "signed-out";
    expect(await ring.open()).toBe("signed-out");
  });
});

describe("the shelf of this browser", () => {
  it("compares and sets", async () => {
    const keys = memoryStore();
    const one = aloneShelf(keys, "x", tabLock());
    expect(await one.fetch()).toEqual({ type: "none" });
    const bytes = Uint8Array.of(1);
    expect(await one.store(bytes, "1")).toEqual({ type: "conflict" });
    expect(await one.store(bytes, null)).toEqual({ type: "stored", version: "1" });
    expect(await one.store(bytes, null)).toEqual({ type: "conflict" });
    expect(await one.store(bytes, "1")).toEqual({ type: "stored", version: "2" });
    expect(await one.fetch()).toEqual({ type: "found", bytes, version: "2" });
    await keys.put("x", "nonsense");
    expect(await one.fetch()).toEqual({ type: "none" });
  });

  it("says when storage fails", async () => {
    const broken = { ...memoryStore(), get: () => Promise.reject(new Error("gone")) };
    const one = aloneShelf(broken, "x", tabLock());
    expect(await one.fetch()).toEqual({ type: "unavailable" });
    expect(await one.store(Uint8Array.of(1), null)).toEqual({ type: "unavailable" });
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { follows, given, hex, vectors } from "../../../test/protocolVectors.ts";
import { deviceWords } from "../words/codes.ts";
import { loadWords } from "../words/wordList.ts";
import {
  type Asked,
  commitmentTo,
  formatLinkCode,
  NewDevice,
  OldDevice,
  parseLinkCode,
} from "./deviceLink.ts";

const ID = "dvl_6mg8p21800ag05s2ctversgyed";
const VAULT_KEY = given("vault_key");
const list = await loadWords("en");

function asked(fresh: NewDevice, more: Partial<Asked> = {}): Asked {
  return { id: ID, commitment: fresh.commitment, secret: null, ...more };
}

function revealOf(fresh: NewDevice, old: OldDevice): Uint8Array {
  const reveal = fresh.answer(old.offer);
  if (reveal === null) throw new Error("no answer");
  return reveal;
}

async function words(device: NewDevice | OldDevice): Promise<string> {
  return (await device.words(list))?.join(" ") ?? "none";
}

describe("vectors", () => {
  it("of the commitment and the words", async () => {
    const reveal = Uint8Array.from([...given("device_key_share"), ...given("device_nonce")]);
    const commitment = await commitmentTo(reveal);
    expect(hex(commitment)).toBe(vectors.follows["device_commitment"]);
    const offer = given("device_offer");
    for (const language of ["de", "en"] as const) {
      const shown = await deviceWords({ commitment, offer }, reveal, await loadWords(language));
      expect(shown.join(" ")).toBe(vectors.follows[`device_words_${language}`]);
    }
    expect(follows("device_commitment")).toHaveLength(32);
  });
});

describe("two devices of one person", () => {
  it("see the same three words, and the key goes from one to the other", async () => {
    const fresh = await NewDevice.make();
    const old = await OldDevice.make(asked(fresh));
    expect(await words(fresh)).toBe("none");
    expect(await words(old)).toBe("none");
    expect(await old.check(revealOf(fresh, old))).toBe(true);
    expect((await words(old)).split(" ")).toHaveLength(3);
    expect(await words(fresh)).toBe(await words(old));
    const parcel = await old.seal(VAULT_KEY);
    expect(hex(parcel)).not.toContain(hex(VAULT_KEY));
    const opened = { type: "opened", vaultKey: VAULT_KEY, isProven: false };
    expect(await fresh.open(ID, parcel)).toEqual(opened);
  });

  it("need no words when one has seen the other's QR code", async () => {
    const fresh = await NewDevice.make();
    const { secret, commitment } = fresh;
    const code = parseLinkCode(formatLinkCode({ id: ID, commitment, secret }));
    expect(code).toEqual({ id: ID, commitment, secret });
    const old = await OldDevice.make(code as Asked);
    expect(await old.check(revealOf(fresh, old))).toBe(true);
    const opened = { type: "opened", vaultKey: VAULT_KEY, isProven: true };
    expect(await fresh.open(ID, await old.seal(VAULT_KEY))).toEqual(opened);
  });
});

describe("a hostile server", () => {
  it("that puts its own key in the new device's place is refused, or shows other words", async () => {
    const [fresh, server] = [await NewDevice.make(), await NewDevice.make()];
    // With the honest commitment: it cannot be opened by another key.
    const honest = await OldDevice.make(asked(fresh));
    expect(await honest.check(revealOf(server, honest))).toBe(false);
    await expect(honest.seal(VAULT_KEY)).rejects.toThrow("nothing to seal for");

    // With its own: the words differ, for it has to choose before it knows what they hash.
    const between = await NewDevice.make();
    const fooled = await OldDevice.make(asked(between));
    const toFresh = await OldDevice.make(asked(fresh));
    expect(await fooled.check(revealOf(between, fooled))).toBe(true);
    expect(await toFresh.check(revealOf(fresh, toFresh))).toBe(true);
    expect(await words(fooled)).not.toBe(await words(fresh));
  });

  it("that makes the offer itself cannot pass for a device that saw the QR code", async () => {
    const fresh = await NewDevice.make();
    const server = await OldDevice.make(asked(fresh));
    expect(await server.check(revealOf(fresh, server))).toBe(true);
    const planted = new Uint8Array(32).fill(7);
    expect(await fresh.open(ID, await server.seal(planted))).toMatchObject({ isProven: false });
    const guess = await OldDevice.make(asked(fresh, { secret: new Uint8Array(32) }));
    expect(await guess.check(revealOf(fresh, server))).toBe(true);
    expect(await fresh.open(ID, await guess.seal(planted))).toEqual({ type: "refused" });
  });

  it("cannot put a parcel of its own in the place of the one that was sealed", async () => {
    const fresh = await NewDevice.make();
    const old = await OldDevice.make(asked(fresh));
    const reveal = revealOf(fresh, old);
    await old.check(reveal);
    const server = await OldDevice.make(asked(fresh));
    await server.check(reveal);
    expect(await words(old)).toBe(await words(fresh));
    expect(await fresh.open(ID, await server.seal(VAULT_KEY))).toEqual({ type: "refused" });
  });

  it("that sends a second offer gets no answer to it", async () => {
    const fresh = await NewDevice.make();
    const [old, server] = [await OldDevice.make(asked(fresh)), await OldDevice.make(asked(fresh))];
    const reveal = revealOf(fresh, old);
    const shown = await words(fresh);
    expect(fresh.answer(server.offer)).toBeNull();
    expect(await words(fresh)).toBe(shown);
    // The same one again, after a lost answer, is none.
    expect(fresh.answer(old.offer)).toEqual(reveal);
  });

  it("that changes the opening after the words were shown changes nothing", async () => {
    const [fresh, other] = [await NewDevice.make(), await NewDevice.make()];
    const old = await OldDevice.make(asked(fresh));
    await old.check(revealOf(fresh, old));
    const shown = await words(old);
    expect(await old.check(revealOf(other, old))).toBe(false);
    expect(await words(old)).toBe(shown);
  });

  it("that replays a parcel of another try, or under another id, is refused", async () => {
    const fresh = await NewDevice.make();
    const [first, second] = [await OldDevice.make(asked(fresh)), await NewDevice.make()];
    await first.check(revealOf(fresh, first));
    const parcel = await first.seal(VAULT_KEY);
    revealOf(second, first);
    expect(await second.open(ID, parcel)).toEqual({ type: "refused" });
    expect(await fresh.open("dvl_00000000000000000000000000", parcel)).toEqual({ type: "refused" });
    expect((await fresh.open(ID, parcel)).type).toBe("opened");
  });

  it("gets nowhere with bytes that are none", async () => {
    const fresh = await NewDevice.make();
    const old = await OldDevice.make(asked(fresh));
    expect(await fresh.open(ID, new Uint8Array(80))).toEqual({ type: "refused" });
    expect(fresh.answer(new Uint8Array(31))).toBeNull();
    const reveal = revealOf(fresh, old);
    expect(await old.check(reveal.slice(1))).toBe(false);
    expect(await old.check(new Uint8Array(64))).toBe(false);
    await old.check(reveal);
    await expect(old.seal(new Uint8Array(31))).rejects.toThrow();
    const parcel = await old.seal(VAULT_KEY);
    for (const at of [0, 31, 32, 79]) {
      const damaged = parcel.with(at, (parcel[at] ?? 0) ^ 1);
      expect(await fresh.open(ID, damaged)).toEqual({ type: "refused" });
    }
    for (const length of [0, 32, 79, 81, 4096]) {
      expect(await fresh.open(ID, new Uint8Array(length))).toEqual({ type: "refused" });
    }
  });

  it("cannot use a key that makes every secret the same", async () => {
    const fresh = await NewDevice.make();
    expect(fresh.answer(new Uint8Array(32))).not.toBeNull();
    expect(await fresh.open(ID, new Uint8Array(80).fill(1))).toEqual({ type: "refused" });
    const nothing = new Uint8Array(64);
    const old = await OldDevice.make({
      id: ID,
      commitment: await commitmentTo(nothing),
      secret: null,
    });
    expect(await old.check(nothing)).toBe(true);
    await expect(old.seal(VAULT_KEY)).rejects.toThrow();
  });
});

describe("the QR code's address", () => {
  it("is read as it was written, and nothing else is", () => {
    const part = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(part, part, fc.string(), (commitment, secret, noise) => {
        const [a, b] = [Uint8Array.from(commitment), Uint8Array.from(secret)];
        const code = { id: ID, commitment: a, secret: b };
        const text = formatLinkCode(code);
        expect(parseLinkCode(text)).toEqual(code);
        expect(parseLinkCode(`${text}.`)).toBeNull();
        expect(parseLinkCode(text.slice(0, -1))).toBeNull();
        expect(parseLinkCode(`${noise}.${noise}.${noise}`)).toBeNull();
      }),
      { numRuns: 50 },
    );
    for (const text of ["", "#", "#a.b.c", `#${ID}`, `#${"../".repeat(9)}.x.y`]) {
      expect(parseLinkCode(text)).toBeNull();
    }
  });
});

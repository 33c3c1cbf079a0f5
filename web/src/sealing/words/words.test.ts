import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { follows, given, vectors } from "../../../test/protocolVectors.ts";
import { doorWords, meetingCode, rosterCode, safetyNumber } from "./codes.ts";
import { readRecoveryWords, recoveryWords } from "./recovery.ts";
import { decodeWords, encodeWords, finder, folded, loadWords, nearest } from "./wordList.ts";

const [german, english] = await Promise.all([loadWords("de"), loadWords("en")]);
const lists = [
  ["de", german],
  ["en", english],
] as const;
const split = (name: string) => (vectors.follows[name] ?? "").split(" ");

describe.each(lists)("vectors in %s", (language, list) => {
  it("meeting code", async () => {
    const group = {
      groupId: given("instance"),
      creatorKey: follows("device_key"),
      mac: follows("meeting_mac"),
    };
    expect(await meetingCode(group, list)).toEqual(split(`meeting_code_${language}`));
  });

  it("words at the door", async () => {
    const words = await doorWords(given("key_package_ref"), list);
    expect(words).toEqual(split(`door_words_${language}`));
  });

  it("recovery words", async () => {
    const words = await recoveryWords(given("recovery_secret"), list);
    expect(words).toEqual(split(`recovery_words_${language}`));
    const read = await readRecoveryWords(words.join(" "), [list]);
    expect(read).toEqual({ type: "read", secret: given("recovery_secret") });
  });
});

describe("digits", () => {
  it("of the roster", async () => {
    expect(await rosterCode(given("epoch_authenticator"))).toBe(vectors.follows["roster_code"]);
  });

  it("of two accounts are the same from both sides", async () => {
    const [one, other] = [follows("account_key"), given("other_account_key")];
    expect(await safetyNumber(one, other)).toBe(vectors.follows["safety_number"]);
    expect(await safetyNumber(other, one)).toBe(vectors.follows["safety_number"]);
  });

  it("are always as many", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        expect(await rosterCode(Uint8Array.from(bytes))).toMatch(/^\d{30}$/);
        expect(await safetyNumber(Uint8Array.from(bytes), bytes)).toMatch(/^\d{60}$/);
      }),
    );
  });
});

describe("words", () => {
  it("count from the most significant bit", () => {
    const bytes = Uint8Array.of(0b00000000, 0b00111111, 0b11111000);
    expect(encodeWords(bytes, 1, german)).toEqual([german.words[1]]);
    expect(encodeWords(bytes, 2, german)).toEqual([german.words[1], german.words[0b11111111110]]);
    expect(() => encodeWords(bytes, 3, german)).toThrow(RangeError);
  });

  it.each(lists)("come back in %s", (_language, list) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 33, maxLength: 33 }), (bytes) => {
        const words = encodeWords(bytes, 24, list);
        expect(decodeWords(words, list)).toEqual({ ok: true, bytes: Uint8Array.from(bytes) });
      }),
      { numRuns: 20 },
    );
  });

  it.each(lists)("are found as they are, in %s", (_language, list) => {
    const find = finder(list);
    expect(list.words.map(find)).toEqual(list.words.map((_, at) => at));
    expect(list.words.map((word) => find(` ${word.toUpperCase()} `))).toEqual(
      list.words.map((_, at) => at),
    );
  });

  it("are found without umlauts, written out or left out", () => {
    const find = finder(german);
    const withDots = german.words.filter((word) => /[äöüß]/.test(word));
    expect(withDots.length).toBeGreaterThan(100);
    for (const word of withDots) {
      const index = german.words.indexOf(word);
      expect(find(folded(word))).toBe(index);
      expect(find(word.normalize("NFD"))).toBe(index);
    }
    const dotless = withDots.filter((word) => {
      const typed = word.normalize("NFD").replace(/\p{M}/gu, "").replaceAll("ß", "ss");
      return find(typed) === german.words.indexOf(word);
    });
    expect(dotless.length / withDots.length).toBeGreaterThan(0.95);
  });

  it("are found by a beginning that fits one word only", () => {
    const find = finder(german);
    const long = german.words.filter((word) => /^[a-z]{6,}$/.test(word));
    for (const word of long) {
      const found = find(word.slice(0, 5));
      expect(found === null || found === german.words.indexOf(word)).toBe(true);
    }
    const english5 = english.words.filter((word) => word.length > 5).slice(0, 200);
    for (const word of english5) {
      expect(finder(english)(word.slice(0, 5))).toBe(english.words.indexOf(word));
    }
  });

  it("of which four letters fit several are not guessed", () => {
    const shared = Map.groupBy(english.words, (word) => word.slice(0, 4));
    const several = [...shared].filter(
      ([start, words]) => words.length > 1 && !words.includes(start),
    );
    expect(several.length).toBeGreaterThan(0);
    for (const [start] of several) expect(finder(english)(start)).toBeNull();
  });

  it.each(["", " ", "xyz", "aben", "qqqqq", "abba", "x".repeat(1_000_000), "constructor"])(
    "do not include %.20j",
    (typed) => {
      const isBeginning = german.words.filter((word) => word.startsWith(typed)).length === 1;
      if (!isBeginning) expect(finder(german)(typed)).toBeNull();
      expect(finder({ language: "en", words: [] })(typed)).toBeNull();
    },
  );

  it("say which one is wrong", () => {
    expect(decodeWords(["abend", "iris", "nonsens", "blubb"], german)).toEqual({
      ok: false,
      at: 2,
    });
  });

  it("suggest what was meant", () => {
    const [word = ""] = english.words;
    expect(nearest(`${word}x`, english)[0]).toBe(word);
    expect(nearest(word.slice(1), english)).toContain(word);
    expect(nearest("zitroen", german)).toContain("zitrone");
    expect(nearest("qqqqqqqqqq", german)).toEqual([]);
    expect(nearest("x".repeat(100_000), german)).toEqual([]);
  });
});

describe("recovery words", async () => {
  const secret = given("recovery_secret");
  const words = await recoveryWords(secret, german);
  const read = (typed: readonly string[], first = german, second = english) =>
    readRecoveryWords(typed.join(" "), [first, second]);

  it("are read from the printed sheet, numbers and all, whatever the list", async () => {
    const sheet = words.map((word, at) => `${at + 1}. ${word.toUpperCase()}`).join("\n");
    expect(await readRecoveryWords(sheet, [english, german])).toEqual({ type: "read", secret });
  });

  it.each([0, 1, 23, 25])("of another number are counted: %i", async (count) => {
    const typed = Array.from({ length: count }, () => "abend");
    expect(await read(typed)).toEqual({ type: "count", count });
  });

  it("say which word is none", async () => {
    const typed = words.with(7, "xylofohn");
    expect(await read(typed, english, german)).toEqual({
      type: "unknown-word",
      at: 7,
      typed: "xylofohn",
      nearest: ["xylofon"],
    });
  });

  it("notice a word that is another one, and two that were swapped", async () => {
    const results = await Promise.all(
      words.slice(1).map((word, at) => read(words.with(at + 1, words[at] ?? "").with(at, word))),
    );
    const missed = results.filter(({ type }) => type === "read").length;
    expect(results.every(({ type }) => type !== "unknown-word")).toBe(true);
    // One swap in 256 has the same checksum; equal neighbours are no swap.
    expect(missed).toBeLessThan(3);
  });

  it("are made of 32 bytes only", async () => {
    await expect(recoveryWords(new Uint8Array(31), german)).rejects.toThrow(RangeError);
  });

  it("may be anything that was typed", async () => {
    const piece = fc.oneof(fc.constantFrom(...words, ...english.words.slice(0, 50)), fc.string());
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (typed) => {
        expect((await read(typed)).type).toMatch(/^(read|count|unknown-word|checksum)$/);
      }),
      { numRuns: 30 },
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AT, reportPerson, signedReport } from "../../../test/signedReport.ts";
import { utf8 } from "../keys/bytes.ts";
import { generateKey, sign } from "../keys/ed25519.ts";
import { loadWords } from "../words/wordList.ts";
import { canonical, type Json, withoutKeys, writable } from "./canonical.ts";
import { MOST_BYTES, type ReportPicture } from "./format.ts";
import { openReport, reportWords, sealReport, signedContent } from "./seal.ts";

const open = (text: string) => openReport(utf8(text));
const typeOf = async (text: string) => (await open(text)).type;

describe("canonical", () => {
  it("writes one text for one value", () => {
    expect(canonical({ b: [1, true, null], a: "ä\u2028\n", "10": 0, "9": {} })).toBe(
      '{"10":0,"9":{},"a":"ä\u2028\\n","b":[1,true,null]}',
    );
  });

  it("is read as what was written, whatever it is", () => {
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 3 },
        fc.constant(null),
        fc.boolean(),
        fc.maxSafeInteger(),
        fc.string({ unit: "binary" }),
        fc.array(tie("json"), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: "binary" }), tie("json"), {
          maxKeys: 4,
          noNullPrototype: true,
        }),
      ),
    }));
    fc.assert(
      fc.property(json, (value) => {
        const text = canonical(value as Json);
        expect(canonical(JSON.parse(text))).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it.each([0.5, Number.NaN, 2 ** 53, "\ud800", ["x\udc00"]])("does not write %j", (value) => {
    expect(() => canonical(value as Json)).toThrow(RangeError);
  });

  it.each([
    [
      "see https://h.example/m/mtg_6mg8#1.AAEC.qSay-_.wMHC now",
      "see https://h.example/m/mtg_6mg8#… now",
    ],
    ["mtg_6mg8/#1.AA, MTG_6MG8#1.BB", "mtg_6mg8/#…, MTG_6MG8#…"],
    ["#1 of https://h.example/page#part", "#1 of https://h.example/page#part"],
  ])("leaves out the keys of rooms: %s", (text, left) => {
    expect(withoutKeys(text, 99)).toBe(left);
    expect(withoutKeys(text, 5)).toBe(left.slice(0, 5));
  });

  it("is given what it can write", () => {
    expect(writable("ab😀", 3)).toBe("ab\uFFFD");
    expect(canonical(writable("\ud800\u202e", 9))).toBe('"\uFFFD\u202e"');
  });
});

describe("a report", () => {
  it("is good as it was signed, by a guest and by an account", async () => {
    for (const hasAccount of [false, true]) {
      const about = [await reportPerson("Tom", { came: "invitation", invitation: "A".repeat(22) })];
      const { report, text, digest } = await signedReport(
        { about, note: "Rude. 😀" },
        { hasAccount },
      );
      expect(await open(text)).toEqual({ type: "good", report, digest });
      expect(text).not.toMatch(/\s"/);
    }
  });

  it("is signed under a label of its own, over 32 bytes and nothing else", () => {
    const content = signedContent(new Uint8Array(32).fill(1));
    expect(new TextDecoder().decode(content.slice(0, 18))).toBe("conclave report v1");
    expect(content).toHaveLength(18 + 32);
    expect(() => signedContent(new Uint8Array(31))).toThrow(RangeError);
  });

  it("is not good with any one byte changed", async () => {
    const about = [await reportPerson("Tom")];
    const { text } = await signedReport({ about, note: "Rude." }, { hasAccount: true });
    const file = utf8(text);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(file.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, by) => {
          const changed = file.slice();
          changed[at] = (changed[at] as number) ^ by;
          expect(["altered", "no-report", "newer"]).toContain((await openReport(changed)).type);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is not good when it can be read in two ways", async () => {
    const { text } = await signedReport({ note: "Rude." });
    expect(await typeOf(text)).toBe("good");
    for (const other of [
      ` ${text}`,
      `${text}\n`,
      `\uFEFF${text}`,
      text.replace('"note":', '"note":"mild","note":'),
      text.replace('"note":', '"more":1,"note":'),
      text.replace("Rude", "\\u0052ude"),
      JSON.stringify(JSON.parse(text), null, 1),
    ]) {
      expect(await typeOf(other)).toBe("altered");
    }
  });

  it("is not good when somebody else has signed it", async () => {
    const { report } = await signedReport();
    const other = await generateKey();
    const { text } = await sealReport(report, (digest) => sign(other, signedContent(digest)));
    expect(await typeOf(text)).toBe("altered");
    const { text: bare } = await sealReport(report, (digest) => sign(other, digest));
    expect(await typeOf(bare)).toBe("altered");
  });

  it("is not good with an account that has not certified the device", async () => {
    const { report: foreign } = await signedReport({}, { hasAccount: true });
    const { account_key, certificate } = foreign.reporter;
    const { text } = await signedReport({}, { reporter: { account_key, certificate } });
    expect(await typeOf(text)).toBe("altered");
    const half = await signedReport({}, { reporter: { account_key } });
    expect(await typeOf(half.text)).toBe("altered");
  });

  it("is not good when an identity is not of the device that stands beside it", async () => {
    const [tom, eve] = [await reportPerson("Tom"), await reportPerson("Eve")];
    const { text } = await signedReport({ people: [{ ...tom, device_key: eve.device_key }] });
    expect(await typeOf(text)).toBe("altered");
  });

  it.each([
    ["about", null],
    ["about", [{}]],
    ["made_at", -1],
    ["made_at", 1.5],
    ["made_at", "now"],
    ["meeting", ""],
    ["instance", "AA"],
    ["note", 7],
    ["note", "x".repeat(1_001)],
    ["note", "\ud800"],
    ["events", Array(201).fill({ at: 0, type: "joined", who: null, name: null, what: null })],
    ["events", [{ at: 0, type: "sang", who: null, name: null, what: null }]],
    ["events", [{ at: 0, type: "joined", who: "short", name: null, what: null }]],
    ["chat", [{ at: 0, who: "x", name: null, text: "" }]],
    ["pictures", [{ who: "A".repeat(22), source: "mind", at: 0, jpeg: "AA" }]],
    ["signature", "AA"],
    ["reporter", "me"],
  ])("with another %s is none that was signed", async (field, value) => {
    const { text } = await signedReport();
    expect(await typeOf(JSON.stringify({ ...JSON.parse(text), [field]: value }))).toBe("altered");
  });

  it("that is damaged is told from what never was one", async () => {
    const { text } = await signedReport();
    expect(await typeOf(text.slice(0, -9))).toBe("altered");
    expect((await openReport(Uint8Array.of(...utf8(text), 0xff))).type).toBe("altered");
    for (const other of [
      "",
      "null",
      "[]",
      "7",
      '"x"',
      "{}",
      '{"kind":"x"}',
      "<html>",
      "[".repeat(200_000),
    ]) {
      expect(await typeOf(other)).toBe("no-report");
    }
    expect((await openReport(Uint8Array.of(0xff, 0xd8, 0xff))).type).toBe("no-report");
    expect(await typeOf('{"kind":"conclave report","v":2}')).toBe("newer");
    expect(await typeOf('{"kind":"conclave report","v":0}')).toBe("altered");
    expect((await openReport(new Uint8Array(MOST_BYTES + 1))).type).toBe("too-large");
  });

  it("loses its oldest lines before it is too large for the page that checks it", async () => {
    const line = {
      at: AT,
      who: "x",
      name: "Tom",
      text: "\u0001".repeat(4_000),
      private_with: null,
      edited: false,
      deleted: false,
      from_before: false,
    };
    const chat = Array.from({ length: 200 }, (_, at) => ({ ...line, at }));
    const event = { type: "deleted", who: null, name: null, what: line.text } as const;
    const events = Array.from({ length: 200 }, (_, at) => ({ ...event, at }));
    const picture: ReportPicture = {
      who: "A".repeat(22),
      source: "camera",
      at: AT,
      jpeg: "A".repeat(300_000),
    };
    const pictures = Array<ReportPicture>(8).fill(picture);
    const { text } = await signedReport({ chat, events, pictures });
    expect(utf8(text).length).toBeLessThanOrEqual(MOST_BYTES);
    const opened = await open(text);
    expect(opened.type === "good" && opened.report.chat.at(-1)?.at).toBe(199);
    expect(opened.type === "good" && opened.report.chat.length).toBe(100);
  });

  it("has words that belong to it and its device, in both languages", async () => {
    const [en, de] = [await loadWords("en"), await loadWords("de")];
    const { report, digest } = await signedReport();
    const key = report.reporter.device_key;
    const words = await reportWords(digest, key, en);
    expect(words).toHaveLength(6);
    expect(await reportWords(digest, key, de)).not.toEqual(words);
    const other = await signedReport();
    expect(await reportWords(digest, other.report.reporter.device_key, en)).not.toEqual(words);
    expect(await reportWords(other.digest, key, en)).not.toEqual(words);
  });
});

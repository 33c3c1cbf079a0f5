import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readableName } from "../../../sealing/keys/readable.ts";
import { type LeftOut, readNames } from "./names.ts";

const NONE: LeftOut = { empty: 0, unreadable: 0, twice: 0, known: 0, tooMany: 0 };
const namesIn = (text: string) => readNames(text, [], 1_000).names;
const leftOutOf = (text: string, known: readonly string[] = [], room = 1_000) =>
  readNames(text, known, room).leftOut;

describe("names", () => {
  it.each<[string, string, readonly string[]]>([
    ["one", "Anna Berg", ["Anna Berg"]],
    ["lines", "Anna Berg\n\n  Ben Claus \r\nCleo Dorn\r", ["Anna Berg", "Ben Claus", "Cleo Dorn"]],
    ["lines with commas", "Berg, Anna\nClaus, Ben", ["Berg, Anna", "Claus, Ben"]],
    ["nothing", " \n\t\n ", []],
    ["a byte order mark", "\uFEFFName;Klasse\nAnna;5a", ["Anna"]],
    ["a head alone", "Name", []],
    ["a column of lines", "Name\nAnna\nBen", ["Anna", "Ben"]],
    ["commas", "Anna,anna@example.org\nBen,", ["Anna", "Ben"]],
    ["tabs", "Anna\t5a\nBen\t5b", ["Anna", "Ben"]],
    ["another column", "Klasse;E-Mail;name\n5a;a@b;Anna\n5a;b@b;Ben", ["Anna", "Ben"]],
    ["a head with spaces", "Class, Name\n5a, Anna", ["Anna"]],
    ["two columns", "Nachname;Vorname;Klasse\nBerg;Anna;5a\nClaus;;5b", ["Anna Berg", "Claus"]],
    ["Name and Vorname", "Name\tVorname\nBerg\tAnna", ["Anna Berg"]],
    ["first name alone", "First name,Class\nAnna,5a", ["Anna"]],
    ["a whole name beside its parts", "Vorname;Nachname;Name\nA;B;Anna B.", ["Anna B."]],
    ["quotes", '"Berg, Anna","5a"\n"Ben ""Benni"" Claus",5b', ["Berg, Anna", 'Ben "Benni" Claus']],
    ["one quoted column", '"Berg; Anna"\n"Claus"', ["Berg; Anna", "Claus"]],
    ["lines inside quotes", 'Name,Address\nAnna,"Road 1\nTown"\nBen,x', ["Anna", "Ben"]],
    ["an open quote", 'Name;x\n"Anna;5a\nBen;5b', ['"Anna', "Ben"]],
    ["a quote inside", 'Ben "Benni" Claus', ['Ben "Benni" Claus']],
    ["right to left", "\u202eAnna\u202c\nנועה לוי", ["Anna", "נועה לוי"]],
    ["no width", "An\u200bna\n\u2060\n", ["An na"]],
  ])("%s", (_what, text, names) => {
    expect(namesIn(text)).toEqual(names);
  });

  it("says what was left out, and why", () => {
    expect(leftOutOf("Anna\nBen")).toEqual(NONE);
    expect(leftOutOf("Name;Klasse\n;5a\n ;5b\nAnna;5c")).toEqual({ ...NONE, empty: 2 });
    expect(leftOutOf("\u200b\u2060\nAnna\n\u202e")).toEqual({ ...NONE, unreadable: 2 });
    expect(leftOutOf(`${"x".repeat(5_000)}\nAnna`)).toEqual({ ...NONE, unreadable: 1 });
    expect(leftOutOf("Anna\nANNA\n Anna \nＡnna\nAn\u200dna")).toEqual({ ...NONE, twice: 4 });
    expect(leftOutOf("Anna\nBen", ["anna"])).toEqual({ ...NONE, known: 1 });
    expect(leftOutOf("Anna\nBen\nCleo", [], 1)).toEqual({ ...NONE, tooMany: 2 });
    expect(leftOutOf("Anna", [], 0)).toEqual({ ...NONE, tooMany: 1 });
  });

  it("takes a list of 5,000 lines, and the first thousand names of it", () => {
    const lines = Array.from({ length: 5_002 }, (_, place) => `"Person ${place}";x@example.org`);
    const { names, leftOut } = readNames(`Name;Mail\n${lines.join("\n")}`, [], 1_000);
    expect(names).toHaveLength(1_000);
    expect(names.at(-1)).toBe("Person 999");
    expect(leftOut).toEqual({ ...NONE, tooMany: 4_002 });
  });

  it("ends with what was made to take for ever", () => {
    for (const line of ['"x""\n', '"""\n', ',"', '"\t', "x,\n", '"",', '""x"']) {
      expect(readNames(line.repeat(200_000), [], 1_000).names.length).toBeLessThan(1_001);
    }
  });

  it("are fit to be shown, each once, and every row is accounted for, whatever was pasted", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '"',
        '""',
        ",",
        ";",
        "\t",
        "\n",
        "\r\n",
        "Name",
        "Vorname",
        "\u202e",
        "\u200b",
      ),
      fc.string({ unit: "binary", maxLength: 5 }),
    );
    const pasted = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(pasted, fc.array(fc.string()), fc.nat(5), (text, known, room) => {
        const { names, leftOut } = readNames(text, known, room);
        expect(names.length).toBeLessThanOrEqual(room);
        expect(new Set(names).size).toBe(names.length);
        for (const name of names) expect(readableName(name)).toBe(name);
        const rows = Object.values(leftOut).reduce((sum, count) => sum + count, names.length);
        expect(rows).toBeLessThanOrEqual(text.split(/\r\n?|\n/).length);
      }),
      { numRuns: 1_000 },
    );
  });

  it("come back from a table, whatever is in them", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((text) => {
      const isHead = /^(name|full|vor|voll|ruf|nach|fam|first|last|given|sur)/i.test(text);
      return readableName(text) === text && !isHead;
    });
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 8 }), (names) => {
        const text = ["Name,Class", ...names.map((one) => `${quote(one)},5a`)].join("\r\n");
        const { leftOut, names: read } = readNames(text, [], 1_000);
        expect(read.length + leftOut.twice).toBe(names.length);
        expect(names).toEqual(expect.arrayContaining([...read]));
      }),
    );
  });
});

import unhomoglyph from "unhomoglyph";
import { expect, test } from "vitest";
import { guest, invitedAs, member } from "../../../../test/fakeSealed.ts";
import { lookalikes } from "./lookalike.ts";

const HANNA = member("h", { name: "Hanna Vogt", role: "host", verification: "host" });
const called = (identity: string, name: string | null, more = {}) =>
  member(identity, { name, verification: "link", ...more });
const find = (
  members: Parameters<typeof lookalikes>[0],
  door: Parameters<typeof lookalikes>[1] = [],
) => Object.fromEntries(lookalikes(members, door, unhomoglyph));

test.each([
  ["the same", "Hanna Vogt"],
  ["other capitals", "HANNA vogt"],
  ["Cyrillic letters", "Наnnа Vоgt"],
  ["letters with marks", "Hänna Vógt"],
  ["letters out of mathematics", "𝐇𝐚𝐧𝐧𝐚 𝐕𝐨𝐠𝐭"],
  ["full width", "Ｈａｎｎａ　Ｖｏｇｔ"],
  ["no space, and signs", "Hanna·Vogt."],
  ["what is not seen", "Han\u200cna\u2060 Vogt"],
  ["a digit", "Hanna V0gt"],
])("name confusion: %s", (_, name) => {
  expect(find([HANNA, called("x", name)])).toEqual({ x: "Hanna Vogt" });
});

test.each(["Hannah Vogt", "Hanna", "Johanna Vogt", "…", "👩‍🦰", "哈娜"])(
  "no confusion: %s",
  (name) => {
    expect(find([HANNA, called("x", name)])).toEqual({});
  },
);

test.each([
  ["ILSE", "Ilse"],
  ["llse", "Ilse"],
  ["paul", "PAUL"],
  ["PauI", "Paul"],
  ["Arno", "Amo"],
])("%s looks like %s", (name, owner) => {
  expect(find([called("a", owner), called("b", name)])).toEqual({ b: owner });
});

test("whoever can show something keeps the name, also when they come later", () => {
  const impostor = called("x", "Hanna Vogt");
  expect(find([impostor, HANNA])).toEqual({ x: "Hanna Vogt" });
  const two = called("i", "hanna vogt", { verification: "invitation" });
  expect(find([HANNA, two])).toEqual({});
});

test("of two with nothing to show it is the later one; who leaves or has no name yet does not count", () => {
  expect(find([called("a", "Ben"), called("b", "Bеn"), called("c", "ben")])).toEqual({
    b: "Ben",
    c: "Ben",
  });
  const gone = called("a", "Ben", { isLeaving: true });
  expect(find([gone, called("n", null), called("b", "Ben")])).toEqual({});
});

test("at the door: unless an account or a good personal link is theirs", () => {
  const invited = (standing: "good" | "other-device") => ({ ...invitedAs("i", "Hanna"), standing });
  const name = "Наnna Vogt";
  const door = [
    guest("link", { name, proof: "link" }),
    guest("unknown", { name: null, proof: "unknown" }),
    guest("account", { name, proof: "account" }),
    guest("good", { name, proof: "invitation", invited: invited("good") }),
    guest("passed-on", { name, proof: "invitation", invited: invited("other-device") }),
    guest("nobody", { name: "Ben", proof: "link" }),
  ];
  expect(find([HANNA], door)).toEqual({ link: "Hanna Vogt", "passed-on": "Hanna Vogt" });
});

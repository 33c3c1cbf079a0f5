import { describe, expect, it } from "vitest";
import { englishKey, germanKey } from "../../../test/soundKeys.ts";
import { folded, LIST_LENGTH, loadWords } from "./wordList.ts";

/** Words that must not be read aloud to anybody. A net for later changes, not the whole of them. */
const UNFIT =
  /^(mord|tod|krieg|waffe|bombe|jude|gott|papst|kirche|partei|hitler|nazi|führer|hure|nutte|sex|nackt|arsch|fotze|kacke|neger|sklave|terror|leiche|folter|galgen|war|kill|death|murder|gun|bomb|rape|slut|whore|nigger|nazi|god|jesus|church|party|sex|nude|porn|shit|fuck|cunt|dick|cock|bitch|bastard|suicide|abortion|terror|torture|slave)$/;

const isClose = (a: string, b: string): boolean => {
  if (a.length < b.length) return isClose(b, a);
  for (let at = 0; at < a.length; at += 1) {
    const rest = a.slice(at + 1);
    if (a[at] === b[at]) continue;
    const isSwapped =
      a[at] === b[at + 1] && a[at + 1] === b[at] && rest.slice(1) === b.slice(at + 2);
    return rest === b.slice(at) || rest === b.slice(at + 1) || isSwapped;
  }
  return true;
};

describe.each([
  ["de", germanKey, 4],
  ["en", englishKey, 5],
] as const)("the list %s", async (language, key, unique) => {
  const { words } = await loadWords(language);

  it("has 2,048 words, in order, of 3 to 8 letters", () => {
    expect(words).toHaveLength(LIST_LENGTH);
    expect(words.filter((word) => !/^[a-zäöüß]{3,8}$/.test(word))).toEqual([]);
    const spellings = words.map(folded);
    expect(spellings).toEqual([...spellings].sort());
  });

  it("has no two words that sound alike", () => {
    const groups = Map.groupBy(words, key);
    expect([...groups.values()].filter((group) => group.length > 1)).toEqual([]);
  });

  it("has no two words that differ in one letter, or by a swap", () => {
    const spellings = words.map(folded);
    const close = spellings.flatMap((a, at) =>
      spellings.slice(at + 1).filter((b) => Math.abs(a.length - b.length) < 2 && isClose(a, b)),
    );
    expect(close).toEqual([]);
  });

  it(`tells its words apart by ${unique} letters`, () => {
    const starts = words.map((word) => folded(word).slice(0, unique));
    expect(new Set(starts).size).toBe(LIST_LENGTH);
  });

  it("has nothing in it that hurts", () => {
    expect(words.filter((word) => UNFIT.test(word))).toEqual([]);
  });
});

it("isClose knows what it looks for", () => {
  for (const [a, b] of [
    ["hase", "base"],
    ["hase", "hasen"],
    ["hase", "ase"],
    ["hase", "haes"],
  ]) {
    expect(isClose(a ?? "", b ?? "")).toBe(true);
  }
  for (const [a, b] of [
    ["hase", "basen"],
    ["hase", "rabe"],
    ["hase", "hsea"],
  ]) {
    expect(isClose(a ?? "", b ?? "")).toBe(false);
  }
});

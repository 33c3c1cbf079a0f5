/**
 * Numbers as words: 11 bits each, the most significant first, from lists of 2,048 in which no two
 * words sound alike. Reading is forgiving about how a word was typed, never about which word it is.
 */

export type WordLanguage = "de" | "en";

export interface WordList {
  readonly language: WordLanguage;
  readonly words: readonly string[];
}

const BITS = 11;
export const LIST_LENGTH = 2 ** BITS;
/** So many first letters, when they fit one word only, stand for it. */
const PREFIX = 4;
/** Longer than any word, umlauts written out. */
const MAX_TYPED = 24;

/** A chunk of its own: loaded when a code is first shown. */
export async function loadWords(language: WordLanguage): Promise<WordList> {
  const { WORDS } =
    language === "de" ? await import("./lists/de.ts") : await import("./lists/en.ts");
  return { language, words: WORDS.trim().split(/\s+/) };
}

/** The first `count` times 11 bits of `bytes`. */
export function encodeWords(bytes: Uint8Array, count: number, list: WordList): readonly string[] {
  if (bytes.length * 8 < count * BITS) throw new RangeError("too few bits for so many words");
  return Array.from({ length: count }, (_, place) => {
    let index = 0;
    for (let bit = place * BITS; bit < (place + 1) * BITS; bit += 1) {
      index = (index << 1) | (((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1);
    }
    return list.words[index] as string;
  });
}

export type DecodedWords =
  | { readonly ok: true; readonly bytes: Uint8Array }
  /** The first word that is none of the list's. */
  | { readonly ok: false; readonly at: number };

/** The words' bits, filled up with zeros to whole bytes. */
export function decodeWords(typed: readonly string[], list: WordList): DecodedWords {
  const find = finder(list);
  const bytes = new Uint8Array(Math.ceil((typed.length * BITS) / 8));
  for (const [place, word] of typed.entries()) {
    const index = find(word);
    if (index === null) return { ok: false, at: place };
    for (let bit = 0; bit < BITS; bit += 1) {
      const at = place * BITS + bit;
      if ((index >> (BITS - 1 - bit)) & 1)
        bytes[at >> 3] = (bytes[at >> 3] as number) | (128 >> (at & 7));
    }
  }
  return { ok: true, bytes };
}

/** One spelling for what people may type: case, accents taken apart or not, `ae` for `ä`. */
export function folded(text: string): string {
  return text
    .trim()
    .normalize("NFC")
    .toLowerCase()
    .replaceAll("ä", "ae")
    .replaceAll("ö", "oe")
    .replaceAll("ü", "ue")
    .replaceAll("ß", "ss");
}

/** The same for a keyboard without umlauts whose person leaves the dots out. */
function bare(word: string): string {
  return word.normalize("NFD").replace(/\p{M}/gu, "").replaceAll("ß", "ss");
}

/** The number of what was typed: the word, a spelling of it, or enough of its beginning. */
export function finder(list: WordList): (typed: string) => number | null {
  const exact = new Map<string, number>();
  const beginnings = new Map<string, number | null>();
  for (const [index, word] of list.words.entries()) exact.set(folded(word), index);
  for (const [index, word] of list.words.entries()) {
    // A spelling without dots that is another word's own spelling stays that word's.
    if (!exact.has(bare(word))) exact.set(bare(word), index);
  }
  for (const [spelling, index] of exact) {
    for (let length = PREFIX; length < spelling.length; length += 1) {
      const start = spelling.slice(0, length);
      const known = beginnings.get(start);
      beginnings.set(start, known === undefined || known === index ? index : null);
    }
  }
  return (typed) => {
    if (typed.length > MAX_TYPED) return null;
    const spelling = folded(typed);
    return exact.get(spelling) ?? beginnings.get(spelling) ?? null;
  };
}

/** The list's words nearest to one that is not in it, at most `most`; by edits, then by number. */
export function nearest(typed: string, list: WordList, most = 3): readonly string[] {
  const spelling = folded(typed.slice(0, MAX_TYPED));
  return list.words
    .map((word) => ({ word, edits: edits(spelling, folded(word)) }))
    .filter(({ edits: count }) => count <= 2)
    .sort((a, b) => a.edits - b.edits)
    .slice(0, most)
    .map(({ word }) => word);
}

/** Letters to add, leave out, change, or swap with their neighbour. */
function edits(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      let least = Math.min(
        (row[j] as number) + 1,
        (next[j - 1] as number) + 1,
        (row[j - 1] as number) + (isSame ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] as number) + 1);
      }
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[b.length] as number;
}

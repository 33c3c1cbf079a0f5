/**
 * How a word sounds, coarsely: what may be taken for another over a bad line has the same key. For
 * the tests of the word lists only. Consonants fall into classes (voiced with unvoiced, m with n);
 * of the vowels only the class of the first one counts.
 */

type Rule = readonly [RegExp | string, string];

const rewritten = (word: string, rules: readonly Rule[]): string =>
  rules.reduce((text, [from, to]) => text.replaceAll(from, to), word);

/** In the manner of the Cologne phonetics (Postel, 1969). */
export function germanKey(word: string): string {
  const sounds = rewritten(word, [
    ["ß", "s"],
    [/tsch|sch/g, "S"],
    ["ph", "f"],
    ["th", "t"],
    ["pf", "f"],
    ["dt", "t"],
    ["ck", "k"],
    ["qu", "kw"],
    ["x", "ks"],
    ["tz", "z"],
    [/ch/g, "k"],
    [/c(?=[ei])/g, "s"],
    ["c", "k"],
    ["h", ""],
  ]);
  const classes: Record<string, string> = {
    b: "1", p: "1", d: "2", t: "2", f: "3", v: "3", w: "3", g: "4", k: "4", q: "4",
    l: "5", m: "6", n: "6", r: "7", s: "8", z: "8", S: "9",
  }; // biome-ignore format: a table
  const digits = [...sounds].map((sound) => classes[sound] ?? "0").join("");
  const squeezed = digits.replace(/(.)\1+/g, "$1");
  return squeezed.slice(0, 1) + squeezed.slice(1).replaceAll("0", "") + germanVowel(word);
}

function germanVowel(word: string): string {
  const vowels = /[aeiouyäöü]+/.exec(word)?.[0] ?? "";
  if (/^(ei|ai|eu|äu|ay|ey|oi)/.test(vowels)) return "I";
  if (/^(au|ou)/.test(vowels)) return "U";
  if (vowels.startsWith("a")) return "A";
  return /^[ou]/.test(vowels) ? "O" : "E";
}

/** In the manner of Metaphone (Philips, 1990). */
export function englishKey(word: string): string {
  const sounds = rewritten(word, [
    [/^(kn|gn|pn)/g, "n"],
    [/^wr/g, "r"],
    [/^(ps|x)/g, "s"],
    [/^wh(?=o)/g, "h"],
    [/^wh/g, "w"],
    [/(mb|mn)$/g, "m"],
    ["igh", "i"],
    [/ough|augh/g, "o"],
    ["tch", "C"],
    [/dg(?=[ey])/g, "J"],
    ["sch", "sk"],
    [/ch|sh/g, "C"],
    [/(?<=[a-z])(ti|ci|si)(?=on|al|an|ous|en)/g, "C"],
    [/(?<=[a-z])[ts]ure/g, "Cr"],
    [/gh(?=[aeiou])/g, "g"],
    ["gh", ""],
    ["ph", "f"],
    ["th", "0"],
    ["ck", "k"],
    [/sc(?=[eiy])/g, "s"],
    [/c(?=[eiy])/g, "s"],
    ["c", "k"],
    ["gg", "k"],
    [/g(?=[eiy])/g, "J"],
    [/que$/g, "k"],
    ["qu", "kw"],
    ["x", "ks"],
    [/st(?=le|en)/g, "s"],
    [/lk$/g, "k"],
    [/lm$/g, "m"],
  ]);
  const classes: Record<string, string> = {
    b: "P", p: "P", d: "T", t: "T", f: "F", v: "F", g: "K", k: "K", q: "K", s: "S", z: "S",
    C: "X", J: "X", j: "X", l: "L", m: "N", n: "N", r: "R", "0": "0",
  }; // biome-ignore format: a table
  const keys = [...sounds].map((sound, at) => {
    if ("hwy".includes(sound) && /[aeiouy]/.test(sounds[at + 1] ?? "")) return sound.toUpperCase();
    return classes[sound] ?? (at === 0 ? "a" : ".");
  });
  return (
    keys
      .join("")
      .replace(/(.)\1+/g, "$1")
      .replaceAll(".", "") + englishVowel(word)
  );
}

/** Two classes, each whole: spellings of one sound (`sale`, `sail`) never fall into both. */
function englishVowel(word: string): string {
  const vowels = /[aeiouy]+[rwl]?/.exec(word.replace(/^y/, ""))?.[0] ?? "";
  if (/^(e|i|u|ea)r$/.test(vowels) || word.startsWith("wor")) return "1";
  if (/^(ew|eu|ue|ui|au|aw|al|oar)/.test(vowels) || /^(wh?a|s?qua|swa)/.test(word)) return "2";
  return /^[ou]/.test(vowels) ? "2" : "1";
}

import i18next from "i18next";
import { afterAll, describe, expect, it } from "vitest";
import { findFaults, flatten } from "../../scripts/i18n-rules.ts";
import deFirst from "./de/index.ts";
import deLater from "./de/later.ts";
import enFirst from "./en/index.ts";
import enLater from "./en/later.ts";
import { switchLanguage, withLaterTexts } from "./index.ts";
import { chooseLanguage, localeFor } from "./languages.ts";

const en = { ...enFirst, ...enLater };
const de = { ...deFirst, ...deLater };

const flat = (texts: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(texts).map(([name, words]) => [name, flatten(words)]));

describe("the languages", () => {
  it("have the same keys and placeholders", () => {
    const faults = findFaults({ en: flat(en), de: flat(de) }, []);
    expect(faults.filter((fault) => !fault.endsWith("is not used"))).toEqual([]);
  });

  it("never shout, and never say oops", () => {
    for (const texts of [en, de]) {
      for (const words of Object.values(flat(texts))) {
        for (const text of words.values()) expect(text).not.toMatch(/!|\boops\b|hoppla/i);
      }
    }
  });
});

describe("findFaults", () => {
  const languages = (english: object, german: object) => ({
    en: { start: flatten(english) },
    de: { start: flatten(german) },
  });

  it("finds what is missing, differs, or is unused", () => {
    const faults = findFaults(
      languages({ a: "A", b: "{{n}} b", c: "C", d: "D" }, { a: "A", b: "{{m}} b", c: "C", e: "E" }),
      ['t("a"); t("b"); t("d"); t("e")'],
    );
    expect(faults).toEqual([
      "start:b has different placeholders",
      "start:c is not used",
      "start:d is missing in German",
      "start:e is missing in English",
    ]);
  });

  it("knows plurals, namespaces and templates", () => {
    const words = { n_one: "1", n_other: "2", deep: { x: "X", y: "Y" } };
    const source = ['t("start:n", { count }); t(`deep.', "{which}`)"].join("$");
    expect(findFaults(languages(words, words), [source])).toEqual([]);
  });
});

describe("chooseLanguage", () => {
  it.each([
    ["de", ["en-GB"], "de"],
    [null, ["de-AT", "en"], "de"],
    [null, ["fr-FR", "de"], "de"],
    [null, ["fr-FR"], "en"],
    ["xx", [], "en"],
  ] as const)("of %j and %j is %s", (stored, preferred, expected) => {
    expect(chooseLanguage(stored, preferred)).toBe(expected);
  });
});

describe("localeFor", () => {
  it.each([
    ["en", ["de-DE", "en-US"], "en-US"],
    ["en", ["de-DE"], "en-GB"],
    ["de", ["en-US", "de-AT"], "de-AT"],
    ["de", ["de"], "de-DE"],
  ] as const)("%s among %j is %s", (language, preferred, locale) => {
    expect(localeFor(language, preferred)).toBe(locale);
  });
});

describe("switchLanguage", () => {
  afterAll(() => switchLanguage("en"));

  it("changes the words and the document's language, and is remembered", async () => {
    await switchLanguage("de");
    expect(document.documentElement.lang).toBe("de");
    expect(i18next.t("join:button")).toBe("Eintreten");
    expect(localStorage.getItem("conclave.language")).toBe("de");
  });

  it("brings the texts of the pages around accounts once one was opened", async () => {
    expect(await withLaterTexts(Promise.resolve("page"))).toBe("page");
    expect(i18next.t("signin:title")).toBe("Anmelden");
    await switchLanguage("en");
    expect(i18next.t("signin:title")).toBe("Sign in");
  });
});

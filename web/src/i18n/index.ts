/**
 * The product's words. Two chunks per language: what every visit needs, and what the pages around
 * accounts need, which few open. Every key is typed after the English texts. Keeps `<html lang>` right. Must never hold a text itself.
 */
import i18next from "i18next";
import { initReactI18next, useTranslation } from "react-i18next";
import { readSetting, writeSetting } from "../storage.ts";
import type en from "./en/index.ts";
import type enLater from "./en/later.ts";
import { chooseLanguage, isLanguage, type Language, localeFor } from "./languages.ts";

export type Texts = typeof en & typeof enLater;

const loaders: Record<Language, () => Promise<{ default: typeof en }>> = {
  en: () => import("./en/index.ts"),
  de: () => import("./de/index.ts"),
};
const laterLoaders: Record<Language, () => Promise<{ default: typeof enLater }>> = {
  en: () => import("./en/later.ts"),
  de: () => import("./de/later.ts"),
};
/** From the first page on that needs them, a change of language brings them too. */
let isLaterWanted = false;

async function load(language: Language): Promise<void> {
  await Promise.all([
    add(language, "common", loaders[language]),
    isLaterWanted ? add(language, "account", laterLoaders[language]) : null,
  ]);
}

/** `sign`: a namespace of this chunk, by which it is known to be there. */
async function add(
  language: Language,
  sign: keyof Texts,
  texts: () => Promise<{ default: object }>,
): Promise<void> {
  if (i18next.hasResourceBundle(language, sign)) return;
  for (const [namespace, words] of Object.entries((await texts()).default)) {
    i18next.addResourceBundle(language, namespace, words);
  }
}

/** A page, or a dialog, with the texts that are not there from the start. For `lazy`. */
export async function withLaterTexts<T>(page: Promise<T>): Promise<T> {
  isLaterWanted = true;
  const { language } = i18next;
  await load(isLanguage(language) ? language : "en");
  return page;
}

export async function startI18n(): Promise<void> {
  const language = chooseLanguage(readSetting("language"), navigator.languages);
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    defaultNS: "common",
    ns: [],
    resources: {},
    partialBundledLanguages: true,
    // React escapes what it shows.
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  });
  await switchTo(language);
}

async function switchTo(language: Language): Promise<void> {
  await load(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

/** Changes the language and remembers it on this device. */
export async function switchLanguage(language: Language): Promise<void> {
  await switchTo(language);
  writeSetting("language", language);
}

export function useLanguage(): Language {
  const { i18n } = useTranslation();
  return isLanguage(i18n.language) ? i18n.language : "en";
}

/** For Intl: the language, with the browser's own habits for times and numbers. */
export function useLocale(): string {
  return localeFor(useLanguage(), navigator.languages);
}

export { LANGUAGE_NAMES, LANGUAGES, type Language } from "./languages.ts";

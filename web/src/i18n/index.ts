/**
 * The product's words. One chunk per language, loaded when needed; every key is typed after the
 * English texts. Keeps `<html lang>` right. Must never hold a text itself.
 */
import i18next from "i18next";
import { initReactI18next, useTranslation } from "react-i18next";
import { readSetting, writeSetting } from "../storage.ts";
import type en from "./en/index.ts";
import { chooseLanguage, isLanguage, type Language, localeFor } from "./languages.ts";

export type Texts = typeof en;

const loaders: Record<Language, () => Promise<{ default: Texts }>> = {
  en: () => import("./en/index.ts"),
  de: () => import("./de/index.ts"),
};

async function load(language: Language): Promise<void> {
  if (i18next.hasResourceBundle(language, "common")) return;
  const texts = (await loaders[language]()).default;
  for (const [namespace, words] of Object.entries(texts)) {
    i18next.addResourceBundle(language, namespace, words);
  }
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

/** The rules of `i18n-check.ts`, on plain values. */

type Texts = Record<string, Map<string, string>>;

/** `{a: {b: "x"}}` as `a.b` -> `x`. */
export function flatten(value: unknown, prefix = ""): Map<string, string> {
  const flat = new Map<string, string>();
  if (typeof value !== "object" || value === null) return flat;
  for (const [key, inner] of Object.entries(value)) {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    if (typeof inner === "string") flat.set(path, inner);
    else for (const [deep, text] of flatten(inner, path)) flat.set(deep, text);
  }
  return flat;
}

function placeholders(text: string): string {
  return [...text.matchAll(/\{\{\s*(\w+)[^}]*\}\}/g)]
    .map((match) => match[1])
    .sort()
    .join(",");
}

/** Plural forms are asked for by their stem. */
function stem(key: string): string {
  return key.replace(/_(zero|one|two|few|many|other)$/, "");
}

/** Every string literal and template of the sources, templates as patterns. */
function collectUses(sources: readonly string[]): {
  literals: Set<string>;
  patterns: RegExp[];
} {
  const literals = new Set<string>();
  const patterns: RegExp[] = [];
  for (const source of sources) {
    for (const [, text] of source.matchAll(/"([\w.:-]+)"/g)) if (text) literals.add(text);
    for (const [, text] of source.matchAll(/`([\w.:-]*\$\{[^`]*)`/g)) {
      if (!text) continue;
      const pattern = text
        .replace(/\$\{[^}]*\}/g, "\u0000")
        .replace(/[.*+?^$()|[\]\\{}]/g, "\\$&")
        .replaceAll("\u0000", "[\\w.-]+");
      // A template of nothing but a variable says nothing about a key.
      if (/[a-z]{2,}/i.test(pattern.replaceAll("[\\w.-]+", ""))) {
        patterns.push(new RegExp(`^${pattern}$`));
      }
    }
  }
  return { literals, patterns };
}

export function findFaults(
  languages: { en: Texts; de: Texts },
  sources: readonly string[],
): string[] {
  const faults: string[] = [];
  const { literals, patterns } = collectUses(sources);
  const namespaces = new Set([...Object.keys(languages.en), ...Object.keys(languages.de)]);
  for (const namespace of namespaces) {
    const en = languages.en[namespace] ?? new Map<string, string>();
    const de = languages.de[namespace] ?? new Map<string, string>();
    for (const key of new Set([...en.keys(), ...de.keys()])) {
      const name = `${namespace}:${key}`;
      const [english, german] = [en.get(key), de.get(key)];
      if (english === undefined) faults.push(`${name} is missing in English`);
      else if (german === undefined) faults.push(`${name} is missing in German`);
      else if (placeholders(english) !== placeholders(german)) {
        faults.push(`${name} has different placeholders`);
      }
      if (english?.trim() === "" || german?.trim() === "") faults.push(`${name} is empty`);
      const asked = stem(key);
      const isUsed =
        // The words for an error are asked for by its code.
        namespace === "errors" ||
        [asked, `${namespace}:${asked}`].some(
          (use) => literals.has(use) || patterns.some((pattern) => pattern.test(use)),
        );
      if (!isUsed) faults.push(`${name} is not used`);
    }
  }
  return faults;
}

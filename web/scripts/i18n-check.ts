/**
 * Both languages have the same keys and the same placeholders, and every key is used. That no
 * missing key is asked for is the type checker's work (src/i18n/i18next.d.ts).
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findFaults, flatten } from "./i18n-rules.ts";

const SRC = new URL("../src/", import.meta.url).pathname;

function textsOf(language: string): Record<string, Map<string, string>> {
  const folder = join(SRC, "i18n", language);
  return Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => [
        name.replace(".json", ""),
        flatten(JSON.parse(readFileSync(join(folder, name), "utf8"))),
      ]),
  );
}

const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name))
  .map((name) => readFileSync(join(SRC, name), "utf8"));

const faults = findFaults({ en: textsOf("en"), de: textsOf("de") }, sources);
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length > 0 ? 1 : 0;

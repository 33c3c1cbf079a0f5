/**
 * Vite plugin: says what the build consists of. `index.html` gets subresource integrity for what it
 * names, and `hashes.json` lists every delivered file with its digests, in a stable order and without
 * a time, so that two builds of the same sources are the same bytes. Must run before `precompress`,
 * and must never list itself.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import type { Plugin } from "vite";

export const HASHES = "hashes.json";

interface FileHash {
  /** As in the address; `/` is `index.html`. */
  readonly path: string;
  readonly bytes: number;
  /** Hexadecimal, as `sha256sum` prints it. */
  readonly sha256: string;
  /** As in an `integrity` attribute. */
  readonly integrity: string;
}

function integrityOf(content: Uint8Array): string {
  return `sha384-${createHash("sha384").update(content).digest("base64")}`;
}

/** Adds `integrity` to the scripts, style sheets and preloads of a page; `read` gives a file's bytes. */
export async function withIntegrity(
  page: string,
  read: (path: string) => Promise<Uint8Array>,
): Promise<string> {
  const tags = /<(script|link)\b[^>]*>/g;
  let result = "";
  let end = 0;
  for (const match of page.matchAll(tags)) {
    const [tag, name] = match;
    const address = /\s(?:src|href)="(\/[^"]*)"/.exec(tag)?.[1];
    const isCode = name === "script" || /\srel="(stylesheet|modulepreload)"/.test(tag);
    result += page.slice(end, match.index);
    end = match.index + tag.length;
    result +=
      address === undefined || !isCode || tag.includes("integrity=")
        ? tag
        : tag.replace(/\s*\/?>$/, ` integrity="${integrityOf(await read(address))}">`);
  }
  return result + page.slice(end);
}

export async function hashFolder(folder: string): Promise<FileHash[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && !/\.(br|gz)$/.test(entry.name))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .split(sep)
        .join("/"),
    )
    .filter((name) => name !== HASHES && !name.startsWith("."))
    // By code unit: the same on every machine.
    .sort((left, right) => (left < right ? -1 : 1));
  return Promise.all(
    names.map(async (name) => {
      const content = await readFile(join(folder, name));
      return {
        path: name === "index.html" ? "/" : `/${name}`,
        bytes: content.length,
        sha256: createHash("sha256").update(content).digest("hex"),
        integrity: integrityOf(content),
      };
    }),
  );
}

export async function writeHashes(folder: string): Promise<void> {
  const page = join(folder, "index.html");
  const read = (path: string) => readFile(join(folder, path));
  await writeFile(page, await withIntegrity(await readFile(page, "utf8"), read));
  const files = await hashFolder(folder);
  await writeFile(join(folder, HASHES), `${JSON.stringify({ version: 1, files }, null, 1)}\n`);
}

export function hashes(): Plugin {
  let outDir = "";
  return {
    name: "conclave:hashes",
    apply: "build",
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir);
    },
    writeBundle: { order: "post", sequential: true, handler: () => writeHashes(outDir) },
  };
}

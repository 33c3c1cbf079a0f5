/** What is true of the sources as a whole: icons in use, no strings that become HTML, whole shells. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { compressFolder } from "../build/precompress.ts";

const WEB = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(WEB, path), "utf8");
const sources = readdirSync(join(WEB, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name))
  .map((name) => ({ name, text: read(join("src", name)) }));

describe("the sources", () => {
  it("use every icon that is shipped", () => {
    const [, glyphs = ""] = read("src/design/icons.tsx").split("const glyphs = {");
    const names = [...glyphs.matchAll(/^ {2}"?([a-z][\w-]*)"?:/gm)].map((match) => match[1]);
    expect(names.length).toBeGreaterThan(20);
    const others = sources.filter(({ name }) => !name.endsWith("icons.tsx"));
    const unused = names.filter((name) => !others.some(({ text }) => text.includes(`"${name}"`)));
    expect(unused).toEqual([]);
  });

  it("never make HTML or code from strings", () => {
    const bad =
      /dangerouslySetInnerHTML|\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/;
    expect(sources.filter(({ text }) => bad.test(text)).map(({ name }) => name)).toEqual([]);
  });

  it("are files that can be read at one go", () => {
    const long = sources.filter(({ text }) => text.split("\n").length > 600);
    expect(long.map(({ name }) => name)).toEqual([]);
  });

  it("keep inline script and style out of the page", () => {
    const page = read("index.html");
    expect(page).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*\bsrc=)/);
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  it("have locked packages without an address", () => {
    expect(read("package-lock.json")).not.toMatch(/"resolved"|https?:\/\/registry/);
    const { dependencies, devDependencies } = JSON.parse(read("package.json"));
    const versions = Object.values<string>({ ...dependencies, ...devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});

describe("precompress", () => {
  const folder = mkdtempSync(join(tmpdir(), "precompress-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("writes .br and .gz beside texts that are worth it", async () => {
    const text = "const hello = 'world';\n".repeat(100);
    writeFileSync(join(folder, "big.js"), text);
    writeFileSync(join(folder, "small.js"), "1");
    writeFileSync(join(folder, "picture.png"), Buffer.alloc(2000));
    await compressFolder(folder);
    expect(readdirSync(folder).sort()).toEqual([
      "big.js",
      "big.js.br",
      "big.js.gz",
      "picture.png",
      "small.js",
    ]);
    const raw = (name: string) => readFileSync(join(folder, name));
    expect(brotliDecompressSync(raw("big.js.br")).toString()).toBe(text);
    expect(gunzipSync(raw("big.js.gz")).toString()).toBe(text);
  });
});

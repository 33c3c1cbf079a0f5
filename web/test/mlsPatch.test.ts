/** The MLS library that tests and bundle use is the corrected one, and nothing else passes as it. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { corrected, PATCHED_FILES, patchedMls, patchMls, sha256 } from "../build/mlsPatch.ts";

const MODULES = join(import.meta.dirname, "../node_modules");

describe("the corrections to ts-mls", () => {
  const folder = mkdtempSync(join(tmpdir(), "mls-patch-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The published text, made from the corrected one. */
  function published(index: number): string {
    const file = PATCHED_FILES[index];
    if (!file) throw new Error("no such file");
    let text = readFileSync(join(MODULES, file.path), "utf8");
    for (const { find, put } of file.replacements) text = text.replace(put, () => find);
    expect(sha256(text)).toBe(file.before);
    return text;
  }

  it("are in the files that an import resolves to", () => {
    for (const file of PATCHED_FILES) {
      const name = file.path.replace("ts-mls/dist/src", "ts-mls");
      const path = new URL(import.meta.resolve(name)).pathname;
      expect(sha256(readFileSync(path, "utf8"))).toBe(file.after);
    }
  });

  it("are made of the published files, once and for all", () => {
    for (const [index, file] of PATCHED_FILES.entries()) {
      mkdirSync(dirname(join(folder, file.path)), { recursive: true });
      writeFileSync(join(folder, file.path), published(index));
    }
    expect(patchMls(folder)).toBe(2);
    expect(patchMls(folder)).toBe(0);
    for (const file of PATCHED_FILES) {
      expect(sha256(readFileSync(join(folder, file.path), "utf8"))).toBe(file.after);
    }
  });

  it("refuse any other file", () => {
    const [file] = PATCHED_FILES;
    if (!file) throw new Error("no such file");
    expect(() => corrected(file, `${published(0)}\n`)).toThrow(/neither/);
    expect(() => corrected({ ...file, replacements: [] }, published(0))).toThrow(/another file/);
    const twice = { find: "export", put: "" };
    expect(() => corrected({ ...file, replacements: [twice] }, published(0))).toThrow(/times/);
    cpSync(join(MODULES, file.path), join(folder, file.path));
    writeFileSync(join(folder, file.path), "half a fi");
    expect(() => patchMls(folder)).toThrow(/npm ci/);
  });

  it("are demanded of what enters a bundle", () => {
    const { transform } = patchedMls();
    if (typeof transform !== "function") throw new Error("no transform");
    const run = (code: string, id: string) => transform.call({} as never, code, id);
    for (const [index, file] of PATCHED_FILES.entries()) {
      expect(run(readFileSync(join(MODULES, file.path), "utf8"), `/x/${file.path}?v=1`)).toBeNull();
      expect(() => run(published(index), `/x/${file.path}`)).toThrow(/without/);
    }
    expect(run("anything", "/x/other.js")).toBeNull();
  });
});

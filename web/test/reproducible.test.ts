/** The same sources give the same bytes, wherever they lie: what `/verify` rests on. */
import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { HASHES, hashFolder, withIntegrity, writeHashes } from "../build/hashes.ts";

const WEB = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "reproducible-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function build(web: string, out: string): Promise<void> {
  const { NODE_ENV: _, ...env } = process.env;
  const vite = join(WEB, "node_modules/vite/bin/vite.js");
  await promisify(execFile)(
    process.execPath,
    [vite, "build", "--outDir", out, "--logLevel=error"],
    {
      cwd: web,
      env,
    },
  );
}

/** What is delivered: no file with a dot in front is. */
function contents(path: string): Map<string, string> {
  const names = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length));
  return new Map(names.sort().map((name) => [name, readFileSync(join(path, name), "base64")]));
}

describe("the build", () => {
  it("gives the same bytes twice, also from another folder", async () => {
    const elsewhere = join(folder, "somewhere", "else");
    mkdirSync(elsewhere, { recursive: true });
    for (const name of ["src", "public", "build", "index.html", "package.json", "vite.config.ts"]) {
      cpSync(join(WEB, name), join(elsewhere, name), { recursive: true });
    }
    symlinkSync(join(WEB, "node_modules"), join(elsewhere, "node_modules"));
    const outs = [join(folder, "one"), join(folder, "two")] as const;
    await Promise.all([build(WEB, outs[0]), build(elsewhere, outs[1])]);

    const [one, two] = [contents(outs[0]), contents(outs[1])];
    expect([...two.keys()]).toEqual([...one.keys()]);
    const differing = [...one].filter(([name, content]) => two.get(name) !== content);
    expect(differing.map(([name]) => name)).toEqual([]);

    const page = readFileSync(join(outs[0], "index.html"), "utf8");
    const code = [...page.matchAll(/<script[^>]*>|<link[^>]*(?:stylesheet|modulepreload)[^>]*>/g)];
    expect(code.length).toBeGreaterThan(2);
    for (const [tag] of code) expect(tag).toMatch(/ integrity="sha384-[\w+/]{64}"/);
    const { files } = JSON.parse(readFileSync(join(outs[0], HASHES), "utf8"));
    expect(files).toEqual(await hashFolder(outs[0]));
  });
});

describe("hashes", () => {
  it("are those of every delivered file, but not of compressed copies or the list", async () => {
    const static_ = join(folder, "static");
    mkdirSync(join(static_, "assets"), { recursive: true });
    writeFileSync(join(static_, "index.html"), '<script src="/a.js"></script>');
    for (const name of ["a.js", "a.js.br", "a.js.gz", ".hidden", "assets/b.css"]) {
      writeFileSync(join(static_, name), "abc");
    }
    await writeHashes(static_);
    await writeHashes(static_);
    const { files } = JSON.parse(readFileSync(join(static_, HASHES), "utf8"));
    expect(files.map(({ path }: { path: string }) => path)).toEqual([
      "/a.js",
      "/assets/b.css",
      "/",
    ]);
    expect(files[0]).toEqual({
      path: "/a.js",
      bytes: 3,
      sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      integrity: "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn",
    });
  });

  it("are put into the page's own code, once, and into nothing else", async () => {
    const page = `<script type="module" src="/a.js"></script>
<link rel="stylesheet" crossorigin href="/a.css"><link rel="icon" href="/i.svg" />
<script src="/b.js" integrity="sha384-x"></script><script>1</script>`;
    const done = await withIntegrity(page, async () => new TextEncoder().encode("abc"));
    expect(done.match(/integrity="sha384-ywB1P0[^"]*"/g)).toHaveLength(2);
    expect(done).toContain('<link rel="icon" href="/i.svg" />');
    expect(done).toContain('integrity="sha384-x"></script><script>1</script>');
    expect(await withIntegrity(done, async () => new Uint8Array())).toBe(done);
  });
});

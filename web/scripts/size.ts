/**
 * Holds the built client to its size: what `/` needs at most, compressed, and that the meeting's
 * code is not part of it, nor is what seals it. Reads the build; run after `npm run build`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";

const STATIC = new URL("../../src/conclave/static/", import.meta.url).pathname;
const FIRST_LOAD_KB = 300;
const MEETING_KB = 300;
const SEALING_KB = 120;

interface Chunk {
  file: string;
  isEntry?: boolean;
  imports?: string[];
  css?: string[];
}

const manifest = JSON.parse(readFileSync(join(STATIC, ".build-manifest.json"), "utf8")) as Record<
  string,
  Chunk
>;

function filesOf(key: string, seen = new Set<string>()): Set<string> {
  const chunk = manifest[key];
  if (!chunk || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const css of chunk.css ?? []) seen.add(css);
  for (const imported of chunk.imports ?? []) filesOf(imported, seen);
  return seen;
}

/** As a browser without brotli would not, but every browser of the last eight years does. */
function compressedKb(files: Iterable<string>): number {
  let bytes = 0;
  for (const file of files) bytes += brotliCompressSync(readFileSync(join(STATIC, file))).length;
  return bytes / 1000;
}

const entry = Object.keys(manifest).find((key) => manifest[key]?.isEntry);
if (!entry) throw new Error("the build manifest names no entry");

const shell = filesOf(entry);
// One language is loaded with the page; the larger one counts.
const language = Math.max(
  ...["en", "de"].map((code) => compressedKb(filesOf(`src/i18n/${code}/index.ts`))),
);
const extra = ["index.html", "theme.js", "manifest.webmanifest", "icons/icon.svg"];
const firstLoad = compressedKb([...shell, ...extra]) + language;

const meetingKey = "src/features/meeting/index.tsx";
const faults: string[] = [];
if (firstLoad > FIRST_LOAD_KB) faults.push(`first load: more than ${FIRST_LOAD_KB} kB`);
if (manifest[meetingKey]) {
  const meeting = [...filesOf(meetingKey)].filter((file) => !shell.has(file));
  const size = compressedKb(meeting);
  process.stdout.write(`meeting     ${size.toFixed(1)} kB of ${MEETING_KB}\n`);
  if (size > MEETING_KB) faults.push(`meeting: more than ${MEETING_KB} kB`);
} else {
  faults.push("the meeting is not a chunk of its own");
}
// The session with its meeting machine, one word list, and the workers: engine, frames, drop. The
// media library, which the session names as well, would be there without them.
const sealingKey = "src/sealing/session/open.ts";
const lists = ["en", "de"].map((code) =>
  compressedKb(filesOf(`src/sealing/words/lists/${code}.ts`)),
);
const before = new Set([...shell, ...filesOf(meetingKey)]);
const sealing = [...filesOf(sealingKey)].filter((file) => !before.has(file));
const workers = readdirSync(join(STATIC, "assets")).filter((file) => /worker-.*\.js$/i.test(file));
const sealed =
  compressedKb([...sealing, ...workers.map((file) => `assets/${file}`)]) + Math.max(...lists);
process.stdout.write(`sealing     ${sealed.toFixed(1)} kB of ${SEALING_KB}\n`);
if (workers.length < 3) faults.push("sealing: a worker is missing");
if (sealed > SEALING_KB) faults.push(`sealing: more than ${SEALING_KB} kB`);
if (shell.has(manifest[sealingKey]?.file ?? "")) faults.push("sealing is part of the first load");
process.stdout.write(`first load  ${firstLoad.toFixed(1)} kB of ${FIRST_LOAD_KB}\n`);
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length > 0 ? 1 : 0;

/**
 * Compares what this server delivers with what it says it delivers. Reads `hashes.json` as hostile
 * input and asks nobody but our own origin. Decides nothing about trust: the page says what a match
 * is worth.
 */

export interface PublishedFile {
  readonly path: string;
  readonly sha256: string;
}

export interface Published {
  readonly files: readonly PublishedFile[];
  /** Of the list itself: one value that stands for all. */
  readonly sha256: string;
}

export type Finding =
  | { readonly type: "waiting" }
  | { readonly type: "same" }
  | { readonly type: "different"; readonly sha256: string }
  | { readonly type: "missing" };

export const LIST_PATH = "/hashes.json";
const MOST_FILES = 1_000;
const AT_ONCE = 4;
/** Our own files only: no other host, no query, no step upwards. */
const PATH = /^\/(?:[\w-][\w.-]*(?:\/[\w-][\w.-]*)*)?$/;
const SHA256 = /^[0-9a-f]{64}$/;

export async function sha256(content: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Null for anything that is no such list. */
export function parseList(text: string): readonly PublishedFile[] | null {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return null;
  }
  const { version, files } = (list ?? {}) as { version?: unknown; files?: unknown };
  if (version !== 1 || !Array.isArray(files) || files.length > MOST_FILES) {
    return null;
  }
  const found: PublishedFile[] = [];
  for (const entry of files as unknown[]) {
    const { path, sha256: hash } = (entry ?? {}) as { path?: unknown; sha256?: unknown };
    if (typeof path !== "string" || !PATH.test(path)) return null;
    if (typeof hash !== "string" || !SHA256.test(hash)) return null;
    found.push({ path, sha256: hash });
  }
  return new Set(found.map(({ path }) => path)).size === found.length ? found : null;
}

/** A file as the server delivers it now; null when it does not. */
export type Fetch = (path: string) => Promise<ArrayBuffer | null>;

export const fetchOwn: Fetch = async (path) => {
  try {
    const answer = await fetch(path, { cache: "no-store", redirect: "error" });
    return answer.ok ? await answer.arrayBuffer() : null;
  } catch {
    return null;
  }
};

export async function readList(read: Fetch): Promise<Published | null> {
  const content = await read(LIST_PATH);
  const files = content === null ? null : parseList(new TextDecoder().decode(content));
  return content === null || files === null ? null : { files, sha256: await sha256(content) };
}

/** Fetches and compares every file, a few at a time; `report` hears of each once. */
export async function compare(
  files: readonly PublishedFile[],
  read: Fetch,
  report: (path: string, finding: Finding) => void,
): Promise<void> {
  const waiting = [...files];
  async function work(): Promise<void> {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const content = await read(file.path);
      if (content === null) {
        report(file.path, { type: "missing" });
        continue;
      }
      const hash = await sha256(content);
      report(
        file.path,
        hash === file.sha256 ? { type: "same" } : { type: "different", sha256: hash },
      );
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

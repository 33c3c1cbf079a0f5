/**
 * Three corrections to ts-mls 1.6.4, applied to the installed files: exact replacements between two
 * known checksums, so that another version or a half-written file stops install and build instead
 * of shipping unpatched. Runs after install and again at build; a second run changes nothing.
 *
 * Must never guess: a file that is neither the published nor the corrected one is an error.
 */
import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

interface Replacement {
  readonly find: string;
  readonly put: string;
}

export interface PatchedFile {
  readonly path: string;
  /** SHA-256 as published. */
  readonly before: string;
  /** SHA-256 with the corrections. */
  readonly after: string;
  readonly replacements: readonly Replacement[];
}

export const PATCHED_FILES: readonly PatchedFile[] = [
  {
    path: "ts-mls/dist/src/clientState.js",
    before: "63645bc3be6ec7f6d4f6d88af5c0b63e34f5e1fea693c62bd958d228b51b6f61",
    after: "93eec2d53913376d6769b65cf2ac4fda2244f257902ba6ffddde0d62987d792a",
    replacements: [
      // RFC 9420, 7.8 asks only that the non-blank nodes between a leaf and the parent that lists it
      // as unmerged list it too. Published: the whole direct path has to have identical lists, which
      // locks joiners out of valid trees.
      {
        find: 'if (tree[nodeIndex]?.nodeType !== "leaf" && !dp.includes(toNodeIndex(i)))',
        put: 'if (tree[nodeIndex]?.nodeType !== "leaf" || !dp.includes(toNodeIndex(i)))',
      },
      {
        find: "for (const parentIdx of dp) {\n",
        put: "for (const parentIdx of dp) {\n                    if (parentIdx === i)\n                        break;\n",
      },
      {
        find: "if (!arraysEqual(dpNode.parent.unmergedLeaves, n.parent.unmergedLeaves))",
        put: "if (!dpNode.parent.unmergedLeaves.includes(unmergedLeaf))",
      },
      // RFC 9420, 12.4: a GroupContextExtensions proposal needs a path.
      {
        find: "Object.values(grouped.remove).length > 0;",
        put: "Object.values(grouped.remove).length > 0 || grouped.group_context_extensions.length > 0;",
      },
    ],
  },
  {
    path: "ts-mls/dist/src/createCommit.js",
    before: "2813d68a1457a55470bbb1f2d223e12aa61c69e18a177f920c51cbdccc4bb004",
    after: "c4917702c272064d826472532c7348235fd1d54b021ad1dfd0c8bd590d63f50a",
    replacements: [
      // RFC 9420, 12.4.1: path secrets are encrypted under the provisional GroupContext, which has
      // the new extensions. Published: the old ones, so that nobody can decrypt the commit.
      {
        find: `    const [tree, updatePath, pathSecrets, newPrivateKey] = res.needsUpdatePath
        ? await createUpdatePath(res.tree, toLeafIndex(state.privatePath.leafIndex), state.groupContext, state.signaturePrivateKey, cipherSuite, excludeNodes)
        : [res.tree, undefined, [], undefined];
    const updatedExtensions = res.additionalResult.kind === "memberCommit" && res.additionalResult.extensions.length > 0
        ? res.additionalResult.extensions
        : state.groupContext.extensions;
    const groupContextWithExtensions = { ...state.groupContext, extensions: updatedExtensions };
`,
        put: `    const updatedExtensions = res.additionalResult.kind === "memberCommit" && res.additionalResult.extensions.length > 0
        ? res.additionalResult.extensions
        : state.groupContext.extensions;
    const groupContextWithExtensions = { ...state.groupContext, extensions: updatedExtensions };
    const [tree, updatePath, pathSecrets, newPrivateKey] = res.needsUpdatePath
        ? await createUpdatePath(res.tree, toLeafIndex(state.privatePath.leafIndex), groupContextWithExtensions, state.signaturePrivateKey, cipherSuite, excludeNodes)
        : [res.tree, undefined, [], undefined];
`,
      },
    ],
  },
];

export const sha256 = (text: string | Uint8Array): string =>
  createHash("sha256").update(text).digest("hex");

/** The corrected text; the text itself when it is corrected already. */
export function corrected(file: PatchedFile, text: string): string {
  const sum = sha256(text);
  if (sum === file.after) return text;
  if (sum !== file.before) {
    throw new Error(
      `${file.path} is neither the published file nor the corrected one (SHA-256 ${sum}): run "npm ci" again`,
    );
  }
  let result = text;
  for (const { find, put } of file.replacements) {
    const parts = result.split(find);
    if (parts.length !== 2) {
      throw new Error(`${file.path}: found ${parts.length - 1} times: ${find}`);
    }
    result = parts.join(put);
  }
  if (sha256(result) !== file.after) {
    throw new Error(`${file.path}: the corrections make another file than expected`);
  }
  return result;
}

/** Corrects the installed files; says how many it changed. */
export function patchMls(modules: string): number {
  let changed = 0;
  for (const file of PATCHED_FILES) {
    const path = join(modules, file.path);
    const text = readFileSync(path, "utf8");
    const result = corrected(file, text);
    if (result === text) continue;
    // Renamed into place: another process never reads half a file.
    const draft = `${path}.${process.pid}.new`;
    writeFileSync(draft, result);
    renameSync(draft, path);
    changed++;
  }
  return changed;
}

/** Vite plugin, for the page and for workers: what enters a bundle is the corrected text. */
export function patchedMls(): Plugin {
  return {
    name: "conclave:patched-mls",
    enforce: "pre",
    configResolved(config) {
      patchMls(join(config.root, "node_modules"));
    },
    transform(code, id) {
      const [path = ""] = id.split("?");
      const file = PATCHED_FILES.find((one) => path.endsWith(`/${one.path}`));
      if (!file || sha256(code) === file.after) return null;
      throw new Error(`${file.path} came into the bundle without its corrections`);
    },
  };
}

/**
 * Vite plugin: asks browsers to compile all functions of the meeting's code while it loads, beside
 * the page, instead of each one when it is first called: that would be between Join and the first
 * picture. A comment; browsers that do not know it ignore it.
 */
import type { Plugin } from "vite";

const MEETING = "src/features/meeting/index.tsx";
const HINT = "//# allFunctionsCalledOnLoad\n";

export function compileHints(): Plugin {
  return {
    name: "compile-hints",
    apply: "build",
    generateBundle(_options, bundle) {
      for (const part of Object.values(bundle)) {
        if (part.type === "chunk" && part.facadeModuleId?.endsWith(MEETING)) {
          part.code = HINT + part.code;
        }
      }
    },
  };
}

/** Runs after `npm install` and `npm ci`: see build/mlsPatch.ts. */
import { patchMls } from "../build/mlsPatch.ts";

const changed = patchMls(new URL("../node_modules", import.meta.url).pathname);
process.stdout.write(
  `ts-mls: ${changed === 0 ? "corrected already" : `${changed} files corrected`}\n`,
);

/**
 * One correction to react-aria on its way into the bundle: its announcer empties its log by
 * `innerHTML`, which our security policy (Trusted Types) refuses, so that typing into a date would
 * break the page. Exact replacements: another version of the file stops the build instead.
 */
import type { Plugin } from "vite";

const FILE = "/react-aria/dist/private/live-announcer/LiveAnnouncer.mjs";
const FIND = "Log.innerHTML = '';";
const PUT = "Log.replaceChildren();";
const TIMES = 2;

/** Throws for a file that is not the known one. */
export function trusted(code: string): string {
  const parts = code.split(FIND);
  if (parts.length - 1 !== TIMES) {
    throw new Error(`react-aria's announcer: found ${parts.length - 1} times: ${FIND}`);
  }
  return parts.join(PUT);
}

export function trustedAria(): Plugin {
  return {
    name: "conclave:trusted-aria",
    enforce: "pre",
    transform(code, id) {
      const [path = ""] = id.split("?");
      return path.endsWith(FILE) ? { code: trusted(code), map: null } : null;
    },
  };
}

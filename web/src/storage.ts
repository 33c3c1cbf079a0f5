/**
 * What this browser remembers for its person: theme, language, name, devices. Never a token, never
 * anything about a meeting. Works, without memory, where storage is blocked.
 */
type Setting =
  | "theme"
  | "language"
  | "name"
  | "devices"
  | "selfHidden"
  | "singleKeys"
  | "knockSound";

export function readSetting(setting: Setting): string | null {
  try {
    return localStorage.getItem(`conclave.${setting}`);
  } catch {
    return null;
  }
}

export function writeSetting(setting: Setting, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`conclave.${setting}`);
    else localStorage.setItem(`conclave.${setting}`, value);
  } catch {
    // Storage is blocked: the choice holds until the page is closed.
  }
}

/** Light, dark, or as the system. `public/theme.js` sets the stored choice before the first paint. */
import { create } from "zustand";
import { readSetting, writeSetting } from "../storage.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const CANVAS = { light: "#F6F4EF", dark: "#10131A" } as const;

export function asTheme(value: unknown): Theme {
  return THEMES.find((theme) => theme === value) ?? "system";
}

/** Sets the theme on the document, and the colour that phones paint around the page. */
export function applyTheme(theme: Theme, root: Document = document): void {
  if (theme === "system") delete root.documentElement.dataset["theme"];
  else root.documentElement.dataset["theme"] = theme;
  for (const meta of root.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const own = meta.media.includes("dark") ? "dark" : "light";
    meta.content = CANVAS[theme === "system" ? own : theme];
  }
}

interface ThemeState {
  theme: Theme;
  setTheme(theme: Theme): void;
}

export const useTheme = create<ThemeState>()((set) => ({
  theme: asTheme(readSetting("theme")),
  setTheme(theme) {
    applyTheme(theme);
    writeSetting("theme", theme === "system" ? null : theme);
    set({ theme });
  },
}));

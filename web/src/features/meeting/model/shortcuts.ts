/**
 * Keyboard shortcuts of the meeting page: which key asks for which action, and where it may.
 * Single keys act only on the stage and can be switched off; the Ctrl/Cmd pairs act everywhere.
 * Holding Space is a matter of time and lives in `pushToTalk`.
 */

export type ShortcutAction =
  | { readonly type: "toggle-microphone" }
  | { readonly type: "toggle-camera" }
  | { readonly type: "toggle-people" }
  | { readonly type: "toggle-chat" }
  | { readonly type: "toggle-figures" }
  | { readonly type: "toggle-hand" }
  | { readonly type: "toggle-view" }
  | { readonly type: "toggle-share" }
  | { readonly type: "toggle-fullscreen" }
  | { readonly type: "enlarge"; readonly index: number }
  | { readonly type: "enlarge-nobody" }
  | { readonly type: "page"; readonly by: 1 | -1 }
  | { readonly type: "region"; readonly by: 1 | -1 }
  | { readonly type: "summary" }
  | { readonly type: "freeze" }
  | { readonly type: "show-shortcuts" }
  | { readonly type: "close" };

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  readonly repeat: boolean;
}

/** Where the focus is: in a field, menu or dialog single keys belong to that. */
export type Focus = "stage" | "field" | "overlay" | "panel";

export interface ShortcutContext {
  readonly focus: Focus;
  readonly areSingleKeysOn: boolean;
  readonly isMac: boolean;
}

const SINGLE = new Map<string, ShortcutAction>(
  Object.entries({
    m: { type: "toggle-microphone" },
    v: { type: "toggle-camera" },
    p: { type: "toggle-people" },
    c: { type: "toggle-chat" },
    s: { type: "toggle-figures" },
    r: { type: "toggle-hand" },
    w: { type: "toggle-view" },
    d: { type: "toggle-share" },
    f: { type: "toggle-fullscreen" },
    i: { type: "summary" },
    "?": { type: "show-shortcuts" },
    "0": { type: "enlarge-nobody" },
  }),
);

const PAIRS = new Map<string, ShortcutAction>(
  Object.entries({
    d: { type: "toggle-microphone" },
    e: { type: "toggle-camera" },
  }),
);

/** The keys as a person sees them in the list of all keys, in the order they are listed. */
export const SHORTCUT_LIST = [
  { id: "microphone", keys: ["M", "Mod+D"] },
  { id: "camera", keys: ["V", "Mod+E"] },
  { id: "pushToTalk", keys: ["Space"] },
  { id: "hand", keys: ["R"] },
  { id: "chat", keys: ["C"] },
  { id: "people", keys: ["P"] },
  { id: "figures", keys: ["S"] },
  { id: "view", keys: ["W"] },
  { id: "enlarge", keys: ["1–9"] },
  { id: "enlargeNobody", keys: ["0"] },
  { id: "share", keys: ["D"] },
  { id: "fullscreen", keys: ["F"] },
  { id: "page", keys: ["PageUp", "PageDown"] },
  { id: "region", keys: ["F6", "Shift+F6"] },
  { id: "summary", keys: ["I"] },
  { id: "freeze", keys: ["Mod+Shift+Backspace"] },
  { id: "close", keys: ["Escape"] },
  { id: "all", keys: ["?"] },
] as const;

/** The action a key press asks for, or null when the press belongs to somebody else. */
export function shortcutFor(press: KeyPress, context: ShortcutContext): ShortcutAction | null {
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  if (press.altKey) {
    return null;
  }
  if (press.ctrlKey || press.metaKey) {
    return pairFor(key, press, context);
  }
  if (key === "F6") {
    return { type: "region", by: press.shiftKey ? -1 : 1 };
  }
  if (context.focus === "overlay" || context.focus === "field") {
    return null;
  }
  if (key === "Escape") {
    return { type: "close" };
  }
  if (context.focus === "panel") {
    return null;
  }
  if (key === "PageUp" || key === "PageDown") {
    return { type: "page", by: key === "PageDown" ? 1 : -1 };
  }
  return context.areSingleKeysOn && !press.repeat ? singleFor(key) : null;
}

function pairFor(key: string, press: KeyPress, context: ShortcutContext): ShortcutAction | null {
  const isModifier = context.isMac
    ? press.metaKey && !press.ctrlKey
    : press.ctrlKey && !press.metaKey;
  if (!isModifier || press.repeat) {
    return null;
  }
  if (press.shiftKey) {
    return key === "Backspace" ? { type: "freeze" } : null;
  }
  return PAIRS.get(key) ?? null;
}

function singleFor(key: string): ShortcutAction | null {
  if (/^[1-9]$/.test(key)) {
    return { type: "enlarge", index: Number(key) - 1 };
  }
  return SINGLE.get(key) ?? null;
}

export const HOLD_MS = 200;

export interface PushToTalk {
  readonly phase: "idle" | "pressed" | "talking";
  readonly pressedAt: number;
}

export type PushToTalkInput = "down" | "up" | "tick" | "cancel";

export interface PushToTalkStep {
  readonly state: PushToTalk;
  /** What the microphone has to do now; null for nothing. */
  readonly microphone: "open" | "close" | null;
}

export const NOT_TALKING: PushToTalk = { phase: "idle", pressedAt: 0 };

/** Space held for 200 ms opens a muted microphone until it is let go. */
export function pushToTalk(
  state: PushToTalk,
  input: PushToTalkInput,
  isMuted: boolean,
  now: number,
): PushToTalkStep {
  if (input === "down") {
    return state.phase === "idle" && isMuted
      ? { state: { phase: "pressed", pressedAt: now }, microphone: null }
      : { state, microphone: null };
  }
  if (input === "tick") {
    return state.phase === "pressed" && now - state.pressedAt >= HOLD_MS
      ? { state: { ...state, phase: "talking" }, microphone: "open" }
      : { state, microphone: null };
  }
  return { state: NOT_TALKING, microphone: state.phase === "talking" ? "close" : null };
}

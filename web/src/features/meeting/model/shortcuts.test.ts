import { describe, expect, it } from "vitest";
import {
  type Focus,
  HOLD_MS,
  type KeyPress,
  NOT_TALKING,
  type PushToTalkInput,
  pushToTalk,
  shortcutFor,
} from "./shortcuts.ts";

const press = (key: string, over: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  repeat: false,
  ...over,
});
const on = (focus: Focus = "stage", areSingleKeysOn = true, isMac = false) => ({
  focus,
  areSingleKeysOn,
  isMac,
});

describe("single keys", () => {
  it.each([
    ["m", "toggle-microphone"],
    ["M", "toggle-microphone"],
    ["v", "toggle-camera"],
    ["p", "toggle-people"],
    ["c", "toggle-chat"],
    ["r", "toggle-hand"],
    ["w", "toggle-view"],
    ["d", "toggle-share"],
    ["f", "toggle-fullscreen"],
    ["i", "summary"],
    ["?", "show-shortcuts"],
    ["0", "enlarge-nobody"],
  ])("%s asks for %s", (key, type) => {
    expect(shortcutFor(press(key), on())).toEqual({ type });
  });

  it("enlarge persons one to nine", () => {
    expect(shortcutFor(press("1"), on())).toEqual({ type: "enlarge", index: 0 });
    expect(shortcutFor(press("9"), on())).toEqual({ type: "enlarge", index: 8 });
  });

  it("act on the stage only", () => {
    for (const focus of ["field", "overlay", "panel"] as const) {
      expect(shortcutFor(press("m"), on(focus))).toBeNull();
    }
  });

  it("can be switched off, and do not repeat", () => {
    expect(shortcutFor(press("m"), on("stage", false))).toBeNull();
    expect(shortcutFor(press("m", { repeat: true }), on())).toBeNull();
  });

  it("leave everything else alone", () => {
    for (const key of ["x", "Enter", "Tab", " "]) {
      expect(shortcutFor(press(key), on())).toBeNull();
    }
    expect(shortcutFor(press("m", { altKey: true }), on())).toBeNull();
    expect(shortcutFor(press("toString"), on())).toBeNull();
  });
});

describe("pairs", () => {
  it("act everywhere, also while typing and with single keys off", () => {
    const field = on("field", false);
    expect(shortcutFor(press("d", { ctrlKey: true }), field)?.type).toBe("toggle-microphone");
    expect(shortcutFor(press("e", { ctrlKey: true }), field)?.type).toBe("toggle-camera");
  });

  it("use Cmd on Apple keyboards and Ctrl elsewhere", () => {
    const mac = on("stage", true, true);
    expect(shortcutFor(press("d", { metaKey: true }), mac)?.type).toBe("toggle-microphone");
    expect(shortcutFor(press("d", { ctrlKey: true }), mac)).toBeNull();
    expect(shortcutFor(press("d", { metaKey: true }), on())).toBeNull();
    expect(shortcutFor(press("d", { ctrlKey: true, metaKey: true }), on())).toBeNull();
  });

  it("are those two and nothing near them", () => {
    expect(shortcutFor(press("d", { ctrlKey: true, shiftKey: true }), on())).toBeNull();
    expect(shortcutFor(press("d", { ctrlKey: true, repeat: true }), on())).toBeNull();
    expect(shortcutFor(press("c", { ctrlKey: true }), on())).toBeNull();
  });
});

describe("the other keys", () => {
  it("move between regions from anywhere", () => {
    expect(shortcutFor(press("F6"), on("field"))).toEqual({ type: "region", by: 1 });
    expect(shortcutFor(press("F6", { shiftKey: true }), on("panel"))).toEqual({
      type: "region",
      by: -1,
    });
  });

  it("turn pages on the stage, whether single keys are on or not", () => {
    expect(shortcutFor(press("PageDown"), on("stage", false))).toEqual({ type: "page", by: 1 });
    expect(shortcutFor(press("PageUp"), on())).toEqual({ type: "page", by: -1 });
    expect(shortcutFor(press("PageUp"), on("panel"))).toBeNull();
  });

  it("close the panel, but leave dialogs to themselves", () => {
    expect(shortcutFor(press("Escape"), on("panel"))).toEqual({ type: "close" });
    expect(shortcutFor(press("Escape"), on("overlay"))).toBeNull();
  });
});

describe("holding Space", () => {
  const run = (steps: [PushToTalkInput, number][], isMuted = true) => {
    const heard: (string | null)[] = [];
    steps.reduce((state, [input, now]) => {
      const step = pushToTalk(state, input, isMuted, now);
      heard.push(step.microphone);
      return step.state;
    }, NOT_TALKING);
    return heard;
  };

  it("opens a muted microphone after 200 ms until it is let go", () => {
    expect(
      run([
        ["down", 0],
        ["tick", HOLD_MS],
        ["up", 900],
      ]),
    ).toEqual([null, "open", "close"]);
  });

  it("does nothing when let go sooner", () => {
    expect(
      run([
        ["down", 0],
        ["tick", HOLD_MS - 1],
        ["up", HOLD_MS],
        ["tick", 900],
      ]),
    ).toEqual([null, null, null, null]);
  });

  it("does nothing when not muted", () => {
    expect(
      run(
        [
          ["down", 0],
          ["tick", HOLD_MS],
          ["up", 900],
        ],
        false,
      ),
    ).toEqual([null, null, null]);
  });

  it("closes when the window loses the keyboard, and ignores repeated presses", () => {
    expect(
      run([
        ["down", 0],
        ["down", 50],
        ["tick", HOLD_MS],
        ["down", 300],
        ["cancel", 400],
      ]),
    ).toEqual([null, null, "open", null, "close"]);
  });
});

import { describe, expect, it } from "vitest";
import { listDevices, pick, readRemembered } from "./devices.ts";
import { hear, isHeard, levelOf, SILENT } from "./hearing.ts";
import { nameFault } from "./name.ts";
import { familyOf, joinProblems, problemOf } from "./problems.ts";

describe("nameFault", () => {
  it.each(["Hanna", "  Hanna Vogel ", "李雷", "Zoë 👩‍🔬", "a".repeat(60)])("takes %s", (name) => {
    expect(nameFault(name)).toBeNull();
  });

  it.each([
    ["", "missing"],
    ["   ", "missing"],
    ["a".repeat(61), "tooLong"],
    ["Han\u0000na", "refused"],
    ["Hanna\nVogel", "refused"],
    ["\u202eannaH", "refused"],
    ["Ha\u200bnna", "refused"],
  ])("refuses %j", (name, fault) => {
    expect(nameFault(name)).toBe(fault);
  });
});

describe("problemOf", () => {
  it.each([
    ["NotAllowedError", true, "denied"],
    ["NotAllowedError", false, "dismissed"],
    ["SecurityError", true, "denied"],
    ["NotFoundError", false, "none"],
    ["OverconstrainedError", false, "none"],
    ["NotReadableError", false, "busy"],
    ["AbortError", false, "busy"],
    ["TypeError", false, "failed"],
  ])("%s, denied %s, is %s", (name, isDenied, problem) => {
    expect(problemOf(new DOMException("", name), isDenied)).toBe(problem);
  });

  it("survives what is no error at all", () => {
    expect(problemOf(undefined, true)).toBe("failed");
  });
});

describe("joinProblems", () => {
  it("says once what both have", () => {
    expect(joinProblems("denied", "denied")).toEqual([{ problem: "denied", kind: "both" }]);
    expect(joinProblems("none", "busy")).toHaveLength(2);
    expect(joinProblems(null, "busy")).toEqual([{ problem: "busy", kind: "camera" }]);
    expect(joinProblems(null, null)).toEqual([]);
  });
});

describe("familyOf", () => {
  it.each([
    ["Mozilla/5.0 (X11) Gecko/20100101 Firefox/140.0", "firefox"],
    ["Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36", "chromium"],
    ["Mozilla/5.0 (Macintosh) AppleWebKit/605 Version/18.0 Safari/605", "safari"],
    ["something", "other"],
  ])("of %s is %s", (agent, family) => {
    expect(familyOf(agent)).toBe(family);
  });
});

describe("devices", () => {
  const device = (kind: MediaDeviceKind, deviceId: string, label = deviceId) => ({
    kind,
    deviceId,
    label,
  });

  it("cannot be chosen before the browser names them", () => {
    const lists = listDevices([device("audioinput", "", ""), device("videoinput", "cam")]);
    expect(lists.microphones).toEqual([]);
    expect(lists.cameras).toEqual([{ id: "cam", label: "cam" }]);
  });

  it("are used as remembered if they are still there", () => {
    const devices = [
      { id: "a", label: "A" },
      { id: "b", label: "B" },
    ];
    expect(pick(devices, "b")).toBe("b");
    expect(pick(devices, "gone")).toBe("a");
    expect(pick([], "a")).toBeNull();
  });

  it.each([null, "", "{", "7", "null", "[]", '{"microphoneId":7}'])(
    "are forgotten when %j is stored",
    (stored) => {
      expect(readRemembered(stored)).toEqual({
        microphoneId: null,
        cameraId: null,
        speakerId: null,
      });
    },
  );
});

describe("hearing", () => {
  it("holds the good news through a pause between words", () => {
    const heard = hear(SILENT, 0.5, 1000);
    expect(isHeard(SILENT, 0)).toBe(false);
    expect(isHeard(hear(heard, 0.01, 2000), 4900)).toBe(true);
    expect(isHeard(heard, 5000)).toBe(false);
  });

  it("maps silence to empty and a loud voice to full", () => {
    expect(levelOf(0)).toBe(0);
    expect(levelOf(Number.MIN_VALUE)).toBe(0);
    expect(levelOf(0.316)).toBeCloseTo(1, 1);
    expect(levelOf(2)).toBe(1);
  });
});

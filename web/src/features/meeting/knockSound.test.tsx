import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { hasKnockSound, knock, setKnockSound } from "./model/knockSound.ts";

let started: number;
let at = 0;

class FakeContext {
  currentTime = 0;
  destination = {};
  close = async () => undefined;
  createGain() {
    return { gain: param(), connect: (next: unknown) => next };
  }
  createOscillator() {
    return {
      frequency: param(),
      connect: (next: unknown) => next,
      start: () => {
        started += 1;
      },
      stop: () => undefined,
      addEventListener: (_type: string, run: () => void) => run(),
    };
  }
}

function param() {
  return { setValueAtTime: () => undefined, exponentialRampToValueAtTime: () => undefined };
}

beforeEach(() => {
  started = 0;
  at += 60_000;
  localStorage.clear();
  vi.stubGlobal("AudioContext", FakeContext);
});
afterEach(() => void vi.unstubAllGlobals());

it("taps twice, and once for many who come at once", () => {
  knock(at);
  knock(at + 100);
  expect(started).toBe(2);
  knock(at + 4_000);
  expect(started).toBe(4);
});

it("can be switched off, and stays so", () => {
  setKnockSound(false);
  expect(hasKnockSound()).toBe(false);
  knock(at);
  expect(started).toBe(0);
  setKnockSound(true);
  knock(at);
  expect(started).toBe(2);
});

it("is silent where there is no sound", () => {
  vi.stubGlobal("AudioContext", undefined);
  knock(at);
  vi.stubGlobal(
    "AudioContext",
    class {
      constructor() {
        throw new Error("none");
      }
    },
  );
  expect(() => knock(at + 10_000)).not.toThrow();
  expect(started).toBe(0);
});

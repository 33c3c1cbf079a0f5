import { describe, expect, it } from "vitest";
import { ownScript } from "./trustedWorker.ts";

const PAGE = "https://meet.example/m/x";

describe("the address of a worker", () => {
  it("is one of our own", () => {
    expect(ownScript("/assets/worker-1.js", PAGE)).toBe("https://meet.example/assets/worker-1.js");
  });

  it.each([
    "https://evil.example/worker.js",
    "//evil.example/worker.js",
    "http://meet.example/worker.js",
    "https://meet.example:8443/worker.js",
    "https://user@meet.example/worker.js",
    "data:text/javascript,1",
    "blob:https://meet.example/0f0f",
    "javascript:1",
  ])("is not %s", (address) => {
    expect(() => ownScript(address, PAGE)).toThrow(TypeError);
  });
});

import { expect, it, vi } from "vitest";
import { warmUp } from "./warmUp.tsx";

it("runs the meeting's code without a trace on the page, a request or a device", async () => {
  const fetched = vi.fn();
  const opened = vi.fn();
  vi.stubGlobal("fetch", fetched);
  vi.stubGlobal("WebSocket", opened);
  // Only the clock is ours: the drawing itself goes by the page's own tasks and is finished here.
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const created = vi.spyOn(document, "createElement");
  const before = [document.title, document.body.innerHTML];
  const isLetGo = warmUp();
  while (!created.mock.calls.some(([name]) => name === "video")) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  await vi.runAllTimersAsync();
  await isLetGo;
  // What React still does of itself after letting go stands in this queue before us.
  await new Promise((resolve) => setImmediate(resolve));
  vi.useRealTimers();
  expect([document.title, document.body.innerHTML]).toEqual(before);
  expect(fetched).not.toHaveBeenCalled();
  expect(opened).not.toHaveBeenCalled();
});

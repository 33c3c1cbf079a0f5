import { expect, it, vi } from "vitest";
import { warmUp } from "./warmUp.tsx";

it("runs the meeting's code without a trace on the page, a request or a device", async () => {
  const fetched = vi.fn();
  const opened = vi.fn();
  vi.stubGlobal("fetch", fetched);
  vi.stubGlobal("WebSocket", opened);
  const before = [document.title, document.body.innerHTML];
  await warmUp();
  expect([document.title, document.body.innerHTML]).toEqual(before);
  expect(fetched).not.toHaveBeenCalled();
  expect(opened).not.toHaveBeenCalled();
});

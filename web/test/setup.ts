/** Before each test file: the English texts, the live regions of index.html, a clean page after each. */
import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach } from "vitest";
import { startI18n, withLaterTexts } from "../src/i18n/index.ts";

configure({
  // A whole page of markup in an error hides what is wrong.
  getElementError: (message) => new Error(message?.split("\n")[0] ?? "not found"),
  // Only a failing test waits this long; a busy machine must not make a good one fail.
  asyncUtilTimeout: 10_000,
});

// A page may ask once more after its test took the server away. That is answered here, never by
// whoever listens at the address that pages of tests have.
globalThis.fetch = () => Promise.reject(new TypeError("Failed to fetch"));

localStorage.setItem("conclave.language", "en");
await startI18n();
await withLaterTexts(Promise.resolve());

beforeEach(() => {
  for (const id of ["live-polite", "live-assertive"]) {
    const region = document.createElement("div");
    region.id = id;
    document.body.append(region);
  }
});

afterEach(() => {
  cleanup();
  document.body.replaceChildren();
  history.replaceState(null, "", "/");
});

/** A browser with an authenticator that agrees at once, for tests of pages. */
import { vi } from "vitest";

export interface PasskeyBrowser {
  /** What it does when it is asked; a `DOMException` to refuse. */
  answer: () => Promise<unknown>;
}

export const MADE = { id: "made", type: "public-key" };

/** Call in the test, or before each. */
export function passkeyBrowser(): PasskeyBrowser {
  const browser: PasskeyBrowser = { answer: async () => ({ toJSON: () => MADE }) };
  vi.stubGlobal("isSecureContext", true);
  const parsing = {
    parseRequestOptionsFromJSON: (json: unknown) => json,
    parseCreationOptionsFromJSON: (json: unknown) => json,
  };
  vi.stubGlobal(
    "PublicKeyCredential",
    Object.assign(() => undefined, parsing),
  );
  const credentials = { get: () => browser.answer(), create: () => browser.answer() };
  Object.defineProperty(navigator, "credentials", { value: credentials, configurable: true });
  return browser;
}

export const refuse = () => Promise.reject(new DOMException("", "NotAllowedError"));

/** Puts a vault behind `serve`'s fetch, and a user who has never been here. */
import { vi } from "vitest";
import { FakeShelf } from "./fakeShelf.ts";
import type { Answer } from "./page.tsx";

let users = 0;

/** Somebody whose key ring no other test has opened. */
export function newOperator(): { id: string; answer: Answer } {
  users += 1;
  const id = `usr_${users}`;
  return { id, answer: { body: { user: { id, role: "operator", created_at: "" } } } };
}

const STATUS = { unavailable: 503, "signed-out": 401, conflict: 412, none: 404 } as const;

/** Call after `serve`. */
export function serveVault(shelf = new FakeShelf()): FakeShelf {
  const other = fetch;
  vi.stubGlobal("fetch", async (path: string, init: RequestInit = {}) => {
    if (path !== "/api/v1/vault") return other(path, init);
    const headers = new Headers(init.headers);
    const answer =
      init.method === "PUT"
        ? await shelf.store(init.body as Uint8Array, headers.get("If-Match"))
        : await shelf.fetch();
    switch (answer.type) {
      case "found":
        return new Response(answer.bytes, { headers: { etag: answer.version } });
      case "stored":
        return new Response(null, { status: 204, headers: { etag: answer.version } });
      default:
        return new Response(null, { status: STATUS[answer.type] });
    }
  });
  return shelf;
}

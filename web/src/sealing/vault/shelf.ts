/**
 * The vault's place at the server: `GET` and `PUT /api/v1/vault` with versions
 * (docs/reference/http-api.md). Carries ciphertext; never rejects.
 */

export type Fetched =
  | { readonly type: "found"; readonly bytes: Uint8Array; readonly version: string }
  | { readonly type: "none" }
  | { readonly type: "unavailable" }
  /** Nobody is signed in any more. */
  | { readonly type: "signed-out" };

export type Stored =
  | { readonly type: "stored"; readonly version: string }
  /** Another device was faster. */
  | { readonly type: "conflict" }
  | { readonly type: "unavailable" }
  | { readonly type: "signed-out" };

export interface Shelf {
  fetch(): Promise<Fetched>;
  /** `version`: the one that is replaced; null: the first. */
  store(bytes: Uint8Array, version: string | null): Promise<Stored>;
}

const PATH = "/api/v1/vault";
const TIMEOUT_MS = 20_000;

type Refused = { readonly type: "unavailable" } | { readonly type: "signed-out" };

function refused(status: number): Refused {
  return { type: status === 401 || status === 403 ? "signed-out" : "unavailable" };
}

export function serverShelf(): Shelf {
  return {
    async fetch() {
      try {
        const answer = await fetch(PATH, { signal: AbortSignal.timeout(TIMEOUT_MS) });
        if (answer.status === 404) return { type: "none" };
        const version = answer.headers.get("etag");
        // A page of something in between has no version.
        if (!answer.ok || version === null) return refused(answer.status);
        return { type: "found", bytes: new Uint8Array(await answer.arrayBuffer()), version };
      } catch {
        return { type: "unavailable" };
      }
    },
    async store(bytes, version) {
      const seen: Record<string, string> =
        version === null ? { "If-None-Match": "*" } : { "If-Match": version };
      try {
        const answer = await fetch(PATH, {
          method: "PUT",
          headers: { "X-Conclave": "1", "Content-Type": "application/octet-stream", ...seen },
          body: bytes as Uint8Array<ArrayBuffer>,
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        if (answer.status === 412) return { type: "conflict" };
        const fresh = answer.headers.get("etag");
        if (!answer.ok || fresh === null) return refused(answer.status);
        return { type: "stored", version: fresh };
      } catch {
        return { type: "unavailable" };
      }
    },
  };
}

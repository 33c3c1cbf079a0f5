/**
 * A shelf in this browser, for the vault that stands in while the real one cannot be opened. What is
 * on it is ciphertext, and reaches no other browser.
 */
import type { KeyStore } from "../sealing/keys/store.ts";
import type { Shelf } from "../sealing/vault/shelf.ts";

/** Runs `work` while nobody else of this origin holds `name`. */
export type Lock = <T>(name: string, work: () => Promise<T>) => Promise<T>;

interface OnShelf {
  readonly bytes: Uint8Array;
  readonly version: string;
}

function isOnShelf(value: unknown): value is OnShelf {
  if (typeof value !== "object" || value === null) return false;
  const { bytes, version } = value as Partial<OnShelf>;
  return bytes instanceof Uint8Array && typeof version === "string";
}

export function aloneShelf(keys: KeyStore, name: string, lock: Lock): Shelf {
  async function read(): Promise<OnShelf | null> {
    const found = await keys.get(name);
    return isOnShelf(found) ? found : null;
  }
  return {
    async fetch() {
      try {
        const found = await read();
        return found === null ? { type: "none" } : { type: "found", ...found };
      } catch {
        return { type: "unavailable" };
      }
    },
    async store(bytes, version) {
      try {
        return await lock(`conclave.${name}`, async () => {
          const found = await read();
          if ((found?.version ?? null) !== version) return { type: "conflict" };
          const next = String(Number(version ?? 0) + 1);
          await keys.put(name, { bytes, version: next } satisfies OnShelf);
          return { type: "stored", version: next };
        });
      } catch {
        return { type: "unavailable" };
      }
    },
  };
}

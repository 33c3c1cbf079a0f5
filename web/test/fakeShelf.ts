/** The vault's place at a server that keeps bytes and compares versions, for tests. */
import type { Shelf } from "../src/sealing/vault/shelf.ts";

export class FakeShelf implements Shelf {
  bytes: Uint8Array | null = null;
  version = 0;
  answer: "ok" | "unavailable" | "signed-out" = "ok";
  /** Writes are answered so; reads are not. */
  writes: "ok" | "unavailable" = "ok";

  async fetch() {
    if (this.answer !== "ok") return { type: this.answer } as const;
    if (this.bytes === null) return { type: "none" } as const;
    return { type: "found", bytes: this.bytes.slice(), version: `"${this.version}"` } as const;
  }

  async store(bytes: Uint8Array, version: string | null) {
    if (this.answer !== "ok") return { type: this.answer } as const;
    if (this.writes !== "ok") return { type: this.writes } as const;
    if (version !== (this.bytes === null ? null : `"${this.version}"`)) {
      return { type: "conflict" } as const;
    }
    this.bytes = bytes.slice();
    this.version += 1;
    return { type: "stored", version: `"${this.version}"` } as const;
  }
}

/**
 * What this browser keeps of the vault: its key, which cannot be read out, the second form of it for
 * a further device, and the last stored bytes that opened with it, as the way back when the server's
 * are damaged. Ciphertext; never rejects.
 */

import type { KeyStore } from "../keys/store.ts";
import type { VaultKey } from "./seal.ts";
import { isSpare, type Spare } from "./spare.ts";

export interface Kept {
  key(): Promise<CryptoKey | null>;
  /** Null: a browser that has kept its key since before there were spares. */
  spare(): Promise<Spare | null>;
  /** Whether the key is there after a reload. */
  keepKey(key: VaultKey): Promise<boolean>;
  copy(): Promise<Uint8Array | null>;
  keepCopy(stored: Uint8Array): Promise<void>;
  forget(): Promise<void>;
}

export function keptIn(keys: KeyStore, userId: string): Kept {
  const keyName = `vault.${userId}`;
  const copyName = `vault-copy.${userId}`;
  const spareName = `vault-spare.${userId}`;
  const read = async (name: string): Promise<unknown> => {
    try {
      return await keys.get(name);
    } catch {
      return undefined;
    }
  };
  const write = async (name: string, value: unknown): Promise<boolean> => {
    try {
      await keys.put(name, value);
      return keys.isLasting;
    } catch {
      return false;
    }
  };
  return {
    async key() {
      const kept = await read(keyName);
      return kept instanceof CryptoKey && kept.algorithm.name === "AES-GCM" ? kept : null;
    },
    async spare() {
      const kept = await read(spareName);
      return isSpare(kept) ? kept : null;
    },
    async keepKey({ key, spare }) {
      await write(spareName, spare);
      return write(keyName, key);
    },
    async copy() {
      const kept = await read(copyName);
      return kept instanceof Uint8Array ? kept : null;
    },
    keepCopy: async (stored) => void (await write(copyName, stored)),
    async forget() {
      await keys.remove(keyName);
      await keys.remove(copyName);
      await keys.remove(spareName);
    },
  };
}

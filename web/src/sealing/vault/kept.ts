/**
 * What this browser keeps of the vault: its key, which cannot be read out, and the last stored bytes
 * that opened with it, as the way back when the server's are damaged. Ciphertext; never rejects.
 */

import type { KeyStore } from "../keys/store.ts";

export interface Kept {
  key(): Promise<CryptoKey | null>;
  /** Whether the key is there after a reload. */
  keepKey(key: CryptoKey): Promise<boolean>;
  copy(): Promise<Uint8Array | null>;
  keepCopy(stored: Uint8Array): Promise<void>;
  forget(): Promise<void>;
}

export function keptIn(keys: KeyStore, userId: string): Kept {
  const keyName = `vault.${userId}`;
  const copyName = `vault-copy.${userId}`;
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
    keepKey: (key) => write(keyName, key),
    async copy() {
      const kept = await read(copyName);
      return kept instanceof Uint8Array ? kept : null;
    },
    keepCopy: async (stored) => void (await write(copyName, stored)),
    async forget() {
      await keys.remove(keyName);
      await keys.remove(copyName);
    },
  };
}

/**
 * Where this browser keeps keys: IndexedDB, which holds CryptoKeys without showing what is in them;
 * memory where it is missing (private windows of some browsers). Holds keys, their
 * public halves, and the vault as it was last read: ciphertext.
 */

export interface KeyStore {
  /** False: everything is forgotten when the page is closed or loaded anew. */
  readonly isLasting: boolean;
  get(name: string): Promise<unknown>;
  put(name: string, value: unknown): Promise<void>;
  /** Puts `value` unless there is one; the one that is there afterwards. Two tabs agree. */
  add(name: string, value: unknown): Promise<unknown>;
  remove(name: string): Promise<void>;
  names(): Promise<readonly string[]>;
}

const DATABASE = "conclave";
const STORE = "keys";

export function memoryStore(): KeyStore {
  const kept = new Map<string, unknown>();
  return {
    isLasting: false,
    get: async (name) => kept.get(name),
    put: async (name, value) => void kept.set(name, value),
    add: async (name, value) => {
      if (!kept.has(name)) kept.set(name, value);
      return kept.get(name);
    },
    remove: async (name) => void kept.delete(name),
    names: async () => [...kept.keys()],
  };
}

/** IndexedDB, or memory where it cannot be opened. Never rejects. */
export async function openKeyStore(): Promise<KeyStore> {
  try {
    return lastingStore(await openDatabase());
  } catch {
    return memoryStore();
  }
}

function openDatabase(): Promise<IDBDatabase> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(STORE);
  return new Promise((resolve, reject) => {
    opening.onsuccess = () => {
      const database = opening.result;
      // A newer page wants another version: let it.
      database.onversionchange = () => database.close();
      resolve(database);
    };
    opening.onerror = () => reject(opening.error);
    opening.onblocked = () => reject(new DOMException("blocked", "InvalidStateError"));
  });
}

function lastingStore(database: IDBDatabase): KeyStore {
  /** Resolves when what was done is on disk, with the last request's result. */
  function run(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore, give: (value: unknown) => void) => void,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      let given: unknown;
      transaction.oncomplete = () => resolve(given);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
      work(transaction.objectStore(STORE), (value) => {
        given = value;
      });
    });
  }

  return {
    isLasting: true,
    get: (name) =>
      run("readonly", (store, give) => {
        const asked = store.get(name);
        asked.onsuccess = () => give(asked.result);
      }),
    put: async (name, value) => void (await run("readwrite", (store) => store.put(value, name))),
    add: (name, value) =>
      run("readwrite", (store, give) => {
        const asked = store.get(name);
        asked.onsuccess = () => {
          if (asked.result === undefined) store.put(value, name);
          give(asked.result ?? value);
        };
      }),
    remove: async (name) => void (await run("readwrite", (store) => store.delete(name))),
    names: async () =>
      (await run("readonly", (store, give) => {
        const asked = store.getAllKeys();
        asked.onsuccess = () => give(asked.result.map(String));
      })) as readonly string[],
  };
}

/**
 * Frame keys on their way into livekit-client's worker. One key for each identity and epoch; the ring
 * index is the epoch mod 256. Keeps no key: what was given once must not come back, and what was
 * overwritten must be gone. Must never overwrite the key that is being sent with.
 */

import { BaseKeyProvider, KeyProviderEvent } from "livekit-client";

const RING = 256;
const KEY_BYTES = 32;

/** As livekit-client's worker wants it; cannot be read back. */
export function importFrameKey(bytes: Uint8Array): Promise<CryptoKey> {
  if (bytes.length !== KEY_BYTES) {
    return Promise.reject(new TypeError("a frame key has 32 bytes"));
  }
  return crypto.subtle.importKey("raw", new Uint8Array(bytes), "HKDF", false, [
    "deriveBits",
    "deriveKey",
  ]);
}

export class SealKeys extends BaseKeyProvider {
  readonly #own: string;
  #sending: number | null = null;
  readonly #nobodys: Promise<CryptoKey>;

  constructor(ownIdentity: string) {
    super({ sharedKey: false, ratchetWindowSize: 0, failureTolerance: -1, keyringSize: RING });
    this.#own = ownIdentity;
    this.#nobodys = importFrameKey(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
  }

  /** The library posts these again for every track: hundreds of derivations, and old keys return. */
  override getKeys(): [] {
    return [];
  }

  /** Opens what this identity seals in this epoch, from now on. */
  receive(identity: string, epoch: number, key: CryptoKey): void {
    if (identity === this.#own) {
      this.hold(epoch, key);
      return;
    }
    this.#put(identity, epoch, key, false);
  }

  /** One's own key into the ring, without sealing with it yet. */
  hold(epoch: number, key: CryptoKey): void {
    this.#put(this.#own, epoch, key, false);
  }

  /** Seals with this key from the next frame on. */
  send(epoch: number, key: CryptoKey): void {
    this.#sending = epoch % RING;
    this.#put(this.#own, epoch, key, true);
  }

  /** Overwrites a key with one that nobody knows. Resolves when the worker has been told. */
  async forget(identity: string, epoch: number): Promise<void> {
    const key = await this.#nobodys;
    if (identity === this.#own && epoch % RING === this.#sending) {
      return;
    }
    this.#put(identity, epoch, key, false);
  }

  // Not `onSetEncryptionKey`: it remembers every key, and given an old index of one's own it makes
  // the sender seal with what was meant to be forgotten.
  #put(participantIdentity: string, epoch: number, key: CryptoKey, isForSending: boolean): void {
    const keyIndex = epoch % RING;
    this.emit(KeyProviderEvent.SetKey, { participantIdentity, keyIndex, key }, isForSending);
  }
}

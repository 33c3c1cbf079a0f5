/**
 * How a further device of the same person gets the vault key (docs/reference/sealing-protocol.md,
 * 10). The server carries every message and may change each of them: what it cannot do is make both
 * sides show the same three words, or know what is in the QR code. One object for each try, and each
 * step of it once. No network here; nothing may be logged.
 */

import { deviceWords } from "../words/codes.ts";
import type { WordList } from "../words/wordList.ts";
import { b64, concat, fromB64, isSame, randomBytes, sha256, source, utf8 } from "./bytes.ts";
import { hasNative, hpkeSuite } from "./hpke.ts";

const KEY = 32;
const NONCE = 32;
const HASH = 32;
/** Of HPKE's sealed vault key: encapsulated key, key, tag. */
const PARCEL = 32 + KEY + 16;
const ID = /^[a-z]{1,8}_[0-9a-z]{26}$/;

type Suite = Awaited<ReturnType<typeof hpkeSuite>>;

/** What both sides know before the parcel; the server knows it too. */
interface Exchange {
  readonly id: string;
  readonly commitment: Uint8Array;
  readonly offer: Uint8Array;
}

/** What the QR code says. `secret` is known to who has seen the code, and to no server. */
export interface LinkCode {
  readonly id: string;
  readonly commitment: Uint8Array;
  readonly secret: Uint8Array;
}

/** As the fragment of `/link`, with its `#`. Secret: never sent or logged. */
export function formatLinkCode({ id, commitment, secret }: LinkCode): string {
  return `#${id}.${b64(commitment)}.${b64(secret)}`;
}

/** Null: damaged, or something else. */
export function parseLinkCode(fragment: string): LinkCode | null {
  const [id = "", commitmentText = "", secretText = "", ...more] = fragment
    .replace(/^#/, "")
    .split(".");
  const [commitment, secret] = [fromB64(commitmentText), fromB64(secretText)];
  if (!ID.test(id) || more.length > 0) return null;
  if (commitment?.length !== HASH || secret?.length !== KEY) return null;
  return { id, commitment, secret };
}

async function suiteHere(): Promise<Suite> {
  return hpkeSuite(await hasNative("X25519"));
}

async function publicBytes(suite: Suite, key: CryptoKey): Promise<Uint8Array> {
  return new Uint8Array(await suite.kem.serializePublicKey(key));
}

/** `reveal`: the new device's public key || its nonce, 32 bytes each. */
export function commitmentTo(reveal: Uint8Array): Promise<Uint8Array> {
  return sha256(utf8("conclave device link v1"), reveal);
}

function infoOf({ id, commitment, offer }: Exchange): Uint8Array<ArrayBuffer> {
  return concat(utf8("conclave device parcel v1"), utf8(id), commitment, offer);
}

function pskOf(id: string, secret: Uint8Array) {
  return { id: utf8(id), key: source(secret) };
}

export type Opened =
  | {
      readonly type: "opened";
      readonly vaultKey: Uint8Array;
      /**
       * True: from a device that has seen the QR code. False: from whoever made the offer; who that
       * is, the words say, and nobody else.
       */
      readonly isProven: boolean;
    }
  /** Not from who made the offer, not for this device, or damaged. */
  | { readonly type: "refused" };

/** The device that has no key yet. */
export class NewDevice {
  readonly commitment: Uint8Array;
  /** For the QR code alone. */
  readonly secret = randomBytes(KEY);
  readonly #suite: Suite;
  readonly #keys: CryptoKeyPair;
  readonly #reveal: Uint8Array;
  #offer: Uint8Array | null = null;

  private constructor(
    suite: Suite,
    keys: CryptoKeyPair,
    reveal: Uint8Array,
    commitment: Uint8Array,
  ) {
    this.#suite = suite;
    this.#keys = keys;
    this.#reveal = reveal;
    this.commitment = commitment;
  }

  static async make(): Promise<NewDevice> {
    const suite = await suiteHere();
    const keys = await suite.kem.generateKeyPair();
    const publicKey = await publicBytes(suite, keys.publicKey);
    const reveal = concat(publicKey, randomBytes(NONCE));
    return new NewDevice(suite, keys, reveal, await commitmentTo(reveal));
  }

  /**
   * What opens the commitment, for the first offer. Null for one that is no key, and for another one
   * after it: who saw two answers could choose the words.
   */
  answer(offer: Uint8Array): Uint8Array | null {
    if (offer.length !== KEY) return null;
    if (this.#offer !== null && !isSame(this.#offer, offer)) return null;
    this.#offer = offer.slice();
    return this.#reveal.slice();
  }

  /** Null before the answer. */
  async words(list: WordList): Promise<readonly string[] | null> {
    if (this.#offer === null) return null;
    const { commitment } = this;
    return deviceWords({ commitment, offer: this.#offer }, this.#reveal, list);
  }

  async open(id: string, parcel: Uint8Array): Promise<Opened> {
    if (this.#offer === null || parcel.length !== PARCEL) return { type: "refused" };
    const exchange = { id, commitment: this.commitment, offer: this.#offer };
    for (const isProven of [true, false]) {
      const vaultKey = await this.#open(exchange, parcel, isProven).catch(() => null);
      if (vaultKey !== null) return { type: "opened", vaultKey, isProven };
    }
    return { type: "refused" };
  }

  async #open(exchange: Exchange, parcel: Uint8Array, isProven: boolean): Promise<Uint8Array> {
    const context = await this.#suite.createRecipientContext({
      recipientKey: this.#keys,
      enc: source(parcel.slice(0, KEY)),
      senderPublicKey: await this.#suite.kem.deserializePublicKey(source(exchange.offer)),
      info: infoOf(exchange),
      ...(isProven ? { psk: pskOf(exchange.id, this.secret) } : {}),
    });
    return new Uint8Array(await context.open(source(parcel.slice(KEY))));
  }
}

/** Which new device. `secret`: from the QR code; null: the words are compared instead. */
export interface Asked {
  readonly id: string;
  readonly commitment: Uint8Array;
  readonly secret: Uint8Array | null;
}

/** The device that has the vault key. */
export class OldDevice {
  /** For the server: this device's half. */
  readonly offer: Uint8Array;
  readonly #suite: Suite;
  readonly #keys: CryptoKeyPair;
  readonly #asked: Asked;
  #reveal: Uint8Array | null = null;

  private constructor(suite: Suite, keys: CryptoKeyPair, asked: Asked, offer: Uint8Array) {
    this.#suite = suite;
    this.#keys = keys;
    this.#asked = asked;
    this.offer = offer;
  }

  static async make(asked: Asked): Promise<OldDevice> {
    const suite = await suiteHere();
    const keys = await suite.kem.generateKeyPair();
    return new OldDevice(suite, keys, asked, await publicBytes(suite, keys.publicKey));
  }

  /** Whether this opens the commitment. Nothing is sealed for anybody else. */
  async check(reveal: Uint8Array): Promise<boolean> {
    if (this.#reveal !== null) return isSame(this.#reveal, reveal);
    if (reveal.length !== KEY + NONCE) return false;
    if (!isSame(await commitmentTo(reveal), this.#asked.commitment)) return false;
    this.#reveal = reveal.slice();
    return true;
  }

  /** Null before `check`. */
  async words(list: WordList): Promise<readonly string[] | null> {
    if (this.#reveal === null) return null;
    return deviceWords({ ...this.#asked, offer: this.offer }, this.#reveal, list);
  }

  /** For the new device alone. Rejects before `check`, and when its key is none. */
  async seal(vaultKey: Uint8Array): Promise<Uint8Array> {
    const { id, commitment, secret } = this.#asked;
    if (this.#reveal === null || vaultKey.length !== KEY) throw new Error("nothing to seal for");
    const context = await this.#suite.createSenderContext({
      recipientPublicKey: await this.#suite.kem.deserializePublicKey(
        source(this.#reveal.slice(0, KEY)),
      ),
      senderKey: this.#keys,
      info: infoOf({ id, commitment, offer: this.offer }),
      ...(secret === null ? {} : { psk: pskOf(id, secret) }),
    });
    const sealed = new Uint8Array(await context.seal(source(vaultKey)));
    return concat(new Uint8Array(context.enc), sealed);
  }
}

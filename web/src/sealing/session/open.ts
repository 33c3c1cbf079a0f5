/**
 * A sealed meeting in a real browser: device key, engine worker, socket and frame keys put together.
 * `prepare` does at the door what takes time and tells nobody; `enter` knocks.
 */

import type { RoomPolicy } from "../contract.ts";
import type { DeviceKey, MlsEngine } from "../engine/contract.ts";
import { startEngine } from "../engine/start.ts";
import { createKeyRing } from "../frames/keyRing.ts";
import { b64, randomBytes } from "../keys/bytes.ts";
import { type Credential, certify, encodeCredential } from "../keys/credential.ts";
import { deviceKey, type HeldKey, type Holder } from "../keys/device.ts";
import { openTitle } from "../keys/intro.ts";
import { deriveLinkKeys, type LinkSecret } from "../keys/link.ts";
import { openKeyStore } from "../keys/store.ts";
import { loadWords, type WordLanguage } from "../words/wordList.ts";
import { createKeyCalls } from "./keyCalls.ts";
import { openLine } from "./line.ts";
import type { SealedSession } from "./shell.ts";
import { createSealedSession } from "./shell.ts";

export interface Visitor {
  readonly meetingId: string;
  /** Null: the link is not complete. */
  readonly link: LinkSecret | null;
  readonly holder: Holder;
  /** The account key that certifies this device; null for guests. */
  readonly account: DeviceKey | null;
  readonly knownAccounts: readonly string[];
  /** As stored beside the meeting; null: none. */
  readonly sealedTitle: Uint8Array | null;
  readonly policy: RoomPolicy;
  readonly language: () => WordLanguage;
  readonly onLink: (link: LinkSecret) => void;
}

export interface PreparedVisit {
  enter(name: string): Promise<SealedSession>;
  /** Gone from the door without going in. */
  close(): void;
}

const COLOURS = 12;

/** Never knocks; nothing is sent. Rejects when this browser cannot run the engine. */
export async function prepareVisit(visitor: Visitor): Promise<PreparedVisit> {
  const engine = startEngine();
  try {
    const store = await openKeyStore();
    const held = await deviceKey(store, visitor.holder, Date.now());
    const credential = await credentialOf(visitor.account, held);
    await engine.setUp({ device: held.key, credential: encodeCredential(credential) });
    return {
      enter: (name) => enter(engine, held, credential, visitor, name),
      close: () => engine.close(),
    };
  } catch (error) {
    engine.close();
    throw error;
  }
}

function credentialOf(account: DeviceKey | null, held: HeldKey): Promise<Credential | null> {
  return account === null ? Promise.resolve(null) : certify(account, held.key.publicKey);
}

async function enter(
  engine: MlsEngine,
  held: HeldKey,
  credential: Credential | null,
  visitor: Visitor,
  name: string,
): Promise<SealedSession> {
  const { meetingId, link } = visitor;
  const colour = (held.key.publicKey[0] as number) % COLOURS;
  const keys = await createKeyCalls({
    engine,
    meetingId,
    link,
    name,
    colour,
    words: () => loadWords(visitor.language()),
    onLink: visitor.onLink,
  });
  const after = (milliseconds: number, run: () => void) => {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  };
  const session = createSealedSession(
    {
      engine,
      keys,
      connect: (listener) => openLine(meetingId, listener),
      createRing: (ownIdentity, onUsing) =>
        createKeyRing({ ownIdentity, now: Date.now, after, onUsing }),
      randomId: () => b64(randomBytes(16)),
      now: Date.now,
      after,
    },
    {
      meetingId,
      name,
      colour,
      signatureKey: held.key.publicKey,
      accountKey: credential?.accountKey ?? null,
      link: link === null ? null : { secret: b64(link.secret), fingerprint: b64(link.fingerprint) },
      policy: visitor.policy,
      title: await titleOf(visitor),
      keyNotes: held.notes,
      knownAccounts: visitor.knownAccounts,
    },
  );
  session.start();
  return session;
}

async function titleOf({ link, meetingId, sealedTitle }: Visitor): Promise<string | null> {
  if (link === null || sealedTitle === null) return null;
  return openTitle(await deriveLinkKeys(link.secret, meetingId), sealedTitle);
}

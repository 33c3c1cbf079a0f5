/**
 * A sealed meeting in a real browser: device key, engine worker, socket and frame keys put together.
 * Made at the door, where it takes time and tells nobody; `start` knocks.
 */

import type { RoomPolicy } from "../contract.ts";
import type { DeviceKey, MlsEngine } from "../engine/contract.ts";
import { startEngine } from "../engine/start.ts";
import { createKeyRing } from "../frames/keyRing.ts";
import { b64, fromB64, randomBytes } from "../keys/bytes.ts";
import { certify, encodeCredential } from "../keys/credential.ts";
import { deviceKey, type Holder } from "../keys/device.ts";
import { openTitle } from "../keys/intro.ts";
import {
  type Bound,
  bind,
  encodeBound,
  encodeInvitation,
  type Invitation,
  invitationKey,
} from "../keys/invitation.ts";
import { deriveLinkKeys, type LinkSecret } from "../keys/link.ts";
import { openKeyStore } from "../keys/store.ts";
import { compareBytes } from "../meeting/bytes.ts";
import { MAX_BLOCKED } from "../meeting/meetingContext.ts";
import { startWork } from "../proofOfWork/start.ts";
import { loadWords } from "../words/wordList.ts";
import { createKeyCalls } from "./keyCalls.ts";
import { openLine } from "./line.ts";
import { createSealedSession, type SealedSession } from "./shell.ts";

export interface Visitor {
  readonly meetingId: string;
  /** Null: the link is not complete. */
  readonly link: LinkSecret | null;
  readonly holder: Holder;
  /** The account key that certifies this device; null for guests. */
  readonly account: DeviceKey | null;
  readonly knownAccounts: readonly string[];
  /** Of one's own invitations: the device first seen with each, base64url, by its id. */
  readonly knownDevices: ReadonlyMap<string, string>;
  /** By which personal link; null: none, or one that is worth nothing any more. */
  readonly invitation: PersonalLink | null;
  /** As stored beside the meeting; null: none. */
  readonly sealedTitle: Uint8Array | null;
  readonly policy: RoomPolicy;
  /** Device keys that stay outside of a sitting that begins here, base64url. */
  readonly blocked: readonly string[];
  readonly onLink: (link: LinkSecret) => void;
}

export interface PersonalLink {
  readonly facts: Invitation;
  /** 16 bytes, from the link. */
  readonly seed: Uint8Array;
}

const COLOURS = 12;

export interface Prepared {
  readonly session: SealedSession;
  /** This browser's, 32 bytes. */
  readonly deviceKey: Uint8Array;
}

/** Ready to knock; nobody has heard of us. Rejects when this browser cannot run the engine. */
export async function prepareSealed(visitor: Visitor): Promise<Prepared> {
  const engine = startEngine();
  try {
    return await prepare(engine, visitor);
  } catch (error) {
    engine.close();
    throw error;
  }
}

async function prepare(engine: MlsEngine, visitor: Visitor): Promise<Prepared> {
  const { meetingId, link, account } = visitor;
  const store = await openKeyStore();
  const { key, notes } = await deviceKey(store, visitor.holder, Date.now());
  const credential = account === null ? null : await certify(account, key.publicKey);
  const invitation = await bindTo(visitor, key.publicKey);
  const bound = invitation === null ? null : encodeBound(invitation.bound);
  await engine.setUp({ device: key, credential: encodeCredential({ account: credential, bound }) });
  const colour = (key.publicKey[0] as number) % COLOURS;
  let ownName = "";
  const keys = await createKeyCalls({
    engine,
    meetingId,
    link,
    name: () => ownName,
    colour,
    words: loadWords,
    onLink: visitor.onLink,
  });
  const session = createSealedSession(
    {
      engine,
      keys,
      certificate: credential?.certificate ?? null,
      work: startWork(),
      connect: (listener) => openLine(meetingId, listener),
      createRing: (ownIdentity, onUsing) =>
        createKeyRing({ ownIdentity, now: Date.now, after, onUsing }),
      randomId: () => b64(randomBytes(16)),
      now: Date.now,
      after,
    },
    {
      meetingId,
      colour,
      signatureKey: key.publicKey,
      accountKey: credential?.accountKey ?? null,
      invitation:
        invitation === null ? null : { facts: invitation.facts, binding: invitation.bound.binding },
      link: link === null ? null : { secret: b64(link.secret), fingerprint: b64(link.fingerprint) },
      policy: visitor.policy,
      blocked: blockedKeys(visitor.blocked),
      title: await titleOf(visitor),
      keyNotes: notes,
      knownAccounts: visitor.knownAccounts,
      knownDevices: visitor.knownDevices,
    },
  );
  const start = (name: string) => {
    ownName = name;
    session.start(name);
  };
  return { session: { ...session, start }, deviceKey: key.publicKey };
}

/** As the group's policy has them: ascending, each once; what is no key is left out. */
function blockedKeys(keys: readonly string[]): readonly Uint8Array[] {
  const known = [...new Set(keys)].flatMap((key) => fromB64(key) ?? []);
  return known
    .filter((key) => key.length === 32)
    .slice(-MAX_BLOCKED)
    .sort(compareBytes);
}

/** Nobody hears of it before this device knocks. */
async function bindTo(
  { invitation, meetingId }: Visitor,
  deviceKey: Uint8Array,
): Promise<{ readonly facts: Invitation; readonly bound: Bound } | null> {
  if (invitation === null) return null;
  const { facts, seed } = invitation;
  const binding = await bind(await invitationKey(seed, meetingId), meetingId, deviceKey);
  return { facts, bound: { invitation: encodeInvitation(facts), binding } };
}

function after(milliseconds: number, run: () => void): () => void {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
}

async function titleOf({ link, meetingId, sealedTitle }: Visitor): Promise<string | null> {
  if (link === null || sealedTitle === null) return null;
  return openTitle(await deriveLinkKeys(link.secret, meetingId), sealedTitle);
}

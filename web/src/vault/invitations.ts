/**
 * The personal invitations of one room, out of its host's vault: links, certificates, and what a
 * certificate says that the vault does not have. No React. Nothing here may log.
 */
import { b64, fromB64, isSame, randomBytes } from "../sealing/keys/bytes.ts";
import {
  decodeInvitation,
  type InvitedRole,
  invitationId,
  invitationKey,
  invitedName,
  isSignedByAccount,
  type MadeInvitation,
  makeInvitation,
  SEED_BYTES,
} from "../sealing/keys/invitation.ts";
import { formatFragment, type LinkKeys, type LinkSecret } from "../sealing/keys/link.ts";
import { invitedOf, type VaultInvited } from "../sealing/vault/invited.ts";
import type { Vault } from "../sealing/vault/vault.ts";

export interface NewInvited {
  /** As `readableName` takes it. */
  readonly name: string;
  readonly role: InvitedRole;
  /** Seconds since the epoch; 0: as long as the meeting. */
  readonly expiresAt: number;
}

export interface InvitedLink extends NewInvited {
  readonly id: string;
  readonly seed: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Behind the room's address, with its `#`. For one person: never sent or logged. */
  readonly fragment: string;
  /** base64url of the device that was first seen with it; null: none yet. */
  readonly device: string | null;
}

/** Of an invitation that is not on the ring. */
export interface CertifiedName {
  readonly id: string;
  /** Null: without one. */
  readonly name: string | null;
  readonly role: InvitedRole;
  readonly expiresAt: number;
}

/** A room with a key on the ring. */
export interface InvitingRoom {
  readonly vault: Vault;
  readonly link: LinkSecret;
  readonly keys: LinkKeys;
  /** Ids that were computed before, by seed. */
  readonly ids: Map<string, string>;
}

export function freshEntries(people: readonly NewInvited[], at: number): readonly VaultInvited[] {
  return people.map(({ name, role, expiresAt }) => ({
    seed: b64(randomBytes(SEED_BYTES)),
    name,
    role,
    until: expiresAt,
    at,
  }));
}

/** Oldest first. */
export async function linksOf(
  room: InvitingRoom,
  isWanted: (entry: VaultInvited) => boolean = () => true,
): Promise<readonly InvitedLink[]> {
  const entries = invitedOf(room.vault.content, room.keys.meetingId).filter(isWanted);
  return Promise.all(
    entries.map(async ({ seed, name, role, until, at, device }) => ({
      id: await idOf(room, seed),
      seed,
      name,
      role,
      expiresAt: until,
      at,
      fragment: formatFragment(room.link, seedBytes(seed)),
      device: device ?? null,
    })),
  );
}

export async function certificatesOf(
  room: InvitingRoom,
  ids: ReadonlySet<string>,
): Promise<readonly MadeInvitation[]> {
  const links = (await linksOf(room)).filter(({ id }) => ids.has(id));
  return Promise.all(
    links.map((about) =>
      makeInvitation(room.vault.account, room.keys, about, seedBytes(about.seed)),
    ),
  );
}

/** Null: not made by this room's host, or for another room. */
export async function readCertificate(
  { vault, keys }: InvitingRoom,
  bytes: Uint8Array,
): Promise<CertifiedName | null> {
  const facts = decodeInvitation(bytes);
  if (facts === null || facts.meetingId !== keys.meetingId) return null;
  if (!isSame(facts.accountKey, vault.account.publicKey)) return null;
  if (!(await isSignedByAccount(facts))) return null;
  const { key, role, expiresAt } = facts;
  return { id: await invitationId(key), name: await invitedName(keys, facts), role, expiresAt };
}

async function idOf({ keys, ids }: InvitingRoom, seed: string): Promise<string> {
  const known = ids.get(seed);
  if (known !== undefined) return known;
  const id = await invitationId((await invitationKey(seedBytes(seed), keys.meetingId)).publicKey);
  ids.set(seed, id);
  return id;
}

/** `readInvited` has seen to it that it is base64url. */
const seedBytes = (seed: string) => fromB64(seed) as Uint8Array<ArrayBuffer>;

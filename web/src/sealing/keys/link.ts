/**
 * The part of a meeting's link that the server never sees (docs/reference/sealing-protocol.md, 1):
 * reading and writing it, and the keys that come from it. Must never throw for what was pasted.
 */

import { b64, fromB64, isSame, randomBytes, sha256, source, utf8 } from "./bytes.ts";

export interface LinkSecret {
  /** 16 bytes. */
  readonly secret: Uint8Array;
  /** Of the host's account key; 16 bytes. */
  readonly fingerprint: Uint8Array;
}

export type Fragment =
  /** `seed`: of a personal link (protocol, 2), 16 bytes; null: a link for everybody. */
  | { readonly type: "link"; readonly link: LinkSecret; readonly seed: Uint8Array | null }
  /** A bare link, or an id that was typed. */
  | { readonly type: "missing" }
  /** Cut off, changed or of another kind: worth telling the person. */
  | { readonly type: "damaged" };

/** What is derived from the link secret. The first two never leave WebCrypto. */
export interface LinkKeys {
  /** The salt of all of them, and part of what they are used over. */
  readonly meetingId: string;
  /** HMAC-SHA-256. */
  readonly admission: CryptoKey;
  /** AES-256-GCM. */
  readonly intro: CryptoKey;
  /** 32 bytes; the MLS library takes it as it is. */
  readonly psk: Uint8Array;
}

/** The id of the external PSK in commits and Welcomes. */
export const LINK_PSK_ID = utf8("conclave link v1");

const FRAGMENT = /^1\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{22})(?:\.([A-Za-z0-9_-]{22}))?$/;
/** Messengers end sentences, brackets and quotations behind a link; none of these is base64url. */
const AFTER_A_LINK = /[>)\]}"'“”«».,;:!?*]+$/u;

/** `fragment` with or without its `#`. */
export function parseFragment(fragment: string): Fragment {
  const text = fragment.trim().replace(/^#/, "").trim();
  if (text === "") return { type: "missing" };
  const found = FRAGMENT.exec(text.replace(AFTER_A_LINK, ""));
  const secret = fromB64(found?.[1] ?? "");
  const fingerprint = fromB64(found?.[2] ?? "");
  // 22 characters carry 132 bits: other than 16 bytes only when they are not as we write them.
  if (secret?.length !== 16 || fingerprint?.length !== 16) return { type: "damaged" };
  if (found?.[3] === undefined) return { type: "link", link: { secret, fingerprint }, seed: null };
  const seed = fromB64(found[3]);
  if (seed?.length !== 16) return { type: "damaged" };
  return { type: "link", link: { secret, fingerprint }, seed };
}

/** With a seed: a personal link's, which is for one person and never passed on. */
export function formatFragment(link: LinkSecret, seed: Uint8Array | null = null): string {
  const personal = seed === null ? "" : `.${b64(seed)}`;
  return `#1.${b64(link.secret)}.${b64(link.fingerprint)}${personal}`;
}

export function formatLink(
  origin: string,
  meetingId: string,
  link: LinkSecret,
  seed: Uint8Array | null = null,
): string {
  return `${origin}/m/${meetingId}${formatFragment(link, seed)}`;
}

/** A fresh secret for a meeting that the account with this key hosts. */
export async function makeLink(accountKey: Uint8Array): Promise<LinkSecret> {
  return { secret: randomBytes(16), fingerprint: await hostFingerprint(accountKey) };
}

export async function hostFingerprint(accountKey: Uint8Array): Promise<Uint8Array> {
  return (await sha256(utf8("conclave account v1"), accountKey)).slice(0, 16);
}

/** Whether the holder of this account key is the host whom the link names. */
export async function isHost(
  link: LinkSecret | null,
  accountKey: Uint8Array | null,
): Promise<boolean> {
  return (
    link !== null &&
    accountKey !== null &&
    isSame(await hostFingerprint(accountKey), link.fingerprint)
  );
}

export async function deriveLinkKeys(secret: Uint8Array, meetingId: string): Promise<LinkKeys> {
  const base = await crypto.subtle.importKey("raw", source(secret), "HKDF", false, [
    "deriveBits",
    "deriveKey",
  ]);
  const hkdf = (info: string): HkdfParams => ({
    name: "HKDF",
    hash: "SHA-256",
    salt: utf8(meetingId),
    info: utf8(info),
  });
  const [admission, intro, psk] = await Promise.all([
    crypto.subtle.deriveKey(
      hkdf("conclave admission v1"),
      base,
      { name: "HMAC", hash: "SHA-256", length: 256 },
      false,
      ["sign", "verify"],
    ),
    crypto.subtle.deriveKey(
      hkdf("conclave intro v1"),
      base,
      { name: "AES-GCM", length: 256 },
      false,
      ["encrypt", "decrypt"],
    ),
    crypto.subtle.deriveBits(hkdf("conclave psk v1"), base, 256),
  ]);
  return { meetingId, admission, intro, psk: new Uint8Array(psk) };
}

/**
 * Who in a room may be seen and heard, and what is to be told about the others. Pure. An answer of the
 * server ("encrypted: no") is used to show less, never to show more.
 */

export interface SeenPublication {
  readonly isEncrypted: boolean;
}

export interface SeenParticipant {
  readonly identity: string;
  readonly publications: readonly SeenPublication[];
}

export interface Findings {
  /** Members that have a publication which says that it is not encrypted. */
  readonly plaintext: readonly string[];
  /** Connected, but not in the group: no key, sees and hears nothing. */
  readonly strangers: readonly string[];
  /** Somebody's frames go on not opening with the keys of the group. */
  readonly hasUnopened: boolean;
}

export const NOTHING_FOUND: Findings = { plaintext: [], strangers: [], hasUnopened: false };

export function mayPresent(
  identity: string,
  publication: SeenPublication,
  roster: ReadonlySet<string>,
): boolean {
  return publication.isEncrypted && roster.has(identity);
}

export function examine(
  participants: readonly SeenParticipant[],
  roster: ReadonlySet<string>,
  hasUnopened: boolean,
): Findings {
  const strangers = participants.filter(({ identity }) => !roster.has(identity));
  const plaintext = participants.filter(({ publications }) =>
    publications.some(({ isEncrypted }) => !isEncrypted),
  );
  const identities = (found: readonly SeenParticipant[]) =>
    found.map(({ identity }) => identity).sort();
  return {
    plaintext: identities(plaintext),
    strangers: identities(strangers),
    hasUnopened,
  };
}

export function isSameFindings(left: Findings, right: Findings): boolean {
  const isSame = (one: readonly string[], other: readonly string[]) =>
    one.length === other.length && one.every((identity, index) => identity === other[index]);
  return (
    isSame(left.plaintext, right.plaintext) &&
    isSame(left.strangers, right.strangers) &&
    left.hasUnopened === right.hasUnopened
  );
}

/** Safari before 17.2 seals only one layer right (WebKit bug 257803); every browser on iOS is one. */
export function canSealLayers(userAgent: string): boolean {
  const version =
    /\b(?:iPhone|iPad|iPod)\b.* OS (\d+)_(\d+)/.exec(userAgent) ??
    /\bVersion\/(\d+)\.(\d+)[\d.]* (?:Mobile\/\S+ )?Safari\//.exec(userAgent);
  if (version === null) {
    return true;
  }
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > 17 || (major === 17 && minor >= 2);
}

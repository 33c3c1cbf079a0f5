/** Who and what was there, and is there now: the differences worth telling, the gaps worth hiding. */

import type { Call, CallNotice, Person, Share } from "./call.ts";

type Presence = Pick<Call, "people" | "share">;

/** What has happened between two readings, in the order in which it is told. */
export function changes(before: Presence, after: Presence): CallNotice[] {
  const notices: CallNotice[] = [];
  for (const { identity, name } of missing(before.people, after.people)) {
    notices.push({ type: "joined", identity, name });
  }
  for (const { identity, name } of missing(after.people, before.people)) {
    notices.push({ type: "left", identity, name });
  }
  if (before.share?.identity !== after.share?.identity) {
    if (before.share !== null) {
      notices.push(shareNotice("share-stopped", before.share));
    }
    if (after.share !== null) {
      notices.push(shareNotice("share-started", after.share));
    }
  }
  return notices;
}

function missing(from: readonly Person[], people: readonly Person[]): readonly Person[] {
  const known = new Set(from.map((person) => person.identity));
  return people.filter((person) => !known.has(person.identity));
}

function shareNotice(type: "share-started" | "share-stopped", { name, isSelf }: Share): CallNotice {
  return { type, name, isSelf };
}

/** People seen before a break stay on the stage without a picture until they are back. */
export function withAbsent(before: readonly Person[], now: readonly Person[]): readonly Person[] {
  const absent = missing(now, before)
    .filter((person) => !person.isSelf)
    .map((person): Person => ({ ...person, camera: null, isSpeaking: false, quality: "lost" }));
  return absent.length === 0
    ? now
    : [...now, ...absent].sort((left, right) => left.joinedAt - right.joinedAt);
}

/** The share shown before when nothing in it has changed, so that nothing is drawn again. */
export function sameShare(before: Share | null, after: Share | null): Share | null {
  return before !== null &&
    after !== null &&
    before.identity === after.identity &&
    before.video === after.video &&
    before.hasSound === after.hasSound
    ? before
    : after;
}

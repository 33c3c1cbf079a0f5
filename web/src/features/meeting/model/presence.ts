/** Who and what was there, and is there now: the differences worth telling, the gaps to hide. */

import type { CallNotice, Person, Share } from "./call.ts";

/** What has happened to the shared screen between two readings, in the order in which it is told. */
export function shareChanges(before: Share | null, after: Share | null): CallNotice[] {
  if (before?.identity === after?.identity) {
    return [];
  }
  return [
    ...(before === null ? [] : [shareNotice("share-stopped", before)]),
    ...(after === null ? [] : [shareNotice("share-started", after)]),
  ];
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

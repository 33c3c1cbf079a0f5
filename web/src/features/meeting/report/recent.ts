/**
 * What has happened here in the last minute, for a report that somebody may want to make of it. Pure:
 * takes the time. Kept in memory only, and forgotten by itself.
 */

import type { Sealed, SealedMember, SealedNotice } from "../../../sealing/contract.ts";
import { withoutKeys, writable } from "../../../sealing/report/canonical.ts";
import {
  MOST_EVENTS,
  MOST_NAME,
  MOST_TEXT,
  type ReportEvent,
} from "../../../sealing/report/format.ts";
import type { Call } from "../model/call.ts";

export const RECENT_MS = 60_000;
const MOST_GONE = 200;

/** Somebody who is no longer here. */
export interface Gone {
  readonly member: SealedMember;
  readonly leftAt: number;
}

export interface Recent {
  /** Oldest first. */
  readonly events: readonly ReportEvent[];
  readonly gone: readonly Gone[];
}

export const NOTHING_YET: Recent = { events: [], gone: [] };

/** With these, and without what is older than a minute. */
export function remember(
  { events, gone }: Recent,
  now: number,
  fresh: readonly ReportEvent[] = [],
  left: readonly Gone[] = [],
): Recent {
  const since = now - RECENT_MS;
  const back = new Set(left.map(({ member }) => member.identity));
  return {
    events: [...events, ...fresh].filter(({ at }) => at >= since).slice(-MOST_EVENTS),
    gone: [...gone.filter(({ member }) => !back.has(member.identity)), ...left]
      .filter(({ leftAt }) => leftAt >= since)
      .slice(-MOST_GONE),
  };
}

type Who = { readonly identity: string; readonly name: string | null };

function event(
  at: number,
  type: ReportEvent["type"],
  who: Who | null,
  what: string | null = null,
): ReportEvent {
  const name = who?.name ?? null;
  return {
    at,
    type,
    who: who?.identity ?? null,
    name: name === null ? null : writable(name, MOST_NAME),
    what: what === null ? null : withoutKeys(what, MOST_TEXT),
  };
}

/** Of the media: cameras, microphones, the shared screen. Who has just come is no news here. */
export function callEvents(before: Call, after: Call, now: number): readonly ReportEvent[] {
  const events: ReportEvent[] = [];
  const known = new Map(before.people.map((person) => [person.identity, person]));
  for (const person of after.people) {
    const was = known.get(person.identity);
    if (was === undefined || was === person) continue;
    if (was.isCameraOn !== person.isCameraOn) {
      events.push(event(now, person.isCameraOn ? "camera-on" : "camera-off", person));
    }
    if (was.isMicrophoneOn !== person.isMicrophoneOn) {
      events.push(event(now, person.isMicrophoneOn ? "microphone-on" : "microphone-off", person));
    }
  }
  if (before.share?.identity !== after.share?.identity) {
    if (before.share !== null) events.push(event(now, "share-off", before.share));
    if (after.share !== null) events.push(event(now, "share-on", after.share));
  }
  return events;
}

/** Of the group: hands, and words that were changed or taken back after they were read. */
export function groupEvents(before: Sealed, after: Sealed, now: number): readonly ReportEvent[] {
  const events: ReportEvent[] = [];
  if (before.members !== after.members) {
    const known = new Map(before.members.map((member) => [member.identity, member]));
    for (const member of after.members) {
      const was = known.get(member.identity);
      if (was === undefined || (was.handPlace === null) === (member.handPlace === null)) continue;
      events.push(event(now, member.handPlace === null ? "hand-down" : "hand-up", member));
    }
  }
  if (before.chat !== after.chat) {
    const known = new Map(before.chat.map((line) => [line.id, line]));
    for (const line of after.chat) {
      const was = known.get(line.id);
      if (was === undefined || was === line || was.text === line.text) continue;
      events.push(event(now, line.isDeleted ? "deleted" : "edited", line, was.text));
    }
  }
  return events;
}

/** Who was there and is not any more. */
export function goneSince(before: Sealed, after: Sealed, now: number): readonly Gone[] {
  if (before.members === after.members) return [];
  const here = new Set(after.members.map(({ identity }) => identity));
  return before.members
    .filter(({ identity, isSelf }) => !isSelf && !here.has(identity))
    .map((member) => ({ member, leftAt: now }));
}

/** Null: nothing that a report tells. */
export function noticeEvent(notice: SealedNotice, now: number): ReportEvent | null {
  switch (notice.type) {
    case "member-joined":
      return event(now, "joined", notice);
    case "member-left":
      return event(now, "left", notice);
    case "reaction":
      return event(now, "reaction", notice, notice.emoji);
    case "order":
      return { ...event(now, "order", null, notice.what), name: writable(notice.by, MOST_NAME) };
    case "frozen":
    case "thawed":
      return { ...event(now, notice.type, null), name: writable(notice.by, MOST_NAME) };
    default:
      return null;
  }
}

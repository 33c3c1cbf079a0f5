/**
 * What the room's rules let somebody send, as everybody's client looks at it: whatever a browser or
 * the server does, what is not permitted is neither shown nor heard here. Plain values in and out.
 */

import { Track } from "livekit-client";
import type { Sealed, SealedMember } from "../../../sealing/contract.ts";
import { may, mayShare } from "../../../sealing/permissions.ts";

export type OwnSource = "microphone" | "camera" | "screen";

/** Shares that were there when one came are taken as begun in order. */
const ARRIVING_MS = 3_000;

function memberOf(sealed: Sealed, identity: string): SealedMember | null {
  return sealed.members.find((one) => one.identity === identity) ?? null;
}

function peopleIn({ members }: Sealed): number {
  return members.filter(({ isLeaving }) => !isLeaving).length;
}

/** What oneself may begin to send. Everything, until the group is there. */
export function mayBegin(sealed: Sealed | null, source: OwnSource): boolean {
  const self = sealed?.members.find(({ isSelf }) => isSelf);
  if (sealed === null || self === undefined) return true;
  return source === "screen" ? mayShare(self.may, peopleIn(sealed)) : may(self.may, source);
}

/** What oneself may go on sending: a share that began among few goes on when others come. */
export function mayGoOn(sealed: Sealed | null, source: OwnSource): boolean {
  const self = sealed?.members.find(({ isSelf }) => isSelf);
  if (self === undefined) return true;
  return source === "screen" ? mayScreen(self.may) : may(self.may, source);
}

function mayScreen(bits: number): boolean {
  return may(bits, "screen") || may(bits, "screenAmongMany");
}

export interface Seen {
  readonly identity: string;
  readonly source: Track.Source;
  readonly trackSid: string;
}

export interface RightsWatch {
  /** Whether what this member sends may be shown or heard by the room's rules. */
  isPermitted(sealed: Sealed | null, seen: Seen): boolean;
}

/** `arrivedAt`: when this client's media came up; null: not yet. */
export function createRightsWatch(ports: {
  readonly now: () => number;
  readonly arrivedAt: () => number | null;
}): RightsWatch {
  /** Shares by their tracks, as they were judged when they began. */
  const begun = new Map<string, boolean>();

  function isShare({ trackSid }: Seen, sealed: Sealed, bits: number): boolean {
    const known = begun.get(trackSid);
    const arrivedAt = ports.arrivedAt();
    const isFromBefore = arrivedAt === null || ports.now() - arrivedAt < ARRIVING_MS;
    const isGood = known ?? (isFromBefore || mayShare(bits, peopleIn(sealed)));
    if (known === undefined) begun.set(trackSid, isGood);
    return isGood && mayScreen(bits);
  }

  return {
    isPermitted(sealed, seen) {
      const member = sealed === null ? null : memberOf(sealed, seen.identity);
      // Who is no member is not shown anyway; the group says so.
      if (sealed === null || member === null) return true;
      switch (seen.source) {
        case Track.Source.Microphone:
          return may(member.may, "microphone");
        case Track.Source.Camera:
          return may(member.may, "camera");
        case Track.Source.ScreenShare:
          return isShare(seen, sealed, member.may);
        case Track.Source.ScreenShareAudio:
          return mayScreen(member.may);
        default:
          // Nothing of ours: a track that says of what it is must not be a way around.
          return member.role !== "member";
      }
    },
  };
}

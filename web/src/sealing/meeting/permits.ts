/**
 * The media server is told who may send what, so that a browser that does not obey is not passed on:
 * by the first of who leads, whenever it has changed (docs/reference/sealing-protocol.md, 7).
 */

import { isModerator, own, rankAmong } from "./people.ts";
import type { Turn } from "./turn.ts";

/** Microphone, camera and screen: what the server carries. */
const MEDIA = 0xf;

export function tellPermissions(t: Turn): void {
  const { group, people, stage, isGreeted, permitted } = t.state;
  if (stage !== "member" || !isGreeted || group === null) return;
  if (!isModerator(own(t.state)) || rankAmong(t.state, isModerator) > 0) return;
  const all = group.context.policy.attendees & MEDIA;
  const seats = [...people.values()].flatMap(({ seat, may }) =>
    seat === null || (may & MEDIA) === all ? [] : [{ seat, may: may & MEDIA }],
  );
  const text = JSON.stringify({ all, seats });
  if (text === permitted) return;
  t.set({ permitted: text });
  t.request("permit", { all, seats }, { type: "permit" });
}

/** The server may know otherwise now. */
export function tellPermissionsAnew(t: Turn): void {
  t.set({ permitted: null });
  tellPermissions(t);
}

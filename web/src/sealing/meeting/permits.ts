/**
 * The media server is told who may send what, so that a browser that does not obey is not passed on:
 * by the first of who leads, whenever it has changed (docs/reference/sealing-protocol.md, 7).
 */

import { bitsOf, may } from "../permissions.ts";
import { isModerator, own, rankAmong } from "./people.ts";
import type { Turn } from "./turn.ts";

/** What the server takes for granted of a group that begins: everybody may everything. */
const AT_FIRST = { all: bitsOf("microphone", "camera", "screen"), seats: [] };

/** What the server carries: a screen that may be shared among some is one. */
function mediaOf(bits: number): number {
  const screen = may(bits, "screen") || may(bits, "screenAmongMany") ? bitsOf("screen") : 0;
  return (bits & bitsOf("microphone", "camera")) | screen;
}

export function tellPermissions(t: Turn): void {
  const { group, people, stage, isGreeted, permitted } = t.state;
  if (stage !== "member" || !isGreeted || group === null) return;
  if (!isModerator(own(t.state)) || rankAmong(t.state, isModerator) > 0) return;
  const all = mediaOf(group.context.policy.attendees);
  const seats = [...people.values()].flatMap((person) => {
    const media = mediaOf(person.may);
    return person.seat === null || media === all ? [] : [{ seat: person.seat, may: media }];
  });
  const text = JSON.stringify({ all, seats });
  if (text === permitted) return;
  t.set({ permitted: text });
  t.request("permit", { all, seats }, { type: "permit" });
}

/** The server may know otherwise now; of a group that begins, it knows nothing yet. */
export function tellPermissionsAnew(t: Turn, isBeginning = false): void {
  t.set({ permitted: isBeginning ? JSON.stringify(AT_FIRST) : null });
  tellPermissions(t);
}

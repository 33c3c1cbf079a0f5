/**
 * What the judge cannot know: whether a Remove had a reason. A host may always, a co-host for
 * everybody but hosts; anybody else only for who left or is lost, and then the server says so
 * beside the commit. A Remove with neither is taken in, for members must not part over what a
 * server says, but voted against (`nack`): with an honest server the majority undoes it and its
 * sender is out.
 */

import type { Person } from "./state.ts";
import type { FrameOf } from "./wire.ts";

type Removed = FrameOf<"commit">["removed"];

function isEntitled(sender: Person | null, target: Person): boolean {
  if (sender?.role === "host") return true;
  return sender?.role === "cohost" && target.role !== "host";
}

function isAway(target: Person, removed: Removed): boolean {
  return removed.some(
    ({ seat, why }) => seat === target.seat && (why === "left" || why === "lost"),
  );
}

/** Taken out for good: its device does not come back in this instance. */
export function isRemovedByHost(sender: Person | null, target: Person, removed: Removed): boolean {
  return isEntitled(sender, target) && !isAway(target, removed);
}

/** Somebody whose seat is known here was taken out without a reason. */
export function isUnjust(sender: Person | null, target: Person, removed: Removed): boolean {
  return !isEntitled(sender, target) && target.seat !== null && !isAway(target, removed);
}

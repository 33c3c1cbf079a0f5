/** The plans of a host's meetings, opened with the keys on the ring. */
import { useEffect, useState } from "react";
import type { RunningMeeting } from "../../api/types.ts";
import { keyRingOf } from "../../vault/session.ts";
import type { KeyRingView } from "../../vault/view.ts";
import { type Plan, parsePlan } from "./model/plan.ts";

/** Undefined: not opened yet. Null: no plan, or none that can be read here. */
export function usePlans(
  userId: string,
  meetings: readonly RunningMeeting[],
  rooms: KeyRingView["rooms"],
): (meeting: RunningMeeting) => Plan | null | undefined {
  const [opened, setOpened] = useState<ReadonlyMap<string, Plan | null>>(new Map());
  useEffect(() => {
    let isHere = true;
    for (const { id, sealed_plan: sealed } of meetings) {
      const key = `${id} ${sealed}`;
      if (!sealed || !rooms.has(id) || opened.has(key)) continue;
      openPlan(userId, id, sealed).then((plan) => {
        if (isHere) setOpened((before) => new Map(before).set(key, plan));
      });
    }
    return () => {
      isHere = false;
    };
  }, [userId, meetings, rooms, opened]);
  return ({ id, sealed_plan: sealed }) =>
    sealed && rooms.has(id) ? opened.get(`${id} ${sealed}`) : null;
}

async function openPlan(userId: string, id: string, sealed: string): Promise<Plan | null> {
  try {
    const content = await (await keyRingOf(userId)).openPlan(id, sealed);
    return content && parsePlan(content);
  } catch {
    // The code of the key ring cannot be loaded: the rooms show without words, as rooms do.
    return null;
  }
}

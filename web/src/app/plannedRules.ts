/** With which rules a sitting begins, by what is planned and who may come in. Pure. */

import type { MeetingEntry } from "../api/types.ts";
import type { RoomPolicy, Sealed } from "../sealing/contract.ts";
import { beginning, RULES, type Template } from "../sealing/templates.ts";

export function firstPolicy(entry: MeetingEntry, template: Template): RoomPolicy {
  const policy = beginning(template);
  return entry === "invited" ? { ...policy, entry: "lobby" } : policy;
}

/**
 * Whoever comes first begins the sitting. If that was somebody who did not keep to the plan, the
 * host's client makes it good when it comes in: once, and not where who leads has chosen a template.
 */
export function createPlanKeeper(
  template: Template,
  set: (policy: Partial<RoomPolicy>) => void,
): (sealed: Pick<Sealed, "phase" | "policy" | "members">) => void {
  let isDone = template === "none";
  return ({ phase, policy, members }) => {
    const isHost = members.some((member) => member.isSelf && member.role === "host");
    if (isDone || phase.type !== "inside" || !isHost) return;
    isDone = true;
    if (policy.template === "none") set({ ...RULES[template], template });
  };
}

/** What has changed for oneself by what somebody else decided. */

import { may, PERMISSIONS } from "../permissions.ts";
import { own } from "./people.ts";
import type { Person } from "./state.ts";
import type { Turn } from "./turn.ts";

export function noteRights(t: Turn, before: Person | null, by: string): void {
  const now = own(t.state);
  if (before === null || now === null || before.may === now.may) return;
  const gained = PERMISSIONS.filter((one) => may(now.may, one) && !may(before.may, one));
  const lost = PERMISSIONS.filter((one) => may(before.may, one) && !may(now.may, one));
  if (gained.length + lost.length > 0) t.notice({ type: "rights", gained, lost, by });
}

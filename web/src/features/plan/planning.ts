/**
 * What a host does with planned meetings: key ring and server together. What is planned is sealed
 * here; the server hears how long to keep the room. No React.
 */
import { setEntry } from "../../api/invitations.ts";
import { cancelMeeting, openMeeting, putPlan, putTitle } from "../../api/plans.ts";
import type { MeetingEntry, RunningMeeting } from "../../api/types.ts";
import type { KeyRing } from "../../vault/keyRing.ts";
import { keyRingOf } from "../../vault/session.ts";
import { keepingOf } from "./model/keep.ts";
import { type Plan, planContent } from "./model/plan.ts";

/** The key ring stands in the way, or the plan is too long: nothing was changed. */
export class NotPlanned extends Error {
  override readonly name = "NotPlanned";
  readonly why: "no-keys" | "not-kept" | "no-key" | "too-long";

  constructor(why: NotPlanned["why"]) {
    super(why);
    this.why = why;
  }
}

async function readyRing(userId: string): Promise<KeyRing> {
  const ring = await keyRingOf(userId).catch(() => null);
  if (ring === null || !(await ring.canHost())) throw new NotPlanned("no-keys");
  return ring;
}

async function sealed(ring: KeyRing, id: string, plan: Plan): Promise<string> {
  const made = await ring.sealPlan(id, planContent(plan));
  if (made.type !== "sealed") throw new NotPlanned(made.type);
  return made.sealed;
}

/** Rejects with `NotPlanned` or `ApiError`; then no room is left over. */
async function newKept(
  userId: string,
  title: string,
  keep: (ring: KeyRing, meeting: RunningMeeting) => Promise<void>,
): Promise<RunningMeeting> {
  const ring = await readyRing(userId);
  const meeting = await openMeeting();
  try {
    const room = await ring.addRoom(meeting.id, title);
    // Whoever comes back in a month needs its key then.
    if (room === null || !room.isKept) throw new NotPlanned(room === null ? "no-keys" : "not-kept");
    await keep(ring, meeting);
    return meeting;
  } catch (error) {
    await cancelMeeting(meeting.id).catch(() => undefined);
    await ring.forget([meeting.id]).catch(() => undefined);
    throw error;
  }
}

export function planMeeting(
  userId: string,
  plan: Plan,
  entry: MeetingEntry,
): Promise<RunningMeeting> {
  return newKept(userId, plan.title, async (ring, { id }) => {
    const content = await sealed(ring, id, plan);
    await putPlan(id, { ...keepingOf(plan, Date.now()), sealed_plan: content });
    await putTitle(id, await ring.sealTitle(id, plan.title));
    if (entry !== "open") await setEntry(id, entry);
  });
}

export async function changePlan(
  userId: string,
  id: string,
  plan: Plan,
  entry: MeetingEntry,
): Promise<void> {
  const ring = await readyRing(userId);
  const content = await sealed(ring, id, plan);
  await putPlan(id, { ...keepingOf(plan, Date.now()), sealed_plan: content });
  await putTitle(id, await ring.sealTitle(id, plan.title));
  await ring.rename(id, plan.title);
  await setEntry(id, entry);
}

/** The room with a link that stays. It begins with its host, and others knock. */
export function makeOwnRoom(userId: string): Promise<RunningMeeting> {
  return newKept(userId, "", async (_ring, { id }) => {
    await setEntry(id, "invited");
    await putPlan(id, { keep: "always", keep_until: null, sealed_plan: null, is_own_room: true });
  });
}

/** Another link: the room before ends, and its link with it. */
export async function renewOwnRoom(userId: string, before: string): Promise<RunningMeeting> {
  // First, for then it is certain that there will be keys for the new one.
  await readyRing(userId);
  await cancelMeeting(before);
  return makeOwnRoom(userId);
}

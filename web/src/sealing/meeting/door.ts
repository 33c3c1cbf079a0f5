/** Knocks: examined first, then let in, shown to who may decide, or dropped. */

import type { Outcome } from "../contract.ts";
import type { InvitationFacts } from "../engine/contract.ts";
import { b64, isSame } from "./bytes.ts";
import type { Calls, ExaminedKnock } from "./io.ts";
import { isModerator, own } from "./people.ts";
import { isAsking, isShut, mayAdmit } from "./plan.ts";
import type { DoorEntry } from "./state.ts";
import type { Done, Turn } from "./turn.ts";
import type { FrameOf } from "./wire.ts";

const MOST_AT_DOOR = 500;
const GRACE_MS = 3_600_000;

export function runKnock(t: Turn, frame: FrameOf<"knock">): void {
  if (t.state.stage !== "member") return;
  t.ask("inspect", { keyPackage: frame.key_package }, { type: "inspected", frame });
}

export function onInspected(
  t: Turn,
  frame: FrameOf<"knock">,
  facts: Calls["inspect"]["answer"],
): Done {
  const { group } = t.state;
  if ("type" in facts || group === null) return t.drop("knock");
  const { intro, proof, sign, note } = frame;
  const ask = { facts, instance: group.facts.groupId, intro, proof, sign, note };
  t.ask("examineKnock", ask, { type: "examined", frame, facts });
}

export function onExamined(
  t: Turn,
  next: { readonly frame: FrameOf<"knock">; readonly facts: DoorEntry["facts"] },
  knock: ExaminedKnock,
): Done {
  const { frame, facts } = next;
  const { door, removedKeys, group } = t.state;
  const isFull = door.size >= MOST_AT_DOOR && !door.has(frame.seat);
  if (!knock.isSigned || knock.proof === "bad" || isFull) return t.drop("knock");
  const key = b64(facts.signatureKey);
  const isInside = group?.facts.roster.some((leaf) => b64(leaf.signatureKey) === key);
  const isOut = removedKeys.has(key) || (group !== null && isShut(group, { facts }));
  if (isOut && isInside !== true) {
    if (isModerator(own(t.state))) deny(t, frame.seat, null);
    return;
  }
  const { invitation } = facts;
  // The same knock once more brings a line with it.
  const known = door.get(frame.seat);
  const before = known && isSame(known.keyPackage, frame.key_package) ? known : null;
  const entry: DoorEntry = {
    seat: frame.seat,
    keyPackage: frame.key_package,
    facts,
    hasProof: knock.proof === "good",
    name: knock.intro?.name ?? null,
    colour: knock.intro?.colour ?? 0,
    words: knock.words,
    invited:
      invitation === null
        ? null
        : {
            facts: invitation,
            name: knock.invitedName,
            isVouched: frame.bound !== null && isSame(frame.bound, facts.signatureKey),
            isExpired: isExpired(invitation, t.now),
          },
    note: knock.note,
    at: before?.at ?? t.now,
    isAdmitted: before?.isAdmitted ?? false,
    failures: before?.failures ?? 0,
  };
  t.set({ door: new Map(door).set(frame.seat, entry) });
  if (isAsking(t.state, entry) && mayAdmit(t.state, entry)) {
    const { seat, name, note } = entry;
    if (before === null) t.notice({ type: "knock", seat, name });
    else if (note !== null && note !== before.note) t.notice({ type: "note", name, note });
  }
}

/** Clocks differ: an hour is given. */
function isExpired({ expiresAt }: InvitationFacts, now: number): boolean {
  return expiresAt !== 0 && now > expiresAt * 1_000 + GRACE_MS;
}

/** Who waits with a device that has been shut out since: told so, as if it knocked now. */
export function denyShut(t: Turn): void {
  const { door, group, isGreeted } = t.state;
  if (group === null || !isGreeted || !isModerator(own(t.state))) return;
  for (const entry of door.values()) if (isShut(group, entry)) deny(t, entry.seat, null);
}

export function deny(t: Turn, seat: string, wish: number | null): void {
  t.request("deny", { seat }, { type: "deny", seat, wish });
}

/** Somebody is at the door no more; wishes to admit them hear what came of it. */
export function removeFromDoor(t: Turn, seat: string, isAdmitted: boolean): void {
  const door = new Map(t.state.door);
  if (!door.delete(seat)) return;
  const admits = t.state.admits.map((admit) =>
    admit.seats.includes(seat)
      ? {
          ...admit,
          seats: admit.seats.filter((other) => other !== seat),
          isDone: admit.isDone || isAdmitted,
        }
      : admit,
  );
  for (const { wish, isDone } of admits.filter(({ seats }) => seats.length === 0)) {
    t.outcome(wish, isDone ? "done" : "gone");
  }
  t.set({ door, admits: admits.filter(({ seats }) => seats.length > 0) });
}

/** One's own line to who may open; only who has the whole link can seal one. */
export function onNote(t: Turn, wish: number, text: string): Done {
  const { stage, link, noteWish } = t.state;
  if (stage !== "knocking") return t.outcome(wish, "gone");
  if (link === null) return t.outcome(wish, "not-allowed");
  if (noteWish !== null) return t.outcome(wish, "failed");
  t.set({ noteWish: wish });
  t.job({ type: "note", text });
}

export function runNote(t: Turn, text: string): Done {
  const { stage, ownRef } = t.state;
  if (stage !== "knocking" || ownRef === null) return endNote(t, "gone");
  t.ask("sealNote", { ref: ownRef, text }, { type: "note-sealed", text });
}

export function onNoteSealed(t: Turn, text: string, note: Uint8Array | null): Done {
  const { stage, isGreeted } = t.state;
  if (note === null || stage !== "knocking" || !isGreeted) return endNote(t, "failed");
  t.request("note", { note }, { type: "note", text });
}

export function onNoteAnswer(t: Turn, text: string, code: string | null): void {
  if (code === null) t.set({ ownNote: text });
  endNote(t, code === null ? "done" : code === "unknown_seat" ? "gone" : "failed");
}

/** Whoever waits for it hears what came of it. */
export function endNote(t: Turn, outcome: Outcome): void {
  t.outcome(t.state.noteWish, outcome);
  t.set({ noteWish: null });
}

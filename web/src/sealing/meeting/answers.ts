/**
 * Where the answers of calls go on. The shell answers with what the call promises
 * (`Calls` in io.ts); a call that failed is never fatal to the machine.
 */

import { apply, onApplied, onMerged, onRefusedPlan, onStaged, onUndo } from "./commits.ts";
import {
  onBadWelcome,
  onCreated,
  onFounded,
  onGroupVerified,
  onJoined,
  onKnockMade,
  onPackaged,
  startOver,
} from "./connection.ts";
import { onExamined, onInspected, onNoteSealed } from "./door.ts";
import { askInvitedNames, breakSeal, onBox, onInvitedNames, onKeys } from "./epochs.ts";
import type { CallName, Calls } from "./io.ts";
import { giveUp, onBoxed, onProtected } from "./outbox.ts";
import type { Next } from "./state.ts";
import { onBoxOpened, onLinkAdopted, onOpened } from "./talk.ts";
import type { Done, Turn } from "./turn.ts";
import { onNoWork, onWorked } from "./work.ts";

export function onAnswer(t: Turn, next: Next, answer: unknown): Done {
  const as = <K extends CallName>(_call: K) => answer as Calls[K]["answer"];
  switch (next.type) {
    case "ignore":
      return;
    case "founded":
      return onFounded(t, as("found"));
    case "created":
      return onCreated(t, next.ticket, as("create"));
    case "packaged":
      return onPackaged(t, next.instance, as("keyPackage"));
    case "knock-made":
      return onKnockMade(t, next, as("makeKnock"));
    case "worked":
      return onWorked(t, next, as("work"));
    case "note-sealed":
      return onNoteSealed(t, next.text, as("sealNote"));
    case "joined":
      return onJoined(t, next.frame, as("join"));
    case "group-verified":
      return onGroupVerified(t, next, as("verifyMeeting"));
    case "keys":
      return onKeys(t, next, as("frameKeys"));
    case "box":
      return onBox(t, next.group, as("boxKey"));
    case "codes": {
      const { words, roster } = as("codes");
      t.set({ codes: { words, roster, matchesLink: t.state.matchesLink } });
      return askInvitedNames(t);
    }
    case "invited-names":
      return onInvitedNames(t, next.identities, as("invitedNames"));
    case "inspected":
      return onInspected(t, next.frame, as("inspect"));
    case "examined":
      return onExamined(t, next, as("examineKnock"));
    case "staged":
      return onStaged(t, next.plan, next.epoch, as("commit"));
    case "merged":
      return onMerged(t, next.frame, next.plan, as("merge"));
    case "discarded":
      if (next.frame !== null) apply(t, next.frame);
      return;
    case "applied":
      return onApplied(t, next.frame, as("apply"));
    case "undone":
      return onUndo(t, next, as("undo").isUndone);
    case "opened":
      return onOpened(t, as("open"));
    case "box-opened":
      return onBoxOpened(t, next, as("openBox"));
    case "boxed":
      return onBoxed(t, next.out, as("sealTo"));
    case "protected":
      return onProtected(t, next.out, as("protect"));
    case "link-adopted":
      return onLinkAdopted(t, next.link, as("adoptLink"));
  }
}

export function onFailure(t: Turn, next: Next): Done {
  switch (next.type) {
    case "ignore":
    case "codes":
    case "invited-names":
      return;
    case "keys":
      return breakSeal(t, "no-encryption");
    case "box":
      return onBox(t, next.group, null);
    case "joined":
    case "group-verified":
      return onBadWelcome(t);
    case "inspected":
    case "examined":
      return t.drop("knock");
    case "worked":
      return onNoWork(t, next);
    case "note-sealed":
      return onNoteSealed(t, next.text, null);
    case "staged":
      return onRefusedPlan(t, next.plan);
    case "opened":
    case "box-opened":
    case "link-adopted":
      return t.drop("message");
    case "boxed":
    case "protected":
      return giveUp(t, next.out, "failed");
    default:
      // What the engine holds now is not known: in anew.
      return startOver(t);
  }
}

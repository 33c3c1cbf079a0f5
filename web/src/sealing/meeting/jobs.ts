/** The work of the lane, by kind: each asks something of the engine, or is over at once. */

import { runCommit, runDiscard, runMakeCommit, runReopened } from "./commits.ts";
import { runCreate, runEnter } from "./connection.ts";
import { removeFromDoor, runKnock, runNote } from "./door.ts";
import { runPresence } from "./people.ts";
import type { Job } from "./state.ts";
import { runMessage } from "./talk.ts";
import type { Done, Turn } from "./turn.ts";
import { runWork } from "./work.ts";

export function runJob(t: Turn, job: Job): Done {
  switch (job.type) {
    case "enter":
      return runEnter(t, job.instance);
    case "work":
      return runWork(t, job);
    case "create":
      return runCreate(t, job.ticket);
    case "welcome":
      return t.ask("join", { welcome: job.frame.bytes }, { type: "joined", frame: job.frame });
    case "knock":
      return runKnock(t, job.frame);
    case "knock-gone":
      return removeFromDoor(t, job.frame.seat, false);
    case "note":
      return runNote(t, job.text);
    case "presence":
      return runPresence(t, job.frame);
    case "commit":
      return runCommit(t, job.frame);
    case "message":
      return runMessage(t, job.frame);
    case "reopened":
      return runReopened(t, job.frame);
    case "make-commit":
      return runMakeCommit(t);
    case "discard":
      return runDiscard(t);
  }
}

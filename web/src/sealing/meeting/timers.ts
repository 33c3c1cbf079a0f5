/** What is due when its time has come. */

import { onCommitLost, onPskTimeout, onVerdict } from "./commits.ts";
import { enter, showDoor, startOver } from "./connection.ts";
import { forgetDue, sayProfile, switchDue } from "./epochs.ts";
import { tellPermissionsAnew } from "./permits.ts";
import type { TimerName } from "./state.ts";
import { giveLinks } from "./talk.ts";
import { finish, type Turn } from "./turn.ts";
import { beatDue, watchDue } from "./watch.ts";

const DUE: Readonly<Record<TimerName, (t: Turn) => void>> = {
  reconnect: (t) => t.emit({ type: "connect" }),
  "give-up": (t) => finish(t, "lost"),
  door: showDoor,
  enter: (t) => (t.state.stage === "outside" ? startOver(t) : enter(t, t.state.instance)),
  /** Being woken is enough: the lane looks for commits that are due. */
  commit: () => {},
  "commit-lost": onCommitLost,
  beat: beatDue,
  watch: watchDue,
  switch: switchDue,
  forget: forgetDue,
  profile: sayProfile,
  out: () => {},
  ticket: () => {},
  verdict: onVerdict,
  psk: onPskTimeout,
  cut: startOver,
  links: giveLinks,
  permit: (t) => tellPermissionsAnew(t),
  leave: (t) => finish(t, "left"),
};

export function runTimers(t: Turn): void {
  const due = [...t.state.timers].filter(([, at]) => at <= t.now).sort(([, a], [, b]) => a - b);
  for (const [name] of due) {
    const at = t.state.timers.get(name);
    // One before it may have stopped or moved it.
    if (at === undefined || at > t.now) continue;
    t.timer(name, null);
    DUE[name](t);
  }
}

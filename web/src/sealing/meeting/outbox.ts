/** What this member has to say, in order, until the server has taken it. */

import { b64, concat, utf8 } from "./bytes.ts";
import { setChatState } from "./chat.ts";
import { endNote } from "./door.ts";
import { type Content, writeMessage } from "./messages.ts";
import { noteSent, paceOf } from "./rates.ts";
import type { Mute, Outgoing } from "./state.ts";
import { type Done, finish, type Turn } from "./turn.ts";

const MOST_IN_FLIGHT = 32;
const AGAIN_MS = 1_000;
const LEAVE_MS = 500;

export const BOX_INFO = utf8("conclave private v1");

export function enqueue(t: Turn, content: Content, more: Partial<Outgoing> = {}): void {
  const out = { content, to: null, isDurable: true, wish: null, chatId: null, mute: null, ...more };
  t.set({ outbox: [...t.state.outbox, out] });
}

/** Starts the next message; false: there is none, or not now. */
export function nextOutgoing(t: Turn): boolean {
  const { stage, isGreeted, inFlight, timers, group, people } = t.state;
  const isInside = (stage === "member" || stage === "leaving") && group !== null;
  if (!isInside || !isGreeted || timers.has("out") || inFlight >= MOST_IN_FLIGHT) return false;
  const out = nextDue(t);
  if (out === undefined) return false;
  t.set({ outbox: t.state.outbox.filter((other) => other !== out) });
  noteSent(t, out);
  const content = writeMessage(out.content);
  if (out.to === null) {
    t.ask("protect", { content }, { type: "protected", out });
    return true;
  }
  const recipient = people.get(out.to)?.box ?? null;
  if (recipient === null) {
    giveUp(t, out, "gone");
    return true;
  }
  const info = concat(BOX_INFO, group.facts.groupId);
  const ask = { recipient, info, aad: t.state.setup.signatureKey, content };
  t.ask("sealTo", ask, { type: "boxed", out });
  return true;
}

/** The first that may go out now; what was written without a socket is spread over some time. */
function nextDue(t: Turn): Outgoing | undefined {
  const { outbox } = t.state;
  const due = outbox.find((out) => paceOf(t, out) <= t.now);
  if (due === undefined && outbox.length > 0) {
    t.timer("out", Math.min(...outbox.map((out) => paceOf(t, out))));
  }
  return due;
}

export function onBoxed(t: Turn, out: Outgoing, box: Uint8Array): void {
  const content = writeMessage({ k: "private", box: b64(box) });
  t.ask("protect", { content }, { type: "protected", out });
}

export function onProtected(
  t: Turn,
  out: Outgoing,
  made: { readonly bytes: Uint8Array; readonly epoch: number },
): Done {
  const { stage, isGreeted } = t.state;
  if (!isGreeted || (stage !== "member" && stage !== "leaving")) return again(t, out);
  t.set({ inFlight: t.state.inFlight + 1 });
  t.request("message", { epoch: made.epoch, bytes: made.bytes }, { type: "message", out });
  if (out.mute !== null) muteToo(t, out.mute);
  if (out.content.k === "bye") {
    t.request("leave", {}, { type: "leave" });
    t.timer("leave", t.now + LEAVE_MS);
  }
}

/** The server mutes as well, in case that browser does not obey. */
function muteToo(t: Turn, { identity, source }: Mute): void {
  const seat = t.state.people.get(identity)?.seat ?? null;
  if (seat !== null) t.request("mute", { seat, source }, { type: "mute" });
}

/** To be written anew, in whatever epoch it is then; or not at all. */
function again(t: Turn, out: Outgoing): void {
  if (out.isDurable) t.set({ outbox: [out, ...t.state.outbox] });
  else giveUp(t, out, "failed");
}

export function giveUp(t: Turn, out: Outgoing, outcome: "gone" | "failed"): void {
  t.outcome(out.wish, outcome);
  if (out.chatId !== null) setChatState(t, out.chatId, "failed");
}

export function onSent(t: Turn, out: Outgoing): void {
  t.set({ inFlight: t.state.inFlight - 1 });
  t.outcome(out.wish, "done");
  if (out.chatId !== null) setChatState(t, out.chatId, "sent");
}

export function onNotSent(t: Turn, out: Outgoing, code: string): Done {
  t.set({ inFlight: t.state.inFlight - 1 });
  if (code !== "rate" && code !== "epoch") return giveUp(t, out, "failed");
  again(t, out);
  t.timer("out", t.now + AGAIN_MS);
}

/** The socket went away over these: nobody knows whether they arrived. */
export function requeue(t: Turn): void {
  const lost = [...t.state.requests.values()];
  t.set({ requests: new Map(), inFlight: 0 });
  for (const request of lost.reverse()) {
    if (request.type === "message") again(t, request.out);
    if (request.type === "deny") t.outcome(request.wish, "failed");
    if (request.type === "note") endNote(t, "failed");
  }
}

/** Says goodbye if there is somebody to hear it. */
export function leave(t: Turn): void {
  const { stage, isGreeted } = t.state;
  if (stage === "member" && isGreeted) {
    t.set({ stage: "leaving" });
    enqueue(t, { k: "bye" }, { isDurable: false });
    t.timer("leave", t.now + LEAVE_MS);
    return;
  }
  if (isGreeted) t.request("leave", {}, { type: "leave" });
  finish(t, "left");
}

/**
 * The way to the server and into the group: connect, hello, create or knock, welcome, and all of it
 * again when something went wrong.
 */

import { b64, fromB64, isSame, utf8 } from "./bytes.ts";
import { endNote } from "./door.ts";
import { breakSeal, enterGroup } from "./epochs.ts";
import type { Calls } from "./io.ts";
import { decodeContext, encodeContext, type MeetingContext } from "./meetingContext.ts";
import { requeue } from "./outbox.ts";
import { tellPermissions } from "./permits.ts";
import { identityOf, invitationIdOf } from "./roles.ts";
import type { Group, Next, State } from "./state.ts";
import { type Done, finish, type Turn } from "./turn.ts";
import type { FrameOf, Ticket } from "./wire.ts";

const RECONNECT_MS = 250;
const RECONNECT_MOST_MS = 5_000;
/** Without a socket for so long: given up. */
const GIVE_UP_MS = 180_000;
/** An open meeting lets one in sooner than this; only then the door is shown. */
const DOOR_SHOWN_MS = 1_500;
const RATE_MS = 2_000;
/** A commit that neither won nor lost: asked for again. */
const COMMIT_LOST_MS = 5_000;
const MOST_BAD_WELCOMES = 5;

export function start(t: Turn): void {
  t.timer("give-up", t.now + GIVE_UP_MS);
  t.emit({ type: "connect" });
}

export function onOpened(t: Turn): void {
  const { stage, resume, seq, former } = t.state;
  t.set({ isConnected: true, isGreeted: false });
  const isResumable = stage !== "away" && stage !== "outside" && stage !== "knocking";
  if (isResumable && resume !== null) t.send("hello", { resume, since: seq });
  else t.send("hello", former === null ? {} : { former });
}

/** The socket is gone; the group stays. */
export function onClosed(t: Turn): Done {
  const { awaySince, attempts, timers, notBefore, stage } = t.state;
  if (stage === "leaving") return finish(t, "left");
  requeue(t);
  t.set({
    isConnected: false,
    isGreeted: false,
    permitted: null,
    awaySince: awaySince ?? t.now,
    attempts: attempts + 1,
  });
  t.timer("commit-lost", null);
  const wait = Math.min(RECONNECT_MS * 2 ** attempts, RECONNECT_MOST_MS);
  t.timer("reconnect", Math.max(t.now + wait, notBefore));
  if (!timers.has("give-up")) t.timer("give-up", t.now + GIVE_UP_MS);
}

/** Asks for what was missed: the same seat, from what was last taken in. */
export function resync(t: Turn, seq: number): Done {
  const { resyncs } = t.state;
  if (resyncs >= 2) return startOver(t);
  t.set({ resyncs: resyncs + 1, seq });
  t.emit({ type: "disconnect" });
  onClosed(t);
}

/** A new seat: what was asked of the old one is void, and the old leaf will be replaced. */
export function startOver(t: Turn): Done {
  const { state } = t;
  if (state.stage === "leaving") return finish(t, "left");
  for (const wishes of state.removals.values())
    for (const wish of wishes) t.outcome(wish, "failed");
  for (const wish of state.policyPatch?.wishes ?? []) t.outcome(wish, "failed");
  emptyDoor(t);
  forgetSeat(t);
  t.emit({ type: "disconnect" });
  onClosed(t);
}

/** Open knocks come again after a hello; who is gone meanwhile is told by nobody. */
function emptyDoor(t: Turn): void {
  for (const { wish } of t.state.admits) t.outcome(wish, "failed");
  t.set({
    door: new Map(),
    admits: [],
    jobs: t.state.jobs.filter((job) => job.type !== "knock"),
  });
}

function forgetSeat(t: Turn): void {
  endNote(t, "failed");
  const { open, stage, resume, former } = t.state;
  t.set({
    stage: "away",
    former: stage === "member" || stage === "cut" ? resume : former,
    resume: null,
    seat: null,
    resyncs: 0,
    jobs: [],
    open: open === null ? null : { id: open.id, next: { type: "ignore" } },
    own: null,
    held: null,
    last: null,
    removals: new Map(),
    policyPatch: null,
    sealedAt: null,
    codes: null,
  });
  for (const name of ["commit-lost", "verdict", "psk", "cut", "switch", "enter"] as const) {
    t.timer(name, null);
  }
  returnOpen(t, open?.next);
}

/** A message that was being written is written anew in the next group. */
function returnOpen(t: Turn, next: Next | undefined): void {
  if (next?.type !== "boxed" && next?.type !== "protected") return;
  t.set({ outbox: [next.out, ...t.state.outbox] });
}

export function onHello(t: Turn, frame: FrameOf<"hello">): Done {
  const { stage, founding } = t.state;
  t.set({
    isGreeted: true,
    seat: frame.seat,
    resume: frame.resume,
    attempts: 0,
    awaySince: null,
  });
  t.timer("reconnect", null);
  t.timer("give-up", null);
  if (frame.resumed && (stage === "joining" || stage === "member" || stage === "cut")) {
    const { own, group } = t.state;
    emptyDoor(t);
    if (group !== null) t.send("ack", { epoch: group.facts.epoch });
    if (own !== null) sendCommit(t, own);
    return tellPermissions(t);
  }
  if (frame.resumed && stage === "creating" && founding !== null && frame.instance !== null) {
    // Ours won although its answer was lost; what is missing is the ticket.
    if (isSame(frame.instance, founding.instance)) {
      return onCreateOk(t, null);
    }
  }
  const { resume, seat } = t.state;
  forgetSeat(t);
  t.set({ resume, seat });
  enter(t, frame.instance);
}

export function sendCommit(t: Turn, own: NonNullable<State["own"]>): Done {
  const { plan } = own;
  t.timer("commit-lost", t.now + COMMIT_LOST_MS);
  t.request(
    "commit",
    {
      epoch: own.epoch,
      bytes: own.commit,
      ...(own.welcome === null ? {} : { welcome: own.welcome }),
      admitted: plan.adds.map((entry) => ({
        seat: entry.seat,
        identity: identityOf(entry.facts.signatureKey, (t.state.group as Group).facts.groupId),
      })),
      removed: plan.removes.flatMap((person) => {
        const why = plan.why.get(person.identity);
        return person.seat === null ? [] : [{ seat: person.seat, why }];
      }),
    },
    { type: "commit" },
  );
}

/** Outside, with a socket: creates what is not there, knocks at what is. */
export function enter(t: Turn, instance: Uint8Array | null): void {
  // What a knock elsewhere comes to is of no interest any more.
  const requests = [...t.state.requests].filter(([, { type }]) => type !== "knock");
  t.set({ instance, requests: new Map(requests) });
  t.timer("enter", null);
  if (instance === null && t.state.link === null) {
    // Who has not the whole link must not begin: its group could not prove the link to the others.
    t.set({ stage: "outside", atDoor: { members: 0, isShown: true } });
    return;
  }
  t.set({ stage: instance === null ? "creating" : "knocking" });
  t.job({ type: "enter", instance });
}

export function onInstance(t: Turn, { instance }: FrameOf<"instance">): void {
  const { stage, instance: known } = t.state;
  if (stage === "creating") t.set({ instance });
  else if (stage === "outside") enter(t, instance);
  else if (stage === "knocking") {
    const isKnown = known !== null && instance !== null && isSame(known, instance);
    if (!isKnown) enter(t, instance);
  }
}

export function runEnter(t: Turn, instance: Uint8Array | null): void {
  const { setup } = t.state;
  if (instance === null) {
    const ask = { meetingId: utf8(setup.meetingId), creatorKey: setup.signatureKey };
    t.ask("found", ask, { type: "founded" });
  } else {
    t.ask("keyPackage", {}, { type: "packaged", instance });
  }
}

export function onFounded(t: Turn, founding: Calls["found"]["answer"]): void {
  t.set({ founding });
  const { instance } = founding;
  // The room may have been opened by somebody else meanwhile.
  if (t.state.stage !== "creating" || !t.state.isGreeted) return;
  const identity = identityOf(t.state.setup.signatureKey, instance);
  t.request("create", { instance, identity }, { type: "create" });
}

export function onPackaged(
  t: Turn,
  instance: Uint8Array,
  made: Calls["keyPackage"]["answer"],
): void {
  const { bytes: keyPackage, ref } = made;
  t.ask("makeKnock", { ref, instance }, { type: "knock-made", instance, keyPackage, ref });
}

export function onKnockMade(
  t: Turn,
  next: {
    readonly instance: Uint8Array;
    readonly keyPackage: Uint8Array;
    readonly ref: Uint8Array;
  },
  made: Calls["makeKnock"]["answer"],
): void {
  const { stage, isGreeted, instance } = t.state;
  const isWanted = instance !== null && isSame(instance, next.instance);
  if (stage !== "knocking" || !isGreeted || !isWanted) return;
  const { words, ...rest } = made;
  t.set({ ownWords: words, ownRef: next.ref, ownNote: null });
  const fields = { instance, key_package: next.keyPackage, ...rest, ...invitationOf(t.state) };
  t.request("knock", fields, { type: "knock", fields });
}

/** By which personal link this device comes; the first device to say so keeps it. */
function invitationOf({ setup }: State): Readonly<Record<string, Uint8Array | string>> {
  const { invitation, signatureKey } = setup;
  if (invitation === null) return {};
  const { facts, binding } = invitation;
  return { invitation: b64(invitationIdOf(facts)), device: signatureKey, binding };
}

export function onCreateOk(t: Turn, ticket: Ticket | null): void {
  if (t.state.stage !== "creating") return;
  t.set({ stage: "joining" });
  t.job({ type: "create", ticket });
}

export function onKnockOk(t: Turn): void {
  t.set({ atDoor: { members: 0, isShown: t.state.link === null } });
  t.timer("door", t.now + DOOR_SHOWN_MS);
}

export function showDoor(t: Turn): void {
  const { atDoor } = t.state;
  if (atDoor !== null) t.set({ atDoor: { ...atDoor, isShown: true } });
}

export function onEntryError(t: Turn, type: "create" | "knock", code: string): Done {
  const { instance } = t.state;
  if (type === "create" && code === "exists") {
    if (instance !== null) return enter(t, instance);
    // The winner is announced to everybody outside; else a new hello tells who it is.
    t.set({ stage: "outside" });
    t.timer("enter", t.now + RATE_MS);
  } else if (type === "create" && code === "closed") {
    // A host has to begin: told by `instance` when one has.
    t.set({ stage: "outside", atDoor: { members: 0, isShown: true } });
  } else if (type === "knock" && code === "full") finish(t, "full");
  else if (type === "knock" && (code === "revoked" || code === "expired")) finish(t, code);
  else if (type === "knock" && code === "no_instance") enter(t, null);
  else if (type === "knock" && code === "rate") t.timer("enter", t.now + RATE_MS);
  else startOver(t);
}

export function runCreate(t: Turn, ticket: Ticket | null): void {
  const { setup, founding } = t.state;
  const { instance, hostFingerprint, mac } = founding as NonNullable<State["founding"]>;
  const meeting = encodeContext({
    meetingId: utf8(setup.meetingId),
    instance,
    creatorKey: setup.signatureKey,
    hostFingerprint,
    mac,
    policy: { ...setup.policy, cohosts: [], revoked: [], people: [], blocked: setup.blocked },
  });
  t.ask("create", { instance, meeting }, { type: "created", ticket });
}

export function onCreated(t: Turn, ticket: Ticket | null, facts: Calls["create"]["answer"]): Done {
  const context = decodeContext(facts.meeting);
  if (context === null) return breakSeal(t, "not-our-group");
  t.set({ matchesLink: true });
  enterGroup(t, { facts, context }, new Map(), ticket);
  if (ticket === null) t.set({ isTicketWanted: true });
}

export function onWelcome(t: Turn, frame: FrameOf<"welcome">): Done {
  if (t.state.stage !== "knocking") return t.drop("welcome");
  t.set({ stage: "joining", seq: frame.seq });
  t.job({ type: "welcome", frame });
}

/** A Welcome that brought no group; a server that sends nothing else is given up. */
export function onBadWelcome(t: Turn): void {
  t.drop("welcome");
  const badWelcomes = t.state.badWelcomes + 1;
  t.set({ badWelcomes });
  if (badWelcomes >= MOST_BAD_WELCOMES) finish(t, "lost");
  else startOver(t);
}

export function onJoined(t: Turn, frame: FrameOf<"welcome">, facts: Calls["join"]["answer"]): Done {
  if ("type" in facts) return onBadWelcome(t);
  const context = decodeContext(facts.meeting);
  if (context === null || !isOurs(t.state, facts.groupId, context)) {
    return breakSeal(t, "not-our-group");
  }
  const group = { facts, context };
  if (t.state.link === null) return admit(t, frame, group);
  t.ask("verifyMeeting", { context }, { type: "group-verified", frame, group });
}

function isOurs(state: State, groupId: Uint8Array, context: MeetingContext): boolean {
  const { instance, setup, link, group } = state;
  const isNamed =
    instance !== null &&
    isSame(groupId, instance) &&
    isSame(context.instance, groupId) &&
    isSame(context.meetingId, utf8(setup.meetingId));
  if (!isNamed) return false;
  if (link !== null) {
    const fingerprint = fromB64(link.fingerprint);
    if (fingerprint === null || !isSame(context.hostFingerprint, fingerprint)) return false;
  }
  // Who was in this instance already knows what it was made of.
  const isSameInstance = group !== null && isSame(group.facts.groupId, groupId);
  return (
    !isSameInstance ||
    (isSame(group.context.creatorKey, context.creatorKey) &&
      isSame(group.context.mac, context.mac) &&
      isSame(group.context.hostFingerprint, context.hostFingerprint))
  );
}

export function onGroupVerified(
  t: Turn,
  next: { readonly frame: FrameOf<"welcome">; readonly group: Group },
  isProven: boolean,
): Done {
  if (!isProven) return breakSeal(t, "not-our-group");
  t.set({ matchesLink: true });
  admit(t, next.frame, next.group);
}

function admit(t: Turn, frame: FrameOf<"welcome">, group: Group): void {
  enterGroup(t, group, new Map(frame.seats.map((seat) => [seat.identity, seat])), frame.ticket);
}

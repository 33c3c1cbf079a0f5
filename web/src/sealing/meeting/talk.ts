/** What the others say inside the group: opened, attributed to a leaf, and acted on. */

import type { Opened, Refused } from "../engine/contract.ts";
import { b64, concat, isSame } from "./bytes.ts";
import { authorOf, hear, hearHistory, history } from "./chat.ts";
import { apply } from "./commits.ts";
import { isStopped, onFreeze } from "./freeze.ts";
import type { Link } from "./io.ts";
import { type Message, readMessage, readPrivate } from "./messages.ts";
import { BOX_INFO, enqueue } from "./outbox.ts";
import { isModerator, own, ownIdentity, personOfKey, rankAmong } from "./people.ts";
import { isHeard } from "./rates.ts";
import { isSaying, maySay, type Saying } from "./rights.ts";
import type { Group, Past, Person, State } from "./state.ts";
import type { Done, Turn } from "./turn.ts";
import type { FrameOf } from "./wire.ts";

const OWN_LINK_MS = 500;
const OTHERS_LINK_MS = 3_000;
const TURN_MS = 2_000;
/** A beat of an epoch that was over for so long: its sender is kept from what happened. */
const STALE_MS = 30_000;

export function runMessage(t: Turn, frame: FrameOf<"message">): void {
  const { stage } = t.state;
  if (stage !== "member" && stage !== "leaving") return;
  t.ask("open", { message: frame.bytes }, { type: "opened" });
}

export function onOpened(t: Turn, opened: Opened | Refused): Done {
  if (opened.type === "refused") {
    if (opened.reason !== "own") t.drop("message");
    return;
  }
  const past = t.state.pasts.find(({ epoch }) => epoch === opened.epoch);
  const leaf = past?.roster.find((facts) => facts.leaf === opened.sender);
  const person = leaf === undefined ? null : personOfKey(t.state, leaf.signatureKey);
  const message = readMessage(opened.content);
  const { group } = t.state;
  if (past === undefined || person === null || group === null) return t.drop("message");
  t.person(person.identity, {
    heardAt: t.now,
    hasLink: person.hasLink || isProof(t.state, person, opened.epoch),
  });
  if (message === null) return t.drop("message");
  onMessage(t, person, message, past, group);
}

/** Only who had the link PSK has the keys after a commit that was bound to it. */
function isProof({ pskEpoch }: State, person: Person, epoch: number): boolean {
  return pskEpoch >= 0 && epoch >= pskEpoch && person.sinceEpoch <= pskEpoch;
}

function onMessage(t: Turn, person: Person, message: Message, past: Past, group: Group): Done {
  const { identity } = person;
  const name = person.name ?? "";
  if (isSaying(message) && !isAllowed(t.state, person, message, null)) return t.drop("message");
  if (!isHeard(t, person, message.k)) return t.drop("message");
  switch (message.k) {
    case "freeze":
      return onFreeze(t, person, message.on);
    case "profile":
      return onProfile(t, person, message, group);
    case "beat":
      return onBeat(t, person, message, past);
    case "bye":
      return t.person(identity, { presence: "left", awayAt: t.now });
    case "react":
      return t.notice({ type: "reaction", identity, name, emoji: message.emoji });
    case "hand":
      return setHand(t, person, message.up);
    case "order":
      return onOrder(t, person, message);
    case "link-held":
      t.person(identity, { awaitsLinkSince: null });
      return armLinks(t);
    case "private": {
      const info = concat(BOX_INFO, group.facts.groupId);
      const ask = { info, aad: person.leaf.signatureKey, box: message.box };
      return t.ask("openBox", ask, { type: "box-opened", from: identity, epoch: past.epoch });
    }
    default:
      return hear(t, message, authorOf(person, false), false);
  }
}

/** Nothing is stopped for this person, and it may say this. Taking back is always allowed. */
function isAllowed(
  state: State,
  person: Person,
  message: { readonly k: Saying; readonly up?: boolean },
  to: Person | null,
): boolean {
  if (isStopped(state, person)) return false;
  return message.up === false || maySay(person, message.k, to);
}

function onProfile(
  t: Turn,
  person: Person,
  { name, colour, box }: Extract<Message, { k: "profile" }>,
  group: Group,
): void {
  t.person(person.identity, { name, colour, box });
  const self = own(t.state);
  const isNew = person.name === null && self !== null && person.joinedAt > self.joinedAt;
  if (isNew) t.notice({ type: "member-joined", identity: person.identity, name });
  const most = group.context.policy.history;
  if (person.box === null && person.isAddedByUs && most > 0) {
    const messages = history(t, most);
    if (messages.length > 0) enqueue(t, { k: "history", messages }, { to: person.identity });
  }
  armLinks(t);
}

function onBeat(t: Turn, person: Person, beat: Extract<Message, { k: "beat" }>, past: Past): void {
  const isStale = past.epoch !== t.state.pasts[0]?.epoch && t.now - t.state.epochAt > STALE_MS;
  const isAlike = isSame(beat.auth, past.auth) && isSame(beat.roster, past.rosterHash);
  t.person(person.identity, { isMismatched: isStale || !isAlike });
}

export function setHand(t: Turn, person: Person, isUp: boolean): void {
  if ((person.handAt !== null) === isUp) return;
  const hands = t.state.hands + 1;
  t.set({ hands });
  t.person(person.identity, { handAt: isUp ? hands : null });
  if (!isUp || person.identity === ownIdentity(t.state)) return;
  const up = [...t.state.people.values()].filter(({ handAt }) => handAt !== null);
  const { identity, name } = person;
  t.notice({ type: "hand", identity, name: name ?? "", place: up.length });
}

function onOrder(t: Turn, person: Person, order: Extract<Message, { k: "order" }>): Done {
  const self = own(t.state);
  if (self === null || order.to !== self.identity) return;
  if (!isModerator(person)) return t.drop("message");
  t.notice({ type: "order", what: order.what, by: person.name ?? "" });
  if (order.what === "lower-hand" && self.handAt !== null) lowerHand(t, self);
}

export function lowerHand(t: Turn, self: Person): void {
  setHand(t, self, false);
  enqueue(t, { k: "hand", up: false });
}

export function onBoxOpened(
  t: Turn,
  next: { readonly from: string },
  content: Uint8Array | null,
): Done {
  // Null: for somebody else.
  if (content === null) return;
  const person = t.state.people.get(next.from);
  const message = readPrivate(content);
  if (person === undefined || message === null) return t.drop("message");
  if (message.k === "link") return onLink(t, message);
  if (message.k === "history") {
    if (t.now <= t.state.historyUntil) hearHistory(t, message.messages);
    // Once is enough.
    return t.set({ historyUntil: 0 });
  }
  if (!isAllowed(t.state, person, message, own(t.state))) return t.drop("message");
  if (!isHeard(t, person, message.k)) return t.drop("message");
  hear(t, message, authorOf(person, false), true);
}

function onLink(t: Turn, link: Link): void {
  const { group } = t.state;
  if (t.state.link !== null || group === null) return;
  const { secret, fingerprint } = link;
  const made = { secret, fingerprint };
  const ask = { link: made, context: group.context };
  t.ask("adoptLink", ask, { type: "link-adopted", link: made });
}

export function onLinkAdopted(t: Turn, link: Link, isProven: boolean): Done {
  const self = own(t.state);
  if (!isProven || self === null) return t.drop("message");
  t.set({ link });
  t.person(self.identity, { hasLink: true });
  enqueue(t, { k: "link-held" });
  const { held } = t.state;
  if (held === null) return;
  t.set({ held: null });
  t.timer("psk", null);
  apply(t, held);
}

function linkDue(state: State, person: Person): number | null {
  if (person.awaitsLinkSince === null || person.box === null) return null;
  if (person.presence !== "live" || state.linkSentTo.has(person.identity)) return null;
  return person.isAddedByUs
    ? person.awaitsLinkSince + OWN_LINK_MS
    : person.awaitsLinkSince + OTHERS_LINK_MS + TURN_MS * rankAmong(state);
}

/** Who came without the link is given it, by who let them in or, failing that, by the next. */
export function armLinks(t: Turn): void {
  const due = [...t.state.people.values()].flatMap((person) => linkDue(t.state, person) ?? []);
  t.timer("links", due.length === 0 || t.state.link === null ? null : Math.min(...due));
}

export function giveLinks(t: Turn): Done {
  const { link } = t.state;
  if (link === null) return t.timer("links", null);
  for (const person of t.state.people.values()) {
    const due = linkDue(t.state, person);
    if (due === null || due > t.now) continue;
    enqueue(t, { k: "link", ...link }, { to: person.identity });
    t.set({ linkSentTo: new Set(t.state.linkSentTo).add(person.identity) });
  }
  armLinks(t);
}

/** Every ten seconds: what this member takes the group to be. */
export function beat(t: Turn, past: Past): void {
  const content = { k: "beat", auth: b64(past.auth), roster: b64(past.rosterHash) };
  enqueue(t, content, { isDurable: false });
}

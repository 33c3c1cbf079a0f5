/** What this person wants: checked against what it may do, then carried out or answered no. */

import type { Order, RoomPolicy, SealedRole } from "../contract.ts";
import { ofGuest, ofPerson, patchPolicy, shut } from "./blocked.ts";
import { b64, fromB64 } from "./bytes.ts";
import { authorOf, find, hear, setChatState, write } from "./chat.ts";
import { deny, onNote, removeFromDoor } from "./door.ts";
import { isStopped, wishClean, wishFreeze } from "./freeze.ts";
import type { Wish } from "./io.ts";
import { type Content, MAX_EMOJI, MAX_TEXT, type Talk } from "./messages.ts";
import { enqueue, leave } from "./outbox.ts";
import { own } from "./people.ts";
import { mayAdmit } from "./plan.ts";
import { isTooFast } from "./rates.ts";
import { maySay, type Saying } from "./rights.ts";
import type { ChatEntry, Group, Mute, Person, StandingPatch } from "./state.ts";
import { lowerHand, setHand } from "./talk.ts";
import type { Done, Turn } from "./turn.ts";

type WishOf<T extends Wish["type"]> = Extract<Wish, { readonly type: T }>;

export function onWish(t: Turn, wish: number, what: Wish): Done {
  if (what.type === "read") {
    t.set({ unread: 0 });
    return t.outcome(wish, "done");
  }
  const self = own(t.state);
  if (what.type === "leave") {
    if (t.state.stage !== "over") leave(t);
    return t.outcome(wish, "done");
  }
  if (what.type === "note") return onNote(t, wish, what.text);
  if (self === null || t.state.stage === "over") return t.outcome(wish, "failed");
  if (SAYING.includes(what.type) && isStopped(t.state, self)) return t.outcome(wish, "not-allowed");
  if (isTooFast(t, what)) return t.outcome(wish, "too-fast");
  switch (what.type) {
    case "chat":
      return onChat(t, wish, self, what);
    case "edit":
    case "delete":
    case "chat-react":
      return onChatChange(t, wish, self, what);
    case "resend":
      return onResend(t, wish, self, what.id);
    case "react":
      return onReact(t, wish, self, what.emoji);
    case "hand":
      return onHand(t, wish, self, what.isUp);
    default:
      return onModeration(t, wish, self, what);
  }
}

/** Text as it may be sent: no control characters but line ends and tabs. Null: nothing left. */
function clean(text: string): string | null {
  const kept = text.replace(/[^\P{Cc}\n\t]/gu, "").trim();
  return kept.length === 0 || kept.length > MAX_TEXT ? null : kept;
}

function onChat(t: Turn, wish: number, self: Person, what: WishOf<"chat">): Done {
  const text = clean(what.text);
  if (text === null || find(t, what.id) !== undefined) return t.outcome(wish, "failed");
  const to = what.privateTo === null ? null : t.state.people.get(what.privateTo);
  if (to === undefined || to === self) return t.outcome(wish, "gone");
  if (!maySay(self, "chat", to)) return t.outcome(wish, "not-allowed");
  const privateWith = to === null ? null : { identity: to.identity, name: to.name ?? "" };
  const message = { id: what.id, text, reply: what.replyTo };
  write(t, message, authorOf(self, true), privateWith);
  say(t, wish, { k: "chat", ...message }, privateWith?.identity ?? null, what.id);
}

function say(
  t: Turn,
  wish: number,
  content: Content,
  to: string | null,
  chatId: string | null,
): void {
  enqueue(t, content, { to, wish, chatId });
}

function onChatChange(
  t: Turn,
  wish: number,
  self: Person,
  what: WishOf<"edit" | "delete" | "chat-react">,
): Done {
  const entry = find(t, what.id);
  if (entry === undefined || entry.isDeleted) return t.outcome(wish, "gone");
  if (what.type !== "chat-react" && !entry.isOwn) return t.outcome(wish, "not-allowed");
  const talk = talkOf(what);
  if (talk === null) return t.outcome(wish, "failed");
  if (!maySayTo(t, self, talk.k, entry.peer)) return t.outcome(wish, "not-allowed");
  hear(t, talk, authorOf(self, true), entry.peer !== null);
  say(t, wish, talk, entry.peer, null);
}

/** `peer`: null for everybody. Who has left is written to in vain, and hears so then. */
function maySayTo(t: Turn, self: Person, what: Saying, peer: string | null): boolean {
  const to = peer === null ? null : t.state.people.get(peer);
  return to === undefined || maySay(self, what, to);
}

function talkOf(what: WishOf<"edit" | "delete" | "chat-react">): Talk | null {
  const { id } = what;
  if (what.type === "delete") return { k: "chat-delete", id };
  if (what.type === "edit") {
    const text = clean(what.text);
    return text === null ? null : { k: "chat-edit", id, text };
  }
  const { emoji, on } = what;
  return isEmoji(emoji) ? { k: "chat-react", id, emoji, on } : null;
}

function isEmoji(emoji: string): boolean {
  return emoji.length > 0 && emoji.length <= MAX_EMOJI;
}

function onResend(t: Turn, wish: number, self: Person, id: string): Done {
  const entry = find(t, id);
  if (entry === undefined) return t.outcome(wish, "gone");
  const isFailed = entry.isOwn && entry.state === "failed";
  if (!isFailed || !maySayTo(t, self, "chat", entry.peer)) return t.outcome(wish, "not-allowed");
  setChatState(t, id, "sending");
  const { text, replyTo } = entry as ChatEntry;
  say(t, wish, { k: "chat", id, text, reply: replyTo }, entry.peer, id);
}

function onReact(t: Turn, wish: number, self: Person, emoji: string): Done {
  if (!isEmoji(emoji)) return t.outcome(wish, "failed");
  if (!maySay(self, "react", null)) return t.outcome(wish, "not-allowed");
  t.notice({ type: "reaction", identity: self.identity, name: t.state.setup.name, emoji });
  enqueue(t, { k: "react", emoji }, { wish, isDurable: false });
}

function onHand(t: Turn, wish: number, self: Person, isUp: boolean): Done {
  if ((self.handAt !== null) === isUp) return t.outcome(wish, "done");
  if (isUp) {
    if (!maySay(self, "hand", null)) return t.outcome(wish, "not-allowed");
    setHand(t, self, true);
    return say(t, wish, { k: "hand", up: true }, null, null);
  }
  lowerHand(t, self);
  t.outcome(wish, "done");
}

const SAYING: readonly Wish["type"][] = [
  "chat",
  "edit",
  "delete",
  "resend",
  "chat-react",
  "react",
  "hand",
];

type Moderation = WishOf<
  | "admit"
  | "deny"
  | "remove"
  | "cohost"
  | "part"
  | "allow"
  | "policy"
  | "revoke"
  | "block"
  | "unblock"
  | "order"
  | "freeze"
  | "clean"
>;

const LEAST_ROLE: Readonly<Record<Moderation["type"], readonly SealedRole[]>> = {
  // Who may let whom in is asked for each guest.
  admit: ["host", "cohost", "member"],
  deny: ["host", "cohost"],
  remove: ["host", "cohost"],
  order: ["host", "cohost"],
  freeze: ["host", "cohost"],
  clean: ["host", "cohost"],
  cohost: ["host", "cohost"],
  part: ["host", "cohost"],
  allow: ["host", "cohost"],
  policy: ["host", "cohost"],
  revoke: ["host", "cohost"],
  block: ["host", "cohost"],
  unblock: ["host"],
};

function onModeration(t: Turn, wish: number, self: Person, what: Moderation): Done {
  if (!LEAST_ROLE[what.type].includes(self.role)) return t.outcome(wish, "not-allowed");
  switch (what.type) {
    case "admit":
      return onAdmit(t, wish, what.seats);
    case "deny":
      return onDeny(t, wish, what);
    case "policy":
      return patchPolicy(t, checked(what.policy), [wish]);
    case "block":
      return patchPolicy(t, { blocked: new Map(blockable(what.keys)) }, [wish]);
    case "unblock":
      return onUnblock(t, wish);
    case "freeze":
      return wishFreeze(t, wish, self, what.isOn);
    case "clean":
      return wishClean(t, wish, what);
    case "revoke": {
      if (!what.isRevoked && self.role !== "host") return t.outcome(wish, "not-allowed");
      return patchPolicy(t, { revoked: new Map(what.ids.map((id) => [id, what.isRevoked])) }, [
        wish,
      ]);
    }
    default:
      return onPerson(t, wish, self, what);
  }
}

function onDeny(t: Turn, wish: number, { seat, isBlocked }: WishOf<"deny">): Done {
  const entry = t.state.door.get(seat);
  if (entry === undefined) return t.outcome(wish, "gone");
  if (!t.state.isGreeted) return t.outcome(wish, "failed");
  if (isBlocked) patchPolicy(t, shut((t.state.group as Group).context, [ofGuest(entry)]), []);
  deny(t, seat, wish);
}

function blockable(keys: readonly string[]): readonly (readonly [string, boolean])[] {
  return keys.filter((key) => fromB64(key)?.length === 32).map((key) => [key, true] as const);
}

function onUnblock(t: Turn, wish: number): Done {
  const { blocked } = (t.state.group as Group).context.policy;
  patchPolicy(t, { blocked: new Map(blocked.map((key) => [b64(key), false])) }, [wish]);
}

function onAdmit(t: Turn, wish: number, seats: readonly string[]): Done {
  const door = new Map(t.state.door);
  const known = [...door.values()].filter((entry) => seats.includes(entry.seat));
  if (known.length === 0) return t.outcome(wish, "gone");
  const here = known.filter((entry) => mayAdmit(t.state, entry)).map((entry) => entry.seat);
  if (here.length === 0) return t.outcome(wish, "not-allowed");
  for (const [seat, entry] of t.state.door) {
    if (here.includes(seat)) door.set(seat, { ...entry, isAdmitted: true });
  }
  t.set({ door, admits: [...t.state.admits, { wish, seats: here, isDone: false }] });
}

const MUTED_BY: Partial<Record<Order, Mute["source"]>> = {
  mute: "microphone",
  "stop-video": "camera",
  "stop-share": "screen_share",
};

function onPerson(
  t: Turn,
  wish: number,
  self: Person,
  what: WishOf<"remove" | "cohost" | "part" | "allow" | "order">,
): Done {
  const target = t.state.people.get(what.identity);
  if (target === undefined) return t.outcome(wish, "gone");
  if (what.type === "order") {
    if (target === self) return t.outcome(wish, "not-allowed");
    const source = MUTED_BY[what.what];
    const mute = source === undefined ? null : { identity: what.identity, source };
    return enqueue(t, { k: "order", what: what.what, to: what.identity }, { wish, mute });
  }
  // Nobody does this to itself, and a host is a host by its account.
  const isSafe = self.role === "cohost" && target.role === "host";
  if (target === self || isSafe) return t.outcome(wish, "not-allowed");
  if (what.type === "remove") {
    const wishes = t.state.removals.get(target.identity) ?? [];
    const removals = new Map(t.state.removals).set(target.identity, [...wishes, wish]);
    t.set({ removals });
    // In the same commit: whoever comes later knows it too.
    return patchPolicy(t, shut((t.state.group as Group).context, [ofPerson(t.state, target)]), []);
  }
  if (target.role === "host") return t.outcome(wish, "not-allowed");
  if (what.type !== "cohost") return onStanding(t, wish, target, what);
  if (!what.isCohost && self.role !== "host") return t.outcome(wish, "not-allowed");
  const cohosts = new Map([[b64(target.leaf.signatureKey), what.isCohost]]);
  patchPolicy(t, { cohosts }, [wish]);
  if (target.seat !== null && t.state.isGreeted) {
    const role = what.isCohost ? "cohost" : "member";
    t.request("grant", { seat: target.seat, role }, { type: "grant" });
  }
}

/** Joined to what is wished of this one already: the last word on each permission holds. */
function onStanding(t: Turn, wish: number, target: Person, what: WishOf<"part" | "allow">): Done {
  const key = b64(target.leaf.signatureKey);
  const old = t.state.policyPatch?.people.get(key) ?? NOTHING_OF_ITS_OWN;
  const next =
    what.type === "part"
      ? { ...NOTHING_OF_ITS_OWN, part: what.part }
      : joined(old, what.bits & 0xffff, what.isAllowed);
  patchPolicy(t, { people: new Map([[key, next]]) }, [wish]);
}

const NOTHING_OF_ITS_OWN: StandingPatch = { part: null, allow: 0, forbid: 0, reset: 0 };

function joined(old: StandingPatch, bits: number, isAllowed: boolean | null): StandingPatch {
  return {
    part: old.part,
    allow: isAllowed === true ? old.allow | bits : old.allow & ~bits,
    forbid: isAllowed === false ? old.forbid | bits : old.forbid & ~bits,
    reset: isAllowed === null ? old.reset | bits : old.reset & ~bits,
  };
}

function checked(policy: Partial<RoomPolicy>): Partial<RoomPolicy> {
  const { history, attendees } = policy;
  return {
    ...policy,
    ...(history === undefined ? {} : { history: within16(history) }),
    ...(attendees === undefined ? {} : { attendees: attendees & 0xffff }),
  };
}

function within16(value: number): number {
  return Math.max(0, Math.min(0xffff, Math.trunc(value) || 0));
}

/** A denied knock, as the server answered. */
export function onDenied(t: Turn, seat: string, wish: number | null, code: string | null): void {
  t.outcome(wish, code === null ? "done" : code === "unknown_seat" ? "gone" : "failed");
  if (code === null || code === "unknown_seat") removeFromDoor(t, seat, false);
}

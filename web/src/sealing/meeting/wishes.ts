/** What this person wants: checked against what it may do, then carried out or answered no. */

import type { Order, RoomPolicy, SealedRole } from "../contract.ts";
import { b64 } from "./bytes.ts";
import { authorOf, find, hear, setChatState, write } from "./chat.ts";
import { deny, onNote, removeFromDoor } from "./door.ts";
import { isStopped, wishClean, wishFreeze } from "./freeze.ts";
import type { Wish } from "./io.ts";
import { type Content, MAX_EMOJI, MAX_TEXT, type Talk } from "./messages.ts";
import { enqueue, leave } from "./outbox.ts";
import { own } from "./people.ts";
import { mayAdmit } from "./plan.ts";
import { isTooFast } from "./rates.ts";
import type { ChatEntry, Mute, Person, PolicyPatch } from "./state.ts";
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
      return onResend(t, wish, what.id);
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
  hear(t, talk, authorOf(self, true), entry.peer !== null);
  say(t, wish, talk, entry.peer, null);
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

function onResend(t: Turn, wish: number, id: string): Done {
  const entry = find(t, id);
  if (entry === undefined) return t.outcome(wish, "gone");
  if (!entry.isOwn || entry.state !== "failed") return t.outcome(wish, "not-allowed");
  setChatState(t, id, "sending");
  const { text, replyTo } = entry as ChatEntry;
  say(t, wish, { k: "chat", id, text, reply: replyTo }, entry.peer, id);
}

function onReact(t: Turn, wish: number, self: Person, emoji: string): Done {
  if (!isEmoji(emoji)) return t.outcome(wish, "failed");
  t.notice({ type: "reaction", identity: self.identity, name: t.state.setup.name, emoji });
  enqueue(t, { k: "react", emoji }, { wish, isDurable: false });
}

function onHand(t: Turn, wish: number, self: Person, isUp: boolean): Done {
  if ((self.handAt !== null) === isUp) return t.outcome(wish, "done");
  if (isUp) {
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
  "admit" | "deny" | "remove" | "cohost" | "policy" | "revoke" | "order" | "freeze" | "clean"
>;

const LEAST_ROLE: Readonly<Record<Moderation["type"], readonly SealedRole[]>> = {
  // Who may let whom in is asked for each guest.
  admit: ["host", "cohost", "member"],
  deny: ["host", "cohost"],
  remove: ["host", "cohost"],
  order: ["host", "cohost"],
  freeze: ["host", "cohost"],
  clean: ["host", "cohost"],
  cohost: ["host"],
  policy: ["host"],
  revoke: ["host"],
};

function onModeration(t: Turn, wish: number, self: Person, what: Moderation): Done {
  if (!LEAST_ROLE[what.type].includes(self.role)) return t.outcome(wish, "not-allowed");
  switch (what.type) {
    case "admit":
      return onAdmit(t, wish, what.seats);
    case "deny":
      if (!t.state.door.has(what.seat)) return t.outcome(wish, "gone");
      if (!t.state.isGreeted) return t.outcome(wish, "failed");
      return deny(t, what.seat, wish);
    case "policy":
      return patch(t, wish, checked(what.policy), new Map());
    case "freeze":
      return wishFreeze(t, wish, self, what.isOn);
    case "clean":
      return wishClean(t, wish, what);
    case "revoke": {
      const revoked = new Map(what.ids.map((id) => [id, what.isRevoked]));
      return patch(t, wish, { revoked }, new Map());
    }
    default:
      return onPerson(t, wish, self, what);
  }
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
  what: WishOf<"remove" | "cohost" | "order">,
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
    return t.set({ removals });
  }
  if (target.role === "host") return t.outcome(wish, "not-allowed");
  patch(t, wish, {}, new Map([[b64(target.leaf.signatureKey), what.isCohost]]));
  if (target.seat !== null && t.state.isGreeted) {
    const role = what.isCohost ? "cohost" : "member";
    t.request("grant", { seat: target.seat, role }, { type: "grant" });
  }
}

function checked(policy: Partial<RoomPolicy>): Partial<RoomPolicy> {
  const { history } = policy;
  if (history === undefined) return policy;
  return { ...policy, history: Math.max(0, Math.min(0xffff, Math.trunc(history) || 0)) };
}

function patch(
  t: Turn,
  wish: number,
  policy: Partial<RoomPolicy> & Partial<Pick<PolicyPatch, "revoked">>,
  cohosts: PolicyPatch["cohosts"],
): void {
  const old = t.state.policyPatch;
  t.set({
    policyPatch: {
      ...old,
      ...policy,
      revoked: new Map([...(old?.revoked ?? []), ...(policy.revoked ?? [])]),
      cohosts: new Map([...(old?.cohosts ?? []), ...cohosts]),
      wishes: [...(old?.wishes ?? []), wish],
    },
  });
}

/** A denied knock, as the server answered. */
export function onDenied(t: Turn, seat: string, wish: number | null, code: string | null): void {
  t.outcome(wish, code === null ? "done" : code === "unknown_seat" ? "gone" : "failed");
  if (code === null || code === "unknown_seat") removeFromDoor(t, seat, false);
}

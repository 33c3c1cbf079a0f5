/** Who may do what, at the one who asks, at everybody who hears, and at the server. */

import { expect, test } from "vitest";
import { bitsOf, EVERYTHING } from "../permissions.ts";
import { beginning, RULES } from "../templates.ts";
import { b64 } from "./bytes.ts";
import { chat, done, identityOf, meeting, memberOf, names, notices, seen } from "./model/room.ts";
import { type Client, invitationOf } from "./model/world.ts";
import { patched } from "./policy.ts";
import { invitationIdOf } from "./roles.ts";
import { begin, type Group, NO_PATCH } from "./state.ts";

const CLASS = { template: "class" } as const;
const texts = (client: Client) => seen(client).chat.map(({ text }) => text);

/** A client that does not ask itself whether it may: it believes to lead. */
function alter(client: Client): void {
  const self = client.state.people.get(identityOf(client));
  if (self === undefined) throw new Error("not inside");
  const people = new Map(client.state.people).set(self.identity, { ...self, may: EVERYTHING });
  client.state = { ...client.state, people };
}

function classroom() {
  const { world, clients } = meeting(["Anna", CLASS], ["Ben", {}], ["Cleo", {}]);
  const [anna] = clients;
  done(world, anna, { type: "admit", seats: seen(anna).door.map(({ seat }) => seat) }, 4_000);
  return { world, clients };
}

test("a class begins with the rules of its template", () => {
  const { clients } = classroom();
  const [anna, ben, cleo] = clients;
  expect(seen(ben).policy).toEqual({ ...beginning("class"), history: 0 });
  expect(memberOf(cleo, ben)).toMatchObject({ part: "attendee", may: RULES.class.attendees });
  expect(memberOf(ben, anna)).toMatchObject({ role: "host", may: EVERYTHING });
});

test("who may not write to everybody writes to who leads", () => {
  const { world, clients } = classroom();
  const [anna, ben, cleo] = clients;
  expect(done(world, ben, chat("to all"))).toBe("not-allowed");
  expect(done(world, ben, chat("to Cleo", { privateTo: identityOf(cleo) }))).toBe("not-allowed");
  expect(done(world, ben, chat("to Anna", { privateTo: identityOf(anna) }))).toBe("done");
  expect(texts(anna)).toEqual(["to Anna"]);
  expect(texts(cleo)).toEqual([]);
  expect(done(world, anna, chat("answer", { privateTo: identityOf(ben) }))).toBe("done");
  expect(texts(ben)).toEqual(["to Anna", "answer"]);
});

test("attack: an altered client writes, reacts and raises its hand all the same", () => {
  const { world, clients } = classroom();
  const [anna, ben, cleo] = clients;
  const none = { type: "policy", policy: { attendees: 0 } } as const;
  expect(done(world, anna, none)).toBe("done");
  alter(ben);
  done(world, ben, chat("shout"));
  done(world, ben, chat("whisper", { privateTo: identityOf(cleo) }));
  done(world, ben, { type: "react", emoji: "🙂" });
  done(world, ben, { type: "hand", isUp: true });
  for (const other of [anna, cleo]) {
    expect(texts(other)).toEqual([]);
    expect(notices(other, "reaction")).toEqual([]);
    expect(memberOf(other, ben)?.handPlace).toBeNull();
  }
  expect(cleo.state.dropped.message).toBe(4);
});

test("what was said before may be taken back after the word is gone", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const message = chat("too hasty");
  done(world, ben, message);
  done(world, ben, { type: "hand", isUp: true });
  done(world, anna, { type: "policy", policy: { attendees: 0 } });
  const { id } = message as { id: string };
  expect(done(world, ben, { type: "edit", id, text: "worse" })).toBe("not-allowed");
  expect(done(world, ben, { type: "chat-react", id, emoji: "🙂", on: true })).toBe("not-allowed");
  expect(done(world, ben, { type: "delete", id })).toBe("done");
  expect(done(world, ben, { type: "hand", isUp: false })).toBe("done");
  expect(done(world, ben, { type: "hand", isUp: true })).toBe("not-allowed");
  expect(done(world, ben, { type: "react", emoji: "🙂" })).toBe("not-allowed");
  expect(seen(anna).chat[0]?.isDeleted).toBe(true);
  expect(memberOf(anna, ben)?.handPlace).toBeNull();
});

test("a message that failed is not sent again without the right to", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  const toCleo = chat("are you there", { privateTo: identityOf(cleo) });
  done(world, cleo, { type: "leave" }, 0);
  world.run(200);
  done(world, ben, toCleo, 4_000);
  const { id } = toCleo as { id: string };
  const state = seen(ben).chat.find((entry) => entry.id === id)?.state;
  done(world, anna, { type: "policy", policy: { attendees: 0 } });
  if (state === "failed") {
    // Nobody of that name is there: said by what became of it, not by a right.
    expect(done(world, ben, { type: "resend", id })).not.toBe("not-allowed");
  }
  const toAll = chat("to all");
  alter(ben);
  done(world, ben, toAll);
  expect(texts(anna)).not.toContain("to all");
});

test("the floor is given, taken back, and told to whom it concerns", () => {
  const { world, clients } = classroom();
  const [anna, ben, cleo] = clients;
  const bits = bitsOf("microphone", "camera");
  const floor = { type: "allow", identity: identityOf(ben), bits, isAllowed: true } as const;
  expect(done(world, ben, floor)).toBe("not-allowed");
  expect(done(world, anna, floor)).toBe("done");
  expect(memberOf(cleo, ben)?.may).toBe(RULES.class.attendees | bits);
  expect(notices(ben, "rights")).toEqual([
    { type: "rights", gained: ["microphone"], lost: [], by: "Anna" },
  ]);
  expect(notices(cleo, "rights")).toEqual([]);
  expect(done(world, anna, { ...floor, isAllowed: null })).toBe("done");
  expect(memberOf(cleo, ben)?.may).toBe(RULES.class.attendees);
  expect(anna.state.group?.context.policy.people).toEqual([]);
  // A word of its own outlasts what everybody may.
  expect(done(world, anna, { ...floor, isAllowed: false })).toBe("done");
  done(world, anna, { type: "policy", policy: { attendees: EVERYTHING } });
  expect(memberOf(ben, cleo)?.may).toBe(EVERYTHING);
  expect(memberOf(cleo, ben)?.may).toBe(EVERYTHING & ~bits);
  // What a newer client may mean is no news here.
  const told = notices(cleo, "rights").length;
  done(world, anna, { type: "policy", policy: { attendees: 0x1ff } });
  expect(memberOf(ben, cleo)?.may).toBe(0x1ff);
  expect(notices(cleo, "rights")).toHaveLength(told);
  // Nobody takes it from who leads.
  const ofAnna = { ...floor, identity: identityOf(anna), isAllowed: false } as const;
  expect(done(world, anna, ofAnna)).toBe("not-allowed");
});

test("parts: who presents may everything, who listens sends nothing", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  const part = (identity: string, name: "presenter" | "attendee" | "listener") =>
    ({ type: "part", identity, part: name }) as const;
  const allow = { type: "allow", identity: identityOf(ben), bits: 1, isAllowed: true } as const;
  expect(done(world, cleo, part(identityOf(ben), "presenter"))).toBe("not-allowed");
  // Before anything of it is committed: the part, then the permission.
  world.wish(anna, part(identityOf(ben), "listener"));
  expect(done(world, anna, allow)).toBe("done");
  const open = RULES.none.attendees;
  const sending = bitsOf("microphone", "camera", "screen", "screenAmongMany");
  expect(memberOf(cleo, ben)).toMatchObject({ part: "listener", may: (open & ~sending) | 1 });
  expect(done(world, anna, part(identityOf(ben), "presenter"))).toBe("done");
  expect(memberOf(cleo, ben)).toMatchObject({ part: "presenter", may: EVERYTHING });
  expect(done(world, anna, part(identityOf(ben), "attendee"))).toBe("done");
  expect(memberOf(cleo, ben)).toMatchObject({ part: "attendee", may: open });
  expect(done(world, anna, part("nobody", "listener"))).toBe("gone");
});

test("a personal link brings its part, and a host may change it", () => {
  const { world, clients } = meeting(
    ["Anna", CLASS],
    ["Prof", { invitedAs: "Prof", invitation: { role: "presenter" } }],
    ["Aunt", { invitedAs: "Aunt", invitation: { role: "listener" } }],
  );
  const [anna, prof, aunt] = clients;
  expect(memberOf(aunt, prof)).toMatchObject({ part: "presenter", may: EVERYTHING });
  expect(memberOf(prof, aunt)).toMatchObject({ part: "listener" });
  const demoted = { type: "part", identity: identityOf(prof), part: "attendee" } as const;
  expect(done(world, anna, demoted)).toBe("done");
  expect(memberOf(aunt, prof)).toMatchObject({ part: "attendee", may: RULES.class.attendees });
  // A link that counts no more brings nothing.
  const ids = [b64(invitationIdOf(invitationOf("Aunt")))];
  expect(done(world, anna, { type: "revoke", ids, isRevoked: true })).toBe("done");
  expect(memberOf(prof, aunt)?.part).toBe("attendee");
});

test("the server is told what it may pass on, by the first who leads", () => {
  const { world, clients } = classroom();
  const [anna, ben] = clients;
  const media = RULES.class.attendees & 0x7;
  const { permits } = world.server;
  const last = () => permits.at(-1);
  expect(last()?.all).toBe(media);
  const seatOf = (client: Client) => client.state.seat;
  const ofAnna = { seat: seatOf(anna), may: 0x7 };
  expect(last()?.seats).toEqual([ofAnna]);
  const bits = bitsOf("microphone");
  done(world, anna, { type: "allow", identity: identityOf(ben), bits, isAllowed: true });
  expect(last()?.seats).toEqual([ofAnna, { seat: seatOf(ben), may: media | 1 }]);
  const count = permits.length;
  // Nothing that it does not know.
  done(world, anna, { type: "policy", policy: { history: 3 } });
  expect(permits).toHaveLength(count);
  // A server that was away is told anew.
  world.breakSocket(anna);
  world.run(4_000);
  expect(permits.length).toBeGreaterThan(count);
  expect(last()).toEqual({ all: media, seats: [ofAnna, { seat: seatOf(ben), may: media | 1 }] });
});

test("when the first who leads is gone the next one speaks to the server", () => {
  const { world, clients } = classroom();
  const [anna, ben, cleo] = clients;
  const cohost = { type: "cohost", identity: identityOf(ben), isCohost: true } as const;
  expect(done(world, anna, cohost)).toBe("done");
  const { permits } = world.server;
  done(world, anna, { type: "leave" }, 5_000);
  const count = permits.length;
  expect(done(world, ben, { type: "policy", policy: { attendees: EVERYTHING } })).toBe("done");
  expect(permits.slice(count).at(-1)?.all).toBe(0x7);
  expect(memberOf(cleo, cleo)?.may).toBe(EVERYTHING);
});

test("attack: who was taken out knocks again with the same device", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  const cohost = { type: "cohost", identity: identityOf(cleo), isCohost: true } as const;
  done(world, anna, cohost);
  expect(done(world, anna, { type: "remove", identity: identityOf(ben) })).toBe("done");
  const key = b64(ben.setup.signatureKey);
  expect(seen(cleo).blocked).toEqual([key]);
  // Who came after it knows it too: from the group.
  const dora = world.join("Dora");
  world.run(3_000);
  expect(seen(dora).blocked).toEqual([key]);
  const again = world.join("Ben");
  world.run(3_000);
  expect(seen(again).phase).toEqual({ type: "over", reason: "denied" });
  expect(done(world, cleo, { type: "unblock" })).toBe("not-allowed");
  const restored = { type: "revoke", ids: [], isRevoked: false } as const;
  expect(done(world, cleo, restored)).toBe("not-allowed");
  expect(done(world, anna, { type: "unblock" })).toBe("done");
  expect(seen(cleo).blocked).toEqual([]);
  const third = world.join("Ben");
  world.run(3_000);
  expect(names(third)).toContain("Ben");
});

test("deny and block: the device stays outside, with the link that is its own", () => {
  const { world, clients } = meeting(
    ["Anna", { entry: "lobby" }],
    ["Ben"],
    ["Ida", { invitedAs: "Ida" }],
    ["Thief", { invitedAs: "Ida" }],
  );
  const [anna, ben, ida] = clients;
  const knock = (name: string) => seen(anna).door.find((guest) => guest.name === name);
  const deny = (seat: string) => ({ type: "deny", seat, isBlocked: true }) as const;
  expect(done(world, anna, deny(knock("Ben")?.seat ?? ""))).toBe("done");
  expect(seen(ben).phase).toEqual({ type: "over", reason: "denied" });
  const again = world.join("Ben");
  world.run(3_000);
  expect(seen(again).phase).toEqual({ type: "over", reason: "denied" });
  // Another's link, passed on: the link stays its owner's.
  expect(done(world, anna, deny(knock("Thief")?.seat ?? ""))).toBe("done");
  expect(anna.state.group?.context.policy.revoked).toEqual([]);
  expect(names(anna)).toEqual(["Anna", "Ida"]);
  // Its owner's, who is taken out: the link goes with them.
  expect(done(world, anna, { type: "remove", identity: identityOf(ida) })).toBe("done");
  const { policy } = (anna.state.group as Group).context;
  expect(policy.revoked).toHaveLength(1);
  expect(policy.blocked).toHaveLength(3);
  expect(done(world, anna, deny("nobody"))).toBe("gone");
});

test("another tab of a device that is blocked is sent away with it", () => {
  const { world, clients } = meeting(["Anna", { entry: "lobby" }], ["Ben"], ["Ben"]);
  const [anna, ben, tab] = clients;
  expect(seen(anna).door).toHaveLength(2);
  const seat = ben.state.seat ?? "";
  world.wish(anna, { type: "deny", seat, isBlocked: true });
  world.run(3_000);
  expect(seen(tab).phase).toEqual({ type: "over", reason: "denied" });
  expect(seen(anna).door).toEqual([]);
});

test("a locked-out link's owner who knocks is blocked with it", () => {
  const { world, clients } = meeting(["Anna"]);
  const [anna] = clients;
  done(world, anna, { type: "policy", policy: { isLocked: true } });
  world.join("Ida", { invitedAs: "Ida" });
  world.run(3_000);
  const seat = seen(anna).door[0]?.seat ?? "";
  expect(done(world, anna, { type: "deny", seat, isBlocked: true })).toBe("done");
  const { policy } = (anna.state.group as Group).context;
  expect(policy.revoked).toHaveLength(1);
  expect(policy.blocked).toHaveLength(1);
});

test("a host is blocked by nobody, and keeps out what a vault remembers", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const keys = [b64(anna.setup.signatureKey), "no key", b64(new Uint8Array(32).fill(8))];
  expect(done(world, ben, { type: "block", keys })).toBe("not-allowed");
  expect(done(world, anna, { type: "block", keys })).toBe("done");
  expect(seen(ben).blocked).toHaveLength(2);
  done(world, anna, { type: "leave" }, 3_000);
  const back = world.join("Anna", { isHost: true });
  world.run(4_000);
  expect(names(back)).toEqual(["Anna", "Ben"]);
});

test("a sitting begins with what its host has blocked before", () => {
  const guest = new Uint8Array(32).fill(4);
  const { clients } = meeting(["Anna", { blocked: [guest] }]);
  expect(seen(clients[0]).blocked).toEqual([b64(guest)]);
});

test("losing the last who leads shuts an open door until one is back", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  world.breakSocket(anna);
  anna.wakeAt = null;
  world.run(2_000);
  expect(seen(ben).isLeaderLost).toBe(true);
  const cleo = world.join("Cleo");
  // Their leaf is removed meanwhile.
  world.run(45_000);
  expect(names(ben)).toEqual(["Ben"]);
  expect(seen(cleo).phase.type).toBe("waiting");
  world.openSocket(anna);
  world.run(6_000);
  expect(seen(ben).isLeaderLost).toBe(false);
  expect(names(anna)).toEqual(["Anna", "Ben", "Cleo"]);
});

test("who leads and leaves leaves the door as it is", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  done(world, anna, { type: "leave" }, 3_000);
  const cleo = world.join("Cleo");
  world.run(4_000);
  expect(seen(ben).isLeaderLost).toBe(false);
  expect(names(cleo)).toEqual(["Ben", "Cleo"]);
});

test("a policy that is full takes what still fits from a co-host, and the newest from a host", () => {
  const { clients } = meeting(["Anna"]);
  const group = clients[0].state.group as Group;
  const key = (n: number) => Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? n >> 8 : n));
  const blocked = Array.from({ length: 200 }, (_, n) => key(n));
  const full = {
    ...group,
    context: { ...group.context, policy: { ...group.context.policy, blocked } },
  };
  const patch = { ...NO_PATCH, blocked: new Map([[b64(key(0xff00)), true]]) };
  expect(patched(full, patch, false).blocked).toEqual(blocked);
  expect(patched(full, patch, true).blocked).toEqual([...blocked.slice(1), key(0xff00)]);
  const gone = {
    ...NO_PATCH,
    people: new Map([[b64(key(5)), { part: null, allow: 1, forbid: 0, reset: 0 }]]),
  };
  expect(patched(group, gone, true).people).toEqual([]);
  const damaged = { ...NO_PATCH, cohosts: new Map([["!", true]]) };
  expect(patched(group, damaged, true).cohosts).toEqual([]);
  expect(begin(clients[0].setup).permitted).toBeNull();
});

test("a room where everybody may everything is no news to the server", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  expect(world.server.permits).toEqual([]);
  const few = { type: "policy", policy: { attendees: EVERYTHING & ~bitsOf("screen") } } as const;
  done(world, clients[0], few);
  expect(world.server.permits).toEqual([]);
  done(world, clients[0], { type: "policy", policy: { attendees: 0 } });
  expect(world.server.permits).toMatchObject([{ all: 0 }]);
});

test("a server that did not take it is told again", () => {
  const { world, clients } = meeting(["Anna"]);
  world.server.permitError = "rate";
  done(world, clients[0], { type: "policy", policy: { attendees: 0 } });
  expect(world.server.permits).toEqual([]);
  world.server.permitError = null;
  world.run(3_000);
  expect(world.server.permits).toMatchObject([{ all: 0 }]);
});

/**
 * Floods inside: what an altered client sends beyond what a person can say is shown nowhere, and an
 * honest one is never taken for one, whatever the way does to its messages.
 */

import { expect, test } from "vitest";
import type { Wish } from "./io.ts";
import {
  chat,
  done,
  identityOf,
  meeting,
  memberOf,
  notices,
  seen,
  withoutSocket,
} from "./model/room.ts";
import type { Client, World } from "./model/world.ts";
import { isHeard, NO_RATES, noteFrame, OWN, PERSON, ROOM } from "./rates.ts";
import type { Person } from "./state.ts";
import { Turn } from "./turn.ts";

/** A client without its own limits says this, each after 10 ms. */
function flood(world: World, client: Client, wishes: readonly Wish[]): void {
  for (const what of wishes) {
    client.state = { ...client.state, rates: NO_RATES };
    world.wish(client, what);
    for (let turn = 0; turn < 5; turn += 1) {
      client.state = { ...client.state, rates: NO_RATES };
      world.run(2);
    }
  }
  world.run(500);
}

const times = <T>(count: number, make: (at: number) => T) =>
  Array.from({ length: count }, (_, at) => make(at));
const textsOf = (client: Client, from: Client) =>
  seen(client).chat.filter(({ identity }) => identity === identityOf(from)).length;

test("attack_chat_flood", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  flood(
    world,
    ben,
    times(80, (at) => chat(`${at}`)),
  );
  for (const client of [anna, cleo]) {
    expect(textsOf(client, ben)).toBeGreaterThanOrEqual(PERSON.talk.atOnce);
    expect(textsOf(client, ben)).toBeLessThan(PERSON.talk.atOnce + 3);
    expect(notices(client, "too-much")).toEqual([
      { type: "too-much", identity: identityOf(ben), name: "Ben" },
    ]);
    expect(client.state.dropped.message).toBeGreaterThan(50);
  }
  // Nobody else is kept from saying something, and he may again in a while.
  expect(done(world, cleo, chat("quiet, please"))).toBe("done");
  expect(textsOf(anna, cleo)).toBe(1);
  world.run(30_000);
  const before = textsOf(anna, ben);
  expect(done(world, ben, chat("sorry"))).toBe("done");
  expect(textsOf(anna, ben)).toBe(before + 1);
  // Who can remove him still can.
  expect(done(world, anna, { type: "remove", identity: identityOf(ben) })).toBe("done");
});

test("attack_chat_flood, to one person alone, and by edits", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const first = chat("first");
  flood(world, ben, [
    first,
    ...times(40, (at) => chat(`${at}`, { privateTo: identityOf(anna) })),
    ...times(40, (at) => ({ type: "edit", id: first.id, text: `edit ${at}` }) as const),
  ]);
  expect(textsOf(anna, ben)).toBeLessThan(PERSON.talk.atOnce + 3);
  expect(seen(anna).chat[0]?.text).not.toBe("edit 39");
});

test("attack_chat_flood, by all together", () => {
  const { clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const t = new Turn(anna.state, 1_000_000);
  const ada = anna.state.people.get(identityOf(ben)) as Person;
  const shown = times(300, (at) => isHeard(t, { ...ada, identity: `p${at}` }, "chat"));
  expect(shown.filter((is) => is)).toHaveLength(ROOM.talk.atOnce);
  expect(t.effects).toEqual([
    { type: "notice", notice: { type: "too-much", identity: null, name: null } },
  ]);
});

test("attack_reaction_flood", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  flood(
    world,
    ben,
    times(60, () => ({ type: "react", emoji: "👏" })),
  );
  const shown = notices(anna, "reaction").length;
  expect(shown).toBeGreaterThanOrEqual(PERSON.react.atOnce);
  expect(shown).toBeLessThan(PERSON.react.atOnce + 3);
  const words = chat("words");
  done(world, anna, words);
  flood(
    world,
    ben,
    times(60, (at) => ({ type: "chat-react", id: words.id, emoji: "👍", on: at % 2 === 0 })),
  );
  expect(notices(anna, "too-much")).toHaveLength(1);
});

test("attack_hand_flood", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  flood(
    world,
    ben,
    times(60, (at) => ({ type: "hand", isUp: at % 2 === 0 })),
  );
  const raised = notices(anna, "hand").length;
  expect(raised).toBeGreaterThanOrEqual(1);
  expect(raised).toBeLessThanOrEqual(PERSON.hand.atOnce / 2 + 1);
  expect(notices(anna, "too-much")).toHaveLength(1);
  expect(memberOf(anna, ben)).toBeDefined();
});

test("one's own client is told, keeps to less, and goes on in a moment", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const outcomes = times(OWN.talk.atOnce + 3, (at) => {
    const wish = world.wish(ben, chat(`${at}`));
    return () => ben.outcomes.get(wish);
  });
  world.run(900);
  expect(outcomes.map((of) => of()).filter((outcome) => outcome === "done")).toHaveLength(10);
  expect(outcomes.at(-1)?.()).toBe("too-fast");
  expect(textsOf(ben, ben)).toBe(OWN.talk.atOnce);
  expect(textsOf(anna, ben)).toBe(OWN.talk.atOnce);
  world.run(200);
  expect(done(world, ben, chat("later"))).toBe("done");
  expect(done(world, anna, { type: "read" })).toBe("done");
  expect(notices(anna, "too-much")).toEqual([]);
});

test("what was written without a socket goes out a little at a time, and is all shown", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  world.openSocket(ben);
  const connection = ben.connection;
  world.input(ben, { type: "closed" });
  ben.connection = null;
  if (connection !== null) world.server.lost(connection);
  for (let at = 0; at < 25; at += 1) {
    withoutSocket(world, ben, 1_100);
    world.wish(ben, chat(`${at}`));
  }
  expect(ben.state.outbox.length).toBeGreaterThan(20);
  world.openSocket(ben);
  world.run(30_000);
  expect(textsOf(anna, ben)).toBe(25);
  expect(notices(anna, "too-much")).toEqual([]);
});

test("after a silence or a resume more may come at once, as much as was missed", () => {
  const { clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const person = anna.state.people.get(identityOf(ben)) as Person;
  const heard = (isResumed: boolean, silence: number, wait = 0) => {
    const t = new Turn({ ...anna.state, rates: NO_RATES }, 1_000_000);
    noteFrame(t, false);
    const late = new Turn(t.state, 1_000_000 + silence);
    noteFrame(late, isResumed);
    const then = new Turn(late.state, 1_000_000 + silence + wait);
    return times(200, () => isHeard(then, person, "chat")).filter((is) => is).length;
  };
  expect(heard(false, 24_000)).toBe(20);
  expect(heard(false, 60_000)).toBe(80);
  expect(heard(true, 10_000)).toBe(30);
  expect(heard(true, 10_000, 10_000)).toBe(20);
});

test("a person is spoken of again after a calm minute, and what nobody owes is forgotten", () => {
  const { clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const person = anna.state.people.get(identityOf(ben)) as Person;
  let { state } = anna;
  const spoken = [0, 30_000, 80_000, 200_000].map((now) => {
    const t = new Turn(state, 1_000_000 + now);
    for (let at = 0; at < 40; at += 1) isHeard(t, person, "react");
    state = t.state;
    return t.effects.length;
  });
  expect(spoken).toEqual([1, 0, 0, 1]);
  expect(state.rates.tooMuchAt.size).toBe(1);

  const t = new Turn({ ...anna.state, rates: NO_RATES }, 1_000_000);
  for (let at = 0; at < 1_500; at += 1) {
    const late = new Turn(t.state, 1_000_000 + at * 10_000);
    isHeard(late, { ...person, identity: `p${at}` }, "chat");
    isHeard(late, { ...person, identity: `p${at}` }, "hand");
    t.state = late.state;
  }
  expect(t.state.rates.clearAt.size).toBeLessThan(2_010);
});

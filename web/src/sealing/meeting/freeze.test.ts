import { expect, test } from "vitest";
import { b64 } from "./bytes.ts";
import { chat, done, identityOf, meeting, names, notices, seen } from "./model/room.ts";
import { invitationOf } from "./model/world.ts";
import { invitationIdOf } from "./roles.ts";

test("a host stops everything, and lets it go on", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  expect(done(world, anna, { type: "freeze", isOn: true })).toBe("done");
  expect(world.server.silences).toBe(1);
  for (const client of clients) {
    expect(seen(client).frozen).toMatchObject({ by: "Anna", isOwn: client === anna });
  }
  expect(notices(ben, "frozen")).toHaveLength(1);
  // Nobody else says anything meanwhile; the host does.
  expect(done(world, ben, chat("hello"))).toBe("not-allowed");
  expect(done(world, ben, { type: "hand", isUp: true })).toBe("not-allowed");
  expect(done(world, anna, chat("one moment"))).toBe("done");
  expect(seen(cleo).chat.map(({ text }) => text)).toEqual(["one moment"]);
  expect(done(world, anna, { type: "freeze", isOn: false })).toBe("done");
  expect(seen(cleo).frozen).toBeNull();
  expect(done(world, ben, chat("hello"))).toBe("done");
  expect(world.problems).toEqual([]);
});

test("a client that does not obey is not heard", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  done(world, anna, { type: "freeze", isOn: true });
  // Ben's client forgets that everything has stopped.
  ben.state = { ...ben.state, frozen: null };
  expect(done(world, ben, chat("still here"))).toBe("done");
  done(world, ben, { type: "react", emoji: "!" });
  expect(seen(cleo).chat).toEqual([]);
  expect(seen(anna).chat).toEqual([]);
  expect(notices(cleo, "reaction")).toEqual([]);
});

test("only who leads can stop anything", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  expect(done(world, ben, { type: "freeze", isOn: true })).toBe("not-allowed");
  const what = {
    type: "clean",
    identities: [identityOf(cleo)],
    seats: [],
    invitations: [],
  } as const;
  expect(done(world, ben, what)).toBe("not-allowed");
  expect(seen(anna).frozen).toBeNull();
});

test("who comes in meanwhile is told, and it ends when who stopped it is gone", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  done(world, anna, { type: "freeze", isOn: true });
  const cleo = world.join("Cleo");
  world.run(4_000);
  expect(seen(cleo).frozen).toMatchObject({ by: "Anna", isOwn: false });
  done(world, anna, { type: "leave" }, 4_000);
  expect(seen(ben).frozen).toBeNull();
  expect(seen(cleo).frozen).toBeNull();
});

test("thirty people, six of them intruders by three ways: out at once, in one commit", () => {
  const guests = Array.from({ length: 23 }, (_, at) => `Guest${at}`);
  const { world, clients } = meeting(["Anna", { history: 0 }]);
  const [anna] = clients;
  const stay = guests.map((name) => world.join(name, { invitedAs: name }));
  world.run(20_000);
  // By the link that was posted; by a personal link that was passed on; without the whole link.
  const posted = ["p1", "p2", "p3"].map((name) => world.join(name));
  const passedOn = ["l1"].map((name) => world.join(name, { invitedAs: "Leaker" }));
  const linkless = ["w1", "w2"].map((name) => world.join(name, { hasLink: false }));
  world.run(20_000);
  const waiting = seen(anna).door.map(({ seat }) => seat);
  expect(done(world, anna, { type: "admit", seats: waiting }, 20_000)).toBe("done");
  const intruders = [...posted, ...passedOn, ...linkless];
  expect(names(anna)).toHaveLength(30);
  const late = world.join("late", { hasLink: false });
  world.run(3_000);

  done(world, anna, { type: "freeze", isOn: true });
  const before = anna.state.group?.facts.epoch ?? 0;
  const leaked = b64(invitationIdOf(invitationOf("Leaker")));
  const goes = intruders.map(identityOf);
  const seats = seen(anna).door.map(({ seat }) => seat);
  const outcome = done(world, anna, {
    type: "clean",
    identities: goes,
    seats,
    invitations: [leaked],
  });
  expect(outcome).toBe("done");
  expect(anna.state.group?.facts.epoch).toBe(before + 1);
  for (const client of intruders) {
    expect(seen(client).phase).toMatchObject({ type: "over", reason: "removed" });
  }
  expect(seen(late).phase).toMatchObject({ type: "over", reason: "denied" });
  for (const client of stay) {
    expect(names(client)).toEqual(["Anna", ...guests].sort());
    expect(seen(client).policy.isLocked).toBe(true);
    expect(client.engine.group?.secret).toBe(anna.engine.group?.secret);
  }
  // They come back by whatever they have, and stand in front of a locked door.
  const back = [world.join("p1"), world.join("l1", { invitedAs: "Leaker" }), world.join("new")];
  world.run(6_000);
  for (const client of back) expect(client.state.stage).not.toBe("member");
  expect(names(anna)).toHaveLength(24);
  expect(done(world, anna, { type: "freeze", isOn: false })).toBe("done");
  expect(world.problems).toEqual([]);
}, 60_000);

test("a co-host takes out whom they may, and locks", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  const cohost = { type: "cohost", identity: identityOf(ben), isCohost: true } as const;
  done(world, anna, cohost, 3_000);
  const identities = [identityOf(anna), identityOf(ben), identityOf(cleo)];
  const what = { type: "clean", identities, seats: [], invitations: [] } as const;
  expect(done(world, ben, what, 3_000)).toBe("done");
  expect(names(anna)).toEqual(["Anna", "Ben"]);
  expect(seen(anna).policy.isLocked).toBe(true);
  expect(done(world, ben, { ...what, identities: [] })).toBe("done");
});

import { expect, test } from "vitest";
import { chat, done, identityOf, meeting, memberOf, notices, seen } from "./model/room.ts";

test("chat: replies, edits, deletes and reactions, each one's own", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const hello = chat("hello\u0007 there");
  expect(done(world, ben, hello)).toBe("done");
  expect(done(world, ben, hello)).toBe("failed");
  expect(done(world, ben, chat(" \n"))).toBe("failed");
  expect(done(world, ben, chat("x".repeat(4_001)))).toBe("failed");
  expect(done(world, anna, chat("yes", { replyTo: hello.id }))).toBe("done");
  expect(seen(anna).unread).toBe(1);
  done(world, anna, { type: "read" });
  expect(seen(anna).unread).toBe(0);
  expect(
    seen(anna).chat.map(({ text, replyTo, isTrusted, state }) => [text, replyTo, isTrusted, state]),
  ).toEqual([
    ["hello there", null, false, "sent"],
    ["yes", hello.id, true, "sent"],
  ]);
  const { id: of } = hello;
  expect(done(world, anna, { type: "edit", id: of, text: "no" })).toBe("not-allowed");
  expect(done(world, anna, { type: "edit", id: "none", text: "no" })).toBe("gone");
  expect(done(world, ben, { type: "edit", id: of, text: " " })).toBe("failed");
  expect(done(world, ben, { type: "edit", id: of, text: "hi" })).toBe("done");
  expect(seen(anna).chat[0]).toMatchObject({ text: "hi", isEdited: true });
  const like = { type: "chat-react", id: of, emoji: "👍", on: true } as const;
  expect(done(world, anna, { ...like, emoji: "" })).toBe("failed");
  expect(done(world, anna, { ...like, on: false })).toBe("done");
  expect(done(world, anna, like)).toBe("done");
  expect(done(world, ben, like)).toBe("done");
  expect(seen(ben).chat[0]?.reactions).toEqual([
    { emoji: "👍", identities: [identityOf(anna), identityOf(ben)] },
  ]);
  done(world, anna, { ...like, emoji: "🎉" });
  done(world, anna, { ...like, on: false });
  done(world, ben, { ...like, on: false });
  expect(seen(anna).chat[0]?.reactions).toEqual([{ emoji: "🎉", identities: [identityOf(anna)] }]);
  expect(done(world, ben, { type: "delete", id: of })).toBe("done");
  expect(seen(anna).chat[0]).toMatchObject({ text: "", isDeleted: true, reactions: [] });
  expect(done(world, ben, { type: "delete", id: of })).toBe("gone");
  expect(done(world, anna, { type: "resend", id: of })).toBe("not-allowed");
  expect(done(world, anna, { type: "resend", id: "none" })).toBe("gone");
});

test("a message has at most twenty kinds of reactions", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  const hello = chat("hello");
  done(world, ben, hello);
  for (let at = 0; at < 22; at += 1) {
    world.wish(anna, { type: "chat-react", id: hello.id, emoji: `e${at}`, on: true });
    world.run(500);
  }
  world.run(1_000);
  expect(seen(ben).chat[0]?.reactions).toHaveLength(20);
});

test("a private message is for one person, and so is what is done to it", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  const secret = chat("psst", { privateTo: identityOf(ben) });
  expect(done(world, anna, { ...chat("x"), privateTo: "nobody" })).toBe("gone");
  expect(done(world, anna, { ...chat("x"), privateTo: identityOf(anna) })).toBe("gone");
  expect(done(world, anna, secret)).toBe("done");
  expect(seen(ben).chat[0]).toMatchObject({
    text: "psst",
    privateWith: { identity: identityOf(anna), name: "Anna" },
  });
  expect(seen(anna).chat[0]?.privateWith).toEqual({ identity: identityOf(ben), name: "Ben" });
  expect(seen(cleo).chat).toEqual([]);
  done(world, ben, { type: "chat-react", id: secret.id, emoji: "🤫", on: true });
  done(world, anna, { type: "edit", id: secret.id, text: "psst!" });
  expect(seen(ben).chat[0]?.text).toBe("psst!");
  expect(seen(anna).chat[0]?.reactions).toHaveLength(1);
  expect(seen(cleo).chat).toEqual([]);
  expect(notices(ben, "chat")).toEqual([
    { type: "chat", id: secret.id, name: "Anna", isPrivate: true },
  ]);
});

test("a newcomer is given the last messages where the host wants it", () => {
  const { world, clients } = meeting(["Anna", { history: 2 }], ["Ben"]);
  const [anna, ben] = clients;
  done(world, ben, chat("one"));
  done(world, ben, chat("two"));
  done(world, anna, chat("only you", { privateTo: identityOf(ben) }));
  done(world, ben, chat("three"));
  const cleo = world.join("Cleo");
  world.run(4_000);
  expect(seen(cleo).chat.map(({ text, isFromBefore, name }) => [text, isFromBefore, name])).toEqual(
    [
      ["two", true, "Ben"],
      ["three", true, "Ben"],
    ],
  );
  // What is handed over is nobody's signed word: it cannot be edited.
  const { id: of } = seen(cleo).chat[0] ?? { id: "" };
  done(world, ben, { type: "edit", id: of, text: "changed" });
  expect(seen(cleo).chat[0]?.text).toBe("two");
  expect(seen(anna).chat.find((message) => message.id === of)?.text).toBe("changed");
});

test("history is cut to what fits", () => {
  const { world, clients } = meeting(["Anna", { history: 500 }]);
  const [anna] = clients;
  for (let at = 0; at < 12; at += 1) world.wish(anna, chat("ä".repeat(4_000)));
  world.run(2_000);
  const ben = world.join("Ben");
  world.run(4_000);
  expect(seen(ben).chat).toHaveLength(2);
});

test("hands are in the order in which they were raised", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  done(world, cleo, { type: "hand", isUp: true });
  done(world, anna, { type: "hand", isUp: true });
  expect(done(world, anna, { type: "hand", isUp: true })).toBe("done");
  expect(notices(ben, "hand")).toMatchObject([{ place: 1 }, { place: 2 }]);
  const dora = world.join("Dora");
  world.run(4_000);
  for (const client of [ben, dora]) {
    expect(memberOf(client, cleo)?.handPlace).toBe(1);
    expect(memberOf(client, anna)?.handPlace).toBe(2);
  }
  done(world, cleo, { type: "hand", isUp: false });
  expect(memberOf(ben, anna)?.handPlace).toBe(1);
});

test("reactions float up once, everywhere", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  expect(done(world, anna, { type: "react", emoji: "🎉" })).toBe("done");
  expect(done(world, anna, { type: "react", emoji: "x".repeat(33) })).toBe("failed");
  for (const client of [anna, ben]) {
    expect(notices(client, "reaction")).toMatchObject([{ name: "Anna", emoji: "🎉" }]);
  }
});

test("orders are carried out for hosts only, and for nobody but who is meant", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"], ["Cleo"]);
  const [anna, ben, cleo] = clients;
  done(world, ben, { type: "hand", isUp: true });
  const mute = { type: "order", what: "mute", identity: identityOf(ben) } as const;
  expect(done(world, cleo, mute)).toBe("not-allowed");
  expect(done(world, anna, { ...mute, identity: identityOf(anna) })).toBe("not-allowed");
  expect(done(world, anna, mute)).toBe("done");
  expect(done(world, anna, { ...mute, what: "lower-hand" })).toBe("done");
  expect(done(world, anna, { ...mute, what: "lower-hand" })).toBe("done");
  expect(notices(ben, "order").map((notice) => "what" in notice && notice.what)).toEqual([
    "mute",
    "lower-hand",
    "lower-hand",
  ]);
  expect(notices(cleo, "order")).toEqual([]);
  expect(memberOf(cleo, ben)?.handPlace).toBeNull();
});

test("chat written while the socket is away is sent once it is back", () => {
  const { world, clients } = meeting(["Anna"], ["Ben"]);
  const [anna, ben] = clients;
  world.breakSocket(anna);
  const wish = world.wish(anna, chat("still here"));
  world.wish(anna, { type: "react", emoji: "🎉" });
  expect(seen(anna).chat[0]?.state).toBe("sending");
  world.run(3_000);
  expect(anna.outcomes.get(wish)).toBe("done");
  expect(seen(ben).chat[0]?.text).toBe("still here");
});

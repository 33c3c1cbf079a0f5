import { expect, test } from "vitest";
import { b64 } from "./bytes.ts";
import { done, identityOf, meeting, memberOf, names, notices, seen } from "./model/room.ts";
import { invitationOf } from "./model/world.ts";
import { invitationIdOf } from "./roles.ts";

const ID = b64(invitationIdOf(invitationOf("Ida")));
const LOBBY = { entry: "lobby" } as const;

test("who is invited comes in by themselves where others knock", () => {
  const { world, clients } = meeting(["Anna", LOBBY], ["Ida", { invitedAs: "Ida" }], ["Ben"]);
  const [anna, ida, ben] = clients;
  expect(names(anna)).toEqual(["Anna", "Ida"]);
  expect(memberOf(anna, ida)).toMatchObject({
    verification: "invitation",
    invited: { id: ID, name: "Ida".padEnd(29) },
  });
  expect(memberOf(ida, ida)?.verification).toBe("invitation");
  expect(seen(ben).phase.type).toBe("waiting");
  expect(seen(anna).door).toMatchObject([{ name: "Ben", proof: "link", invited: null }]);
  expect(world.problems).toEqual([]);
});

test("a link that was passed on waits at the door, and says whose it is", () => {
  const { world, clients } = meeting(
    ["Anna"],
    ["Ida", { invitedAs: "Ida" }],
    ["Thief", { invitedAs: "Ida" }],
    ["Ben"],
  );
  const [anna, ida, thief, ben] = clients;
  const passedOn = { name: "Thief", proof: "link", invited: { id: ID, standing: "other-device" } };
  expect(seen(anna).door).toMatchObject([passedOn]);
  expect(seen(ida).door).toMatchObject([passedOn]);
  expect(seen(ben).door).toEqual([]);
  expect(notices(ida, "knock")).toHaveLength(1);
  expect(notices(ben, "knock")).toHaveLength(0);
  // Nobody else lets it in, whatever it presses.
  const seat = seen(anna).door[0]?.seat ?? "";
  expect(done(world, ben, { type: "admit", seats: [seat] })).toBe("not-allowed");
  expect(seen(thief).phase.type).toBe("waiting");
  expect(done(world, ida, { type: "admit", seats: [seat] })).toBe("done");
  world.run(3_000);
  expect(names(ben)).toEqual(["Anna", "Ben", "Ida", "Thief"]);
  expect(world.problems).toEqual([]);
});

test("the first device may be gone: its link still belongs to it", () => {
  const { world, clients } = meeting(["Anna"], ["Ida", { invitedAs: "Ida" }]);
  const [anna, ida] = clients;
  done(world, ida, { type: "leave" });
  const thief = world.join("Thief", { invitedAs: "Ida" });
  world.run(4_000);
  expect(seen(anna).door).toMatchObject([{ name: "Thief", invited: { standing: "other-device" } }]);
  expect(seen(thief).phase.type).toBe("waiting");
});

test("an invitation that was taken back opens nothing, until it is given back", () => {
  const { world, clients } = meeting(["Anna", LOBBY], ["Ben", { invitedAs: "Ben" }]);
  const [anna, ben] = clients;
  expect(done(world, ben, { type: "revoke", ids: [ID], isRevoked: true })).toBe("not-allowed");
  expect(done(world, anna, { type: "revoke", ids: [ID], isRevoked: true })).toBe("done");
  const ida = world.join("Ida", { invitedAs: "Ida" });
  world.run(4_000);
  expect(seen(ida).phase.type).toBe("waiting");
  expect(seen(anna).door).toMatchObject([{ proof: "link", invited: { standing: "revoked" } }]);
  expect(done(world, anna, { type: "revoke", ids: [ID], isRevoked: false }, 4_000)).toBe("done");
  expect(names(anna)).toEqual(["Anna", "Ben", "Ida"]);
});

test.each([
  ["foreign", { meetingId: "mtg_other" }],
  ["foreign", { accountKey: new Uint8Array(32) }],
  ["expired", { expiresAt: 1 }],
] as const)("at the door it is %s", (standing, invitation) => {
  const { world, clients } = meeting(["Anna", LOBBY]);
  world.run(3_700_000);
  world.join("Ida", { invitedAs: "Ida", invitation });
  world.run(4_000);
  expect(seen(clients[0]).door).toMatchObject([{ proof: "link", invited: { standing } }]);
});

test("nobody comes in by themselves while nobody leads", () => {
  const { world, clients } = meeting(["Anna", LOBBY], ["Ben", { invitedAs: "Ben" }]);
  const [anna, ben] = clients;
  done(world, anna, { type: "leave" });
  const ida = world.join("Ida", { invitedAs: "Ida" });
  world.run(6_000);
  expect(names(ben)).toEqual(["Ben"]);
  expect(seen(ida).phase.type).toBe("waiting");
  const back = world.join("Anna", { isHost: true });
  world.run(8_000);
  expect(names(back)).toEqual(["Anna", "Ben", "Ida"]);
});

test("a co-host by invitation leads", () => {
  const cohost = { invitedAs: "Ida", invitation: { role: "cohost" } } as const;
  const { world, clients } = meeting(["Anna", LOBBY], ["Ida", cohost], ["Ben"]);
  const [anna, ida, ben] = clients;
  expect(memberOf(anna, ida)?.role).toBe("cohost");
  const [knock] = seen(ida).door;
  expect(done(world, ida, { type: "admit", seats: [knock?.seat ?? ""] }, 4_000)).toBe("done");
  expect(memberOf(ida, ben)?.identity).toBe(identityOf(ben));
  expect(world.problems).toEqual([]);
});

test("a server that names another device as the first does not go unnoticed", () => {
  const { world, clients } = meeting(["Anna", LOBBY], ["Ida", { invitedAs: "Ida" }]);
  const [anna, ida] = clients;
  expect(memberOf(anna, ida)?.invited).toMatchObject({ isOtherDevice: false });
  done(world, ida, { type: "leave" });
  world.server.bindings.clear();
  const thief = world.join("Thief", { invitedAs: "Ida" });
  world.run(4_000);
  // Nothing in the group can tell: the first device is away. Who was here remembers it.
  expect(memberOf(anna, thief)).toMatchObject({
    verification: "invitation",
    invited: { id: ID, isOtherDevice: true },
  });
});

test("a host remembers the device from an earlier sitting", () => {
  const knownDevices = new Map([[ID, b64(new Uint8Array(32))]]);
  const { clients } = meeting(["Anna", { ...LOBBY, knownDevices }], ["Ida", { invitedAs: "Ida" }]);
  const [anna, ida] = clients;
  expect(memberOf(anna, ida)?.invited).toMatchObject({ isOtherDevice: true });
  expect(memberOf(ida, ida)?.invited).toMatchObject({ isOtherDevice: false });
});

test.each([false, true])(
  "who was lost comes back, unless the link was taken back: %s",
  (isRevoked) => {
    const { world, clients } = meeting(["Anna", LOBBY], ["Ida", { invitedAs: "Ida" }]);
    const [anna, ida] = clients;
    world.breakSocket(ida);
    // The others go on meanwhile.
    const until = world.now + 40_000;
    while (world.now < until) {
      ida.isConnecting = false;
      const [move] = world.moves();
      if (move === undefined) world.passTime(until - world.now);
      else move();
    }
    expect(names(anna)).toEqual(["Anna"]);
    if (isRevoked) done(world, anna, { type: "revoke", ids: [ID], isRevoked });
    ida.isConnecting = true;
    world.run(30_000);
    expect(names(anna)).toEqual(isRevoked ? ["Anna"] : ["Anna", "Ida"]);
    expect(seen(anna).door).toHaveLength(isRevoked ? 1 : 0);
  },
);

test("an invitation of another room's host says nothing of who was let in", () => {
  const invitation = { accountKey: new Uint8Array(32) };
  const { world, clients } = meeting(["Anna", LOBBY], ["Ida", { invitedAs: "Ida", invitation }]);
  const [anna, ida] = clients;
  const seats = seen(anna).door.map(({ seat }) => seat);
  expect(done(world, anna, { type: "admit", seats }, 4_000)).toBe("done");
  expect(memberOf(anna, ida)).toMatchObject({ verification: "door", invited: null });
});

/**
 * One random meeting from one seed: a time in which anything may happen, then one in which
 * everything arrives; afterwards all who are still there must be in the same group, and nobody
 * stuck.
 */

import type { Part, RoomPolicy } from "../../contract.ts";
import { b64 } from "../bytes.ts";
import { invitationIdOf } from "../roles.ts";
import { view } from "../view.ts";
import { contextOf } from "./symbolicEngine.ts";
import { type Client, type Random, seeded, World } from "./world.ts";

export interface Run {
  readonly problems: readonly string[];
  readonly steps: number;
  readonly epochs: number;
  readonly trace: string;
}

const FAULTS_MS = 700;
/** Somebody lost is removed after 30 s, an instance of nobody ends after 60 s. */
const CALM_MS = 200_000;
const CALM_LEAST_MS = 5_000;

export function interleave(seed: number, isTracing = false): Run {
  const random = seeded(seed);
  const world = new World(random);
  world.isTracing = isTracing;
  const isLobby = random() < 0.25;
  const people = 2 + Math.floor(random() * 4);
  world.join("host", { isHost: true, entry: isLobby ? "lobby" : "open", history: 3 });
  const steps = 30 + Math.floor(random() * 120);
  for (let at = 0; at < steps; at += 1) {
    if (world.clients.length < people && random() < 0.15) {
      world.join(`member${world.clients.length}`, {
        hasLink: random() < 0.8,
        ...(random() < 0.3 ? { invitedAs: random() < 0.5 ? "Ida" : "Jan" } : {}),
      });
    }
    stir(world, random);
  }
  // Most are over as soon as all is well; some go on, for what only comes later.
  calm(world, random() < 0.03);
  world.problems.push(...world.truth.violations, ...findings(world));
  const epochs = world.server.winners.size;
  return { problems: world.problems, steps: world.steps, epochs, trace: world.trace };
}

function pick<T>(random: Random, from: readonly T[]): T | undefined {
  return from[Math.floor(random() * from.length)];
}

function stir(world: World, random: Random): void {
  const luck = random();
  const client = pick(random, world.clients);
  if (client === undefined) return;
  if (luck < 0.75) {
    const move = pick(random, world.moves());
    if (move === undefined) world.passTime(FAULTS_MS);
    else move();
  } else if (luck < 0.86) world.passTime(FAULTS_MS * (random() < 0.1 ? 50 : 1));
  else if (luck < 0.89) {
    if (client.connection !== null) world.breakSocket(client);
  } else if (luck < 0.9) world.reload(client);
  else if (luck < 0.905) world.restartServer();
  else want(world, random, client);
}

function want(world: World, random: Random, client: Client): void {
  const id = b64(world.truth.bytes(16)).slice(0, 22);
  const other = pick(random, [...client.state.people.keys()]);
  const luck = random();
  if (luck < 0.3) {
    const privateTo = random() < 0.3 ? (other ?? null) : null;
    world.wish(client, { type: "chat", id, text: `words ${id}`, replyTo: null, privateTo });
  } else if (luck < 0.4) world.wish(client, { type: "hand", isUp: random() < 0.5 });
  else if (luck < 0.7) {
    const seats = [...client.state.door.keys()];
    world.wish(client, { type: "admit", seats });
  } else if (luck < 0.78 && other !== undefined) {
    world.wish(client, { type: "remove", identity: other });
  } else if (luck < 0.86 && other !== undefined) {
    world.wish(client, { type: "cohost", identity: other, isCohost: random() < 0.7 });
  } else if (luck < 0.95) {
    world.wish(client, { type: "policy", policy: anyPolicy(random) });
  } else if (luck < 0.98 && other !== undefined) {
    const isAllowed = random() < 0.5 ? random() < 0.5 : null;
    if (random() < 0.4)
      world.wish(client, { type: "part", identity: other, part: anyPart(random) });
    else world.wish(client, { type: "allow", identity: other, bits: 0x1ff, isAllowed });
  } else world.wish(client, { type: "leave" });
}

function anyPolicy(random: Random): Partial<RoomPolicy> {
  if (random() < 0.5) return { isLocked: random() < 0.3 };
  return random() < 0.5 ? { history: 5 } : { attendees: Math.floor(random() * 0x200) };
}

function anyPart(random: Random): Part {
  return pick(random, ["presenter", "attendee", "listener"] as const) ?? "attendee";
}

/** No faults; a host who is there lets in everybody. */
function calm(world: World, isLong: boolean): void {
  const least = world.now + (isLong ? CALM_MS : CALM_LEAST_MS);
  const until = world.now + CALM_MS;
  world.flush();
  while (world.now < least || (world.now < until && findings(world).length > 0)) {
    world.passTime(5_000);
    world.flush();
    for (const client of world.clients) {
      const seats = view(client.state).door.map((guest) => guest.seat);
      const open = seats.filter((seat) => client.state.door.get(seat)?.isAdmitted === false);
      if (open.length > 0) world.wish(client, { type: "admit", seats: open });
    }
  }
}

function findings(world: World): readonly string[] {
  const problems: string[] = [];
  for (const [epoch, winners] of world.server.winners) {
    if (winners > 1) problems.push(`${winners} commits won ${epoch}`);
  }
  const here = world.clients.filter((client) => client.state.stage !== "over");
  const inside = here.filter((client) => client.state.stage === "member");
  const isModerated = inside.some((client) =>
    [...client.state.people.values()].some(
      (person) => person.identity === view(client.state).selfIdentity && person.role !== "member",
    ),
  );
  const instances = new Set<string>();
  const epochs = new Set<string>();
  for (const client of inside) {
    instances.add(client.engine.group?.groupId ?? "");
    epochs.add(client.engine.group?.secret ?? "");
    if (client.engine.group?.leaves.filter((leaf) => leaf !== null).length !== inside.length) {
      problems.push(`${client.name} counts others than are inside`);
    }
    const seen = view(client.state);
    if (seen.phase.type !== "inside") problems.push(`${client.name} is ${seen.phase.type}`);
    if (seen.seal.type !== "sealed") problems.push(`${client.name} is not sealed`);
    if (seen.members.some((member) => member.name === null)) {
      problems.push(`${client.name} does not know a name`);
    }
    if (client.state.outbox.length > 0 || client.state.own !== null) {
      problems.push(`${client.name} has something left to send`);
    }
  }
  if (epochs.size > 1) problems.push("they are in different epochs");
  for (const client of here.filter((one) => !inside.includes(one))) {
    const { stage } = client.state;
    const group = inside[0] === undefined ? null : contextOf(inside[0].engine);
    const isLeaderLost = inside.some((one) => one.state.isLeaderLost);
    const isShut =
      group?.policy.isLocked === true || group?.policy.entry === "lobby" || isLeaderLost;
    // Where nobody who has the link is left inside, nobody but a moderator can let in.
    const isLinked = inside.some((one) => one.state.link !== null);
    const isBarred =
      isShut ||
      client.setup.link === null ||
      !isLinked ||
      isOnAnotherDevice(world, client) ||
      group?.policy.blocked.some((key) => b64(key) === b64(client.setup.signatureKey)) === true;
    const mayWait = !isModerated && isBarred;
    if (stage === "knocking" && inside.length > 0 && mayWait) continue;
    if (stage === "outside" && inside.length === 0) continue;
    problems.push(`${client.name} is stuck: ${stage}`);
  }
  return problems;
}

/** Its personal link belongs to another device, which alone may let it in beside a moderator. */
function isOnAnotherDevice({ server }: World, { setup }: Client): boolean {
  const { invitation, signatureKey } = setup;
  if (invitation === null) return false;
  return server.bindings.get(b64(invitationIdOf(invitation.facts))) !== b64(signatureKey);
}

/** A meeting of a few people for tests of one thing each, and what a test asks of it. */

import { b64 } from "../bytes.ts";
import type { Wish } from "../io.ts";
import { view } from "../view.ts";
import { type Client, type MemberOptions, seeded, World } from "./world.ts";

let drawn = 0;
const id = () => {
  drawn += 1;
  return b64(new Uint8Array(16).fill(drawn));
};

/** A meeting with these people in it, who know each other. */
export function meeting(...people: readonly (readonly [string, MemberOptions?])[]) {
  const world = new World(seeded(7));
  const clients = people.map(([name, options], at) => {
    const client = world.join(name, at === 0 ? { isHost: true, ...options } : options);
    world.run(1_500);
    return client;
  });
  world.run(4_000);
  return { world, clients: clients as unknown as readonly [Client, Client, Client, Client] };
}

export const seen = (client: Client) => view(client.state);
export const names = (client: Client) =>
  seen(client)
    .members.flatMap((member) => (member.isLeaving ? [] : [member.name]))
    .sort();
export const identityOf = (client: Client) => seen(client).selfIdentity ?? "";
export const memberOf = (client: Client, of: Client) =>
  seen(client).members.find((member) => member.identity === identityOf(of));

export function done(world: World, client: Client, what: Wish, ms = 1_500): string | undefined {
  const wish = world.wish(client, what);
  world.run(ms);
  return client.outcomes.get(wish);
}

export function chat(text: string, more: Partial<Extract<Wish, { type: "chat" }>> = {}) {
  return { type: "chat", id: id(), text, replyTo: null, privateTo: null, ...more } as const;
}

/** `ms` in which this client's socket cannot be opened. */
export function withoutSocket(world: World, client: Client, ms: number): void {
  const until = world.now + ms;
  while (world.now < until) {
    client.isConnecting = false;
    world.passTime(until - world.now);
  }
}

export const notices = (client: Client, type: string) =>
  client.notices.filter((notice) => notice.type === type);

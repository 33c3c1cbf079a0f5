import { expect, test } from "vitest";
import { seeded, World } from "./model/world.ts";
import { view } from "./view.ts";

test("three come in by the link and see each other", () => {
  const world = new World(seeded(7));
  const anna = world.join("Anna", { isHost: true });
  world.run(100);
  const ben = world.join("Ben");
  const cleo = world.join("Cleo");
  world.run(8_000);
  expect(world.problems).toEqual([]);
  for (const client of [anna, ben, cleo]) {
    const seen = view(client.state);
    expect(seen.phase).toEqual({ type: "inside" });
    expect(seen.seal.type).toBe("sealed");
    expect(seen.members.map((member) => member.name).sort()).toEqual(["Anna", "Ben", "Cleo"]);
  }
});

/** Groups that change a lot: everybody who is in an epoch has the same keys, late joiners too. */
import { describe, expect, it } from "vitest";
import {
  expectOk,
  exporter,
  groupOf,
  MEETING,
  member,
  PSK,
  step,
  text,
} from "../../../test/sealing/members.ts";
import type { MlsEngine } from "./contract.ts";

/** The same numbers in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function expectOneKey(members: readonly MlsEngine[]): Promise<void> {
  const keys = await Promise.all(members.map(exporter));
  for (const key of keys) expect(key).toEqual(keys[0]);
}

describe("a group that changes", () => {
  it("lets late joiners into trees with unmerged leaves in some places", async () => {
    const all = await groupOf(8);
    const at = (leaf: number) => {
      const engine = all[leaf];
      if (!engine) throw new Error("no such member");
      return engine;
    };
    const left = [0, 2, 3, 4, 7].map(at);
    await step(left, at(0), { removes: [1, 5, 6] });
    await step(left, at(4), {});
    await step(left, at(0), {});
    const present = [...left];
    for (let turn = 0; turn < 3; turn++) {
      const { engine } = await member();
      await step(present, at(0), {}, [engine]);
      present.push(engine);
      await expectOneKey(present);
    }
  });

  it("changes policy, removes, adds and binds to the link in one commit", async () => {
    const [a, b, c] = await groupOf(3);
    if (!a || !b || !c) throw new Error("too few");
    const late = await member();
    for (const engine of [a, b, late.engine]) await engine.setPsk(PSK);
    const next = text("another policy");
    const after = await step([a, b], a, { removes: [2], meeting: next, withPsk: true }, [
      late.engine,
    ]);
    expect(after.meeting).toEqual(next);
    expect(after.roster.map(({ leaf }) => leaf)).toEqual([0, 1, 2]);
    await expectOneKey([a, b, late.engine]);
    expect(await exporter(c)).not.toEqual(await exporter(a));
  });

  it("agrees in every epoch of 200 steps", { timeout: 240_000 }, async () => {
    const below = random(1);
    let present = await groupOf(3);
    const leafOf = new Map<MlsEngine, number>();
    for (const [leaf, engine] of present.entries()) leafOf.set(engine, leaf);
    for (const engine of present) await engine.setPsk(PSK);
    let policy = MEETING;
    for (let turn = 0; turn < 200; turn++) {
      const by = present[below(present.length)];
      if (!by) throw new Error("nobody");
      const goes = present.filter(
        (engine) => engine !== by && present.length > 2 && below(10) < (present.length > 9 ? 4 : 1),
      );
      const comes = present.length < 12 && below(10) < 4 ? 1 + below(2) : 0;
      const joiners: MlsEngine[] = [];
      for (let count = 0; count < comes; count++) {
        const { engine } = await member();
        await engine.setPsk(PSK);
        joiners.push(engine);
      }
      const isPolicy = below(10) === 0;
      if (isPolicy) policy = text(`policy ${turn}`);
      const stay = present.filter((engine) => !goes.includes(engine));
      const removes = goes.map((engine) => leafOf.get(engine) ?? -1);
      const meeting = isPolicy ? policy : null;
      const after = await step(
        stay,
        by,
        { removes, meeting, withPsk: comes > 0 && below(2) === 0 },
        joiners,
      );
      expect(after.meeting).toEqual(policy);
      present = [...stay, ...joiners];
      expect(after.roster).toHaveLength(present.length);
      const keys = await Promise.all(
        present.map((engine) => engine.exportSecret("x", text(""), 32)),
      );
      expect(keys.every((key) => key.join() === keys[0]?.join())).toBe(true);
      const used = new Set(stay.map((engine) => leafOf.get(engine)));
      const free = after.roster.map(({ leaf }) => leaf).filter((leaf) => !used.has(leaf));
      for (const [index, engine] of joiners.entries()) leafOf.set(engine, free[index] ?? -1);
      if (turn % 20 === 0) {
        const { bytes } = await by.protect(text(`turn ${turn}`));
        for (const engine of present) {
          if (engine === by) continue;
          const opened = expectOk(await engine.open(bytes));
          expect(opened.sender).toBe(leafOf.get(by));
        }
      }
    }
  });
});

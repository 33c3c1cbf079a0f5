import { expect, test } from "vitest";
import { interleave } from "./interleave.ts";

/** The long run is `node scripts/meeting-model.ts`. */
const RUNS = 1_000;

test(`in ${RUNS} random meetings everybody converges and nobody is stuck`, () => {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const { problems } = interleave(seed);
    expect(problems, `seed ${seed}`).toEqual([]);
  }
}, 180_000);

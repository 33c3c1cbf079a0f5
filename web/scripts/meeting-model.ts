/**
 * The meeting machine in many random meetings: `node scripts/meeting-model.ts [runs] [first seed]`.
 * One seed with what happened in it: `node scripts/meeting-model.ts trace <seed>`.
 */

import { stdout } from "node:process";
import { interleave } from "../src/sealing/meeting/model/interleave.ts";

const [first, second] = process.argv.slice(2);

if (first === "trace") {
  const run = interleave(Number(second), true);
  stdout.write(`${run.trace}\n${run.problems.join("\n")}\n`);
} else {
  const runs = Number(first ?? 100_000);
  const from = Number(second ?? 1);
  const begun = performance.now();
  let steps = 0;
  let epochs = 0;
  let failed = 0;
  for (let seed = from; seed < from + runs; seed += 1) {
    const run = interleave(seed);
    steps += run.steps;
    epochs += run.epochs;
    if (run.problems.length === 0) continue;
    failed += 1;
    stdout.write(`seed ${seed}: ${run.problems.slice(0, 3).join("; ")}\n`);
    if (failed >= 20) break;
  }
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  stdout.write(
    `${runs} meetings, ${steps} steps, ${epochs} epochs, ${failed} failed, ${seconds} s\n`,
  );
  process.exitCode = failed > 0 ? 1 : 0;
}

/**
 * The simulation itself: some worlds of fresh seeds each time, some that once failed, and that the same seed is the same world.
 *
 * @module
 */

import assert from "node:assert/strict";
import { measureMakespan } from "../../src/simulation/makespan.ts";
import { drawScenario, type ScenarioSizes } from "../../src/simulation/scenario.ts";
import { shrink, simulate, tell } from "../../src/simulation/simulate.ts";
import { turn } from "../../scripts/simulate/turn.ts";

const SMALL = { hosts: 3, jobs: 12, steps: 25 };

/** Worlds that were the first to show a fault which has been mended since. */
const FIXED: readonly (readonly [seed: number, sizes: ScenarioSizes, what: string])[] = [
  [120, {}, "reset moved a job that ran straight to ready"],
  [128, {}, "reset removed a claim before it was written down that the job had run"],
  [2037, {}, "a start that was to be sent again while the disk was full was taken for one that was never written"],
  [100234, {}, "a job that ran in a line before its host lost power was called back after the boot, and run again"],
  [5151, SMALL, "a job that was found alive by forbid and died with its wrapper was in flight for ever"],
  [5492, SMALL, "a job that was deleted while its start could not be written was started all the same"],
  [6014, SMALL, "a job that was replaced while its start could not be written was started all the same"],
];

const FRESH = 12;

async function mustHold(seed: number, sizes: ScenarioSizes = {}): Promise<void> {
  const played = await simulate(seed, sizes, { turn });
  if (played.violation === null) return;
  const story = await tell(await shrink(played, { turn }), { turn });
  assert.fail(`seed ${seed}: ${played.violation}\n${story.slice(-60).join("\n")}`);
}

for (const [seed, sizes, what] of FIXED) Deno.test(`world ${seed} (${what}) holds`, () => mustHold(seed, sizes));

Deno.test("worlds of fresh seeds keep what must never break", async () => {
  const first = Number(Deno.env.get("CMS_SEED") ?? Math.floor(Math.random() * 1e9));
  Deno.stdout.writeSync(
    new TextEncoder().encode(`seeds ${first} to ${first + FRESH - 1}; CMS_SEED=${first} repeats them\n`),
  );
  for (let seed = first; seed < first + FRESH; seed++) await mustHold(seed);
});

Deno.test("the same seed is the same world with the same trace, another seed another", async () => {
  const sizes = { hosts: 5, jobs: 40, steps: 20 };
  const one = await simulate(7, sizes, { turn });
  const again = await simulate(7, sizes, { turn });
  const other = await simulate(8, sizes, { turn });
  assert.ok(one.starts > 0 && one.events > 100);
  assert.deepEqual([again.traceHash, again.events, again.starts], [one.traceHash, one.events, one.starts]);
  assert.notEqual(other.traceHash, one.traceHash);
});

Deno.test("a world without faults starts every job once", async () => {
  const lines: string[] = [];
  const played = await simulate(11, { hosts: 3, jobs: 50, steps: 0 }, { turn, trace: (line) => lines.push(line) });
  assert.equal(played.violation, null);
  assert.equal(played.starts, 50);
  const started = lines.flatMap((line) => / starts (job\d+) /.exec(line)?.[1] ?? []);
  assert.equal(new Set(started).size, 50);
});

Deno.test("drawScenario() takes the sizes that are given and draws the rest", () => {
  const scenario = drawScenario(5, { hosts: 4, jobs: 9, steps: 3 });
  assert.equal(scenario.hosts.length, 4);
  assert.equal(scenario.jobs.length, 9);
  assert.ok(scenario.faults.length === 3 || scenario.faults.length === 0);
  const many = Array.from({ length: 200 }, (_, seed) => drawScenario(seed));
  assert.ok(many.every(({ hosts, jobs }) => hosts.length <= 50 && jobs.length <= 500));
  assert.ok(many.some(({ scheduler }) => scheduler === "fifo") && many.some(({ hosts }) => hosts.length > 30));
});

Deno.test("measureMakespan() counts virtual time against what the slots alone would take", async () => {
  const request = { seed: 1, hosts: 20, jobs: 600, durationMs: 1_000, rttMs: 50 };
  const { violation, idealMs, busyMs, makespanMs, events } = await measureMakespan(request, turn);
  assert.equal(violation, null);
  assert.equal(idealMs, 30_000);
  assert.ok(events > 600 && busyMs >= idealMs && makespanMs > busyMs, `${busyMs} ${makespanMs}`);
  // A round trip and a decision between two jobs alone would be more.
  assert.ok(busyMs <= 1.05 * idealMs, `${busyMs} of ${idealMs}`);
});

/**
 * The simulation itself: some worlds, the same ones each time, and that the same seed is the same world.
 * Fresh seeds are for `deno task simulate` and the nightly workflow: what they find is no fault of the change at hand.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Host } from "../../src/simulation/host.ts";
import { measureMakespan } from "../../src/simulation/makespan.ts";
import { drawScenario } from "../../src/simulation/draw_scenario.ts";
import { FAULTS } from "../../src/simulation/scenario.ts";
import { shrink, simulate, tell } from "../../src/simulation/simulate.ts";
import { SEED } from "../../testing/property.ts";
import { turn } from "../../testing/turn.ts";
import { patch } from "./patch.ts";

const WORLDS = 12;

async function mustHold(seed: number): Promise<void> {
  const played = await simulate(seed, {}, { turn });
  if (played.violation === null) return;
  const story = await tell(await shrink(played, { turn }), { turn });
  assert.fail(`seed ${seed}: ${played.violation}\n${story.slice(-60).join("\n")}`);
}

Deno.test("worlds keep what must never break", async () => {
  for (let seed = SEED; seed < SEED + WORLDS; seed++) await mustHold(seed);
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

Deno.test("a job whose claim somebody removes is still followed, and ended in its time; one that is not looked for is not", async () => {
  for (const seed of [29, 36]) {
    for (const isLookedFor of [true, false]) {
      const spoilHost = (host: Host): void => {
        patch(host, "spawn", (old) => (kind, mark, body) => {
          const removeClaims = (): void => {
            for (const { chain } of host.directories.values()) {
              if (chain.some((link) => link.attempt === mark && link.kind === "P")) chain.length = 0;
            }
          };
          if (kind === "job") host.parts.timeline.after(3_000, removeClaims);
          return old.call(host, kind, mark, body);
        });
        if (!isLookedFor) {
          patch(host, "processes", (old) => () => [...old.call(host)].filter(({ kind }) => kind !== "job"));
        }
      };
      const { violation } = await simulate(seed, { hosts: 2, jobs: 8, steps: 0 }, { turn, spoilHost });
      assert.equal(violation === null, isLookedFor, `seed ${seed}: ${violation}`);
    }
  }
});

Deno.test("drawScenario() takes the sizes that are given and draws the rest", () => {
  const scenario = drawScenario(5, { hosts: 4, jobs: 9, steps: 3 });
  assert.equal(scenario.hosts.length, 4);
  assert.equal(scenario.jobs.length, 9);
  // What surroundings, hands and a second queue do is drawn apart.
  const own = scenario.faults.filter(({ kind }) => (FAULTS as readonly string[]).includes(kind));
  assert.ok(own.length === 3 || own.length === 0);
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

/**
 * Proof that the simulation can fail: each variant that is broken on purpose must be caught within a number of small
 * worlds, and the program as it is must not be caught in the same ones.
 *
 * @module
 */

import assert from "node:assert/strict";
import { simulate } from "../../src/simulation/simulate.ts";
import { turn } from "../../testing/turn.ts";
import { MUTANTS } from "./mutants.ts";
import { NEEDS_MUTANTS } from "./needs_mutants.ts";
import { ORDER_MUTANTS } from "./order_mutants.ts";

const SMALL = { hosts: 3, jobs: 12, steps: 25 };
const WORLDS = 80;

for (
  const { rule, name, options, worlds: base, breaks, seed: one, isSmall } of [
    ...MUTANTS,
    ...ORDER_MUTANTS,
    ...NEEDS_MUTANTS,
  ]
) {
  const worlds = one === undefined ? Array.from({ length: WORLDS }, (_, i) => i + 1) : [one];
  const sizes = one === undefined || isSmall ? SMALL : {};
  Deno.test(`rule ${rule}: "${name}" is caught within ${worlds.length} worlds`, async () => {
    const mend = breaks?.() ?? (() => {});
    let caught: string | null = null;
    let seed = 0;
    try {
      for (seed of worlds) {
        caught = (await simulate(seed, sizes, { turn, ...options })).violation;
        if (caught !== null) break;
      }
    } finally {
      mend();
    }
    assert.ok(caught !== null, `${worlds.length} worlds did not show it`);
    const { violation } = await simulate(seed, sizes, { turn, ...base });
    assert.equal(violation, null, `world ${seed} fails without it too`);
    Deno.stdout.writeSync(new TextEncoder().encode(`  world ${seed}: ${caught.slice(0, 150)}\n`));
  });
}

Deno.test("every rule has a variant", () => {
  assert.deepEqual([...new Set(MUTANTS.map(({ rule }) => rule))].sort((a, b) => a - b), [
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
  ]);
});

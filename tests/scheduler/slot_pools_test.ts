/** Which hosts are one slot pool, and how many jobs are worth prefetching there. */
import assert from "node:assert/strict";
import { parseMachine } from "../../src/cluster/machine.ts";
import type { SlotPool } from "../../src/scheduler/in_flight.ts";
import { Machines } from "../../src/scheduler/machines.ts";
import { SlotPools } from "../../src/scheduler/slot_pools.ts";
import type { SlotHost } from "../../src/scheduler/slot_host.ts";
import { slotHost } from "./world.ts";

const RED = "pi@red";

/** Pools of these hosts; a request to red and its answer take so long. */
function poolsOf(hosts: readonly SlotHost[], roundTripMs: number): { pools: SlotPools; all: () => SlotPool[] } {
  const machines = new Machines();
  machines.of(parseMachine(RED)).roundTripMs = roundTripMs;
  const pools = new SlotPools(machines);
  pools.setHosts(hosts);
  return { pools, all: () => [...pools.all()] };
}

/** How many jobs may wait in the only pool of a host with so many slots after a job that took so long. */
function depthOf(capacity: number, roundTripMs: number, jobMs: number): number {
  const { pools, all } = poolsOf([slotHost("h1", RED, { capacity })], roundTripMs);
  const [pool] = all();
  pools.learn(pool!, jobMs);
  return pools.depth(pool!);
}

Deno.test("SlotPools has hosts of one machine in one pool only if a job cannot tell them apart", () => {
  const { all } = poolsOf([
    slotHost("a", RED),
    slotHost("b", RED, { capacity: 2 }),
    slotHost("gpu", RED, { gpu: "0" }),
    slotHost("env", RED, { pyenv: "~/env" }),
    slotHost("far", "pi@blue"),
    slotHost("off", RED, { active: false }),
    slotHost("none", RED, { capacity: 0 }),
  ], 0);
  assert.deepEqual(all().map(({ hosts, slots }) => [hosts.map(({ id }) => id).join(), slots]), [
    ["a,b", 3],
    ["gpu", 1],
    ["env", 1],
    ["far", 1],
  ]);
});

Deno.test("SlotPools.setHosts() names the pools that are others now, also those without a host", () => {
  const { pools, all } = poolsOf([slotHost("a", RED), slotHost("b", "pi@blue")], 0);
  assert.deepEqual(pools.setHosts([slotHost("a", RED), slotHost("b", "pi@blue")]), []);
  const changed = pools.setHosts([slotHost("a", RED, { capacity: 2 })]);
  assert.deepEqual(changed.map(({ machine }) => machine), all().map(({ machine }) => machine));
  assert.deepEqual(all().map(({ slots }) => slots), [2, 0]);
  assert.equal(pools.of("b"), undefined);
});

Deno.test("SlotPools.depth() is 0 before a job has ended, and for jobs that take fifty times the gap", () => {
  const { pools, all } = poolsOf([slotHost("h1", RED)], 46);
  assert.equal(pools.depth(all()[0]!), 0);
  // A round trip of 46 ms and the turn of 4 ms are the gap.
  assert.equal(depthOf(1, 46, 2501), 0);
  assert.equal(depthOf(1, 46, 2500), 1);
});

Deno.test("SlotPools.depth() is twice what ends in the gap, 16 for each slot and 64 in all at most", () => {
  assert.equal(depthOf(1, 46, 20), 7);
  assert.equal(depthOf(2, 46, 20), 14);
  assert.equal(depthOf(1, 46, 1), 16);
  assert.equal(depthOf(10, 46, 1), 64);
  assert.equal(depthOf(65, 46, 1), 0, "more slots than may wait");
});

Deno.test("SlotPools.depth() follows what jobs take, and a pool without ends takes the mean of the run", () => {
  const { pools, all } = poolsOf([slotHost("a", RED), slotHost("b", RED, { gpu: "0" })], 46);
  const [a, b] = all();
  assert.equal(pools.learn(a!, 20), true);
  assert.equal(pools.depth(b!), 7);
  assert.equal(pools.learn(a!, 20_000), false);
  assert.equal(pools.depth(a!), 0);
  b!.isUnable = true;
  assert.equal(pools.depth(b!), 0);
});

Deno.test("SlotPools.patienceMs() is three times what jobs take, from 1 to 20 s", () => {
  const { pools, all } = poolsOf([slotHost("h1", RED)], 46);
  const [pool] = all();
  assert.equal(pools.patienceMs(pool!), 1_000);
  pools.learn(pool!, 2_000);
  assert.equal(pools.patienceMs(pool!), 6_000);
  pool!.jobMs = 100_000;
  assert.equal(pools.patienceMs(pool!), 20_000);
});

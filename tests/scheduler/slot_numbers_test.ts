import assert from "node:assert/strict";
import type { RunContext } from "../../src/scheduler/context.ts";
import type { Backlog, InFlight, SlotPool } from "../../src/scheduler/in_flight.ts";
import { SlotNumbers } from "../../src/scheduler/slot_numbers.ts";
import type { SlotPools } from "../../src/scheduler/slot_pools.ts";

Deno.test("a backlog gets the number of a job that is over only if its host has not given it to another since", () => {
  const pool = { machine: "pi@red" } as SlotPool;
  const running = (slot: number) => ({ job: `job${slot}`, slot, stage: { at: "running" } }) as unknown as InFlight;
  const inFlight = { on: () => new Set([running(1), running(5)]) };
  const run = { inFlight, slots: { hostOf: () => "h1" } } as unknown as RunContext;
  const numbers = new SlotNumbers(run, { of: () => pool } as unknown as SlotPools);
  const backlog = () => ({ pool, slots: new Set([0]) }) as unknown as Backlog;
  assert.deepEqual(numbers.more(backlog(), 3), [3]);
  // The wrapper that had 5 went on to another job, which was reported first.
  assert.deepEqual(numbers.more(backlog(), 5), [2]);
  assert.deepEqual(numbers.more(backlog(), 0), [2]);
  assert.deepEqual(numbers.more(backlog(), null), [2]);
});

/** `queue plan`: the scheduler on a simulated clock, against runs of simulated worlds. */
import assert from "node:assert/strict";
import type { Deps } from "../../src/deps.ts";
import { addJobsOfSpecs } from "../../src/operations/add_jobs.ts";
import { createQueue } from "../../src/operations/create_queue.ts";
import { type Plan, type PlanRequest, planRun } from "../../src/operations/plan_run.ts";
import { queueRef } from "../../src/operations/refs.ts";
import { parseMachine } from "../../src/cluster/machine.ts";
import { measureMakespan } from "../../src/simulation/makespan.ts";
import type { JobSpec } from "../../src/job/job.ts";
import { memoryDeps, MemoryFiles } from "../../testing/memory_files.ts";
import { turn } from "../../testing/turn.ts";

interface PlanPlace {
  readonly deps: Deps;
  plan(options?: Partial<PlanRequest>): Promise<Plan>;
}

/** A queue of these jobs, planned for so many hosts of one slot. */
async function withJobs(jobs: readonly (JobSpec & { name: string })[], hosts: number): Promise<PlanPlace> {
  const files = new MemoryFiles();
  await files.makeDirectory("/home/experiment");
  const deps = memoryDeps(files);
  const queue = queueRef(deps, { queue: "a", experiment: "/home/experiment" });
  await createQueue(deps, { queue });
  await addJobsOfSpecs(deps, { queue, jobs: jobs.map(({ name, ...spec }) => ({ name, spec })) });
  const machines = Array.from({ length: hosts }, (_, i) => parseMachine(`me@host${i}`));
  return {
    deps,
    plan: (options = {}) =>
      planRun(deps, {
        queue,
        way: { scheduler: "fifo_multi", hosts: machines, cluster: null },
        durationMs: 10_000,
        more: 0,
        ...options,
      }),
  };
}

Deno.test("a plan of 5,000 jobs on 40 slots is within 2 % of the run in a simulated world", async () => {
  const request = { seed: 1, hosts: 40, jobs: 5_000, durationMs: 10_000, rttMs: 20 };
  const { busyMs, violation } = await measureMakespan(request, turn);
  assert.equal(violation, null);
  const place = await withJobs(Array.from({ length: 5_000 }, (_, i) => ({ name: `job${i}`, command: "x" })), 40);
  const plan = await place.plan();
  assert.equal(plan.jobs.length, 5_000);
  assert.ok(Math.abs(plan.makespanMs - busyMs) <= 0.02 * busyMs, `${plan.makespanMs} and ${busyMs}`);
});

Deno.test("a plan keeps to slots, order, priorities and parents, and names what can never start", async () => {
  const place = await withJobs([
    { name: "first", command: "x" },
    { name: "child", command: "x", after: ["first"] },
    { name: "held", command: "x", hold: true },
    { name: "doomed", command: "x", after_notok: ["first"] },
    { name: "second", command: "x" },
    { name: "urgent", command: "x", priority: 5 },
    { name: "short", command: "x", time_limit: "4s" },
    { name: "orphan", command: "x", after: ["short"] },
  ], 2);
  const plan = await place.plan({ more: 4 });
  const shown = plan.jobs.map(({ job, host, startMs, endMs }) => `${job} ${host} ${startMs}-${endMs}`);
  assert.deepEqual(shown, [
    "urgent #1 0-10000",
    "first #2 0-10000",
    "second #1 10000-20000",
    // A child is looked at in the turn after its parent's end.
    "short #2 10000-14000",
    "child #2 14000-24000",
  ]);
  assert.equal(plan.makespanMs, 24_000);
  assert.deepEqual(plan.idle, 1 - 44_000 / 48_000);
  assert.deepEqual(
    plan.never.map(({ reason, jobs }) => `${jobs}: ${reason}`).toSorted(),
    ["doomed: first ended well", "held: held", "orphan: short failed (time limit 4s)"],
  );
  assert.deepEqual(plan.more, { hosts: 4, makespanMs: 20_000 });
});

Deno.test("a plan of short jobs and one of fifo come to their end", async () => {
  const short = await withJobs(Array.from({ length: 50 }, (_, i) => ({ name: `job${i}`, command: "x" })), 2);
  assert.equal((await short.plan({ durationMs: 20 })).makespanMs, 500);
  const own = await withJobs([1, 2, 3].map((i) => ({ name: `job${i}`, command: "x", user: "me", host: "red" })), 1);
  const fifo = await own.plan({ way: { scheduler: "fifo", maxParallel: 2 } });
  assert.deepEqual(fifo.jobs.map(({ machine, startMs }) => `${machine} ${startMs}`), [
    "me@red 0",
    "me@red 0",
    "me@red 10000",
  ]);
});

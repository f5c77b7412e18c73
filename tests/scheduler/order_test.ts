/**
 * The order in which jobs are handed out: priorities, jobs that wait for others, held ones, further tries, pauses.
 *
 * @module
 */

import assert from "node:assert/strict";
import { upcoming } from "../../src/scheduler/ahead.ts";
import type { Job } from "../../src/job/job.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { NO_EXTERNAL_CHANGES } from "../../src/store/changes.ts";
import { Candidates } from "../../src/scheduler/candidates.ts";
import { job as makeJob, put, slotHost, World, type WorldOptions } from "./world.ts";

const RED = "pi@red";

function job(name: string, fields: Partial<Job> = {}): Job {
  return { ...makeJob(name), ...fields };
}

function world(jobs: readonly Job[], options: Partial<WorldOptions> = {}): World {
  return new World({ seed: 1, jobs, hosts: [slotHost("h1", RED)], ...options });
}

function ends(one: World): Record<string, string> {
  return Object.fromEntries(
    [...one.jobs.values()].map(({ name, status, reason }) => [name, reason ? `${status}: ${reason}` : status]),
  );
}

function run(one: World): World {
  one.runToEnd(0, { troubleSteps: 0, steps: 20_000 });
  return one;
}

function edit(one: World, name: string, fields: Partial<Job>): void {
  const before = one.jobs.get(name as JobName)!;
  one.jobs.set(before.name, { ...before, ...fields });
  one.feed({ type: "external", external: { ...NO_EXTERNAL_CHANGES, changed: [before.name] } });
}

Deno.test("a job of higher priority starts first, then the order of the file counts", () => {
  const jobs = [job("a"), job("b", { priority: 5 }), job("c", { priority: -1 }), job("d"), job("e", { priority: 5 })];
  assert.deepEqual(run(world(jobs)).startOrder, ["b", "e", "a", "d", "c"]);
});

Deno.test("a priority that is changed, or comes with a job that is added, counts at the next free slot", () => {
  const one = world(["a", "b", "c", "d"].map((name) => job(name)));
  for (let i = 0; i < 200 && one.startOrder.length < 1; i++) one.tick(0);
  edit(one, "d", { priority: 2 });
  const added = job("e", { priority: 1 });
  one.jobs.set(added.name, added);
  one.feed(put("e"));
  assert.deepEqual(run(one).startOrder, ["a", "d", "e", "b", "c"]);
});

Deno.test("jobs that are added together before one of lower priority start in the order in which they were added", () => {
  const one = world([job("a"), job("b"), job("last", { priority: -1 })]);
  for (let i = 0; i < 200 && one.startOrder.length < 1; i++) one.tick(0);
  const names = ["c", "d", "e", "f"] as JobName[];
  for (const name of names) one.jobs.set(name, job(name));
  one.feed({ type: "external", external: { ...NO_EXTERNAL_CHANGES, put: names } });
  assert.deepEqual(run(one).startOrder, ["a", "b", "c", "d", "e", "f", "last"]);
});

Deno.test("a job starts only when all that it comes after have ended well, and comes back to its place", () => {
  const jobs = [job("late", { after: ["x", "y"] }), job("x"), job("y"), ...["z1", "z2", "z3"].map((name) => job(name))];
  const { startOrder } = run(world(jobs));
  assert.deepEqual(startOrder.slice(0, 2), ["x", "y"]);
  assert.ok(startOrder.indexOf("late" as JobName) <= 3, `late waited behind others: ${startOrder}`);
});

Deno.test("a job that can never start ends at once, with all that wait for it, and says why", () => {
  const jobs = [
    ...[job("bad"), job("child", { after: ["bad"] }), job("grandchild", { after: ["child"] })],
    ...[
      job("cleanup", { after_any: ["bad"] }),
      job("alarm", { after_notok: ["bad"] }),
      job("never", { after_notok: ["good"] }),
    ],
    job("good"),
  ];
  const one = run(world(jobs, { exitCode: (name) => name === "bad" ? 3 : 0 }));
  assert.deepEqual(ends(one), {
    ...{ bad: "end", cleanup: "end", alarm: "end", good: "end", child: "fail_start: bad failed (exit code 3)" },
    ...{ grandchild: "fail_start: bad failed (exit code 3)", never: "fail_start: good ended well" },
  });
  const { failed } = one.core.result();
  assert.deepEqual(failed.filter(({ isDependent }) => isDependent).map(({ job }) => job).toSorted(), [
    "child",
    "grandchild",
    "never",
  ]);
});

Deno.test("a chain of 20,000 whose first job fails ends in one step, and in no deep recursion", () => {
  const jobs = Array.from({ length: 20_000 }, (_, i) => job(`j${i}`, i === 0 ? {} : { after: [`j${i - 1}`] }));
  const one = run(world(jobs, { exitCode: () => 1 }));
  assert.equal(one.startOrder.length, 1);
  assert.ok([...one.jobs.values()].slice(1).every(({ status }) => status === "fail_start"));
});

Deno.test("jobs that wait for what is not there, for each other, or are held are left waiting, and the run ends", () => {
  const jobs = [
    job("a", { after: ["none"] }),
    job("b", { after: ["c"] }),
    job("c", { after: ["b"] }),
    job("d", { hold: true }),
    job("e"),
  ];
  const one = run(world(jobs));
  assert.deepEqual(one.startOrder, ["e"]);
  const { waiting, left } = one.core.result();
  assert.equal(waiting, 4);
  assert.deepEqual(left, [
    { reason: "for none, which is not in the queue", jobs: ["a"] },
    { reason: "for jobs that wait themselves", jobs: ["b", "c"] },
    { reason: "held", jobs: ["d"] },
  ]);
});

Deno.test("a job that is released during a run starts in it", () => {
  const one = world([job("a", { hold: true }), job("b"), job("c")]);
  for (let i = 0; i < 200 && one.startOrder.length < 1; i++) one.tick(0);
  edit(one, "a", { hold: null });
  assert.deepEqual(run(one).startOrder, ["b", "a", "c"]);
});

Deno.test("a job that fails is tried again after a growing pause; its earlier tries are kept, its children wait", () => {
  const jobs = [job("a", { retries: 3, retry_delay: "10s" }), job("b", { after: ["a"] })];
  const one = run(world(jobs, { exitCode: (name, attempt) => name === "a" && attempt < 3 ? 7 : 0 }));
  assert.deepEqual(one.startOrder, ["a", "a", "a", "b"]);
  const a = one.jobs.get("a" as JobName)!;
  assert.deepEqual(a.history?.map((past) => [past.try, past.attempt, past.exit_code, past.status]), [[1, 1, 7, "end"], [
    2,
    2,
    7,
    "end",
  ]]);
  assert.deepEqual([a.status, a.exit_code, a.reason ?? null, a.not_before ?? null], ["end", 0, null, null]);
  const pauses = one.reports.flatMap((event) => event.type === "retry" ? [event.inMs] : []);
  assert.ok(pauses.length === 2 && pauses[0]! >= 7_500 && pauses[1]! >= 15_000, String(pauses));
  assert.deepEqual(one.core.result().failed, []);
});

Deno.test("a job without a try left has failed; one that was killed, or whose exit code is excluded, is not tried again", () => {
  const jobs = [job("a", { retries: 1, retry_delay: "1s" }), job("b", { retries: 5, retry_on: [75, "crash"] })];
  const one = run(world(jobs, { exitCode: () => 7 }));
  assert.deepEqual(one.startOrder, ["a", "b", "a"]);
  assert.deepEqual(one.core.result().failed.map(({ job }) => job).toSorted(), ["a", "b"]);
});

Deno.test("a run starts nothing while its queue is paused, and goes on when it is resumed", () => {
  const one = world(["a", "b", "c"].map((name) => job(name)));
  for (let i = 0; i < 200 && one.startOrder.length < 1; i++) one.tick(0);
  one.feed({ type: "pause", isPaused: true, reason: "maintenance" });
  for (let i = 0; i < 500; i++) one.tick(0);
  assert.deepEqual([one.startOrder.length, one.finished], [1, false]);
  one.feed({ type: "pause", isPaused: false, reason: null });
  assert.deepEqual(run(one).startOrder, ["a", "b", "c"]);
});

/** A run of short jobs behind a long line, in the moment in which some of them wait on the host for a slot. */
function prefetching(names: readonly string[]): { one: World; sent: () => JobName[] } {
  const hosts = [slotHost("h1", RED, { capacity: 4 })];
  const one = world(names.map((name) => job(name)), { hosts, roundTripMs: 9_000 });
  const sent = () => [...one.jobs.values()].filter(({ status }) => status === "run").map(({ name }) => name);
  for (let i = 0; i < 500 && sent().length < 8; i++) one.tick(0);
  assert.ok(sent().length >= 8, `nothing is prefetched: ${sent()}`);
  return { one, sent };
}

const MANY = Array.from({ length: 40 }, (_, i) => `j${i}`);

Deno.test("a job of higher priority overtakes those that were prefetched, and they come back to their places", () => {
  const { one, sent } = prefetching(MANY);
  const before = one.startOrder.length;
  const ahead = sent();
  edit(one, "j39", { priority: 1 });
  run(one);
  const at = one.startOrder.indexOf("j39" as JobName);
  // One may have been let in while it was recalled.
  assert.ok(at <= before + 1, `j39 started ${at - before} jobs later, behind ${ahead}`);
  const others = one.startOrder.filter((name) => name !== "j39").map((name) => Number(name.slice(1)));
  assert.ok(others.every((n, i) => i === 0 || Math.abs(n - others[i - 1]!) <= 3), `out of order: ${others}`);
});

Deno.test("the last of those that were prefetched starts next, before the others, when its priority is raised", () => {
  const { one, sent } = prefetching(MANY);
  const before = one.startOrder.length;
  const last = sent().at(-1)!;
  edit(one, last, { priority: 1 });
  run(one);
  const at = one.startOrder.indexOf(last);
  // One may have been let in while it was recalled.
  assert.ok(at <= before + 1, `${last} started ${at - before} jobs later: ${one.startOrder}`);
  assert.equal(new Set(one.startOrder).size, 40);
});

Deno.test("a job that is held while it waits on the host for a slot does not start there", () => {
  const { one, sent } = prefetching(MANY);
  const last = sent().at(-1)!;
  edit(one, last, { hold: true });
  run(one);
  assert.ok(!one.startOrder.includes(last), `${last} was started`);
  assert.deepEqual([one.startOrder.length, one.jobs.get(last)?.status], [39, "ready"]);
});

Deno.test("random trouble: no job starts before those that it comes after have ended well, however the manager dies", () => {
  for (let seed = 0; seed < 40; seed++) {
    const jobs = Array.from({ length: 30 }, (_, i) => {
      const after = [i - 1 - (seed % 3), i - 7].filter((at) => at >= 0 && (i + seed) % 4 !== 0).map((at) => `j${at}`);
      return job(`j${i}`, {
        ...(after.length > 0 ? { after } : {}),
        priority: i % 3,
        retries: i % 2,
        retry_delay: "2s",
      });
    });
    const hosts = [slotHost("h1", RED, { capacity: 2 }), slotHost("h2", "pi@red01")];
    const one = new World({
      seed,
      jobs,
      hosts,
      exitCode: (name, attempt) => (name.length + attempt + seed) % 5 === 0 ? 1 : 0,
    });
    const begun = new Set<string>();
    for (let step = 0; step < 20_000 && !one.finished; step++) {
      one.tick(step < 200 ? 0.05 : 0);
      if (step === 200) { for (const machine of one.machines.values()) machine.reachable = true; }
      for (const name of one.startOrder.slice(begun.size)) begun.add(name);
      for (const { name, status, after } of one.jobs.values()) {
        if (status !== "start") continue;
        for (const parent of after ?? []) {
          const { status, exit_code } = one.jobs.get(parent as JobName)!;
          assert.deepEqual([status, exit_code], ["end", 0], `seed ${seed}: ${name} runs, and ${parent} is ${status}`);
        }
      }
    }
    assert.ok(one.finished, `seed ${seed}: the run does not end`);
    const open = [...one.jobs.values()].filter(({ status }) => !["end", "fail_start", "crash"].includes(status));
    assert.deepEqual(open.map(({ name, status }) => `${name} ${status}`), [], `seed ${seed}`);
  }
});

Deno.test("Candidates takes time in proportion to jobs and edges: a chain, a fan and a grid of 30,000", () => {
  const count = 30_000;
  const shapes: Record<string, (i: number) => string[]> = {
    chain: (i) => i === 0 ? [] : [`j${i - 1}`],
    fan: (i) => i < 100 ? [] : Array.from({ length: 10 }, (_, k) => `j${(i * 7 + k) % 100}`),
    grid: (i) => [i - 1, i - 173].filter((at) => at >= 0).map((at) => `j${at}`),
  };
  for (const [shape, after] of Object.entries(shapes)) {
    const jobs = new Map(
      Array.from({ length: count }, (_, i) => {
        const parents = after(i);
        const one = job(`j${i}`, parents.length === 0 ? {} : { after: parents });
        return [one.name, one] as const;
      }),
    );
    const candidates = new Candidates(jobs, []);
    let taken = 0;
    for (let name = candidates.peek(jobs, 0); name !== null; name = candidates.peek(jobs, 0)) {
      candidates.take(name, jobs);
      jobs.set(name, { ...jobs.get(name)!, status: "end", exit_code: 0 });
      candidates.moved(name, jobs);
      taken++;
    }
    assert.equal(taken, count, shape);
  }
});

Deno.test("Candidates puts a job back by the priority that it has now, not by the one it had when it was considered", () => {
  const jobs = new Map(["a", "b", "c"].map((name) => [job(name).name, job(name)]));
  const [a, b, c] = [...jobs.keys()] as [JobName, JobName, JobName];
  const candidates = new Candidates(jobs, []);
  for (const name of [a, b]) candidates.take(name, jobs);
  jobs.set(b, job("b", { priority: 5 }));
  candidates.apply({ ...NO_EXTERNAL_CHANGES, changed: [b] }, jobs);
  candidates.putBack([a, b], jobs);
  const order: JobName[] = [];
  for (let name = candidates.peek(jobs, 0); name !== null; name = candidates.peek(jobs, 0)) {
    candidates.take(name, jobs);
    order.push(name);
  }
  assert.deepEqual(order, [b, a, c]);
});

Deno.test("a job that comes after one that can never start is free when that is written", () => {
  const bad = job("bad", { priority: 3 });
  const never = job("never", { after: ["bad"] });
  const late = job("late", { after_any: ["never", "x"] });
  const jobs = [
    bad,
    never,
    job("x", { priority: 2 }),
    late,
    ...["l1", "l2", "l3"].map((name) => job(name, { priority: -1 })),
  ];
  const { startOrder } = run(world(jobs, { exitCode: (name) => name === "bad" ? 1 : 0 }));
  assert.deepEqual(startOrder, ["bad", "x", "l1", "late", "l2", "l3"]);
});

Deno.test("the time of a next try is written down by the wall clock, and means the same to another run", () => {
  const aheadMs = 3_600_000;
  const jobs = [job("a", { retries: 1, retry_delay: "10s" })];
  const one = world(jobs, { exitCode: () => 7 });
  one.feed({ type: "wall_clock", aheadMs });
  const a = () => one.jobs.get("a" as JobName)!;
  for (let i = 0; i < 500 && !a().not_before; i++) one.tick(0);
  const wallMs = Date.parse(a().not_before!);
  assert.ok(Math.abs(wallMs - one.nowMs - aheadMs - 10_000) < 6_000, String(wallMs - one.nowMs));
  // Another run, whose own clock began with the wall clock as it is now.
  const candidates = new Candidates(one.jobs, []);
  const nowMs = one.nowMs + aheadMs;
  assert.equal(candidates.peek(one.jobs, nowMs), null);
  assert.equal(candidates.wakeAtMs, wallMs);
  assert.equal(candidates.peek(one.jobs, wallMs + 1), "a");
});

Deno.test("who sets the wall clock while a job waits for its next try changes nothing about the wait", () => {
  for (const setMs of [-3_600_000, 3_600_000]) {
    const one = world([job("a", { retries: 1, retry_delay: "10s" })], {
      exitCode: (_, attempt) => attempt < 2 ? 7 : 0,
    });
    for (let i = 0; i < 500 && !one.jobs.get("a" as JobName)!.not_before; i++) one.tick(0);
    const beganMs = one.nowMs;
    one.feed({ type: "wall_clock", aheadMs: setMs });
    run(one);
    assert.equal(one.jobs.get("a" as JobName)!.status, "end");
    const waitedMs = one.nowMs - beganMs;
    assert.ok(waitedMs > 7_000 && waitedMs < 60_000, String(waitedMs));
  }
});

Deno.test("what is prepared ahead is looked for in a part of a queue, however many jobs wait for others", () => {
  const jobs = new Map<JobName, Job>([["parent" as JobName, job("parent")]]);
  for (let i = 0; i < 5000; i++) {
    const name = `child${i}` as JobName;
    jobs.set(name, { ...job(name), after: ["parent"] });
  }
  const candidates = new Candidates(jobs, []);
  let looks = 0;
  const counted = { get: (name: JobName) => (looks++, jobs.get(name)) } as unknown as typeof jobs;
  assert.deepEqual(upcoming(candidates, counted, 10).map(({ name }) => name), ["parent"]);
  assert.ok(looks <= 100, `${looks} looks`);
});

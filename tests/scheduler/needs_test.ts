/**
 * What jobs need and hosts have: devices, CPUs, memory, slots; who waits for them, and who may pass.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Job } from "../../src/job/job.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { NO_EXTERNAL_CHANGES } from "../../src/store/changes.ts";
import type { SlotHost } from "../../src/scheduler/slot_host.ts";
import { job as makeJob, put, seeded, slotHost, World, type WorldOptions } from "./world.ts";

const GIB = 2 ** 30;

function job(name: string, fields: Partial<Job> = {}): Job {
  return { ...makeJob(name), ...fields };
}

/** A host with devices `0` to `gpus - 1`. */
function gpuHost(id: string, at: string, gpus: number, more: Partial<SlotHost> = {}): SlotHost {
  const devices = { vendor: "nvidia" as const, ids: Array.from({ length: gpus }, (_, i) => i) };
  return slotHost(id, at, { capacity: gpus, has: { devices, cpus: 0, memory: 0 }, ...more });
}

function world(jobs: readonly Job[], hosts: readonly SlotHost[], options: Partial<WorldOptions> = {}): World {
  return new World({ seed: 1, jobs, hosts, ...options });
}

function run(one: World): World {
  one.runToEnd(0, { troubleSteps: 0, steps: 20_000 });
  return one;
}

/** Goes on until so many jobs have started. */
function runUntilStarted(one: World, count: number): void {
  for (let i = 0; i < 5_000 && one.startOrder.length < count; i++) one.tick(0);
  assert.ok(one.startOrder.length >= count, `only ${one.startOrder} started`);
}

function devicesOf(one: World): Record<string, readonly number[] | undefined | null> {
  return Object.fromEntries([...one.jobs.values()].map(({ name, devices }) => [name, devices]));
}

Deno.test("each job is given devices of its own, and they stand in its record with the start", () => {
  const one = world([job("a", { gpus: 2 }), job("b", { gpus: 1 }), job("c", { gpus: 1 })], [gpuHost("h", "pi@red", 4)]);
  runUntilStarted(one, 3);
  assert.deepEqual(devicesOf(one), { a: [0, 1], b: [2], c: [3] });
  run(one);
  assert.deepEqual(devicesOf(one), { a: [0, 1], b: [2], c: [3] });
});

Deno.test("halves share a device, the fullest first, so that whole ones stay free", () => {
  const halves = ["a", "b", "c"].map((name) => job(name, { gpus: 0.5 }));
  const one = world([...halves, job("whole", { gpus: 1 })], [gpuHost("h", "pi@red", 3, { capacity: 4 })]);
  runUntilStarted(one, 4);
  assert.deepEqual(devicesOf(one), { a: [0], b: [0], c: [1], whole: [2] });
});

Deno.test("three thirds and a tenth count as written: 0.33 fits three times, not four", () => {
  const one = world(
    ["a", "b", "c", "d"].map((name) => job(name, { gpus: 0.33 })),
    [gpuHost("h", "pi@red", 1, { capacity: 4 })],
  );
  runUntilStarted(one, 3);
  assert.equal(one.jobs.get("d" as JobName)!.status, "undefined");
  run(one);
});

Deno.test("a device that two entries of one machine name is given once", () => {
  const hosts = [gpuHost("h1", "pi@red", 2), gpuHost("h2", "pi@red", 2)];
  const one = world(["a", "b", "c"].map((name) => job(name, { gpus: 1 })), hosts);
  runUntilStarted(one, 2);
  assert.deepEqual([one.jobs.get("c" as JobName)!.status, one.startOrder], ["undefined", ["a", "b"]]);
  run(one);
});

Deno.test("CPUs and memory of an entry are never given twice", () => {
  const has = { devices: null, cpus: 8, memory: 16 * GIB };
  const one = world(
    [job("a", { cpus: 6 }), job("b", { cpus: 3 }), job("c", { memory: "10G" }), job("d", { memory: "8G" })],
    [slotHost("h", "pi@red", { capacity: 10, has })],
  );
  runUntilStarted(one, 2);
  assert.deepEqual(one.startOrder, ["a"].concat([]).concat(one.startOrder.slice(1)));
  run(one);
});

Deno.test("a job that needs two slots takes two, beside jobs that take one", () => {
  const jobs = [job("a"), job("b", { slots: 2 }), job("c"), job("d", { slots: 3 }), job("e")];
  const one = run(world(jobs, [slotHost("h", "pi@red", { capacity: 3 })]));
  assert.equal(one.core.result().completed.length, 5);
});

Deno.test("a job that needs more than is free keeps its host: those behind it do not pass it there", () => {
  const small = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => job(`s${from + i}`, { gpus: 1 }));
  const one = run(world([...small(0, 2), job("big", { gpus: 2 }), ...small(2, 12)], [gpuHost("h", "pi@red", 2)]));
  assert.equal(one.startOrder[2], "big");
});

Deno.test("others pass it on other hosts, whether they need something or not", () => {
  const hosts = [gpuHost("h1", "pi@red", 4), gpuHost("h2", "pi@blue", 1), slotHost("h3", "pi@green")];
  const jobs = [job("first", { gpus: 1 }), job("big", { gpus: 4 }), job("small", { gpus: 1 }), job("plain")];
  const one = world(jobs, hosts);
  runUntilStarted(one, 3);
  assert.deepEqual(one.startOrder.toSorted(), ["first", "plain", "small"]);
  assert.deepEqual(one.jobs.get("small" as JobName)!.slot, "h2");
  run(one);
});

Deno.test("a stream of small jobs does not starve a large one, whatever comes behind it", () => {
  const one = world([job("s0", { gpus: 1 }), job("big", { gpus: 2 })], [gpuHost("h", "pi@red", 2)]);
  for (let i = 1; i < 40; i++) {
    const more = job(`s${i}`, { gpus: 1 });
    one.jobs.set(more.name, more);
    one.feed(put(more.name));
    one.tick(0);
  }
  run(one);
  assert.equal(one.startOrder[1], "big", one.startOrder.join());
});

Deno.test("it stays with the host that it waits for", () => {
  const hosts = [gpuHost("h1", "pi@red", 2), gpuHost("h2", "pi@blue", 2)];
  const small = Array.from({ length: 30 }, (_, i) => job(`s${i}`, { gpus: 1 }));
  const one = run(world([...small.slice(0, 4), job("big", { gpus: 2 }), ...small.slice(4)], hosts));
  // Of the jobs behind it, only those start before it that fit on the other host.
  assert.ok(one.startOrder.indexOf("big" as JobName) < 15, one.startOrder.join());
});

Deno.test("a job of higher priority may take what is kept for one of lower", () => {
  const one = world([job("s0", { gpus: 1 }), job("big", { gpus: 2 })], [gpuHost("h", "pi@red", 2)]);
  runUntilStarted(one, 1);
  const urgent = job("urgent", { gpus: 1, priority: 5 });
  one.jobs.set(urgent.name, urgent);
  one.feed(put("urgent"));
  run(one);
  assert.deepEqual(one.startOrder, ["s0", "urgent", "big"]);
});

Deno.test("what fits no host is named at the end, and holds up nobody", () => {
  const hosts = [gpuHost("h", "pi@red", 2), gpuHost("off", "pi@blue", 8, { active: false })];
  const jobs = [
    ...[job("four", { gpus: 4 }), job("many", { gpus: 16 }), job("cpus", { cpus: 1 }), job("wide", { slots: 3 })],
    job("ok", { gpus: 1 }),
  ];
  const one = run(world(jobs, hosts));
  assert.deepEqual(one.startOrder, ["ok"]);
  const left = one.core.result().left.map(({ reason, jobs }) => [reason, ...jobs]);
  assert.deepEqual(left, [
    ["no active host has 4 GPUs", "four"],
    ["no host has 16 GPUs", "many"],
    ["no host has 1 CPU", "cpus"],
    ["no active host has 3 slots", "wide"],
  ]);
});

Deno.test("what fits no host runs when a host is added on which it does", () => {
  const one = world([job("s0"), job("four", { gpus: 4 })], [gpuHost("h", "pi@red", 2)]);
  runUntilStarted(one, 1);
  one.machines.set("pi@blue", one.machines.get("pi@red")!);
  one.setHosts([gpuHost("h", "pi@red", 4)]);
  run(one);
  assert.deepEqual(one.startOrder, ["s0", "four"]);
});

Deno.test("needs that a person changes count at once for a job that waits", () => {
  const one = world([job("s0", { gpus: 1 }), job("big", { gpus: 2 }), job("x", { gpus: 9 })], [
    gpuHost("h", "pi@red", 2),
  ]);
  runUntilStarted(one, 1);
  for (const name of ["big", "x"] as JobName[]) one.jobs.set(name, { ...one.jobs.get(name)!, gpus: 1 });
  one.feed({ type: "external", external: { ...NO_EXTERNAL_CHANGES, changed: ["big", "x"] as JobName[] } });
  runUntilStarted(one, 2);
  assert.deepEqual([one.startOrder, devicesOf(one).big], [["s0", "big"], [1]]);
  run(one);
  assert.deepEqual(one.startOrder, ["s0", "big", "x"]);
});

Deno.test("after a restart of the manager the devices of what runs are still its own", () => {
  const jobs = [job("a", { gpus: 1 }), job("b", { gpus: 0.5 }), job("c", { gpus: 2 }), job("d", { gpus: 0.5 })];
  const one = world(jobs, [gpuHost("h", "pi@red", 3, { capacity: 6 })]);
  runUntilStarted(one, 2);
  one.killManager();
  runUntilStarted(one, 3);
  run(one); // The world checks each start.
  assert.equal(one.core.result().failed.length, 0);
});

Deno.test("fifo passes over a job that needs something, and says why", () => {
  const one = run(world([job("a", { user: "pi", host: "red", status: "ready", gpus: 1 })], [], { fifo: 2 }));
  assert.deepEqual(one.core.result().skipped, ["a"]);
});

Deno.test("a run does not wait for ever for the one host that could hold its last jobs", () => {
  const hosts = [slotHost("h1", "pi@red"), gpuHost("h2", "pi@blue", 1)];
  const one = world([job("a"), job("b", { gpus: 1 })], hosts, { timeoutMs: 60_000 });
  one.machines.get("pi@blue")!.reachable = false;
  for (let i = 0; i < 20_000 && !one.finished; i++) one.tick(0);
  assert.equal(one.core.result().outcome, "no_hosts");
  assert.deepEqual(one.startOrder, ["a"]);
});

Deno.test("100,000 jobs of the same needs cost no more for each than 1,000", () => {
  const most = (count: number): number => {
    const jobs = Array.from({ length: count }, (_, i) => job(`j${i}`, i % 2 === 0 ? { gpus: 2 } : { gpus: 1 }));
    const one = world([job("s"), ...jobs], [gpuHost("h", "pi@red", 2), slotHost("x", "pi@blue", { capacity: 2 })]);
    runUntilStarted(one, 20);
    const start = performance.now();
    runUntilStarted(one, 60);
    return performance.now() - start;
  };
  most(1_000);
  const [few, many] = [most(1_000), most(100_000)];
  assert.ok(many < 20 * few + 200, `${few} ms with 1,000 jobs, ${many} ms with 100,000`);
});

Deno.test("in worlds full of trouble, no device, CPU, byte or slot is ever given twice", () => {
  for (let seed = 1; seed <= 250; seed++) {
    const random = seeded(seed * 7919);
    const dice = (n: number): number => Math.floor(random() * n);
    const hosts = Array.from({ length: 1 + dice(4) }, (_, i): SlotHost => {
      const machine = `pi@m${dice(3)}`;
      const has = {
        devices: dice(3) > 0 ? { vendor: "nvidia" as const, ids: [0, 1, 2, 3].slice(0, 1 + dice(4)) } : null,
        cpus: dice(9),
        memory: dice(9) * GIB,
      };
      return slotHost(`h${i}`, machine, { capacity: 1 + dice(4), ...(dice(4) > 0 ? { has } : {}) });
    });
    const jobs = Array.from({ length: 5 + dice(40) }, (_, i) =>
      job(`j${i}`, {
        ...(dice(3) === 0 ? { gpus: [0.25, 0.5, 1, 2, 4][dice(5)]! } : {}),
        ...(dice(4) === 0 ? { cpus: 1 + dice(8) } : {}),
        ...(dice(5) === 0 ? { memory: `${1 + dice(8)}G` } : {}),
        ...(dice(5) === 0 ? { slots: 1 + dice(4) } : {}),
        ...(dice(6) === 0 ? { priority: dice(3) } : {}),
      }));
    const one = world(jobs, hosts, { seed, roundTripMs: dice(2) * 400 });
    try {
      one.runToEnd(0.02, { troubleSteps: 150, steps: 20_000 });
      const waits = [...one.jobs.values()].filter(({ status }) => status === "undefined" || status === "ready");
      const named = one.core.result().left.flatMap(({ jobs }) => jobs);
      assert.deepEqual(waits.map(({ name }) => name).toSorted(), named.toSorted());
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
});

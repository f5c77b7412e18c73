/** What `queue explain` says of hosts. */
import assert from "node:assert/strict";
import { type Host, makeHost } from "../../src/cluster/host.ts";
import { type Job, makeJob } from "../../src/job/job.ts";
import { hostId, jobName } from "../../src/names/grammar.ts";
import { hostStands, machineStands } from "../../src/operations/host_stands.ts";

const NOW_MS = Date.parse("2026-01-31T12:00:00Z");

function job(name: string, fields: Partial<Job>): Job {
  return { ...makeJob(jobName(name), { command: "x" }, { id: name, experiment: "e" }), ...fields };
}

function host(id: string, fields: Partial<Host>): Host {
  return { ...makeHost(hostId(id), { name: id, user: "pi" }), ...fields };
}

/** What they say, as text. */
function said(hosts: readonly Host[], inFlight: readonly Job[], one: Job | null): string[] {
  const about = {
    machines: { "pi@red": "up", "pi@blue": "down", "pi@old": "down" },
    since: { "pi@blue": NOW_MS - 192_345 },
    again: { "pi@blue": NOW_MS + 11_200 },
  } as const;
  return hostStands(hosts, { about, inFlight, nowMs: NOW_MS }, one).map((row) => `${row.host}: ${row.stand}`);
}

Deno.test("hosts are inactive, silent since then, full, or free", () => {
  const hosts = [
    host("red", { max_jobs_allowed: 2 }),
    host("off", { status: "inactive" }),
    host("blue", {}),
    host("old", {}),
    host("green", { max_jobs_allowed: 3 }),
  ];
  // The last one was sent ahead, and waits there for a slot.
  const sent = ["b", "d"].map((name) => job(name, { status: "run", slot: "red" }));
  const runs = [job("a", { status: "start", slot: "red" }), ...sent];
  assert.deepEqual(said(hosts, [...runs, job("c", { status: "start", slot: "green", slots: 2 })], null), [
    "red: full (2 of 2)",
    "off: inactive",
    "blue: silent for 3m12s, tried again in 12s (pi@blue)",
    "old: does not answer (pi@old)",
    "green: free (2 of 3 in use)",
  ]);
  const about = {
    machines: { "pi@red": "up", "pi@blue": "down" },
    since: { "pi@blue": NOW_MS - 60_000 },
    again: { "pi@blue": NOW_MS },
  } as const;
  const inFlight = [job("a", { status: "start", user: "pi", host: "red" })];
  assert.deepEqual(machineStands({ about, inFlight, nowMs: NOW_MS }), [
    { host: "pi@red", stand: "runs 1 job" },
    { host: "pi@blue", stand: "silent for 1m, is being tried" },
  ]);
});

Deno.test("what no allocation of an entry has for a job is said before how they stand", () => {
  const slurm = { kind: "slurm", time: "1h", allocations: 2 };
  const made = makeHost(hostId("gpu"), { name: "login", user: "me", gpus: "2", cpus: 8, memory: "16G", slurm });
  const stand = "no allocation, none is asked for";
  const cases: [Partial<Job>, string][] = [
    [{}, stand],
    [{ gpus: 2, time_limit: "1h" }, stand],
    [{ gpus: 4 }, `needs 4 GPUs, an allocation has 2; ${stand}`],
    [{ cpus: 9 }, `needs 9 CPUs, an allocation has 8; ${stand}`],
    [{ memory: "17G" }, `needs 17G of memory, an allocation has 16G; ${stand}`],
    [{ slots: 3 }, `needs 3 slots, an allocation has 2; ${stand}`],
    [{ time_limit: "2h" }, `has a time limit of 2h, an allocation lasts 1h; ${stand}`],
  ];
  for (const [fields, text] of cases) assert.deepEqual(said([made], [], job("a", fields)), [`gpu: ${text}`]);
});

Deno.test("a host without what the job needs says what is missing and how much there is", () => {
  const place = { status: "start", user: "pi", host: "red" } as const;
  const gpu = host("red", { max_jobs_allowed: 4, gpus: "0-3", cpus: 8, memory: "16G" });
  const hosts = [gpu, host("plain", { max_jobs_allowed: 4 })];
  const inFlight = [
    job("a", { ...place, slot: "red", gpus: 2, devices: [0, 1], cpus: 5 }),
    job("b", { ...place, slot: "red", gpus: 0.5, devices: [2], memory: "12G" }),
    // Another entry of the same machine.
    job("c", { ...place, slot: "other", gpus: 0.75, devices: [3] }),
  ];
  const of = (needs: Partial<Job>) => said(hosts, inFlight, job("x", needs));
  assert.deepEqual(of({ gpus: 2 }), ["red: needs 2 GPUs, 0 free", "plain: needs 2 GPUs, 0 free"]);
  assert.deepEqual(of({ gpus: 0.5 }), ["red: free (2 of 4 in use)", "plain: needs 0.5 GPU, 0 free"]);
  assert.deepEqual(of({ cpus: 4 }), ["red: needs 4 CPUs, 3 free", "plain: needs 4 CPUs, 0 free"]);
  assert.deepEqual(of({ memory: "8G" })[0], "red: needs 8G of memory, 4.0 GiB free");
  assert.deepEqual(of({ slots: 3 }), ["red: needs 3 slots, 2 free", "plain: free (0 of 4 in use)"]);
});

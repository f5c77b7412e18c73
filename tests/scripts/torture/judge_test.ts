import assert from "node:assert/strict";
import { type Evidence, judge } from "../../../scripts/torture/judge.ts";
import type { Deed, Invariant } from "../../../scripts/torture/deeds.ts";
import type { Ran } from "../../../scripts/torture/jobs.ts";

/** Two jobs on two hosts that went well; job1 was reset and ran twice, job2 crashed with its host. */
function evidence(): Evidence {
  return {
    jobs: new Map([
      ["job1", { id: "aa", status: "end", host: "red", attempt: 2, exitCode: 3, note: "mine" }],
      ["job2", { id: "bb", status: "crash", host: "red01", attempt: 1, exitCode: null, note: null }],
    ]),
    ran: [
      ran("job1", "aa.1", 1_000, 2_000, { code: 3 }),
      ran("job1", "aa.2", 3_000, 4_000, { code: 3 }),
      ran("job2", "bb.1", 1_000, 2_000, { host: "red01" }),
    ],
    logs: new Map([["job1", "end"], ["job2", "crash"]]),
    slots: new Map([["red", 1], ["red01", 1]]),
    maxParallel: null,
    deeds: [deed("add", 0, 500, "job1", "job2"), deed("reset", 2_500, 2_800, "job1"), note("mine")],
    troubles: [{ type: "power", host: "red01", atMs: 2_100 }],
  };
}

function ran(job: string, attempt: string, startMs: number, lastMs: number, more: Partial<Ran> = {}): Ran {
  return { job, attempt, startMs, lastMs, host: "red", code: null, dying: false, ...more };
}

function deed(type: Deed["type"], fromMs: number, toMs: number, ...names: string[]): Deed {
  return { type, fromMs, toMs, names, done: true };
}

function note(text: string): Deed {
  return { ...deed("note", 600, 700, "job1"), text };
}

/** Breaks the evidence and says which invariants the judge then finds broken. */
function broken(change: (sound: Evidence) => Partial<Evidence>): Invariant[] {
  const sound = evidence();
  const { findings } = judge({ ...sound, ...change(sound) });
  return [...new Set(findings.map(({ invariant }) => invariant))];
}

function withJob1(change: Record<string, unknown>): Invariant[] {
  return broken(({ jobs }) => ({ jobs: new Map([...jobs, ["job1", { ...jobs.get("job1")!, ...change }]]) }));
}

Deno.test("judge() finds nothing where all went well", () => {
  const { findings, looked } = judge(evidence());
  assert.deepEqual(findings, []);
  assert.deepEqual(looked, { lost: 6, doubled: 3, state: 2, slots: 3, files: 0, program: 0 });
});

Deno.test("judge() finds an attempt that ran twice, also on another host", () => {
  const again = (host: string) =>
    broken(({ ran: all }) => ({ ran: [...all, ran("job1", "aa.2", 5_000, 6_000, { code: 3, host })] }));
  assert.deepEqual(again("red"), ["doubled"]);
  assert.ok(again("red01").includes("doubled"));
});

Deno.test("judge() finds a second attempt that nobody asked for, and one that was asked for too early", () => {
  assert.deepEqual(broken(({ deeds }) => ({ deeds: deeds.filter(({ type }) => type !== "reset") })), ["doubled"]);
  assert.deepEqual(broken(() => ({ deeds: [deed("reset", 100, 900, "job1")] })), ["doubled"]);
  assert.deepEqual(broken(() => ({ deeds: [deed("save", 2_100, 2_200, "job1")] })), []);
});

Deno.test("judge() finds two attempts of a job at once, and attempts in the wrong order", () => {
  const first = ran("job1", "aa.1", 1_000, 3_500, { host: "red01" });
  assert.ok(broken(({ ran: all }) => ({ ran: [first, ...all.slice(1, 2)], jobs: new Map() })).includes("doubled"));
  const turned = [ran("job1", "aa.2", 1_000, 2_000), ran("job1", "aa.1", 3_000, 4_000)];
  assert.ok(broken(() => ({ ran: turned, jobs: new Map() })).includes("doubled"));
});

Deno.test("judge() finds more jobs at once than there are slots, on a host and over all", () => {
  const third = ran("job3", "cc.1", 3_500, 3_600);
  assert.deepEqual(broken(({ ran: all }) => ({ ran: [...all, third] })), ["slots"]);
  assert.deepEqual(broken(() => ({ maxParallel: 1 })), ["slots"]);
  assert.deepEqual(broken(({ ran: all }) => ({ ran: [...all, ran("job3", "cc.1", 4_000, 4_100)] })), []);
});

Deno.test("judge() lets a job that was given up run on beside others, but not beyond the slots of its host", () => {
  const silent = { type: "silent", host: "red01", atMs: 1_500 } as const;
  const other = ran("job3", "cc.1", 1_200, 1_400, { host: "red01" });
  const change = (extra: readonly Ran[], troubles: Evidence["troubles"]) =>
    broken((sound) => ({ ran: [...sound.ran, ...extra], troubles: [...sound.troubles, ...troubles], maxParallel: 1 }));
  assert.deepEqual(change([], [silent]), []);
  assert.deepEqual(change([], []), ["slots"]);
  // fifo has no slots, and slots hold whoever is silent.
  const slots = (maxParallel: number | null) =>
    broken(({ ran: all, troubles }) => ({ ran: [...all, other], troubles: [...troubles, silent], maxParallel }));
  assert.deepEqual([slots(2), slots(null)], [[], ["slots"]]);
});

Deno.test("judge() finds jobs that are lost: never run, added and gone, deleted and there", () => {
  assert.deepEqual(withJob1({ status: "undefined" }), ["lost"]);
  assert.deepEqual(broken(({ deeds }) => ({ deeds: [...deeds, deed("add", 0, 1, "job3")] })), ["lost"]);
  assert.deepEqual(
    broken(({ deeds }) => ({ deeds: [...deeds, deed("add", 0, 1, "job3"), deed("delete", 2, 3, "job3")] })),
    [],
  );
  assert.deepEqual(broken(({ deeds }) => ({ deeds: [...deeds, deed("delete", 5_000, 5_100, "job1")] })), ["lost"]);
});

Deno.test("judge() finds a start after the deletion, a reset without a start, an edit that is gone", () => {
  const late = ran("job3", "cc.1", 6_000, 6_100);
  const deletion = deed("delete", 5_000, 5_100, "job3");
  assert.deepEqual(broken(({ ran: all, deeds }) => ({ ran: [...all, late], deeds: [...deeds, deletion] })), ["lost"]);
  assert.deepEqual(broken(({ deeds }) => ({ deeds: [...deeds, deed("reset", 5_000, 5_100, "job1")] })), ["lost"]);
  assert.deepEqual(withJob1({ note: null }), ["lost"]);
});

Deno.test("judge() knows that a job that was reset need not have run where its host was in trouble", () => {
  const failed = (host: string) =>
    broken(({ deeds, jobs, logs }) => ({
      deeds: [...deeds, deed("reset", 5_000, 5_100, "job1")],
      jobs: new Map([...jobs, ["job1", { ...jobs.get("job1")!, status: "fail_start", host }]]),
      logs: new Map([...logs, ["job1", null]]),
    }));
  assert.ok(!failed("red01").includes("lost"));
  assert.ok(failed("red").includes("state"));
});

Deno.test("judge() finds states that are not true", () => {
  assert.deepEqual(withJob1({ status: "start" }), ["state"]);
  assert.deepEqual(withJob1({ exitCode: 0 }), ["state"]);
  assert.deepEqual(withJob1({ attempt: 1 }), ["state"]);
  assert.deepEqual(withJob1({ attempt: 3 }), ["state"]);
  assert.deepEqual(withJob1({ host: "red01" }), ["state"]);
  assert.deepEqual(broken(({ logs }) => ({ logs: new Map([...logs, ["job1", "crash"]]) })), ["state"]);
  assert.deepEqual(broken(({ logs }) => ({ logs: new Map([...logs, ["job1", null]]) })), ["state"]);
  const killed = { ...deed("delete", 5_000, 5_100, "job1"), done: false };
  const removed = broken(({ logs, deeds }) => ({
    logs: new Map([...logs, ["job1", null]]),
    deeds: [...deeds, killed],
  }));
  assert.deepEqual(removed, []);
});

Deno.test("judge() finds a crash, a kill and a failed start without a reason", () => {
  assert.deepEqual(broken(() => ({ troubles: [] })), ["state"]);
  assert.deepEqual(broken(() => ({ troubles: [{ type: "power", host: "red01", atMs: 500 }] })), ["state"]);
  assert.deepEqual(broken(() => ({ troubles: [{ type: "silent", host: "red01", atMs: 2_100 }] })), ["state"]);
  const job2 = (status: string, troubles: Evidence["troubles"]) =>
    broken(({ jobs, logs }) => ({
      jobs: new Map([...jobs, ["job2", { ...jobs.get("job2")!, status }]]),
      logs: new Map([...logs, ["job2", status]]),
      troubles,
    }));
  assert.deepEqual(job2("kill", []), ["state"]);
  assert.deepEqual(job2("fail_start", []), ["state"]);
  const ssh = { type: "ssh", host: "red01", atMs: 2_100 } as const;
  assert.deepEqual(broken(() => ({ troubles: [ssh] })), ["state"], "no job crashes for want of its ssh");
  const unstarted = broken(({ jobs, logs, ran: all }) => ({
    jobs: new Map([...jobs, ["job2", { ...jobs.get("job2")!, status: "fail_start" }]]),
    logs: new Map([...logs].filter(([name]) => name !== "job2")),
    ran: all.filter(({ job }) => job !== "job2"),
    troubles: [ssh],
  }));
  assert.deepEqual(unstarted, []);
});

Deno.test("judge() knows further tries and time limits, where jobs have them", () => {
  const tries = { retries: 1, limitMs: 4_000, graceMs: 1_000 };
  const deeds = [deed("add", 0, 500, "job1", "job2"), note("mine")];
  const of = (more: Partial<Evidence>) => broken(() => ({ deeds, tries, ...more }));
  assert.deepEqual(of({}), []);
  assert.deepEqual(of({ tries: null }), ["doubled"]);
  const third = (sound: Evidence) => [...sound.ran, ran("job1", "aa.3", 5_000, 6_000, { code: 3 })];
  assert.ok(broken((sound) => ({ deeds, tries, ran: third(sound) })).includes("doubled"), "one more than there are");
  const well = [ran("job1", "aa.1", 1_000, 2_000, { code: 0 }), ...evidence().ran.slice(1)];
  assert.deepEqual(of({ ran: well }), ["doubled"]);
  // Nobody heard of that end: its host was cut off, or lost its power, before it could tell.
  const after = (type: "silent" | "power", atMs: number, host = "red") =>
    of({ ran: well, troubles: [...evidence().troubles, { type, host, atMs }] });
  assert.deepEqual([after("silent", 500), after("silent", 2_900), after("power", 2_900)], [[], [], []]);
  assert.deepEqual([after("silent", 3_100), after("silent", 2_900, "red01")], [["doubled"], ["doubled"]]);
  // One that was sent ahead may have begun on a host that was cut off long before, and run beside the next.
  const beside = ran("job1", "aa.2", 22_000, 23_000, { code: 3, host: "red01" });
  const both = [ran("job1", "aa.1", 20_000, 25_000, { code: 0 }), beside, evidence().ran[2]!];
  const cutAt = (atMs: number): boolean =>
    of({ ran: both, troubles: [...evidence().troubles, { type: "silent", host: "red", atMs }] }).includes("doubled");
  assert.deepEqual([cutAt(10_000), cutAt(30_000)], [false, true]);
  const long = [ran("job1", "aa.1", 1_000, 20_000, { code: 3 }), ran("job1", "aa.2", 21_000, 22_000, { code: 3 })];
  assert.deepEqual(of({ ran: [...long, ...evidence().ran.slice(2)] }), ["state"]);
  const killed = (lastMs: number): Invariant[] =>
    broken(({ jobs, ran: all }) => ({
      deeds,
      tries,
      jobs: new Map([...jobs, ["job1", { ...jobs.get("job1")!, status: "kill", exitCode: 143 }]]),
      logs: new Map([["job1", "kill"], ["job2", "crash"]]),
      ran: [all[0]!, ran("job1", "aa.2", 3_000, lastMs), all[2]!],
    }));
  assert.deepEqual([killed(7_000), killed(4_000)], [[], ["state"]]);
});

/** resetJobs() and deleteJobs() of jobs in flight whose scheduler is gone, with hosts that are made up. */
import assert from "node:assert/strict";
import type { Deps } from "../../src/deps.ts";
import { parseMachine } from "../../src/cluster/machine.ts";
import { LinkError } from "../../src/errors.ts";
import type { Connect, Link } from "../../src/link/link.ts";
import { jobName } from "../../src/names/grammar.ts";
import { ALL_JOBS, jobsNamed } from "../../src/operations/select_jobs.ts";
import { createQueue } from "../../src/operations/create_queue.ts";
import { deleteJobs } from "../../src/operations/delete_jobs.ts";
import { listJobs } from "../../src/operations/list_jobs.ts";
import { queueRef } from "../../src/operations/refs.ts";
import { resetJobs } from "../../src/operations/reset_jobs.ts";
import { openQueue } from "../../src/store/queue_file.ts";
import { failingFiles } from "../store/failing_files.ts";
import { newJob, put, set } from "../store/support.ts";
import { memoryDeps, MemoryFiles } from "../../testing/memory_files.ts";
import { askedToKill } from "./made_up_scheduler.ts";

const ENDED = { type: "ended", state: "kill", exitCode: 143, startedAtMs: null, endedAtMs: null } as const;
const WATCH = { warn: (text: string) => assert.fail(text) };

/** A queue with a job that runs and one that was decided and never came to its host. */
async function withJobs(
  use: (deps: Deps, connect: Connect, removals: string[]) => Promise<void>,
): Promise<void> {
  const deps = memoryDeps();
  const queue = queueRef(deps, { queue: "a" });
  await createQueue(deps, { queue });
  const store = await openQueue(deps, queue);
  const place = { user: "pi", host: "red", boot: "b", attempt: 1 };
  await store.commit(() => [
    { type: "put", job: newJob("runs", "x", { ...place, status: "start" }) },
    { type: "put", job: newJob("lost", "x", { ...place, status: "run" }) },
  ]);
  store.close();
  const removals: string[] = [];
  const link: Partial<Link> = {
    machine: parseMachine("pi@red"),
    boot: "b",
    kill: (attempts) => Promise.resolve(attempts.map(({ job }) => job === "runs" ? ENDED : { type: "none" })),
    forbid: (attempts) => Promise.resolve(attempts.map(() => ({ type: "forbidden" }))),
    async remove(jobs) {
      const states = (await listJobs(deps, { queue })).map(({ name, status }) => `${name} ${status}`);
      removals.push(`${jobs.map(({ job }) => job).join(",")} while ${states.join(", ")}`);
      return jobs.map(() => "removed");
    },
    close: () => Promise.resolve(),
  };
  await use(deps, () => Promise.resolve(link as Link), removals);
}

Deno.test("resetJobs() writes down how a job ended before its directory goes, and moves it only as it may", async () => {
  await withJobs(async (deps, connect, removals) => {
    const queue = queueRef(deps, { queue: "a" });
    const { changes } = await resetJobs(deps, { queue, selection: ALL_JOBS }, WATCH, connect);
    assert.deepEqual(removals, ["runs,lost while runs kill, lost ready"]);
    assert.deepEqual(changes.map((change) => `${change.job} ${change.old} ${change.new}`), [
      "runs start ready",
      "lost run ready",
    ]);
  });
});

Deno.test("resetJobs() and deleteJobs() hold the queue until the directories are gone: no run begins between the end of a job and that", async () => {
  for (const act of [resetJobs, deleteJobs]) {
    await withJobs(async (deps, connect) => {
      const queue = queueRef(deps, { queue: "a" });
      const holders: (string | undefined)[] = [];
      const look: Connect = async (machine, options) => {
        const link = await connect(machine, options);
        const remove: Link["remove"] = async (attempts) => {
          const other = await openQueue(deps, queue);
          holders.push((await other.claimRun("0123abcd"))?.run);
          other.close();
          return await link.remove(attempts);
        };
        return { ...link, remove };
      };
      await act(deps, { queue, selection: jobsNamed(["runs", "lost"]) }, WATCH, look);
      assert.equal(holders.length, 1);
      assert.notEqual(holders[0], undefined, "a run may begin meanwhile");
    });
  }
});

Deno.test("resetJobs() ends a job that runs, whatever its state says", async () => {
  for (const status of ["ready", "end", "crash"] as const) {
    const deps = memoryDeps();
    const queue = queueRef(deps, { queue: "a" });
    await createQueue(deps, { queue });
    const store = await openQueue(deps, queue);
    await store.commit(() => [put("runs", "x", { user: "pi", host: "red", attempt: 3, status })]);
    store.close();
    const done: string[] = [];
    const link: Partial<Link> = {
      machine: parseMachine("pi@red"),
      kill(attempts) {
        done.push(...attempts.map(({ attempt }) => `kill .${attempt.split(".")[1]}`));
        return Promise.resolve(attempts.map(() => ENDED));
      },
      remove: (jobs) => Promise.resolve(jobs.map(() => done.length > 0 ? "removed" : "alive")),
      close: () => Promise.resolve(),
    };
    const request = { queue, selection: jobsNamed(["runs"]) };
    const { failed } = await resetJobs(deps, request, WATCH, () => Promise.resolve(link as Link));
    assert.deepEqual([done, failed], [["kill .3"], []], status);
  }
});

Deno.test("resetJobs() leaves alone what waits while a scheduler may start it at any moment", async () => {
  const deps = memoryDeps();
  const queue = queueRef(deps, { queue: "a" });
  await createQueue(deps, { queue });
  const store = await openQueue(deps, queue);
  await store.claimRun("run", { scheduler: "fifo", cluster: null, slots: 1, machines: {} });
  await store.commit(() => [put("waits", "x", { user: "pi", host: "red", attempt: 1, status: "ready" })]);
  const link: Partial<Link> = {
    machine: parseMachine("pi@red"),
    remove: () => assert.fail("removed"),
    close: () => Promise.resolve(),
  };
  const request = { queue, selection: ALL_JOBS };
  const { changes, failed } = await resetJobs(deps, request, WATCH, () => Promise.resolve(link as Link));
  assert.deepEqual([changes, failed], [[], []]);
  store.close();
});

Deno.test("resetJobs() removes nothing from hosts while the manager's disk is full", async () => {
  const failure = { at: Infinity, moment: "before", code: "ENOSPC" } as const;
  const failures: { at: number } = failure;
  const files = failingFiles(new MemoryFiles(), failure);
  const deps = memoryDeps(files);
  const queue = queueRef(deps, { queue: "a" });
  await createQueue(deps, { queue });
  const store = await openQueue(deps, queue);
  await store.claimRun("run", { scheduler: "fifo", cluster: null, slots: 1, machines: {} });
  await store.commit(() => [put("over", "x", { user: "pi", host: "red", attempt: 1, status: "end" })]);
  const link: Partial<Link> = {
    machine: parseMachine("pi@red"),
    remove: () => assert.fail("removed"),
    close: () => Promise.resolve(),
  };
  failures.at = files.count() + 1;
  const request = { queue, selection: jobsNamed(["over"]) };
  await assert.rejects(resetJobs(deps, request, WATCH, () => Promise.resolve(link as Link)), /cannot write/);
  store.close();
});

Deno.test("resetJobs() leaves a job alone that was alive when the link to its host broke", async () => {
  const deps = memoryDeps();
  const queue = queueRef(deps, { queue: "a" });
  await createQueue(deps, { queue });
  const store = await openQueue(deps, queue);
  await store.commit(() => [put("runs", "x", { user: "pi", host: "red", attempt: 1, status: "crash", boot: "b" })]);
  store.close();
  const link: Partial<Link> = {
    machine: parseMachine("pi@red"),
    kill: () => Promise.reject(new LinkError("pi@red", "cut", false)),
    remove: (jobs) => Promise.resolve(jobs.map(() => "alive")),
    close: () => Promise.resolve(),
  };
  const watch = { warn: () => {} };
  const request = { queue, selection: ALL_JOBS };
  const { changes, failed } = await resetJobs(deps, request, watch, () => Promise.resolve(link as Link));
  assert.deepEqual([changes, failed], [[], ["runs"]]);
});

Deno.test("resetJobs() of a job that was given up, on a host that does not answer, says that it may run twice", async () => {
  const deps = memoryDeps();
  const queue = queueRef(deps, { queue: "a" });
  await createQueue(deps, { queue });
  const store = await openQueue(deps, queue);
  const crashed = { user: "pi", host: "red", attempt: 1, status: "crash" } as const;
  await store.commit(() => [
    { type: "put", job: newJob("silent", "x", { ...crashed, boot: "b" }) },
    { type: "put", job: newJob("gone", "x", { ...crashed, boot: null }) },
  ]);
  store.close();
  const warnings: string[] = [];
  const connect: Connect = () => Promise.reject(new LinkError("pi@red", "no route to host", false));
  const watch = { warn: (text: string) => void warnings.push(text) };
  const { changes } = await resetJobs(deps, { queue, selection: ALL_JOBS }, watch, connect);
  assert.deepEqual(changes.map(({ job, new: now }) => `${job} ${now}`), ["silent ready", "gone ready"]);
  assert.equal(warnings.length, 2, warnings.join("\n"));
  assert.match(warnings[0]!, /pi@red.*no route to host/);
  assert.match(warnings[1]!, /^Given up earlier, and may still run on a host that does not answer: silent\./);
});

Deno.test("deleteJobs() writes down how a job ended before its directory goes", async () => {
  await withJobs(async (deps, connect, removals) => {
    const queue = queueRef(deps, { queue: "a" });
    const { deleted } = await deleteJobs(deps, { queue, selection: jobsNamed(["runs", "lost"]) }, WATCH, connect);
    assert.deepEqual(removals, ["runs,lost while runs kill, lost ready"]);
    assert.deepEqual(deleted, ["runs", "lost"]);
  });
});

Deno.test("resetJobs() makes a scheduler's record of an end durable before the job's directory goes", async () => {
  const files = new MemoryFiles();
  const deps = memoryDeps(files);
  const queue = queueRef(deps, { queue: "a" });
  await createQueue(deps, { queue });
  const scheduler = await openQueue(memoryDeps(files, { pid: 2 }), queue);
  const place = { user: "pi", host: "red", boot: "b", attempt: 1, status: "start" } as const;
  await scheduler.commit(() => [{ type: "put", job: newJob("runs", "x", place) }]);
  await scheduler.claimRun("run", { scheduler: "fifo", cluster: null, slots: 1, machines: {} });
  const ends = async (): Promise<void> => {
    await askedToKill(scheduler);
    await scheduler.commit(() => [set("runs", { status: "kill" })], { durable: false });
  };
  let left: string[] = [];
  const link: Partial<Link> = {
    machine: parseMachine("pi@red"),
    kill: (attempts) => Promise.resolve(attempts.map(() => ENDED)),
    async remove(jobs) {
      files.powerCut();
      left = (await listJobs(deps, { queue })).map(({ name, status }) => `${name} ${status}`);
      return jobs.map(() => "removed");
    },
    close: () => Promise.resolve(),
  };
  const request = { queue, selection: jobsNamed([jobName("runs")]) };
  await Promise.all([ends(), resetJobs(deps, request, WATCH, () => Promise.resolve(link as Link))]);
  assert.deepEqual(left, ["runs kill"]);
  scheduler.close();
});

Deno.test("resetJobs() removes nothing of jobs that a scheduler called back or began anew before it could end them", async () => {
  const files = new MemoryFiles();
  const deps = memoryDeps(files);
  const queue = queueRef(deps, { queue: "a" });
  await createQueue(deps, { queue });
  const scheduler = await openQueue(memoryDeps(files, { pid: 2 }), queue);
  const place = { user: "pi", host: "red", boot: "b", attempt: 1, status: "run" } as const;
  await scheduler.commit(() => [put("waits", "x", place), put("again", "x", place), put("ends", "x", place)]);
  await scheduler.claimRun("run", { scheduler: "fifo", cluster: null, slots: 1, machines: {} });
  const acts = async (): Promise<void> => {
    await askedToKill(scheduler);
    const again = [set("again", { status: "ready" }), set("again", { status: "run", attempt: 2 })];
    const ends = [set("again", { status: "end" }), set("ends", { status: "kill" })];
    await scheduler.commit(() => [set("waits", { status: "ready" }), ...again, ...ends]);
  };
  const removed: string[] = [];
  const link: Partial<Link> = {
    machine: parseMachine("pi@red"),
    remove(attempts) {
      removed.push(...attempts.map(({ job, attempt }) => `${job} ${attempt.split(".")[1]}`));
      return Promise.resolve(attempts.map(() => "removed"));
    },
    close: () => Promise.resolve(),
  };
  const request = { queue, selection: ALL_JOBS };
  await Promise.all([acts(), resetJobs(deps, request, WATCH, () => Promise.resolve(link as Link))]);
  assert.deepEqual(removed, ["ends 1"]);
  scheduler.close();
});

Deno.test("resetJobs() without a scheduler removes what came after an old copy of the file", async () => {
  const deps = memoryDeps();
  const queue = queueRef(deps, { queue: "a" });
  await createQueue(deps, { queue });
  const store = await openQueue(deps, queue);
  const place = { user: "pi", host: "red", attempt: 1, status: "end" } as const;
  await store.commit(() => [put("again", "x", place), put("gone", "x", place), put("foreign", "x", place)]);
  const idOf = (name: string): string => store.jobs.get(jobName(name))!.id;
  store.close();
  const removed: string[] = [];
  const link: Partial<Link> = {
    machine: parseMachine("pi@red"),
    ask: (attempts) =>
      Promise.resolve(
        attempts.map(({ job }) =>
          job === "again" ? { type: "other", attempt: `${idOf("again")}.3`, alive: false } : { type: "none" }
        ),
      ),
    remove(attempts) {
      removed.push(...attempts.map(({ job, attempt }) => `${job} ${attempt.split(".")[1]}`));
      return Promise.resolve(
        attempts.map(({ job, attempt }) => job === "gone" || attempt.endsWith(".3") ? "removed" : "later"),
      );
    },
    close: () => Promise.resolve(),
  };
  const warnings: string[] = [];
  const watch = { warn: (text: string) => void warnings.push(text) };
  const request = { queue, selection: jobsNamed(["again", "gone", "foreign"]) };
  const { changes } = await resetJobs(deps, request, watch, () => Promise.resolve(link as Link));
  assert.deepEqual(removed, ["again 1", "gone 1", "foreign 1", "again 3", "foreign 1"]);
  assert.equal(changes.length, 3);
  assert.deepEqual(warnings, ["Another job foreign was started in the directory on pi@red, which was left alone"]);
});

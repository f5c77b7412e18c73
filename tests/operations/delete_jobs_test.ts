/** deleteJobs() beside a scheduler that is made up. */
import assert from "node:assert/strict";
import type { Deps } from "../../src/deps.ts";
import { parseMachine } from "../../src/cluster/machine.ts";
import { LinkError } from "../../src/errors.ts";
import type { Link } from "../../src/link/link.ts";
import { jobsNamed } from "../../src/operations/select_jobs.ts";
import { addJobs } from "../../src/operations/add_jobs.ts";
import { createQueue } from "../../src/operations/create_queue.ts";
import { deleteJobs } from "../../src/operations/delete_jobs.ts";
import { listJobs } from "../../src/operations/list_jobs.ts";
import { queueRef } from "../../src/operations/refs.ts";
import { storePaths } from "../../src/store/paths.ts";
import { openQueue } from "../../src/store/queue_file.ts";
import type { QueueStore, StoreRef } from "../../src/store/store.ts";
import { newJob, put, set } from "../store/support.ts";
import { memoryDeps, MemoryFiles } from "../../testing/memory_files.ts";
import { askedToKill } from "./made_up_scheduler.ts";

const ABOUT = { scheduler: "fifo", cluster: null, slots: 1, machines: {} } as const;
const WATCH = { warn: (text: string) => assert.fail(text) };
const ENDED = { type: "ended", state: "kill", exitCode: 143, startedAtMs: null, endedAtMs: null } as const;

interface World {
  readonly files: MemoryFiles;
  /** Time passes a hundred times as fast. */
  readonly deps: Deps;
  readonly queue: StoreRef;
  /** The queue as its scheduler has it. */
  readonly scheduler: QueueStore;
  readonly names: () => Promise<string[]>;
}

/** A queue with a job that waits and one that runs, and its scheduler. */
async function withScheduler(use: (world: World) => Promise<void>): Promise<void> {
  const files = new MemoryFiles();
  const { clock, ...others } = memoryDeps(files);
  const beganMs = clock.now();
  const now = () => beganMs + 100 * (clock.now() - beganMs);
  const sleepUntil = (atMs: number) => clock.sleepUntil(clock.now() + (atMs - now()) / 100);
  const deps = { ...others, clock: { now, epochMs: now, sleepUntil } };
  const queue = queueRef(deps, { queue: "a" });
  await createQueue(deps, { queue });
  const scheduler = await openQueue(memoryDeps(files, { pid: 2 }), queue);
  await scheduler.commit(() => [
    { type: "put", job: newJob("waits") },
    { type: "put", job: newJob("runs", "x", { user: "pi", host: "red", boot: "b", attempt: 1, status: "start" }) },
  ]);
  assert.equal(await scheduler.claimRun("run", ABOUT), null);
  const names = async () => (await listJobs(deps, { queue })).map(({ name }) => name);
  await use({ files, deps, queue, scheduler, names });
  scheduler.close();
}

/** A link to a host that is there, and what was killed over it. */
function linkTo(killed: string[]): Link {
  const link: Partial<Link> = {
    machine: parseMachine("pi@red"),
    boot: "b",
    kill(attempts) {
      killed.push(...attempts.map(({ job }) => job));
      return Promise.resolve(attempts.map(() => ENDED));
    },
    remove: (jobs) => Promise.resolve(jobs.map(() => "removed")),
    close: () => Promise.resolve(),
  };
  return link as Link;
}

Deno.test("deleteJobs() leaves a job alone that was added meanwhile under the name of one that it deleted", async () => {
  await withScheduler(async ({ deps, queue, scheduler, names }) => {
    const request = { queue, selection: jobsNamed(["waits", "runs"]) };
    const deleting = deleteJobs(deps, request, WATCH, () => Promise.resolve(linkTo([])));
    await askedToKill(scheduler);
    assert.deepEqual(await names(), ["runs"]);
    await addJobs(deps, { queue, name: "waits", spec: { command: "new" } });
    await scheduler.commit(() => [set("runs", { status: "kill" })]);
    assert.deepEqual(await deleting, { deleted: ["waits", "runs"], missing: [], failed: [] });
    assert.deepEqual(await names(), ["waits"]);
  });
});

Deno.test("deleteJobs() kills itself what a scheduler leaves that ends or dies meanwhile", async () => {
  await withScheduler(async ({ deps, queue, scheduler, names }) => {
    const killed: string[] = [];
    const request = { queue, selection: jobsNamed(["waits", "runs"]) };
    const deleting = deleteJobs(deps, request, WATCH, () => Promise.resolve(linkTo(killed)));
    await askedToKill(scheduler);
    scheduler.close();
    assert.deepEqual(await deleting, { deleted: ["waits", "runs"], missing: [], failed: [] });
    assert.deepEqual([killed, await names()], [["runs"], []]);
  });
});

Deno.test("deleteJobs() asks the next scheduler to end what one leaves that ends or dies meanwhile", async () => {
  await withScheduler(async ({ files, deps, queue, scheduler, names }) => {
    const killed: string[] = [];
    const deleting = deleteJobs(
      deps,
      { queue, selection: jobsNamed(["runs"]) },
      WATCH,
      () => Promise.resolve(linkTo(killed)),
    );
    await askedToKill(scheduler);
    // The next one has the queue when somebody looks.
    const next = await openQueue(memoryDeps(files, { pid: 3 }), queue);
    const who = { pid: 3, hostname: "manager", run: "next", about: ABOUT };
    files.edit(storePaths(queue, "queue").run, JSON.stringify(who));
    await askedToKill(next);
    await next.commit(() => [set("runs", { status: "kill" })]);
    next.close();
    assert.deepEqual(await deleting, { deleted: ["runs"], missing: [], failed: [] });
    assert.deepEqual([killed, await names()], [[], ["waits"]]);
  });
});

Deno.test("deleteJobs() keeps a job that its scheduler cannot end, and one on a host that does not answer, unless it is forced", async () => {
  for (const [leaves, force] of [[false, false], [true, false], [false, true], [true, true]]) {
    await withScheduler(async ({ deps, queue, scheduler, names }) => {
      const warnings: string[] = [];
      const watch = { warn: (text: string) => void warnings.push(text) };
      const connect = () => Promise.reject(new LinkError("pi@red", "no route to host", false));
      const deleting = deleteJobs(deps, { queue, selection: jobsNamed(["runs"]), force }, watch, connect);
      await askedToKill(scheduler);
      if (leaves) scheduler.close();
      const [deleted, failed] = force ? [["runs"], []] : [[], ["runs"]];
      assert.deepEqual(await deleting, { deleted, missing: [], failed });
      assert.deepEqual(await names(), force ? ["waits"] : ["waits", "runs"]);
      assert.match(warnings.join(), leaves ? /^Cannot reach pi@red.*runs/ : /^Job runs could not be killed/);
      assert.equal(/Job runs may still run on pi@red: only its entry was deleted/.test(warnings.join()), force);
    });
  }
});

Deno.test("deleteJobs() neither ends nor waits for a job that got the name of one that it ends", async () => {
  await withScheduler(async ({ deps, queue, scheduler, names }) => {
    const deleting = deleteJobs(
      deps,
      { queue, selection: jobsNamed(["runs"]) },
      WATCH,
      () => Promise.resolve(linkTo([])),
    );
    await askedToKill(scheduler);
    const place = { user: "pi", host: "red", boot: "b", attempt: 1, status: "start" } as const;
    await scheduler.commit(() => [put("runs", "other", { ...place, id: "f".repeat(32) })]);
    assert.deepEqual((await deleting).failed, []);
    assert.deepEqual((await scheduler.sync()).kill, []);
    assert.deepEqual((await names()).sort(), ["runs", "waits"]);
  });
});

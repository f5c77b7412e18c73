/** deleteJobs() beside a scheduler that is made up. */
import assert from "node:assert/strict";
import type { Deps } from "../../src/deps.ts";
import type { Link } from "../../src/link/link.ts";
import { addJobs } from "../../src/operations/add_jobs.ts";
import { createQueue } from "../../src/operations/create_queue.ts";
import { deleteJobs } from "../../src/operations/delete_jobs.ts";
import { listJobs } from "../../src/operations/list_jobs.ts";
import { queueRef } from "../../src/operations/refs.ts";
import { openQueue } from "../../src/store/queue_file.ts";
import type { QueueStore, StoreRef } from "../../src/store/store.ts";
import { newJob, set } from "../store/support.ts";
import { memoryDeps, MemoryFiles } from "../support/memory_files.ts";
import { waitUntil } from "../support/wait.ts";

const ABOUT = { scheduler: "fifo", cluster: null, slots: 1, machines: {} } as const;
const WATCH = { warn: (text: string) => assert.fail(text) };

interface World {
  readonly deps: Deps;
  readonly queue: StoreRef;
  /** The queue as its scheduler has it. */
  readonly scheduler: QueueStore;
  readonly names: () => Promise<string[]>;
}

/** A queue with a job that waits and one that runs, and its scheduler. */
async function withScheduler(use: (world: World) => Promise<void>): Promise<void> {
  const files = new MemoryFiles();
  const deps = memoryDeps(files);
  const queue = queueRef(deps, { queue: "a" });
  await createQueue(deps, { queue });
  const scheduler = await openQueue(memoryDeps(files, { pid: 2 }), queue);
  await scheduler.commit(() => [
    { type: "put", job: newJob("waits") },
    { type: "put", job: newJob("runs", "x", { user: "pi", host: "red", boot: "b", attempt: 1, status: "start" }) },
  ]);
  assert.equal(await scheduler.claimRun("run", ABOUT), null);
  const names = async () => (await listJobs(deps, { queue })).map(({ name }) => name);
  await use({ deps, queue, scheduler, names });
  scheduler.close();
}

/** Waits until the scheduler is asked to end jobs. */
function askedToKill(scheduler: QueueStore): Promise<boolean> {
  return waitUntil("the request to kill", async () => (await scheduler.sync()).kill.length > 0);
}

Deno.test("deleteJobs() leaves a job alone that was added meanwhile under the name of one that it deleted", async () => {
  await withScheduler(async ({ deps, queue, scheduler, names }) => {
    const link: Partial<Link> = {
      remove: (jobs) => Promise.resolve(jobs.map(() => "removed")),
      close: () => Promise.resolve(),
    };
    const request = { queue, names: ["waits", "runs"] };
    const deleting = deleteJobs(deps, request, WATCH, () => Promise.resolve(link as Link));
    await askedToKill(scheduler);
    assert.deepEqual(await names(), ["runs"]);
    await addJobs(deps, { queue, name: "waits", spec: { command: "new" } });
    await scheduler.commit(() => [set("runs", { status: "kill" })]);
    assert.deepEqual(await deleting, { deleted: ["waits", "runs"], missing: [], failed: [] });
    assert.deepEqual(await names(), ["waits"]);
  });
});

/** killJobs() of jobs whose scheduler is gone, with a host that is made up. */
import assert from "node:assert/strict";
import type { AttemptState, Link } from "../../src/link/link.ts";
import { createQueue } from "../../src/operations/create_queue.ts";
import { killJobs } from "../../src/operations/kill_jobs.ts";
import { listJobs } from "../../src/operations/list_jobs.ts";
import { queueRef } from "../../src/operations/refs.ts";
import { openQueue } from "../../src/store/queue_file.ts";
import { put } from "../store/support.ts";
import { memoryDeps } from "../../testing/memory_files.ts";

const WATCH = { warn: (text: string) => assert.fail(text) };

/**
 * Kills a job in this state, on a host that answers `kill` and then `forbid` so.
 * @returns The job's state then, whether it was forbidden, and whether the command says that it may still run.
 */
async function killed(
  status: "run" | "start",
  answers: { kill: AttemptState; forbid: AttemptState },
): Promise<{ status: string | undefined; isForbidden: boolean; failed: number }> {
  const deps = memoryDeps();
  const queue = queueRef(deps, { queue: "a" });
  await createQueue(deps, { queue });
  const store = await openQueue(deps, queue);
  await store.commit(() => [put("job", "x", { user: "pi", host: "red", boot: "b", attempt: 1, status })]);
  store.close();
  let isForbidden = false;
  const link: Partial<Link> = {
    boot: "b",
    kill: (attempts) => Promise.resolve(attempts.map(() => answers.kill)),
    forbid(attempts) {
      isForbidden = true;
      return Promise.resolve(attempts.map(() => answers.forbid));
    },
    close: () => Promise.resolve(),
  };
  const { failed } = await killJobs(deps, { queue, names: ["job"] }, WATCH, () => Promise.resolve(link as Link));
  const [job] = await listJobs(deps, { queue });
  return { status: job?.status, isForbidden, failed: failed.length };
}

Deno.test("killJobs() calls a start off that never reached its host", async () => {
  const answers = { kill: { type: "none" }, forbid: { type: "forbidden" } } as const;
  assert.deepEqual(await killed("run", answers), { status: "ready", isForbidden: true, failed: 0 });
});

Deno.test("killJobs() takes a job that ran and left no trace for a crash, and forbids nothing", async () => {
  const answers = { kill: { type: "none" }, forbid: { type: "forbidden" } } as const;
  assert.deepEqual(await killed("start", answers), { status: "crash", isForbidden: false, failed: 0 });
});

Deno.test("killJobs() takes a job that ran for a crash also if its host says that it never started", async () => {
  const answers = { kill: { type: "forbidden" }, forbid: { type: "forbidden" } } as const;
  assert.deepEqual(await killed("start", answers), { status: "crash", isForbidden: false, failed: 0 });
});

Deno.test("killJobs() leaves a start as it is that could not be called off, and says so", async () => {
  const answers = { kill: { type: "none" }, forbid: { type: "claimed" } } as const;
  assert.deepEqual(await killed("run", answers), { status: "run", isForbidden: true, failed: 1 });
});

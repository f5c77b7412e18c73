/** runQueue() over hosts that are made up. */
import assert from "node:assert/strict";
import type { Connect, Link } from "../../src/link/link.ts";
import { jobName } from "../../src/names/grammar.ts";
import { addHosts } from "../../src/operations/add_hosts.ts";
import { createCluster } from "../../src/operations/create_cluster.ts";
import { createQueue } from "../../src/operations/create_queue.ts";
import { clusterRef, queueRef } from "../../src/operations/refs.ts";
import { runQueue } from "../../src/operations/run_queue.ts";
import { setHostStatus } from "../../src/operations/set_host_status.ts";
import { openQueue } from "../../src/store/queue_file.ts";
import { put } from "../store/support.ts";
import { memoryDeps } from "../../testing/memory_files.ts";

Deno.test("runQueue() sees hosts that are activated and deactivated while it opens the queue", async () => {
  const deps = memoryDeps();
  const [queue, cluster] = [queueRef(deps, { queue: "a" }), clusterRef(deps, { cluster: "c" })];
  await createQueue(deps, { queue });
  await createCluster(deps, { cluster });
  await addHosts(deps, { cluster, id: "red", spec: { name: "red", user: "pi", status: "active" } });
  await addHosts(deps, { cluster, id: "blue", spec: { name: "blue", user: "pi", status: "inactive" } });
  const started: string[] = [];
  const connect: Connect = (machine, { onEvent }) => {
    const link: Partial<Link> = {
      machine,
      boot: "b",
      prepare() {},
      unprepare() {},
      backlog() {},
      start(requests) {
        for (const { job, attempt } of requests) {
          started.push(`${job} on ${machine.name}`);
          onEvent({ type: "ended", job, attempt, state: "end", exitCode: 0, atMs: 0 });
        }
      },
      close: () => Promise.resolve(),
    };
    return Promise.resolve(link as Link);
  };
  const request = { queue, scheduler: "fifo_multi", hosts: [], cluster, timeoutMs: 60_000 } as const;
  const never = new AbortController().signal;
  const { outcome } = await runQueue(
    deps,
    request,
    { onEvent: () => {}, stop: never, leave: never },
    connect,
    async (itsDeps, ref) => {
      await setHostStatus(deps, { cluster, id: "red", status: "inactive" });
      await setHostStatus(deps, { cluster, id: "blue", status: "active" });
      const store = await openQueue(itsDeps, ref);
      await store.commit(() => [put("x")]);
      return store;
    },
  );
  assert.deepEqual([started, outcome], [["x on blue"], "done"]);
});

Deno.test("runQueue() ends a job that somebody asks to be killed while it opens the queue", async () => {
  const deps = memoryDeps();
  const queue = queueRef(deps, { queue: "a" });
  await createQueue(deps, { queue });
  const killed: string[] = [];
  const connect: Connect = (machine, { onEvent }) => {
    const ended = { state: "kill", exitCode: 143 } as const;
    const link: Partial<Link> = {
      machine,
      boot: "b",
      ask: (attempts) =>
        Promise.resolve(attempts.map(() => ({ type: "alive", pid: 7, startedAtMs: 0, orphan: false }))),
      kill(attempts) {
        for (const { job, attempt } of attempts) {
          killed.push(job);
          onEvent({ type: "ended", job, attempt, ...ended, atMs: 0 });
        }
        return Promise.resolve(attempts.map(() => ({ type: "ended", ...ended, startedAtMs: 0, endedAtMs: 0 })));
      },
      close: () => Promise.resolve(),
    };
    return Promise.resolve(link as Link);
  };
  const never = new AbortController().signal;
  const place = { user: "pi", host: "red", boot: "b", attempt: 1, status: "start" } as const;
  await runQueue(
    deps,
    { queue, scheduler: "fifo", maxParallel: 1, timeoutMs: 60_000 },
    { onEvent: () => {}, stop: never, leave: never },
    connect,
    async (itsDeps, ref) => {
      const other = await openQueue(deps, ref);
      await other.commit(() => [put("x", "true", place)]);
      const store = await openQueue(itsDeps, ref);
      await other.commit(() => [{ type: "kill", jobs: [jobName("x")] }]);
      other.close();
      return store;
    },
  );
  assert.deepEqual(killed, ["x"]);
});

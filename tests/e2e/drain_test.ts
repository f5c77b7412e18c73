/**
 * Draining real hosts: during a run, and where none follows what runs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { GATED, isAlive, ranOn, release, releaseAll, waitForStarted } from "../../testing/gated.ts";
import { Manager } from "../../testing/harness.ts";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import type { TestHosts } from "../../testing/hosts.ts";

async function withCluster(hosts: TestHosts, jobs: string): Promise<Manager> {
  const manager = await Manager.make(hosts);
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", `--name=${jobs}`, "--command", GATED);
  await manager.ok("cluster", "create", "c");
  await manager.ok("cluster", "add", "c", "--id=h1", "--name=red", "--user=pi");
  await manager.ok("cluster", "add", "c", "--id=h2", "--name=red01", "--user=pi");
  return manager;
}

hostTest("drain: returns when the host's last job is over, and no further one starts there", async (hosts) => {
  await using manager = await withCluster(hosts, "job[1-6]");
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hostfile=c");
  await waitForStarted(manager, run, "job1", "job2");
  const drain = manager.start("cluster", "drain", "c", "--id=h2");
  await drain.waitFor("INFO: Waiting for jobs of queue a: ['job2']");
  // The run sees the file a moment after: until then it gives the slot on.
  await waitUntil("the run has one slot", async () => / of 1 in use\n/.test(await manager.ok("queue", "status", "a")));
  assert.ok(drain.isRunning);
  await release(hosts.host("red01"), "job2");
  const drained = await drain.ended();
  assert.equal(drained.code, 0, drained.stderr);
  assert.match(drained.stdout, /\nINFO: Drained host h2 of c\n$/);
  assert.deepEqual((await manager.states()).slice(0, 2), ["job1 start", "job2 end"]);
  await releaseAll(hosts);
  assert.equal((await run.ended()).code, 0);
  assert.equal((await hosts.host("red01").run("cat ~/ran")).stdout, "job2\n");
  assert.deepEqual(await ranOn(hosts), ["job1", "job2", "job3", "job4", "job5", "job6"]);
});

hostTest("drain: --kill-after kills what still runs, --timeout gives up, with a run and without", async (hosts) => {
  await using manager = await withCluster(hosts, "job[1-2]");
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hostfile=c");
  await waitForStarted(manager, run, "job1", "job2");
  const late = await manager.cms("cluster", "drain", "c", "--id=h2", "--timeout=1s");
  assert.deepEqual(
    [late.code, late.stderr],
    [124, "WARNING: Not drained; the hosts are inactive. Still running: jobs of queue a: ['job2']\n"],
  );
  const killed = await manager.ok("cluster", "drain", "c", "--id=h2", "--kill-after=1s");
  assert.match(killed, /INFO: Killed jobs of queue a: \['job2'\]\nINFO: Drained host h2 of c\n$/);
  assert.ok(!await isAlive(hosts.host("red01"), "job2"));
  await run.kill9();
  // Nobody follows job1 now: its host is asked.
  const drain = manager.start("cluster", "drain", "c", "--id=h[1-2]");
  await drain.waitFor("INFO: Waiting for jobs of queue a: ['job1']");
  await releaseAll(hosts);
  assert.equal((await drain.ended()).code, 0);
  assert.deepEqual(await manager.states(), ["job1 end", "job2 kill"]);
});

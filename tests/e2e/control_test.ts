/**
 * Holding, pausing, killing, stopping and background runs, on real hosts while a run goes on.
 *
 * @module
 */

import assert from "node:assert/strict";
import { GATED, isAlive, ranOn, release, releaseAll, waitForStarted } from "../../testing/gated.ts";
import { Manager } from "../../testing/harness.ts";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";

async function withGated(manager: Manager, jobs: string): Promise<void> {
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", `--name=${jobs}`, "--command", GATED, "--user=pi", "--host=red");
}

async function untilStates(manager: Manager, ...wanted: string[]): Promise<void> {
  let last: string[] = [];
  await waitUntil(() => `${wanted}; now ${last}`, async () => {
    last = await manager.states();
    return last.join() === wanted.join();
  }, { limitMs: 30_000 });
}

hostTest("control: held jobs are passed over during a run and start when they are released", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await withGated(manager, "job[1-4]");
  await manager.ok("queue", "hold", "a", "--name=job2");
  const run = manager.start("queue", "run", "fifo", "a", "--max_parallel=1");
  await waitForStarted(manager, run, "job1");
  assert.equal(await manager.ok("queue", "hold", "a", "--name=job[3-4]"), "INFO: Holding jobs: ['job3', 'job4']\n");
  await manager.ok("queue", "release", "a", "--name=job4");
  await release(hosts.host("red"), "job1");
  await waitForStarted(manager, run, "job4");
  await manager.ok("queue", "release", "a", "--name=job3");
  await releaseAll(hosts);
  const { code, stderr } = await run.ended();
  assert.equal(code, 1, "job2 is left");
  assert.match(stderr, /^WARNING: Left waiting: 1 \(\['job2'\]\) held$/m);
  assert.deepEqual(await ranOn(hosts), ["job1", "job3", "job4"]);
  assert.deepEqual(await manager.states(), ["job1 end", "job2 ready", "job3 end", "job4 end"]);
});

hostTest("control: a paused queue starts nothing, whatever run or manager dies, until it is resumed", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await withGated(manager, "job[1-3]");
  const run = manager.start("queue", "run", "fifo", "a", "--max_parallel=1");
  await waitForStarted(manager, run, "job1");
  await manager.ok("queue", "pause", "a", "--reason=new disk");
  await run.waitFor("INFO: The queue is paused: new disk. No job starts.");
  await release(hosts.host("red"), "job1");
  await untilStates(manager, "job1 end", "job2 ready", "job3 ready");
  run.signal("SIGKILL");
  await run.gone;
  const again = manager.start("queue", "run", "fifo", "a", "--max_parallel=1");
  await again.waitFor("INFO: The queue is paused: new disk. No job starts.");
  assert.deepEqual(await ranOn(hosts), ["job1"]);
  await manager.ok("queue", "resume", "a");
  await again.waitFor("INFO: The queue is resumed.");
  await waitForStarted(manager, again, "job2");
  // What runs is followed while the queue is paused, and Ctrl-C ends the run.
  await manager.ok("queue", "pause", "a");
  await again.waitFor("INFO: The queue is paused. No job starts.");
  await release(hosts.host("red"), "job2");
  await untilStates(manager, "job1 end", "job2 end", "job3 ready");
  again.signal("SIGINT");
  const { code } = await again.ended();
  assert.equal(code, 1);
  assert.deepEqual(await ranOn(hosts), ["job1", "job2"]);
});

hostTest("control: kill takes jobs by selection during a run, and they stay in the queue", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await withGated(manager, "job[1-4]");
  const run = manager.start("queue", "run", "fifo", "a", "--max_parallel=2");
  await waitForStarted(manager, run, "job1", "job2");
  assert.equal(
    await manager.ok("queue", "kill", "a", "--name=job[1,3]"),
    "INFO: Killed jobs: ['job1']\nINFO: They do not run: ['job3']\n",
  );
  await waitForStarted(manager, run, "job2", "job3");
  assert.match(await manager.ok("queue", "kill", "a", "--status=start"), /^INFO: Killed jobs: \['job2', 'job3'\]\n/);
  for (const job of ["job1", "job2", "job3"]) assert.ok(!await isAlive(hosts.host("red"), job), job);
  await releaseAll(hosts);
  const { code, stdout } = await run.ended();
  assert.equal(code, 1);
  assert.match(stdout, /^INFO: Job job1 was killed on pi@red\.$/m);
  assert.deepEqual(await manager.states(), ["job1 kill", "job2 kill", "job3 kill", "job4 end"]);
});

hostTest(
  "control: a run in the background holds the queue when the command returns; stop ends it, its jobs go on",
  async (hosts) => {
    await using manager = await Manager.make(hosts);
    await withGated(manager, "job[1-3]");
    const words = ["queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01", "--background"];
    const said = await manager.ok(...words);
    const [, pid = ""] =
      /^INFO: Running queue a in the background: pid (\d+), log \.\/experiment\/\.a-queue\.log\n$/.exec(said) ??
        assert.fail(said);
    const second = await manager.cms(...words);
    assert.equal(second.code, 2);
    assert.match(second.stderr, new RegExp(`^ERROR: Cannot run queue a: process ${pid} on \\S+ runs it already\n$`));
    await untilStates(manager, "job1 start", "job2 start", "job3 ready");
    const stopped = await manager.ok("queue", "stop", "a");
    assert.equal(stopped, `INFO: Ended the run of queue a: pid ${pid}\nINFO: They run on: ['job1', 'job2']\n`);
    assert.ok(await isAlive(hosts.host("red"), "job1"));
    const log = await manager.read(".a-queue.log");
    assert.match(log, /Starting job: job1 on host:pi@red\n/);
    assert.match(log, /To go on: cms queue run fifo_multi .*--hosts=pi@red,pi@red01\n/);
    const killed = await manager.ok("queue", "stop", "a", "--kill");
    assert.equal(killed, "INFO: Queue a is not being run.\nINFO: Killed jobs: ['job1', 'job2']\n");
    assert.ok(!await isAlive(hosts.host("red"), "job1"));
    assert.deepEqual(await manager.states(), ["job1 kill", "job2 kill", "job3 ready"]);
    const none = await manager.cms("queue", "run", "fifo_multi", "none", "--hosts=pi@red", "--background");
    assert.deepEqual([none.code, /none-queue.yaml does not exist/.test(none.stderr)], [2, true]);
  },
);

hostTest("control: a moved job takes its new turn in a run, and a set priority counts at once", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await withGated(manager, "job[1-4]");
  const run = manager.start("queue", "run", "fifo", "a", "--max_parallel=1");
  await waitForStarted(manager, run, "job1");
  await manager.ok("queue", "move", "a", "job4", "--before=job2");
  assert.match(await manager.ok("queue", "set", "a", "--name=job[1-4]", "--set=retries=1"), /of 4 jobs/);
  const fixed = await manager.cms("queue", "set", "a", "job1", "--set=command=true");
  assert.equal(fixed.code, 1);
  assert.match(fixed.stderr, /^WARNING: They run and stay as they are, command cannot be set then: \['job1'\]$/m);
  await release(hosts.host("red"), "job1");
  await waitForStarted(manager, run, "job4");
  await manager.ok("queue", "set", "a", "job3", "--key=priority", "--value=9");
  await release(hosts.host("red"), "job4");
  await waitForStarted(manager, run, "job3");
  await releaseAll(hosts);
  assert.equal((await run.ended()).code, 0);
  assert.deepEqual(await manager.states(), ["job1 end", "job4 end", "job2 end", "job3 end"]);
});

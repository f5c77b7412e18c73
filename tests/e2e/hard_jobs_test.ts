/**
 * Jobs and hosts that make it hard: a job that kills all that its user runs, a host whose disk is full.
 */

import assert from "node:assert/strict";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import {
  assertRanOnce,
  countStates,
  jobNames,
  letGo,
  makeManager,
  makeQueue,
  onceCommand,
  readText,
  runsOf,
  waitForState,
  waitsFor,
} from "../../testing/harness_faults.ts";

hostTest("a job that kills all that its user runs: it and its neighbour are crash, the rest is done", async (hosts) => {
  await using manager = await makeManager(hosts);
  const red = hosts.host("red");
  const work = `case $n in job1) ${waitsFor("go")}; kill -9 -1;; job2) ${waitsFor("never")};; esac`;
  await makeQueue(manager, "job[1-4]", onceCommand(work));
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red");
  await waitForState(manager, "job1", "start");
  await waitForState(manager, "job2", "start");
  await letGo(red, "go");
  const { code, stderr } = await run.ended();
  assert.equal(code, 1, run.text);
  assert.match(stderr, /^WARNING: Job job1 did not end well: crash on pi@red$/m);
  assert.equal(await countStates(manager), "crash:2 end:2");
  for (const job of ["job1", "job2"]) {
    assert.match(readText(`${red.home}/experiment/${job}/${job}.log`), /^# cloudmesh state: crash$/m);
  }
  assertRanOnce(hosts, jobNames(4));
});

hostTest(
  "a host whose disk gets full: its starts fail with the reason, ends are told when there is room",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const red = hosts.host("red");
    const mount =
      "mkdir -p /home/pi/experiment && mount -t tmpfs -o size=256k,uid=$(id -u pi) tmpfs /home/pi/experiment";
    assert.equal((await red.run(mount, { user: "root" })).code, 0);
    try {
      await makeQueue(manager, "job[1-3]", onceCommand(`[ "$n" != job1 ] || { ${waitsFor("go")}; }`));
      const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
      await waitForState(manager, "job1", "start");
      await red.run("head -c 1M /dev/zero >experiment/filler");
      await letGo(red, "go");
      await run.waitFor(/no space left/);
      const { code } = await run.ended();
      assert.equal(code, 1, run.text);
      assert.deepEqual([...runsOf(hosts).keys()], ["job1"]);
      assert.equal(await countStates(manager), "end:1 fail_start:2");
    } finally {
      await red.run("umount -l /home/pi/experiment", { user: "root" });
    }
  },
);

hostTest(
  "jobs that put fifos in place of their files: kill, reset and delete end them, and no shell stays",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const red = hosts.host("red");
    const replace = "for f in $n.out $n.log $n.pid $n-nohup.log; do rm $f; mkfifo $f; done; touch ~/$n.there";
    await makeQueue(manager, "job[1-3]", onceCommand(`${replace}; ${waitsFor("never")}`));
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red,pi@red");
    for (const job of jobNames(3)) {
      await waitForState(manager, job, "start");
      await waitUntil(`the fifos of ${job}`, async () => (await red.run(`ls ~/${job}.there`)).code === 0);
    }
    await manager.ok("queue", "kill", "a", "--name=job1");
    await waitForState(manager, "job1", "kill");
    await run.kill9();
    const check = await manager.start("queue", "check", "a").ended();
    assert.doesNotMatch(check.stdout + check.stderr, /cannot be asked/);
    await manager.ok("queue", "reset", "a", "--name=job2");
    await manager.ok("queue", "delete", "a", "--name=job3");
    await manager.ok("queue", "reset", "a", "--name=job1");
    assert.equal((await red.run("ls ~/experiment")).stdout.trim(), "");
    await waitUntil(
      "the end of all shells there",
      async () =>
        (await red.run("ps -o args= -u pi | grep -E '[j]ob[123]|^sh$' || true", { user: "root" })).stdout === "",
    );
  },
);

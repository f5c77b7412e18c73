/**
 * Jobs and hosts that make it hard: a job that kills all that its user runs, a host whose disk is full.
 */

import assert from "node:assert/strict";
import { hostTest } from "../../testing/need.ts";
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

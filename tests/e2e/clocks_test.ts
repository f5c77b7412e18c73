/** Clocks that are set by somebody: the manager's during a run, and one that is behind that of the file system. */
import assert from "node:assert/strict";
import { hostTest, whyNoPrograms } from "../../testing/need.ts";
import { ShiftedClock } from "../../testing/shifted_clock.ts";
import { waitUntil } from "../../testing/wait.ts";
import { Manager } from "../../testing/harness.ts";
import {
  assertRanOnce,
  countStates,
  jobNames,
  letGo,
  makeQueue,
  onceCommand,
  readText,
  runsOf,
  waitForState,
  waitsFor,
} from "../../testing/harness_faults.ts";

const whyNot = whyNoPrograms("cc");
const HOUR_S = 3_600;

hostTest(
  "the manager's clock is set back by an hour during a run: jobs go on, what is added starts, what runs is deleted",
  async (hosts) => {
    const red = hosts.host("red");
    await using clock = await ShiftedClock.make();
    await using manager = await Manager.make(hosts, clock.env);
    await makeQueue(manager, "job[1-3]", onceCommand(`case $n in job3) ${waitsFor("never")} ;; esac`));
    const run = manager.start("queue", "run", "fifo_multi", "a", `--hosts=${Array(4).fill("pi@red").join()}`);
    await waitForState(manager, "job1", "end");
    await waitForState(manager, "job2", "end");
    await waitForState(manager, "job3", "start");

    await clock.set(-HOUR_S);
    // The run has the clock in its memory, so that it went back for the run as well.
    assert.ok(readText(`/proc/${run.pid}/maps`).includes(clock.env.TEST_CLOCK!));
    const { stdout: seconds } = await manager.type("date +%s");
    assert.ok(Number(seconds) < Date.now() / 1_000 - HOUR_S + 60);
    await manager.ok("queue", "add", "a", "--name=job[4-5]", `--command=${onceCommand("true")}`);
    await waitForState(manager, "job4", "end");
    await waitForState(manager, "job5", "end");
    const deleted = await manager.cms("queue", "delete", "a", "--name=job3");
    assert.equal(deleted.code, 0, deleted.stdout + deleted.stderr);
    // A job was ended, as was asked.
    const { code } = await run.ended();
    assert.equal(code, 1, run.stderr);
    assert.match(run.stderr, /^WARNING: Job job3 did not end well: kill, exit code 143 on pi@red$/m);
    assertRanOnce(hosts, jobNames(5));
    const { stdout } = await red.run("ps -o args= -u pi | grep -c '[n]ever'");
    assert.equal(stdout.trim(), "0");
  },
  whyNot,
);

hostTest(
  "the file system's clock is an hour ahead of the manager's: a run and commands write their files without a wait",
  async (hosts) => {
    await using clock = await ShiftedClock.make(-HOUR_S);
    await using manager = await Manager.make(hosts, clock.env);
    // More than 256 KiB, so that it is written now and then.
    await makeQueue(manager, "old[1-3000]", `echo ${"x".repeat(100)}`, "--status=end");
    await manager.ok("queue", "add", "a", "--name=job[1-2]", `--command=${onceCommand(waitsFor("go"))}`);
    const yaml = manager.path("a-queue.yaml");
    assert.ok(Deno.statSync(yaml).size > 256 * 1024);
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red");
    await waitForState(manager, "job1", "start");
    await manager.ok("queue", "add", "a", "--name=job3", `--command=${onceCommand("true")}`);
    // By hand, too.
    await Deno.writeTextFile(yaml, readText(yaml).replace("old7:", "other7:"));
    await waitUntil("the edit", async () => (await manager.jobs()).has("other7"), { limitMs: 60_000 });
    await letGo(hosts.host("red"), "go");
    await waitUntil("job3", () => runsOf(hosts).get("job3") === 1, { limitMs: 60_000 });
    const { code } = await run.ended();
    assert.equal(code, 0, run.stderr);
    assertRanOnce(hosts, jobNames(3));
    await manager.ok("queue", "set", "a", "--name=old1", "--set", "priority=1");
    await manager.ok("queue", "refresh", "a");
    assert.equal(await countStates(manager), "end:3003");
    assert.doesNotMatch(readText(yaml), /status: (run|start|undefined)/);
  },
  whyNot,
);

/**
 * What a new run says of what it found, and what `cms queue check` says before it: on real hosts, after the manager
 * died and a host was cut off.
 */

import assert from "node:assert/strict";
import { hostTest } from "../../testing/need.ts";
import { treeOf } from "../../testing/tree.ts";
import { waitUntil } from "../../testing/wait.ts";
import {
  letGo,
  makeManager,
  makeQueue,
  onceCommand,
  QUICK_SSH,
  waitForState,
  waitsFor,
} from "../../testing/harness_faults.ts";

hostTest(
  "after the manager died: check changes nothing and tells each job's state, the next run says what it found",
  async (hosts) => {
    await using manager = await makeManager(hosts, QUICK_SSH);
    const [red, red01] = [hosts.host("red"), hosts.host("red01")];
    // job1 goes on at red, job2 ends at red while nobody looks, job3 is on a host that is cut off.
    await makeQueue(manager, "job[1-3]", onceCommand(waitsFor("go.$n")));
    const words = ["queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red,pi@red01"];
    const first = manager.start(...words);
    for (const job of ["job1", "job2", "job3"]) await waitForState(manager, job, "start");
    await red01.cut();
    await first.kill9();
    await letGo(red, "go.job2");
    await waitUntil(
      "the end of job2",
      async () => /state: end/.test(await red.run("cat experiment/job2/job2.log").then((r) => r.stdout)),
    );

    const before = await treeOf(red.home);
    const files = await treeOf(manager.path(""));
    const check = await manager.cms("queue", "check", "a");
    assert.equal(check.code, 1, check.stdout + check.stderr);
    assert.deepEqual(
      check.stderr.trimEnd().split("\n").map((line) => line.replace(/(job3): .*?\. To/, "$1: REASON. To")),
      [
        "WARNING: Job job2 on pi@red is start, but ended with exit code 0 there. To do: cms queue refresh a",
        "WARNING: pi@red01: cannot be asked about job3: REASON. To do: mend the way to it, then cms queue check a",
      ],
    );
    assert.match(check.stdout, /INFO: queue a: 3 jobs are in flight, and no run follows\. To do: .* goes on\n/);
    assert.deepEqual(await treeOf(red.home), before);
    assert.deepEqual(await treeOf(manager.path("")), files);

    const next = manager.start(...words);
    const says = (text: string) =>
      waitUntil(() => `${text} in ${next.text}`, () => (next.stdout + next.stderr).includes(text), { limitMs: 30_000 });
    await says("INFO: Job job1 still runs on pi@red.");
    await says("INFO: Job job2 of an earlier run on pi@red: end");
    await says("WARNING: Not known until pi@red01 answers: ['job3']. They count as running");
    await red01.mend();
    await says("INFO: Job job3 still runs on pi@red01.");
    const during = await manager.cms("queue", "check", "a");
    assert.equal(during.code, 0, during.stderr);
    assert.match(during.stdout, /runs it \(fifo_multi, 3 at once\)/);
    await letGo(red, "go.job1");
    await letGo(red01, "go.job3");
    const { code, stdout, stderr } = await next.ended();
    assert.equal(code, 0, stdout + stderr);
    assert.match(
      await manager.ok("queue", "check", "a"),
      /3 jobs, 0 in flight, asked pi@red, pi@red01\.\nINFO: All agree/,
    );
  },
);

/** What jobs write, read from real hosts: through broken links, beside a run that dies, from a silent host. */
import assert from "node:assert/strict";
import { makeManager, makeQueue, QUICK_SSH, waitForState } from "../../testing/harness_faults.ts";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";

hostTest(
  "follow loses and repeats nothing through cut links and a killed run; log shows the other hosts where one is silent",
  async (hosts) => {
    await using manager = await makeManager(hosts, QUICK_SSH);
    const [red, red01] = [hosts.host("red"), hosts.host("red01")];
    const count =
      "i=0; while [ $i -lt 600 ]; do i=$((i+1)); echo line $i of $0; [ $((i % 20)) -ne 0 ] || sleep 0.2; done";
    await makeQueue(manager, "job[1-4]", count);
    const words = ["queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red,pi@red01,pi@red01"];
    const first = manager.start(...words);
    for (const job of ["job1", "job2", "job3", "job4"]) await waitForState(manager, job, "start");
    const follow = manager.start("queue", "follow", "a");
    await waitUntil(
      "the first lines of all",
      () => ["job1", "job2", "job3", "job4"].every((job) => follow.stdout.includes(`${job}: line 20 `)),
    );
    await red.cut();
    await first.kill9();
    await waitUntil("that the silence is said", () => /WARNING: pi@red does not answer/.test(follow.stderr), {
      limitMs: 60_000,
    });
    await red.mend();
    const second = manager.start(...words);
    assert.equal((await second.ended()).code, 0);
    const { code, stdout, stderr } = await follow.ended();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /WARNING: pi@red answers again/);
    for (const job of ["job1", "job2", "job3", "job4"]) {
      const lines = stdout.split("\n").filter((line) => line.startsWith(`${job}: `)).map((line) =>
        line.slice(job.length + 2)
      );
      const host = job === "job1" || job === "job2" ? red : red01;
      const written = (await host.run(`cat experiment/${job}/${job}.out`)).stdout.trimEnd().split("\n");
      assert.equal(written.length, 600);
      assert.deepEqual(lines, written, job);
    }

    await red01.cut();
    const log = await manager.cms("queue", "log", "a", "--tail=1");
    assert.equal(log.code, 1);
    assert.match(log.stdout, /==> job1 \(pi@red, end 0, [0-9ms]+\) <==\nline 600 of/);
    assert.match(log.stderr, /WARNING: pi@red01 does not answer: .*\(job3\)/);
  },
);

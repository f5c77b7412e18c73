/** How a queue stands, over REST. */
import assert from "node:assert/strict";
import { addJobs, reach, withRuns } from "../runs_support.ts";

Deno.test("GET status, show and explain answer while a run works on the queue", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-3]", "while ! test -e ../go; do sleep 0.05; done");
    const idle = await t.json("GET /queue/a/status");
    assert.deepEqual([idle.run, idle.total, idle.counts.ready, idle.left], [null, 3, 3, null]);
    const { pid } = await t.json("PUT /queue/a/run_fifo_multi?cluster=c");
    await reach(t, "job1 start", "job2 start", "job3 ready");
    const status = await t.json("GET /queue/a/status");
    assert.deepEqual([status.run.pid, status.run.slots, status.counts.start], [pid, 2, 2]);
    const { job, reason } = await t.json("GET /queue/a/job/job1/show");
    assert.deepEqual([job.name, reason], ["job1", "runs on me@localhost"]);
    const all = await t.json("GET /queue/a/explain");
    assert.deepEqual(all.reasons, [{ reason: "waits for a free slot", count: 1 }]);
    assert.deepEqual(all.hosts, [{ host: "h1", stand: "full (1 of 1)" }, { host: "h2", stand: "full (1 of 1)" }]);
    assert.deepEqual((await t.json("GET /queue/a/explain?job=job3")).job, {
      name: "job3",
      reason: "waits for a free slot",
    });
    for (const line of ["/queue/b/status", "/queue/a/job/x/show", "/queue/a/explain?job=x"]) {
      const response = await t.ask(`GET ${line}`);
      assert.equal(response.status, 404, line);
      await response.body?.cancel();
    }
    await Deno.writeTextFile(`${t.directory}/experiment/go`, "");
    await reach(t, "job1 end", "job2 end", "job3 end");
  });
});

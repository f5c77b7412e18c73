/** Draining hosts over REST. */
import assert from "node:assert/strict";
import { addJobs, reach, withRuns } from "../runs_support.ts";

Deno.test("PUT drain answers when the host's jobs are over, and kills them after the time that is given", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-2]", "sleep 60");
    await t.json("PUT /queue/a/run_fifo_multi?cluster=c");
    await reach(t, "job1 start", "job2 start");
    const late = await t.json("PUT /cluster/c/id/h1/drain?timeout=1s");
    assert.deepEqual([late.outcome, late.hosts, late.killed], ["timeout", ["h1"], []]);
    assert.deepEqual(late.running, [{ queue: "a", job: "job1", machine: "me@localhost" }]);
    const { outcome, running, killed } = await t.json("PUT /cluster/c/id/h1/drain?kill_after=1s");
    assert.deepEqual([outcome, running], ["drained", []]);
    assert.deepEqual(killed.map(({ job }: { job: string }) => job), ["job1"]);
    await reach(t, "job1 kill", "job2 start");
    assert.equal((await t.json("GET /cluster/c/id/h1")).status, "inactive");
    for (
      const [line, status] of [["c/id/h9/drain", 404], ["c/id/h2/drain?kill_after=soon", 422], [
        "c/id/h2/drain?timeout=2m",
        422,
      ]] as const
    ) {
      const response = await t.ask(`PUT /cluster/${line}`);
      assert.equal(response.status, status, line);
      await response.body?.cancel();
    }
    assert.equal((await t.json("GET /cluster/c/id/h2")).status, "active");
  });
});

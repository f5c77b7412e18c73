/** Waiting for jobs over REST. */
import assert from "node:assert/strict";
import { addJobs, withRuns } from "../runs_support.ts";

Deno.test("GET wait answers when jobs are over, and says how many failed", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-2]", "while ! test -e ../go; do sleep 0.05; done");
    await addJobs(t, "bad", "exit 3");
    await t.json("PUT /queue/a/run_fifo_multi?cluster=c");
    const waited = t.json("GET /queue/a/wait?name=job[1-2],bad");
    const early = await t.json("GET /queue/a/wait?name=job1&timeout=1");
    assert.deepEqual([early.outcome, early.pending], ["timeout", 1]);
    await Deno.writeTextFile(`${t.directory}/experiment/go`, "");
    assert.deepEqual(await waited, { outcome: "there", there: 3, failed: 1, pending: 0, missing: [] });
    const chosen = await t.json("GET /queue/a/wait?where=exit_code=3&where=name~b&for=ended-well");
    assert.deepEqual([chosen.outcome, chosen.failed], ["never", 1]);
  });
});

Deno.test("GET wait refuses conditions that are none, and queues that are not there", async () => {
  await withRuns(async (t) => {
    for (
      const [line, status] of [["/queue/a/wait?where=x", 422], ["/queue/b/wait", 404], [
        "/queue/a/wait?status=done",
        422,
      ]] as const
    ) {
      const response = await t.ask(`GET ${line}`);
      assert.equal(response.status, status, line);
      await response.body?.cancel();
    }
  });
});

/** Jobs held and released, queues paused and resumed, many jobs killed, over REST. */
import assert from "node:assert/strict";
import { waitUntil } from "../../../testing/wait.ts";
import { addJobs, reach, withRuns } from "../runs_support.ts";

Deno.test("PUT hold and release take jobs by selection", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-4]", "true");
    const held = await t.json("PUT /queue/a/hold?name=job[1-3]");
    assert.deepEqual(held, { changed: ["job1", "job2", "job3"], running: [], over: [], missing: [], warnings: [] });
    assert.equal((await t.json("GET /queue/a")).job1.hold, true);
    const where = "where=name=job*&where=name!=job2";
    assert.deepEqual((await t.json(`PUT /queue/a/release?${where}`)).changed, ["job1", "job3"]);
    assert.deepEqual((await t.json("PUT /queue/a/release?failed=true")).changed, []);
    assert.deepEqual((await t.json("PUT /queue/a/release?failed=false")).changed, ["job2"]);
    const status = async (line: string) => {
      const response = await t.ask(line);
      await response.body?.cancel();
      return response.status;
    };
    assert.equal(await status("PUT /queue/a/hold?name=job9"), 404);
    assert.equal(await status("PUT /queue/b/hold"), 404);
    for (const query of ["status=gone", "where=x", "failed=yes", "nme=job1"]) {
      assert.equal(await status(`PUT /queue/a/hold?${query}`), 422, query);
    }
  });
});

Deno.test("PUT pause keeps a run from starting jobs, resume lets it go on", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-2]", "true");
    const pause = await t.json("PUT /queue/a/pause?reason=new%20disk");
    assert.deepEqual([pause.paused, pause.was_paused, pause.reason], [true, false, "new disk"]);
    assert.equal((await t.json("PUT /queue/a/pause?reason=newer")).was_paused, true);
    await Deno.writeTextFile(`${t.directory}/experiment/d-cluster.yaml`, "g1: {name: localhost, user: me}\n");
    assert.equal((await t.ask("PUT /queue/a/run_fifo_multi?cluster=c,none")).status, 404);
    await t.json("PUT /queue/a/run_fifo_multi?cluster=c,d");
    await addJobs(t, "job3", "true");
    await reach(t, "job1 ready", "job2 ready", "job3 ready");
    const { runs: [run] } = await t.json("PUT /queue/ran");
    assert.deepEqual([run.running, run.cluster], [true, "c,d"]);
    assert.equal((await t.json("PUT /queue/a/resume")).was_paused, true);
    await reach(t, "job1 end", "job2 end", "job3 end");
    assert.equal((await t.json("PUT /queue/a/resume")).was_paused, false);
    const long = await t.ask(`PUT /queue/a/pause?reason=${"x".repeat(1001)}`);
    assert.equal(long.status, 422);
    await long.body?.cancel();
  });
});

Deno.test("PUT kill ends the chosen jobs, and wants a choice; stop with kill=false leaves jobs running", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-3]", "sleep 60");
    await t.json("PUT /queue/a/run_fifo?max_parallel=2");
    await reach(t, "job1 start", "job2 start", "job3 ready");
    const all = await t.ask("PUT /queue/a/kill");
    assert.equal(all.status, 422);
    assert.match((await all.json()).detail[0].msg, /say which/);
    const { killed, idle, missing } = await t.json("PUT /queue/a/kill?name=job[1,3],job9");
    assert.deepEqual([killed, idle, missing], [["job1"], ["job3"], ["job9"]]);
    await reach(t, "job1 kill", "job2 start", "job3 start");
    await t.text("PUT /queue/a/stop?kill=false");
    await reach(t, "job1 kill", "job2 start", "job3 start");
    assert.equal((await t.json("PUT /queue/ran")).runs[0].running, false);
    assert.deepEqual((await t.json("PUT /queue/a/kill?status=run,start")).killed, ["job2", "job3"]);
  });
});

Deno.test("a run over REST tells commands of its jobs and its end; what is no web address is refused", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job1", "exit 3");
    const refused = await t.ask("PUT /queue/a/run_fifo?max_parallel=1&webhook=ftp://h/");
    assert.equal(refused.status, 422);
    await refused.body?.cancel();
    const words = new URLSearchParams({
      cluster: "c",
      on_fail: 'echo "$CMS_JOB $CMS_EXIT_CODE" > failed',
      on_done: "mv failed told",
    });
    await t.json(`PUT /queue/a/run_fifo_multi?${words}`);
    const told = () => Deno.readTextFile(`${t.directory}/told`).catch(() => "");
    await waitUntil("the end was told", async () => await told() === "job1 3\n", { limitMs: 30_000 });
  });
});

/** Chosen jobs set, moved and deleted over REST; reset by every choice. */
import assert from "node:assert/strict";
import type { TestService } from "../../../testing/service/service.ts";
import { addJobs, reach, withRuns } from "../runs_support.ts";

async function names(t: TestService): Promise<string> {
  return Object.keys(await t.json("GET /queue/a")).join(" ");
}

async function status(t: TestService, line: string, options: { json?: unknown } = {}): Promise<number> {
  const response = await t.ask(line, options);
  await response.body?.cancel();
  return response.status;
}

Deno.test("PATCH of chosen jobs sets fields of all or none", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-3]", "true");
    const set = await t.json("PATCH /queue/a/jobs?name=job[1-2],job9", { json: { priority: 5, gpu: "1" } });
    assert.deepEqual(set, { changed: ["job1", "job2"], same: [], failed: [], missing: ["job9"], warnings: [] });
    const { job1, job3 } = await t.json("GET /queue/a");
    assert.deepEqual([job1.priority, job1.gpu, job3.priority], [5, "1", undefined]);
    assert.deepEqual((await t.json("PATCH /queue/a/jobs?where=priority=5", { json: { priority: 5 } })).same, [
      "job1",
      "job2",
    ]);
    assert.equal(await status(t, "PATCH /queue/a/jobs?name=job1", { json: { priority: "high" } }), 422);
    assert.equal(await status(t, "PATCH /queue/a/jobs?name=job1", { json: { pid: "1" } }), 422);
    assert.equal(await status(t, "PATCH /queue/a/jobs", { json: { priority: 1 } }), 422);
    assert.equal(await status(t, "PATCH /queue/a/jobs?name=job9", { json: { priority: 1 } }), 404);
    for (
      const [line, json, field] of [
        ["PATCH /queue/a/jobs?name=job1", { commands: "x" }, "command"],
        ["POST /queue/a/jobs", { jobs: [{ name: "x", command: "y", time_limits: "3m" }] }, "time_limit"],
        ["POST /queue/a?name=x&command=y&outputs=z", undefined, "output"],
      ] as const
    ) {
      const response = await t.ask(line, { json });
      assert.match(
        (await response.json()).detail[0].msg,
        new RegExp(`^unknown .*did you mean ${field}\\?; /docs has `),
      );
    }
    assert.equal((await t.json("GET /queue/a")).job1.priority, 5);
  });
});

Deno.test("PUT move moves chosen jobs, and wants one place", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-4]", "true");
    assert.deepEqual((await t.json("PUT /queue/a/move?name=job4,job2&to=first")).moved, ["job4", "job2"]);
    assert.equal(await names(t), "job4 job2 job1 job3");
    await t.json("PUT /queue/a/move?name=job4&after=job3");
    await t.json("PUT /queue/a/move?where=name=job1&before=job2");
    assert.equal(await names(t), "job1 job2 job3 job4");
    for (const query of ["name=job1", "name=job1&to=first&before=job2", "to=first", "name=job1&before=job1"]) {
      assert.equal(await status(t, `PUT /queue/a/move?${query}`), 422, query);
    }
    assert.equal(await status(t, "PUT /queue/a/move?name=job1&before=job9"), 404);
    assert.equal(await status(t, "PUT /queue/a/move?name=job9&to=first"), 404);
  });
});

Deno.test("DELETE and reset take every choice", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-4]", "true");
    await t.json("PATCH /queue/a/jobs?name=job[1-2]", { json: { status: "kill" } });
    assert.equal(await status(t, "DELETE /queue/a/jobs"), 422);
    assert.match(await t.text("PUT /queue/a/reset?failed=true&where=name=job1"), /^job1 \t old_status:kill/);
    assert.deepEqual((await t.json("DELETE /queue/a/jobs?failed=true")).deleted, ["job2"]);
    assert.deepEqual((await t.json("DELETE /queue/a/jobs?exit_code=1-9")).deleted, []);
    assert.equal(await names(t), "job1 job3 job4");
    assert.equal(await status(t, "DELETE /queue/a/jobs?exit_code=x"), 422);
  });
});

Deno.test("GET history has the runs, also one that goes on", async () => {
  await withRuns(async (t) => {
    assert.deepEqual(await t.json("GET /queue/a/history"), { runs: [] });
    await addJobs(t, "job1", "sleep 60");
    await t.json("PUT /queue/a/run_fifo?max_parallel=1");
    await reach(t, "job1 start");
    const { runs: [run] } = await t.json("GET /queue/a/history?limit=1");
    assert.deepEqual([run.outcome, run.ended, run.scheduler, run.slots], ["runs", null, "fifo", 1]);
    await t.text("PUT /queue/a/stop");
    assert.deepEqual((await t.json("GET /queue/a/history")).runs.length, 1);
    assert.equal(await status(t, "GET /queue/b/history"), 404);
  });
});

Deno.test("PUT plan says who would run where, and status has it", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-4]", "true");
    const plan = await t.json("PUT /queue/a/plan?cluster=c&duration=1m&more=2&limit=1");
    assert.deepEqual([plan.slots, plan.makespan, plan.more, plan.jobs.length], [2, 120, { hosts: 2, makespan: 60 }, 1]);
    assert.deepEqual((await t.json("GET /queue/a/status")).plan, { jobs: 4, makespan: 120, took: null });
    assert.equal((await t.json("PUT /queue/a/plan?max_parallel=4&duration=1m")).makespan, 60);
    assert.equal((await t.json("PUT /queue/a/plan?max_parallel=4&duration=1h&time_limit=90s")).makespan, 90);
    await t.text("POST /cluster/?name=d");
    await t.text("POST /cluster/d?id=d1&name=localhost&user=me");
    assert.equal((await t.json("PUT /queue/a/plan?cluster=c,d&duration=1m")).slots, 3);
    for (
      const query of [
        "cluster=c",
        "duration=1m",
        "cluster=c&duration=x",
        "cluster=c&duration=1m&time_limit=x",
        "cluster=c&max_parallel=1&duration=1m",
      ]
    ) {
      assert.equal(await status(t, `PUT /queue/a/plan?${query}`), 422, query);
    }
    assert.equal(await status(t, "PUT /queue/b/plan?cluster=c&duration=1m"), 404);
  });
});

Deno.test("GET cluster check and status say how the hosts are, and what runs there", async () => {
  await withRuns(async (t) => {
    const check = await t.json("GET /cluster/c/check?id=h1");
    assert.deepEqual([check.well, check.hosts.map((host: { id: string }) => host.id)], [true, ["h1"]]);
    assert.ok(check.hosts[0].room > 0 && check.hosts[0].connect_ms >= 0);
    const { hosts } = await t.json("GET /cluster/c/status");
    assert.deepEqual(hosts[1], {
      id: "h2",
      machine: "me@localhost",
      status: "active",
      slots: 1,
      used: 0,
      link: null,
      link_since_ms: null,
      stand: null,
      allocations: null,
      nodes: [],
      gpus: [],
      last_hour: { ended: 0, failed: 0 },
      jobs: [],
    });
    assert.equal(await status(t, "GET /cluster/c/check?id=h9"), 404);
    assert.equal(await status(t, "GET /cluster/none/status"), 404);
  });
});

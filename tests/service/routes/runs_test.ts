/** Runs in the background, job files, kill and metrics, over REST. */
import assert from "node:assert/strict";
import { waitUntil } from "../../../testing/wait.ts";
import { addJobs, reach, withRuns } from "../runs_support.ts";
import { SELF } from "../../../testing/run_place.ts";
import { withService } from "../../../testing/service/service.ts";

Deno.test("PUT run_fifo_multi answers at once, the jobs end, and ran tells of it", async () => {
  await withRuns(async (t) => {
    assert.equal(await t.text("PUT /queue/ran"), "No ran queues.");
    assert.deepEqual(await t.json("PUT /queue/ran"), { runs: [] });
    await addJobs(t, "job[1-3]", "while ! test -e ../go; do sleep 0.05; done; echo did $0");
    const { result, pid } = await t.json("PUT /queue/a/run_fifo_multi?cluster=c");
    assert.equal(result, `started fifo_multi scheduler: pid ${pid}`);
    assert.match(await t.text("PUT /queue/ran"), /^Queue: a Experiment: experiment Cluster: c STATUS:Running\n\+---/);
    await Deno.writeTextFile(`${t.directory}/experiment/go`, "");
    await reach(t, "job1 end", "job2 end", "job3 end");
    assert.match(await t.text("GET /queue/a/job/job2/output"), /^did .*job2/);
    assert.match((await t.json("GET /queue/a/job/job2/log?max=10000")).text, /# cloudmesh state: end/);
  });
});

Deno.test("PUT run_fifo runs jobs with a user and a host; a second run is 409", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-3]", "sleep 60");
    const { pid } = await t.json("PUT /queue/a/run_fifo?max_parallel=2");
    await reach(t, "job1 start", "job2 start", "job3 ready");
    const second = await t.ask("PUT /queue/a/run_fifo?max_parallel=2");
    assert.equal(second.status, 409);
    assert.match((await second.json()).detail, new RegExp(`process ${pid} .*runs it already`));
    const { runs: [run] } = await t.json("PUT /queue/ran");
    assert.deepEqual([run.queue, run.running, run.scheduler, run.cluster, run.pid, run.jobs.job3.status], [
      "a",
      true,
      "fifo",
      null,
      pid,
      "ready",
    ]);
  });
});

Deno.test("PUT stop kills scheduler and jobs and answers the table; empty where nothing runs; 404 without a queue", async () => {
  await withRuns(async (t) => {
    assert.equal(await t.text("PUT /queue/a/stop"), "");
    await addJobs(t, "job[1-2]", "sleep 60");
    await t.json("PUT /queue/a/run_fifo?max_parallel=1");
    await reach(t, "job1 start", "job2 ready");
    const table = await t.text("PUT /queue/a/stop");
    assert.match(table, /\| job1 +\| kill /);
    assert.match(table, /\| job2 +\| ready /);
    assert.match(await t.text("PUT /queue/ran"), /Cluster: None STATUS:Not Running\n/);
    const missing = await t.ask("PUT /queue/b/stop");
    assert.deepEqual([missing.status, await missing.json()], [404, { detail: "Queue b ps could not be found" }]);
  });
});

Deno.test("the timeout of a run is minutes, or a duration as the command has it", async () => {
  await withRuns(async (t) => {
    const starts = [
      "run_fifo?max_parallel=1",
      "run_fifo?max_parallel=1&timeout=7",
      "run_fifo_multi?cluster=c&timeout=100s",
    ];
    for (const start of [...starts, "run_fifo_multi?cluster=c&timeout=1h30m"]) {
      await t.json(`PUT /queue/a/${start}`);
      await waitUntil("its end", async () => !(await t.json("PUT /queue/ran")).runs[0].running);
    }
    const words = await Deno.readTextFile(`${t.directory}/words`);
    assert.deepEqual(words.match(/--timeout=\S+/g), [600, 420, 100, 5400].map((s) => `--timeout=${s}s`));
    for (
      const word of ["timeout=soon", "timeout=-1", "timeout=0s", "timeout=9999d", "timeout=1m30", "time_limit=soon"]
    ) {
      const { detail } = await t.ask(`PUT /queue/a/run_fifo?max_parallel=1&${word}`).then((reply) => reply.json());
      const [name] = word.split("=");
      assert.deepEqual(detail.map(({ loc, msg }: { loc: string[]; msg: string }) => [loc, msg]), [
        [["query", name], "not a duration such as 90s, 30m, 2h, 1d or 1h30m"],
      ]);
    }
  }, ["sh", "-c", 'echo "$@" >>words; exec "$@"', "sh", ...SELF]);
});

Deno.test("a run that cannot be is refused, and starts nothing", async () => {
  await withRuns(async (t) => {
    const status = async (line: string) => {
      const response = await t.ask(line);
      await response.body?.cancel();
      return response.status;
    };
    await t.text("POST /cluster/?name=empty");
    assert.equal(await status("PUT /queue/b/run_fifo?max_parallel=1"), 404);
    assert.equal(await status("PUT /queue/a/run_fifo_multi?cluster=nowhere"), 404);
    assert.equal(await status("PUT /queue/a/run_fifo_multi?cluster=empty"), 422);
    for (const query of ["", "?max_parallel=0", "?max_parallel=x", "?max_parallel=1&timeout=0"]) {
      assert.equal(await status(`PUT /queue/a/run_fifo${query}`), 422, query);
    }
    for (const word of ["on_end", "on_done", "push", "time_limit", "webhook"]) {
      assert.equal(await status(`PUT /queue/a/run_fifo?max_parallel=1&${word}=a%00`), 422, word);
    }
    assert.equal(await t.text("PUT /queue/ran"), "No ran queues.");
  });
});

Deno.test("POST kill ends the named jobs and leaves them in the queue", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-3]", "sleep 60");
    await t.json("PUT /queue/a/run_fifo?max_parallel=3");
    await reach(t, "job1 start", "job2 start", "job3 start");
    const killed = await t.json("POST /queue/a/job/job[1-2]/kill");
    assert.deepEqual(Object.keys(killed), ["job1", "job2"]);
    await reach(t, "job1 kill", "job2 kill", "job3 start");
    assert.equal((await t.ask("POST /queue/a/job/job9/kill")).status, 404);
  });
});

Deno.test("a job's files are 404 where there are none, and 502 where the host does not answer", async () => {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    await addJobs(t, "job1", "true");
    for (const path of ["job1/output", "job1/error", "job9/log"]) {
      assert.equal((await t.ask(`GET /queue/a/job/${path}`)).status, 404, path);
    }
    // As if it had been started on a host that is gone.
    const file = `${t.directory}/experiment/a-queue.yaml`;
    const text = await Deno.readTextFile(file);
    const gone = text.replace("attempt: 0", "attempt: 1").replace("host: localhost", "host: nowhere.invalid");
    await Deno.writeTextFile(file, gone);
    const response = await t.ask("GET /queue/a/job/job1/output", { headers: { accept: "application/json" } });
    assert.equal(response.status, 502);
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.match((await response.json()).detail, /nowhere\.invalid/);
  });
});

Deno.test("GET /metrics tells jobs by state, the run, and how long starts took", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-3]", "true");
    await addJobs(t, "late[1-2]", "sleep 60");
    assert.match(await t.text("GET /metrics"), /^cms_jobs\{experiment="experiment",queue="a",state="ready"\} 5$/m);
    await t.json("PUT /queue/a/run_fifo_multi?cluster=c");
    await reach(t, "job1 end", "job2 end", "job3 end", "late1 start", "late2 start");
    const value = (text: string, line: string) =>
      new RegExp(`^${RegExp.escape(line)} (.*)$`, "m").exec(text)?.[1] ?? `no ${line} in\n${text}`;
    const of = 'experiment="experiment",queue="a"';
    let text = "";
    await waitUntil(() => text, async () => {
      text = await t.text("GET /metrics");
      return value(text, `cms_job_starts_total{${of}}`) === "5" && value(text, `cms_links_up{${of}}`) === "1";
    });
    assert.equal(value(text, `cms_jobs{${of},state="start"}`), "2");
    assert.equal(value(text, `cms_running{${of}}`), "1");
    assert.equal(value(text, `cms_slots{${of}}`), "2");
    assert.equal(value(text, `cms_job_ends_total{${of},state="end"}`), "3");
    assert.equal(value(text, `cms_start_seconds_bucket{${of},le="+Inf"}`), "5");
    assert.equal(value(text, `cms_start_seconds_count{${of}}`), "5");
    assert.ok(Number(value(text, `cms_start_seconds_sum{${of}}`)) > 0);
    // Every line is of the format, and each metric is announced once.
    for (const line of text.trimEnd().split("\n")) {
      assert.match(line, /^(# (HELP|TYPE) cms_\w+ .+|cms_\w+\{(\w+="[^"\\]*",?)+\} [0-9.e+-]+)$/);
    }
    const types = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
    assert.equal(new Set(types).size, types.length);
    await t.text("PUT /queue/a/stop");
    await waitUntil(
      "the end of the run",
      async () => value(await t.text("GET /metrics"), `cms_running{${of}}`) === "0",
    );
  });
});

Deno.test("ran leaves out the jobs of further queues when its reply is long, and says so", async () => {
  await withRuns(async (t) => {
    const about = { scheduler: "fifo", cluster: null, slots: 1, machines: {} };
    const run = JSON.stringify({ pid: 1, hostname: "manager", run: "r1", about });
    const job = (name: string, command: string) =>
      `${name}: {name: ${name}, id: a1, status: ready, command: ${command}, user: me, host: localhost}\n`;
    const long = Array.from({ length: 180 }, (_, i) => job(`job${i}`, "x".repeat(99_000))).join("");
    for (const [name, jobs] of [["x1", long], ["x2", job("job1", "true")]] as const) {
      await Deno.writeTextFile(`${t.directory}/experiment/${name}-queue.yaml`, jobs);
      await Deno.writeTextFile(`${t.directory}/experiment/.${name}-queue.run`, run);
    }
    const { runs } = await t.json("PUT /queue/ran");
    assert.deepEqual(
      runs.map(({ queue, jobs }: { queue: string; jobs: object | null }) => [
        queue,
        jobs === null ? null : Object.keys(jobs).length,
      ]),
      [["x1", 180], ["x2", null]],
    );
    assert.match(await t.text("PUT /queue/ran"), /Queue: x2 .*\nIts jobs are left out, as the list is too long\n$/);
  });
});

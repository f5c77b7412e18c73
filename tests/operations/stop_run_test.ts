/** stopRun(), killJobs(), listRuns() and readJobFile() on jobs of localhost. */
import assert from "node:assert/strict";
import { CmsError } from "../../src/errors.ts";
import { createQueue } from "../../src/operations/create_queue.ts";
import { killJobs } from "../../src/operations/kill_jobs.ts";
import { listRuns } from "../../src/operations/list_runs.ts";
import type { JobFile } from "../../src/operations/output_files.ts";
import { readJobFile } from "../../src/operations/read_job_file.ts";
import { refreshQueue } from "../../src/operations/refresh_queue.ts";
import { queueRef } from "../../src/operations/refs.ts";
import { openQueue } from "../../src/store/queue_file.ts";
import { stopRun } from "../../src/operations/stop_run.ts";
import { waitUntil } from "../../testing/wait.ts";
import { isAlive, type RunPlace, withQueue } from "../../testing/run_place.ts";

const NOTHING = { wasRunning: false, pid: null, killed: [], failed: [], running: [] };

/** Ends the scheduler as a crash would; its jobs go on. */
async function crash(pid: number): Promise<void> {
  Deno.kill(pid, "SIGKILL");
  await waitUntil("the end of the scheduler", () => !isAlive(pid));
}

async function pids(place: RunPlace, ...names: string[]): Promise<number[]> {
  return await Promise.all(names.map(async (name) => Number((await place.job(name)).pid)));
}

Deno.test("stopRun() ends the scheduler and kills its jobs, and leaves the waiting ones waiting", async () => {
  await withQueue(async (place) => {
    await place.add("job[1-6]", "sleep 60");
    const scheduler = await place.start();
    await place.reach("job1 start", "job2 start", "job3 start", "job4 start", "job5 ready", "job6 ready");
    const jobs = await pids(place, "job1", "job4");
    assert.ok(jobs.every(isAlive));
    const result = await place.stop();
    const killed = ["job1", "job2", "job3", "job4"];
    assert.deepEqual(result, { wasRunning: true, pid: scheduler, killed, failed: [], running: [] });
    assert.deepEqual([scheduler, ...jobs].filter(isAlive), []);
    await place.reach("job1 kill", "job2 kill", "job3 kill", "job4 kill", "job5 ready", "job6 ready");
  });
});

Deno.test("stopRun() without kill ends the scheduler alone, and the next run follows its jobs", async () => {
  await withQueue(async (place) => {
    await place.add("job[1-5]", "until [ -e ../go ]; do sleep 0.05; done");
    const scheduler = await place.start();
    await place.reach("job1 start", "job2 start", "job3 start", "job4 start", "job5 ready");
    const jobs = await pids(place, "job1", "job4");
    const result = await stopRun(place.deps, { queue: place.queue, kill: false }, { warn: assert.fail });
    const running = ["job1", "job2", "job3", "job4"];
    assert.deepEqual(result, { ...NOTHING, wasRunning: true, pid: scheduler, running });
    await waitUntil("the end of the scheduler", () => !isAlive(scheduler));
    assert.ok(jobs.every(isAlive));
    await place.start();
    await Deno.writeTextFile(`${place.directory}/experiment/go`, "");
    await place.reach("job1 end", "job2 end", "job3 end", "job4 end", "job5 end");
    assert.equal((await place.job("job1")).attempt, 1);
  });
});

Deno.test("stopRun() kills the jobs of a scheduler that has died, and does nothing where nothing runs", async () => {
  await withQueue(async (place) => {
    assert.deepEqual(await place.stop(), NOTHING);
    await place.add("job1", "sleep 60");
    const scheduler = await place.start();
    await place.reach("job1 start");
    const [job] = await pids(place, "job1");
    await crash(scheduler);
    assert.ok(isAlive(job!));
    // The threads of one that was killed may hold its lock for a moment longer.
    assert.deepEqual({ ...await place.stop(), pid: null }, { ...NOTHING, wasRunning: true, killed: ["job1"] });
    assert.ok(!isAlive(job!));
  });
});

Deno.test("stopRun() ends a scheduler that hangs", async () => {
  await withQueue(async (place) => {
    await place.add("job1", "sleep 60");
    const scheduler = await place.start();
    await place.reach("job1 start");
    Deno.kill(scheduler, "SIGSTOP"); // TERM waits until it goes on; KILL does not.
    assert.deepEqual(await place.stop(), { ...NOTHING, wasRunning: true, pid: scheduler, killed: ["job1"] });
    assert.ok(!isAlive(scheduler));
  });
});

Deno.test("stopRun() leaves a scheduler of another machine alone", async () => {
  await withQueue(async (place) => {
    await place.add("job1", "sleep 60");
    const scheduler = await place.start();
    const deps = { ...place.deps, environment: { ...place.deps.environment, hostname: () => "elsewhere" } };
    await assert.rejects(
      stopRun(deps, { queue: place.queue, kill: true }, { warn: () => {} }),
      (error) => error instanceof CmsError && error.code === "conflict",
    );
    assert.ok(isAlive(scheduler));
  });
});

Deno.test("killJobs() kills by the scheduler while one runs, and the run goes on", async () => {
  await withQueue(async (place) => {
    await place.add("job[1-2]", "sleep 60");
    await place.add("job3", "true");
    const scheduler = await place.start();
    await place.reach("job1 start", "job2 start", "job3 end");
    const names = ["job1", "job3", "nobody"];
    assert.deepEqual(await killJobs(place.deps, { queue: place.queue, names }, { warn: () => {} }), {
      killed: ["job1"],
      idle: ["job3"],
      missing: ["nobody"],
      failed: [],
    });
    await place.reach("job1 kill", "job2 start", "job3 end");
    assert.ok(isAlive(scheduler));
  });
});

Deno.test("killJobs() kills where no scheduler runs", async () => {
  await withQueue(async (place) => {
    await place.add("job[1-2]", "sleep 60");
    const scheduler = await place.start();
    await place.reach("job1 start", "job2 start");
    await crash(scheduler);
    const [job1, job2] = await pids(place, "job1", "job2");
    const { killed } = await killJobs(place.deps, { queue: place.queue, names: ["job2"] }, { warn: () => {} });
    assert.deepEqual([killed, isAlive(job1!), isAlive(job2!)], [["job2"], true, false]);
    await place.reach("job1 start", "job2 kill");
  });
});

Deno.test("listRuns() tells the queues that have been run, in all experiments, and no others", async () => {
  await withQueue(async (place) => {
    const { deps, directory, queue } = place;
    const runs = async () =>
      (await listRuns(deps, { root: directory }, { warn: assert.fail })).map(({ queue, run }) =>
        `${queue.experiment} ${queue.name} ${run.about.scheduler} ${run.isRunning} ${run.pid}`
      );
    const other = queueRef(deps, { queue: "b", experiment: "x/y" });
    await createQueue(deps, { queue: other });
    assert.deepEqual(await runs(), []);
    await place.add("job1", "sleep 60");
    const pid = await place.start();
    assert.deepEqual(await runs(), [`experiment a fifo true ${pid}`]);
    await place.stop();
    assert.deepEqual(await runs(), [`experiment a fifo false ${pid}`]);
    // A command that holds the queue for a moment is no run.
    await refreshQueue(deps, { queue }, { warn: () => {} });
    assert.deepEqual(await runs(), [`experiment a fifo false ${pid}`]);
  });
});

Deno.test("listRuns() follows no link that leads out of its root", async () => {
  await withQueue(async (place) => {
    await place.add("job1", "true");
    await place.start();
    await place.reach("job1 end");
    const root = `${place.directory}/inner`;
    await Deno.mkdir(root);
    await Deno.symlink(place.queue.directory, `${root}/out`);
    assert.deepEqual(await listRuns(place.deps, { root }, { warn: assert.fail }), []);
  });
});

Deno.test("readJobFile() reads a running job's files, of a long one the end", async () => {
  await withQueue(async (place) => {
    await place.add("job1", "echo begin; echo trouble >&2; echo end; sleep 60");
    await place.add("job2", "true");
    const read = async (job: string, file: JobFile, maxBytes = 1000) =>
      new TextDecoder().decode(await readJobFile(place.deps, { queue: place.queue, job, file, maxBytes }));
    await assert.rejects(read("job1", "output"), /job1 has no output on its host/);
    await assert.rejects(read("nobody", "log"), /nobody does not exist/);
    await place.start();
    await place.reach("job1 start", "job2 end");
    assert.equal(await waitUntil("the output", async () => (await read("job1", "output")).includes("end")), true);
    assert.equal(await read("job1", "output"), "begin\nend\n");
    assert.equal(await read("job1", "output", 4), "end\n");
    assert.equal(await read("job1", "error"), "trouble\n");
    assert.match(await read("job1", "log"), /# cloudmesh state: start/);
    await Deno.remove(`${place.queue.directory}/job2/job2.out`);
    await assert.rejects(read("job2", "output"), /job2 has no output/);
  });
});

Deno.test("a command that holds the queue for a moment is waited for, and is no scheduler to ask", async () => {
  await withQueue(async (place) => {
    const store = await openQueue(place.deps, place.queue);
    assert.equal(await store.claimRun("hold"), null);
    // It goes when somebody waits.
    const { clock } = place.deps;
    const sleepUntil = async (...words: Parameters<typeof clock.sleepUntil>) => {
      store.close();
      await clock.sleepUntil(...words);
    };
    const deps = { ...place.deps, clock: { ...clock, sleepUntil } };
    const stopping = stopRun(deps, { queue: place.queue, kill: true }, { warn: assert.fail });
    assert.deepEqual(await stopping, NOTHING);
  });
});

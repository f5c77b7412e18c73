/** `cms queue plan`, and what `queue status` makes of it after the run. */
import assert from "node:assert/strict";
import { withPlace } from "./harness.ts";

Deno.test("queue plan says who runs where, what more hosts bring, and status compares it with the run", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("queue", "create", "a");
    await ok("cluster", "create", "c");
    await ok("cluster", "add", "c", "--id=h[1-2]", "--name=localhost", "--user=me");
    await ok("queue", "add", "a", "--name=job[1-4]", "--command=true");
    await ok("queue", "add", "a", "--name=held", "--command=true", "--hold");
    const unknown = await run("queue", "plan", "a", "--hostfile=c");
    assert.deepEqual([unknown.status, unknown.err], [
      2,
      "ERROR: Cannot plan queue a: none of its jobs has ended yet; give --duration=10m\n",
    ]);
    assert.equal(
      await ok("queue", "plan", "a", "--hostfile=c", "--duration=10m", "--hosts=+2"),
      "Queue a: 4 jobs on 2 slots\n" +
        "Done in 20m; slots have no job for 0 % of that time\n" +
        "  h1: 2 jobs, the last until 20m\n  h2: 2 jobs, the last until 20m\n" +
        "Never starts: held: held\n" +
        "With 2 more hosts: done in 10m, 10m sooner\n",
    );
    const [record] = JSON.parse(await ok("queue", "plan", "a", "--hostfile=c", "--duration=1m", "--output=json"));
    assert.deepEqual([record.makespan, record.slots, record.jobs.length, record.more], [120, 2, 4, null]);
    assert.deepEqual(record.jobs[2], { job: "job3", host: "h1", machine: "me@localhost", start: 60, end: 120 });
    assert.match(
      await ok("queue", "plan", "a", "--hosts=me@localhost", "--duration=1m", "--output=csv"),
      /^job,host,machine,start,end\r?\njob1,#1,me@localhost,0,60\r?\n/,
    );
    assert.match(await ok("queue", "status", "a"), /\nPlan: 4 jobs in 4m\n/);
    await ok("queue", "release", "a");
    await ok("queue", "run", "fifo_multi", "a", "--hostfile=c");
    assert.match(
      await ok("queue", "status", "a"),
      /\nPlan: 4 jobs in 4m; the run that followed took [0-9ms]+, \d+ % shorter\n/,
    );
    const [status] = JSON.parse(await ok("queue", "status", "a", "--output=json"));
    assert.deepEqual([status.plan.jobs, status.plan.makespan, status.plan.took > 0], [4, 240, true]);
    // What jobs took is known now.
    await ok("queue", "add", "a", "--name=more[1-2]", "--command=true");
    assert.match(
      await ok("queue", "plan", "a", "--hostfile=c"),
      /^Queue a: 2 jobs on 2 slots, by what 5 took so far\n/,
    );
    for (const words of [["--hosts=+0"], [], ["--hostfile=c", "--max_parallel=2"], ["--hostfile=none"]]) {
      const { status, err } = await run("queue", "plan", "a", "--duration=1m", ...words);
      assert.equal(status, 2, words.join(" "));
      assert.match(err, /^ERROR: [^\n]+\n$/);
    }
    assert.ok((await Deno.stat(`${directory}/experiment/.a-queue.plan`)).isFile);
  });
});

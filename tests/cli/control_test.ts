/** Holding, pausing, killing and stopping by the command line, on queues that nobody runs. */
import assert from "node:assert/strict";
import { filesIn, type Place, withPlace } from "./harness.ts";

async function withJobs(use: (place: Place) => Promise<void>): Promise<void> {
  await withPlace(async (place) => {
    await place.ok("queue", "create", "a");
    await place.ok("queue", "add", "a", "--name=job[1-4]", "--command=true");
    await place.ok("queue", "add", "a", "--name=over", "--command=true", "--status=end");
    await use(place);
  });
}

async function held({ ok }: Place): Promise<string[]> {
  const jobs = JSON.parse(await ok("queue", "list", "a", "--output=json")) as { name: string; hold?: boolean }[];
  return jobs.filter(({ hold }) => hold === true).map(({ name }) => name);
}

Deno.test("queue hold and release take jobs by selection, and say what they did", async () => {
  await withJobs(async (place) => {
    const { ok, run } = place;
    assert.equal(await ok("queue", "hold", "a", "--name=job[1-2]"), "INFO: Holding jobs: ['job1', 'job2']\n");
    assert.equal(
      await ok("queue", "hold", "a", "--name=job1,over"),
      "INFO: No job to hold.\nINFO: They are over: ['over']\n",
    );
    assert.deepEqual(await held(place), ["job1", "job2"]);
    assert.equal(await ok("queue", "hold", "a"), "INFO: Holding jobs: ['job3', 'job4']\n");
    assert.equal(await ok("queue", "release", "a", "--where=name=job[23]"), "INFO: No job to release.\n");
    const by = await ok(
      "queue",
      "release",
      "a",
      "--where",
      "name=job*",
      "--where",
      "name!=job4",
      "--name=job3",
      "--name=job4",
    );
    assert.equal(by, "INFO: Releasing jobs: ['job3']\n");
    const missing = await run("queue", "release", "a", "--name=job[8-9]");
    assert.deepEqual([missing.status, missing.err], [
      1,
      "WARNING: Job job8 does not exist in queue a\nWARNING: Job job9 does not exist in queue a\n",
    ]);
    assert.equal(await ok("queue", "release", "a"), "INFO: Releasing jobs: ['job1', 'job2', 'job4']\n");
    assert.deepEqual(await held(place), []);
    assert.doesNotMatch(await Deno.readTextFile(`${place.directory}/experiment/a-queue.yaml`), /hold/);
    const wrong = await run("queue", "hold", "a", "--where=nothing here", "--status=gone");
    assert.equal(wrong.status, 2);
    assert.match(wrong.err, /"gone" as a status/);
    assert.equal((await run("queue", "hold", "none")).status, 2);
  });
});

Deno.test("queue pause leaves a file with reason, who and since; resume and the end of the queue take it away", async () => {
  await withJobs(async ({ ok, run, directory }) => {
    const file = `${directory}/experiment/.a-queue.pause`;
    assert.equal(await ok("queue", "resume", "a"), "INFO: Queue a was not paused\n");
    assert.equal(await ok("queue", "pause", "a", "--reason='disk full'"), "INFO: Queue a is paused: disk full\n");
    const pause = JSON.parse(await Deno.readTextFile(file));
    assert.deepEqual([pause.reason, pause.by], ["disk full", "tester@manager"]);
    assert.match(pause.since, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(await ok("queue", "pause", "a"), "INFO: Queue a is paused\n");
    assert.equal(JSON.parse(await Deno.readTextFile(file)).reason, null);
    assert.equal(await ok("queue", "resume", "a"), "INFO: Queue a is resumed\n");
    await assert.rejects(Deno.stat(file), Deno.errors.NotFound);
    const wrong = await run("queue", "pause", "a", "--reason=a\nb");
    assert.deepEqual([wrong.status, wrong.err], [2, "ERROR: Cannot use this reason: it holds a control character\n"]);
    const none = await run("queue", "pause", "none");
    assert.equal(none.status, 2);
    assert.match(none.err, /^ERROR: Queue: .\/experiment\/none-queue.yaml does not exist/);
    assert.deepEqual(await filesIn(`${directory}/experiment`), ["a-queue.yaml"]);
    await assert.rejects(Deno.stat(`${directory}/experiment/.none-queue.lock`), Deno.errors.NotFound);
  });
});

Deno.test("where --queue names the queue, one word alone is the job", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=j", "--command=true");
    for (const verb of ["hold", "release"]) assert.match(await ok("queue", verb, "--queue=a", "j"), /\['j'\]/);
    assert.match(await ok("queue", "show", "--queue=a", "j"), /^job +j of queue a\n/);
    assert.match(await ok("queue", "explain", "--queue=a", "j"), /^j: /);
    assert.match((await run("queue", "kill", "--queue=a", "j")).out, /'j'/);
    const none = await run("queue", "show", "j");
    assert.deepEqual(none.err, "ERROR: Missing required argument 'job'; see: cms help queue show\n");
    assert.equal((await run("queue", "hold", "b", "j", "--queue=a")).status, 2);
  });
});

Deno.test("queue kill wants a choice, and leaves alone what does not run", async () => {
  await withJobs(async ({ ok, run }) => {
    const all = await run("queue", "kill", "a");
    assert.equal(all.status, 2);
    assert.match(all.err, /^ERROR: Cannot kill jobs of queue a: say which, such as .*\n$/);
    assert.equal(await ok("queue", "kill", "a", "--name=job1"), "INFO: They do not run: ['job1']\n");
    assert.equal(await ok("queue", "kill", "a", "--status=run,start"), "INFO: No job to kill.\n");
    const missing = await run("queue", "kill", "a", "--name=job9");
    assert.deepEqual([missing.status, missing.err], [1, "WARNING: Job job9 does not exist in queue a\n"]);
  });
});

Deno.test("queue stop says that nothing runs where nothing does", async () => {
  await withJobs(async ({ ok, run }) => {
    assert.equal(await ok("queue", "stop", "a"), "INFO: Queue a is not being run.\n");
    assert.equal(await ok("queue", "stop", "a", "--kill"), "INFO: Queue a is not being run.\n");
    assert.equal((await run("queue", "stop", "none")).status, 2);
  });
});

/** `cms queue check`: its lines, its forms, its exit status. */
import assert from "node:assert/strict";
import { withPlace } from "./harness.ts";

Deno.test("queue check of a queue in order says so, status 0, and no job is asked about that has no host", async () => {
  await withPlace(async ({ ok }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=job[1-2]", "--command=true");
    assert.equal(
      await ok("queue", "check", "a"),
      "INFO: Checked queue a: 2 jobs, 0 in flight, asked no hosts.\nINFO: All agree.\n",
    );
    assert.equal(await ok("queue", "check", "--queue=a", "--output=table"), "None\n");
    assert.equal(await ok("queue", "check", "a", "--output=json"), "[]\n");
    await ok("queue", "add", "a", "--name=here", "--command=true", "--user=me", "--host=localhost");
    assert.match(await ok("queue", "check", "a"), /3 jobs, 0 in flight, asked me@localhost\./);
  });
});

Deno.test("queue check names file and line, and what to do, status 1; other forms hold the same", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("queue", "create", "a", "--experiment=runs/one");
    await Deno.writeTextFile(`${directory}/runs/one/a-queue.yaml`, "x:\n  command: 'true'\n  status: nosuch\n");
    const { out, err, status } = await run("queue", "check", "a", "--experiment=runs/one");
    assert.equal(status, 1);
    assert.match(
      err,
      /^WARNING: runs\/one\/a-queue\.yaml: line 3: job "x": status is "nosuch": use one of .*\. To do: mend the file; .*\n$/,
    );
    assert.equal(out, "INFO: Checked queue a: 0 jobs, 0 in flight, asked no hosts.\nINFO: 1 to look at.\n");
    const json = await run("queue", "check", "a", "--experiment=runs/one", "--output=json");
    assert.deepEqual([json.status, json.err], [1, ""]);
    const [finding] = JSON.parse(json.out);
    assert.deepEqual(Object.keys(finding), ["kind", "job", "where", "finding", "action"]);
    assert.deepEqual([finding.kind, finding.job, finding.where], ["trouble", null, "runs/one/a-queue.yaml"]);
    const csv = await run("queue", "check", "a", "--experiment=runs/one", "--output=csv");
    assert.match(csv.out, /^kind,job,where,finding,action\r?\ntrouble,,runs\/one\/a-queue\.yaml,/);
  });
});

Deno.test("queue check of a job that is ready by an edit of the file, with its old files there, notes it, status 0", async () => {
  await withPlace(async ({ ok, directory, run }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=j", "--command=true", "--user=me", "--host=localhost");
    await ok("queue", "run", "fifo", "a", "--max_parallel=1");
    const file = `${directory}/experiment/a-queue.yaml`;
    await Deno.writeTextFile(file, (await Deno.readTextFile(file)).replace("status: end", "status: ready"));
    const { out, err, status } = await run("queue", "check", "a");
    assert.deepEqual([err, status], ["", 0]);
    assert.match(out, /INFO: \.\/experiment\/a-queue\.yaml: was edited since the program wrote it; the edit counts\n/);
    assert.match(
      out,
      /INFO: Job j on me@localhost is ready, with the files of its last attempt still there\. To do: cms queue reset a --name=j removes them\n/,
    );
    await ok("queue", "reset", "a", "--name=j");
    assert.doesNotMatch(await ok("queue", "check", "a"), /Job j/);
  });
});

Deno.test("queue check of no queue, or with wrong words, is status 2 and makes nothing", async () => {
  await withPlace(async ({ run, directory }) => {
    const MISSING = "ERROR: Queue: ./experiment/b-queue.yaml does not exist; " +
      "there is no queue in experiment; to make it: cms queue create b";
    const missing = await run("queue", "check", "b");
    assert.deepEqual(missing, { out: "", err: `${MISSING}\n`, status: 2 });
    assert.equal((await run("queue", "check", "b", "--output=xml")).status, 2);
    assert.equal((await run("queue", "check", "b", "--experiment=../x")).status, 2);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(directory)), []);
  });
});

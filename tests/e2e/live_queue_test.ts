/**
 * Other commands, and the user's editor, on a queue that is being run.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { TestHosts } from "../../testing/hosts.ts";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { GATED, isAlive, ranOn, release, releaseAll, waitForStarted } from "../../testing/gated.ts";
import { Manager, type Running } from "../../testing/harness.ts";

/** On a slow machine: a look is a process of its own, and a run spares a slow disk: it seldom writes the file. */
const PATIENT = { limitMs: 120_000 };

/** A queue of gated jobs for pi@red, and a run of it with `slots`. The first `slots` jobs run when this returns. */
async function startRun(
  hosts: TestHosts,
  jobs: readonly string[],
  slots: number,
): Promise<{ manager: Manager; run: Running; before: string }> {
  const manager = await Manager.make(hosts);
  await manager.ok("queue", "create", "a");
  await addGated(manager, jobs.join(","));
  const before = await Deno.readTextFile(manager.path("a-queue.yaml"));
  const run = manager.start("queue", "run", "fifo", "a", `--max_parallel=${slots}`);
  await waitForStarted(manager, run, ...jobs.slice(0, slots));
  return { manager, run, before };
}

function addGated(manager: Manager, jobs: string): Promise<string> {
  return manager.ok("queue", "add", "a", `--name=${jobs}`, "--command", GATED, "--user=pi", "--host=red");
}

hostTest(
  "live: jobs that are added are taken by the run; list, a second run and refresh tell what is",
  async (hosts) => {
    const { manager, run } = await startRun(hosts, ["job1"], 1);
    await using _ = manager;
    assert.equal(
      await addGated(manager, "late[1-2]"),
      "INFO: Adding job late1 to queue a\nINFO: Adding job late2 to queue a\n",
    );
    const { status, pid, host, started } = (await manager.jobs()).get("job1")!;
    const { stdout: real } = await hosts.host("red").run("cat pid-job1");
    assert.deepEqual([status, pid, host], ["start", real.trim(), "red"]);
    assert.match(String(started), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(await manager.ok("queue", "list", "a"), /^\| job1 +\| start +\|/m);

    const second = await manager.cms("queue", "run", "fifo", "a", "--max_parallel=1");
    assert.equal(second.code, 2);
    assert.equal(second.stdout, "");
    assert.match(
      second.stderr,
      new RegExp(`^ERROR: Cannot run queue a: process ${run.pid} on \\S+ runs it already\n$`),
    );
    const refreshed = await manager.ok("queue", "refresh", "a");
    assert.equal(refreshed, "INFO: Refreshing Queue: a\nNo job status changes.\n");

    await releaseAll(hosts);
    const { code, stdout, stderr } = await run.ended();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Completed Jobs: \['job1', 'late1', 'late2'\]\n$/);
    assert.deepEqual(await ranOn(hosts), ["job1", "late1", "late2"]);
  },
);

hostTest(
  "live: delete ends a job that runs, with its group and directory, and takes waiting ones away",
  async (hosts) => {
    const { manager, run } = await startRun(hosts, ["run1", "run2", "wait1", "wait2"], 2);
    await using _ = manager;
    const red = hosts.host("red");
    await waitUntil("the group of run1", () => isAlive(red, "run1"));
    const { code, stdout, stderr } = await manager.cms("queue", "delete", "a", "--name=run1,wait1");
    assert.deepEqual([code, stdout, stderr], [0, "INFO: Deleting jobs: ['run1', 'wait1']\n", ""]);
    assert.equal(await isAlive(red, "run1"), false, "its process group is gone");
    assert.ok(await isAlive(red, "run2"), "the other one runs on");
    // The free slot goes to the next.
    await waitForStarted(manager, run, "run2", "wait2");
    assert.equal((await red.run("ls experiment")).stdout, "run2\nwait2\n");
    assert.deepEqual(await manager.states(), ["run2 start", "wait2 start"]);
    await releaseAll(hosts);
    const end = await run.ended();
    assert.match(end.stdout, /^INFO: Job run1 was killed on pi@red\.$/m);
    assert.match(end.stdout, /Completed Jobs: \['run2', 'wait2'\]\n$/);
    assert.match(end.stderr, /^WARNING: Job run1 did not end well: kill\b.* on pi@red$/m);
    assert.equal(end.code, 1, end.stderr);
    assert.deepEqual(await ranOn(hosts), ["run1", "run2", "wait2"]);
    assert.deepEqual(await manager.states(), ["run2 end", "wait2 end"]);
  },
);

hostTest("live: reset ends a job that runs and makes it ready; the next run takes it", async (hosts) => {
  const { manager, run } = await startRun(hosts, ["job1", "job2"], 1);
  await using _ = manager;
  const red = hosts.host("red");
  const reset = await manager.cms("queue", "reset", "a", "--name=job1");
  assert.deepEqual(
    [reset.code, reset.stdout, reset.stderr],
    [0, "job1 \t old_status:start \t new_state:ready\n\n", ""],
  );
  assert.equal(await isAlive(red, "job1"), false);
  await waitForStarted(manager, run, "job2");
  assert.equal((await red.run("ls experiment")).stdout, "job2\n");
  await releaseAll(hosts);
  assert.match((await run.ended()).stdout, /Ran Jobs: \['job1', 'job2'\]/);
  assert.deepEqual(await manager.states(), ["job1 ready", "job2 end"]);
  const again = await manager.cms("queue", "run", "fifo", "a", "--max_parallel=1");
  assert.match(again.stdout, /Completed Jobs: \['job1'\]\n$/);
  assert.equal(again.stderr, "");
  assert.equal((await manager.jobs()).get("job1")?.attempt, 2);
});

hostTest("live: a deactivated host gets no new jobs, an activated one does", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=job[1-20]", "--command", GATED);
  await manager.ok("cluster", "create", "c");
  await manager.ok("cluster", "add", "c", "--id=h1", "--name=red", "--user=pi");
  await manager.ok("cluster", "add", "c", "--id=h2", "--name=red01", "--user=pi");
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hostfile=c");
  await waitForStarted(manager, run, "job1", "job2");
  /**
   * Lets the job on a host end; returns what runs there when that has been seen, which is when its slot is given on.
   */
  const endOneOn = async (name: string): Promise<string | undefined> => {
    const jobs = [...(await manager.jobs()).values()];
    const job = jobs.find(({ host, status }) => host === name && status === "start")!.name;
    await release(hosts.host(name), job);
    await waitUntil(`end of ${job}`, async () => (await manager.jobs()).get(job)?.status === "end", PATIENT);
    return [...(await manager.jobs()).values()].find(({ host, status }) =>
      host === name && /^(run|start)$/.test(status)
    )?.name;
  };
  await manager.ok("cluster", "deactivate", "c", "--id=h2");
  // The file is seen a moment after the command: until then a job or two may still go there.
  let left = 5;
  while (await endOneOn("red01") !== undefined) {
    assert.ok(--left > 0, "red01 gets jobs though it is inactive");
    await waitUntil(
      "a job that runs on red01",
      async () =>
        [...(await manager.jobs()).values()].some(({ host, status }) => host === "red01" && status === "start"),
      PATIENT,
    );
  }
  assert.notEqual(await endOneOn("red"), undefined, "red goes on");
  const onRed01 = [...(await manager.jobs()).values()].filter(({ host, status }) =>
    host === "red01" && /^(run|start)$/.test(status)
  );
  assert.deepEqual(onRed01, []);
  await manager.ok("cluster", "activate", "c", "--id=h2");
  await waitUntil(
    "a job on red01 again",
    async () => [...(await manager.jobs()).values()].some(({ host, status }) => host === "red01" && status === "start"),
    PATIENT,
  );
  await releaseAll(hosts);
  const { code, stderr } = await run.ended();
  assert.equal(code, 0, stderr);
  assert.equal((await ranOn(hosts)).length, 20);
});

hostTest(
  "live: hand edits of waiting jobs count; a broken file is told once and left alone until it is mended",
  async (hosts) => {
    const { manager, run } = await startRun(hosts, ["job1", "job2", "job3", "job4", "job5"], 1);
    await using _ = manager;
    const red = hosts.host("red");
    const file = manager.path("a-queue.yaml");
    const written = async (state: RegExp) => {
      const isThere = async () => state.test(await Deno.readTextFile(file));
      await waitUntil(`${state} in the file`, isThere, PATIENT);
      return await Deno.readTextFile(file);
    };
    const text = await written(/^job1:\n( {2}.*\n)*? {2}status: start$/m);
    const entries = new Map(text.split(/^(?=\w)/m).map((entry) => [entry.split(":")[0]!, entry]));
    assert.deepEqual([...entries.keys()], ["job1", "job2", "job3", "job4", "job5"]);
    const command = (to: string) =>
      entries.get("job2")!.replace(/^ {2}command:(.*\n)( {4}.*\n)*/m, `  command: ${to}\n`);
    // A person changes one and removes another.
    entries.set("job2", `# changed by hand\n${command("echo edited > ~/edited")}`);
    entries.delete("job3");
    await save(file, [...entries.values()].join(""));
    await waitUntil("the edit as other commands see it", async () => (await manager.states()).length === 4);
    await release(red, "job1");
    await waitForStarted(manager, run, "job4");
    assert.equal((await red.run("cat edited")).stdout, "edited\n");
    assert.deepEqual(await manager.states(), ["job1 end", "job2 end", "job4 start", "job5 ready"]);

    // A half-finished edit.
    const good = await written(/^job4:\n( {2}.*\n)*? {2}status: start$/m);
    const broken = good.replace(/^job5:$/m, "job5: [");
    await save(file, broken);
    await run.waitFor(/^WARNING: .*a-queue\.yaml:\d+: .*the queue goes on with what was read before$/m);
    const list = await manager.cms("queue", "list", "a");
    assert.equal(list.code, 2);
    assert.match(list.stderr, /^ERROR: \.\/experiment\/a-queue\.yaml:\d+: /);
    await release(red, "job4");
    await run.waitFor("INFO: Running job: job5");
    await waitUntil("the start of job5", async () => (await ranOn(hosts)).includes("job5"));
    assert.equal(await Deno.readTextFile(file), broken, "the broken file is not overwritten");
    await save(file, broken.replace("job5: [", "job5:"));
    await written(/^job5:\n( {2}.*\n)*? {2}status: start$/m);
    await releaseAll(hosts);
    const { code, stderr, stdout } = await run.ended();
    assert.equal(code, 0, stderr);
    assert.equal(stderr.match(/goes on with what was read before/g)?.length, 1, stderr);
    assert.match(stdout, /Completed Jobs: \['job1', 'job2', 'job4', 'job5'\]\n$/);
    assert.deepEqual(await ranOn(hosts), ["job1", "job4", "job5"]);
    assert.deepEqual(await manager.states(), ["job1 end", "job2 end", "job4 end", "job5 end"]);
  },
);

hostTest(
  "live: a text that an editor has held since before the jobs ran, saved during the run, takes nothing back",
  async (hosts) => {
    const { manager, run, before } = await startRun(hosts, ["job1", "job2", "job3", "job4"], 1);
    await using _ = manager;
    const red = hosts.host("red");
    const file = manager.path("a-queue.yaml");
    await release(red, "job1");
    await waitForStarted(manager, run, "job2");
    await addGated(manager, "late");
    await manager.ok("queue", "delete", "a", "--name=job3");
    const isWritten = (text: string) =>
      /^job1:\n( {2}.*\n)*? {2}status: end$/m.test(text) && text.includes("\nlate:\n") && !text.includes("\njob3:\n");
    await waitUntil(
      "the end of job1, the new job and the deletion in the file",
      async () => isWritten(await Deno.readTextFile(file)),
    );
    await save(file, before.replace(/^(job4:\n(?: {2}.*\n)*? {2}gpu: ).*$/m, "$1'7'"));
    await run.waitFor(
      /^WARNING: The queue file was saved from an older text: what was done since to job1, job2, job3 stays$/m,
    );
    assert.deepEqual(await manager.states(), ["job1 end", "job2 start", "job4 ready", "late ready"]);
    assert.equal((await manager.jobs()).get("job4")?.gpu, "7");
    await releaseAll(hosts);
    const { code, stderr } = await run.ended();
    assert.equal(code, 0, stderr);
    assert.deepEqual(await ranOn(hosts), ["job1", "job2", "job4", "late"]);
  },
);

/** As most editors do it: the file is never there in part. */
async function save(file: string, text: string): Promise<void> {
  await Deno.writeTextFile(`${file}.edit`, text);
  await Deno.rename(`${file}.edit`, file);
}

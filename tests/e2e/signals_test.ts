/**
 * Ending a run by signals and by Ctrl-C, and what a terminal shows in place of a pipe.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { TestHosts } from "../../testing/hosts.ts";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { GATED, isAlive, ranOn, releaseAll, waitForStarted } from "../../testing/gated.ts";
import { Manager, type Outcome, type Running } from "../../testing/harness.ts";

const RUN = ["queue", "run", "fifo", "a", "--max_parallel=2"];
const ALL = ["job1", "job2", "job3", "job4"];

/** Four gated jobs on red, two of which run when this returns. */
async function startRun(hosts: TestHosts): Promise<{ manager: Manager; run: Running }> {
  const manager = await Manager.make(hosts);
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=job[1-4]", "--command", GATED, "--user=pi", "--host=red");
  const run = manager.start(...RUN);
  await waitForStarted(manager, run, "job1", "job2");
  for (const job of ["job1", "job2"]) await waitUntil(`the group of ${job}`, () => isAlive(hosts.host("red"), job));
  return { manager, run };
}

/** Types the command that the run named for going on; all jobs have to have run exactly once then. */
async function goOn(manager: Manager, hosts: TestHosts, stopped: Outcome): Promise<Outcome> {
  const [, command] = /To go on: (.*)$/m.exec(stopped.stderr) ?? [];
  assert.equal(command, `cms ${RUN.join(" ")}`);
  const again = await manager.type(command);
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(await ranOn(hosts), ALL, "each job ran exactly once");
  assert.deepEqual(await manager.states(), ALL.map((job) => `${job} end`));
  assert.ok([...(await manager.jobs()).values()].every(({ attempt }) => attempt === 1));
  return again;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  hostTest(`signals: after one ${signal} nothing more is started, and another run goes on`, async (hosts) => {
    const { manager, run } = await startRun(hosts);
    await using _ = manager;
    run.signal(signal);
    await run.waitFor(`WARNING: Stopping after ${signal}: no new jobs are started, still running: 2.`);
    assert.ok(await isAlive(hosts.host("red"), "job1"));
    assert.ok(run.isRunning, "it waits for the two");
    await releaseAll(hosts);
    const stopped = await run.ended();
    assert.deepEqual(await ranOn(hosts), ["job1", "job2"]);
    assert.match(stopped.stderr, /^WARNING: Stopped\. Still running: 0, waiting: 2\. To go on: /m);
    assert.match(stopped.stdout, /Completed Jobs: \['job1', 'job2'\]\n$/);
    assert.equal(stopped.code, 1);
    assert.deepEqual(await manager.states(), ["job1 end", "job2 end", "job3 ready", "job4 ready"]);
    const again = await goOn(manager, hosts, stopped);
    assert.match(again.stdout, /Ran Jobs: \['job3', 'job4'\]/);
  });
}

hostTest(
  "signals: after a second one the run leaves at once, and the next run takes over what goes on",
  async (hosts) => {
    const { manager, run } = await startRun(hosts);
    await using _ = manager;
    run.signal("SIGINT");
    await run.waitFor("WARNING: Stopping after SIGINT");
    run.signal("SIGINT");
    const stopped = await run.ended();
    assert.match(stopped.stderr, /^WARNING: Stopped\. Still running: 2, waiting: 2\. To go on: /m);
    assert.equal(stopped.code, 1);
    for (const job of ["job1", "job2"]) assert.ok(await isAlive(hosts.host("red"), job), `${job} goes on`);
    assert.deepEqual(await manager.states(), ["job1 start", "job2 start", "job3 ready", "job4 ready"]);
    assert.match(await manager.read("a-queue.yaml"), /status: start/, "the file is complete");
    const next = manager.start(...RUN);
    await next.waitFor("INFO: Job job2 still runs on pi@red.");
    await next.waitFor("INFO: Job job1 still runs on pi@red.");
    assert.deepEqual(await ranOn(hosts), ["job1", "job2"], "they take both slots");
    next.signal("SIGINT");
    await next.waitFor("WARNING: Stopping after SIGINT");
    next.signal("SIGTERM");
    assert.equal((await next.ended()).code, 1);
    await releaseAll(hosts);
    const last = await goOn(manager, hosts, stopped);
    assert.match(last.stdout, /^INFO: Ran Jobs: \['job1', 'job2', 'job3', 'job4'\]$/m);
  },
);

/** Runs a command on a terminal of its own; what is written to `keys` is typed there. */
async function onTerminal(
  manager: Manager,
  command: string,
  env: Record<string, string> = {},
): Promise<{ run: Running; keys: Deno.FsFile }> {
  assert.equal((await manager.type("mkfifo ~/keys")).code, 0);
  // Both ends: nobody waits for the other.
  const keys = await Deno.open(`${manager.home}/keys`, { read: true, write: true });
  const line = `exec script --quiet --flush --return --command 'exec ${command}' /dev/null < ~/keys`;
  return { run: manager.spawn(["bash", "-c", line], { env: { TERM: "xterm", ...env } }), keys };
}

hostTest("signals: Ctrl-C typed on a terminal stops the run and touches no job, on hosts or here", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const red = hosts.host("red");
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=job1,job3", "--command", GATED, "--user=pi", "--host=red");
  await manager.ok("queue", "add", "a", "--name=job2", "--command", GATED, "--user=me", "--host=localhost");
  const order = (await manager.states()).join();
  assert.equal(order, "job1 ready,job3 ready,job2 ready");
  const { run, keys } = await onTerminal(manager, "cms queue run fifo a --max_parallel=3");
  using _ = keys;
  await waitForStarted(manager, run, "job1", "job3", "job2");
  const isLocalAlive = async () => (await manager.type('kill -0 "-$(cat ~/pid-job2)"')).code === 0;
  await waitUntil("the group of job2", isLocalAlive);
  await waitUntil("the group of job1", () => isAlive(red, "job1"));
  // The progress line, and colours.
  // deno-lint-ignore no-control-regex
  await run.waitFor(/\r\x1b\[2K.*0 of 3 done, 3 running, 0 failed/s);
  assert.ok(run.stdout.includes("\x1b[34mINFO:\x1b[39m Running job: job1 on pi@red"), run.stdout);
  keys.writeSync(new Uint8Array([3]));
  await run.waitFor("Stopping after SIGINT: no new jobs are started, still running: 3.");
  keys.writeSync(new Uint8Array([3]));
  const { code, stdout } = await run.ended();
  assert.match(stdout, /Stopped\. Still running: 3, waiting: 0\./);
  assert.equal(code, 1);
  assert.ok(await isAlive(red, "job1"), "job1 goes on");
  assert.ok(await isAlive(red, "job3"), "job3 goes on");
  assert.ok(await isLocalAlive(), "job2 goes on");
  await releaseAll(hosts);
  await manager.type("touch ~/go-all");
  const last = await manager.cms("queue", "run", "fifo", "a", "--max_parallel=3");
  assert.equal(last.code, 0, last.stderr);
  assert.deepEqual(await manager.states(), ["job1 end", "job3 end", "job2 end"]);
  assert.deepEqual(await ranOn(hosts), ["job1", "job3"]);
});

hostTest("signals: the progress line is for terminals only, colours obey NO_COLOR", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=job[1-3]", "--command=exit 1", "--user=pi", "--host=red");
  const { run, keys } = await onTerminal(manager, `cms ${RUN.join(" ")}`, { NO_COLOR: "1" });
  using _ = keys;
  const shown = await run.ended();
  assert.match(shown.stdout, /\d of 3 done, \d running, \d failed/);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(shown.stdout, /\x1b\[\d+m/, "no colours");
  assert.match(shown.stdout, /^WARNING: Job job3 did not end well: exit code 1 on pi@red\r$/m);
  await manager.ok("queue", "reset", "a", "--status=end");
  const piped = await manager.cms(...RUN);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(piped.stdout + piped.stderr, /\x1b|\r|of 3 done/);
  assert.equal(piped.code, 1);
});

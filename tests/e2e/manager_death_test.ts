/**
 * The manager dies in the middle of its work: nothing that was started is started again, nothing is forgotten.
 */

import assert from "node:assert/strict";
import type { TestHosts } from "../../testing/hosts.ts";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import type { Manager } from "../../testing/harness.ts";
import {
  assertRanOnce,
  countOf,
  countStates,
  isAlive,
  jobNames,
  letGo,
  makeManager,
  makeQueue,
  mostAtOnce,
  onceCommand,
  readText,
  runsOf,
  sshPids,
  waitForSilence,
  waitForState,
  waitsFor,
} from "../../testing/harness_faults.ts";

const TWO_EACH = "--hosts=pi@red,pi@red,pi@red01,pi@red01,pi@red02,pi@red02";

/** A quarter of the jobs still run when the next manager begins. */
const SOME_LONG = "case $n in *[159]) sleep 1.5;; *) sleep 0.2;; esac";

/** A number from 1 to `most`; printed by a failing test with the rest of its output. */
function anyUpTo(most: number): number {
  return 1 + Math.floor(Math.random() * most);
}

/**
 * All is well at the end: each job ran once and is `end`, no host ever ran more than two, nothing of ours is left
 * there.
 */
async function assertAllRan(manager: Manager, hosts: TestHosts, count: number): Promise<void> {
  assertRanOnce(hosts, jobNames(count));
  assert.equal(await countStates(manager), `end:${count}`);
  for (const host of hosts.hosts.values()) {
    assert.ok(mostAtOnce(host) <= 2, `${host.name} ran ${mostAtOnce(host)} at once`);
    await waitForSilence(host);
  }
}

hostTest("a manager killed at any moment of a run: run again, and every job has run exactly once", async (hosts) => {
  await using manager = await makeManager(hosts);
  await makeQueue(manager, "job[1-60]", onceCommand(SOME_LONG));
  const moments: number[] = [];
  const waiting = async () => [...(await manager.jobs()).values()].filter(({ attempt }) => attempt === 0).length;
  // On a slow machine many more have started by the time the manager is killed.
  while (moments.length < 5 && await waiting() > 12) {
    const run = manager.start("queue", "run", "fifo_multi", "a", TWO_EACH);
    const starts = anyUpTo(8);
    moments.push(starts);
    await waitUntil(() => `${starts} starts in ${run.text}`, () => countOf(run, /Starting job/g) >= starts, {
      limitMs: 30_000,
    });
    const ssh = sshPids(run);
    assert.ok(ssh.length >= 1, run.text);
    await run.kill9();
    // The list is there at once, and knows of every start that was decided.
    assert.equal((await manager.jobs()).size, 60);
    await waitUntil("the end of the dead manager's ssh processes", () => !ssh.some(isAlive), { limitMs: 15_000 });
  }
  const last = await manager.cms("queue", "run", "fifo_multi", "a", TWO_EACH);
  assert.equal(last.code, 0, `killed after ${moments} starts\n${last.stdout}${last.stderr}`);
  await assertAllRan(manager, hosts, 60);
});

hostTest(
  "a fifo manager killed in the middle: max_parallel holds over its death, and jobs run once in file order",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    await makeQueue(manager, "job[1-20]", onceCommand(SOME_LONG), "--user=pi", "--host=red");
    const args = ["queue", "run", "fifo", "a", "--max_parallel=2"];
    const begun = () => [...readText(`${hosts.host("red").home}/steps`).matchAll(/^\+ /gm)].length;
    for (const starts of [1, 3, 4]) {
      const before = begun();
      const run = manager.start(...args);
      // What has not reached the host when its manager dies is taken back, and starts a little later.
      await waitUntil(
        () => `${starts} starts in ${run.text}`,
        () => countOf(run, /Running job: /g) >= starts && begun() > before,
      );
      await run.kill9();
    }
    const last = await manager.cms(...args);
    assert.equal(last.code, 0, last.stdout + last.stderr);
    await assertAllRan(manager, hosts, 20);
    const steps = readText(`${hosts.host("red").home}/steps`);
    const starts = [...steps.matchAll(/^\+ job(\d+)$/gm)].map(([, n]) => Number(n));
    // Two that are sent together may begin in either order.
    starts.forEach((n, i) => assert.ok(Math.abs(n - i - 1) <= 1, `order of starts: ${starts}`));
  },
);

hostTest("a manager killed right after its start, again and again: nothing is lost or doubled", async (hosts) => {
  await using manager = await makeManager(hosts);
  await makeQueue(manager, "job[1-12]", onceCommand("sleep 0.1"));
  const runFile = manager.path(".a-queue.run");
  const journal = manager.path(".a-queue.journal");
  for (let round = 0; round < 6; round++) {
    const run = manager.start("queue", "run", "fifo_multi", "a", TWO_EACH);
    // From the first moment in which it can change anything, to that in which the first starts are on their way.
    if (round % 3 === 0) await waitUntil("the claim", () => readText(runFile).includes(`"pid":${run.pid}`));
    if (round % 3 === 1) await waitUntil("an ssh process", () => sshPids(run).length > 0);
    if (round % 3 === 2) await waitUntil("a start", () => /"status":"(run|start)"/.test(readText(journal)));
    await run.kill9();
  }
  const last = await manager.cms("queue", "run", "fifo_multi", "a", TWO_EACH);
  assert.equal(last.code, 0, last.stdout + last.stderr);
  await assertAllRan(manager, hosts, 12);
});

hostTest("a manager killed while input files are on their way: the job runs once, with all of them", async (hosts) => {
  await using manager = await makeManager(hosts);
  const red = hosts.host("red");
  await makeQueue(manager, "job1", onceCommand("cksum <data >>~/sum"));
  await Deno.mkdir(manager.path("job1"));
  const data = new Uint8Array(300_000).map((_, i) => i % 251);
  await Deno.writeFile(manager.path("job1/data"), data);
  // An ssh that stops in the middle of a copy, which dd passes on as it comes.
  const ssh = `${manager.dir}/slow-ssh`;
  await Deno.writeTextFile(
    ssh,
    `#!/bin/sh
case "$*" in
*'printf %b'*) { dd bs=1000 count=100 2>/dev/null; : >${manager.dir}/half; i=0
  while [ ! -e ${manager.dir}/go ] && [ $i -lt 600 ]; do sleep 0.05; i=$((i+1)); done; cat; } | ssh "$@" ;;
*) exec ssh "$@" ;;
esac
`,
    { mode: 0o755 },
  );
  const env = { CMS_SSH: hosts.env.CMS_SSH!.replace(/^ssh/, ssh) };
  const run = manager.spawn([`${manager.bin}/cms`, "queue", "run", "fifo_multi", "a", "--hosts=pi@red"], { env });
  await waitUntil("half a copy", () => Deno.statSync(`${manager.dir}/half`));
  await run.kill9();
  await Deno.writeTextFile(`${manager.dir}/go`, "");
  // What had come by then is thrown away, and nothing of it ever stood where the job would look for it.
  const left = () => red.run("find experiment -name data -o -path '*/.cms/*/i.*' | grep .");
  await waitUntil("nothing of half a copy", async () => (await left()).code !== 0);
  assert.equal(await countStates(manager), "run:1");

  const again = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
  assert.equal(again.code, 0, again.stdout + again.stderr);
  assertRanOnce(hosts, ["job1"]);
  const { stdout: sum } = await red.run("cksum <experiment/job1/data; wc -c <experiment/job1/data");
  assert.equal(sum.split("\n")[0], readText(`${red.home}/sum`).split("\n")[0]);
  assert.match(sum, /\n300000\n/);
});

hostTest("a start that was decided but never reached its host is carried out by the next run, once", async (hosts) => {
  await using manager = await makeManager(hosts);
  const red = hosts.host("red");
  await makeQueue(manager, "job1", onceCommand(waitsFor("go")));
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red");
  await waitForState(manager, "job1", "start");
  const [ssh] = sshPids(run);
  assert.ok(ssh !== undefined, run.text);
  // What the manager writes from now on stays in a pipe.
  Deno.kill(ssh, "SIGSTOP");
  await manager.ok("queue", "add", "a", "--name=job2", `--command=${onceCommand("true")}`);
  await waitForState(manager, "job2", "run");
  await run.kill9();
  Deno.kill(ssh, "SIGKILL");
  assert.deepEqual([...runsOf(hosts).keys()], ["job1"]);

  const again = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red");
  await again.waitFor(/INFO: Job job1 still runs on pi@red\./);
  await waitForState(manager, "job2", "end");
  await letGo(red, "go");
  assert.equal((await again.ended()).code, 0, again.text);
  assert.equal(countOf(again, /Starting job: job1/g), 0, again.text);
  assert.equal(countOf(again, /Starting job: job2/g), 1, again.text);
  assertRanOnce(hosts, ["job1", "job2"]);
});

hostTest(
  "manager and host lose power together: what ran there is crash and never starts again unasked",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const red = hosts.host("red");
    await makeQueue(manager, "job[1-4]", onceCommand(`case $n in job[12]) ${waitsFor("never")};; esac`));
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red");
    await waitForState(manager, "job2", "start");
    // One after the other: the processes of a host end one by one, and the manager must hear of none.
    await run.kill9();
    await red.crash();
    await red.boot();

    const again = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red");
    assert.equal(again.code, 1, again.stdout + again.stderr);
    assert.match(again.stdout, /^INFO: Job job1 of an earlier run on pi@red: crash$/m);
    assert.equal(await countStates(manager), "crash:2 end:2");
    assert.match(readText(`${red.home}/experiment/job2/job2.log`), /^# cloudmesh state: crash$/m);
    assertRanOnce(hosts, jobNames(4));
  },
);

hostTest("refresh after the manager's death says what became of the jobs, in file order", async (hosts) => {
  await using manager = await makeManager(hosts);
  await makeQueue(manager, "job[1-4]", onceCommand(waitsFor("go")));
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01,pi@red02");
  for (const job of jobNames(3)) await waitForState(manager, job, "start");
  await run.kill9();
  // While they run, there is nothing new.
  assert.equal(await manager.ok("queue", "refresh", "a"), "INFO: Refreshing Queue: a\nNo job status changes.\n");
  for (const host of hosts.hosts.values()) await letGo(host, "go");
  for (const host of hosts.hosts.values()) {
    const log = async () => (await host.run("cat experiment/job*/job*.log")).stdout;
    await waitUntil(`the end on ${host.name}`, async () => (await log()).includes("state: end"));
  }
  assert.equal(
    await manager.ok("queue", "refresh", "a"),
    `INFO: Refreshing Queue: a
job1 \t old_status:start \t new_state:end
job2 \t old_status:start \t new_state:end
job3 \t old_status:start \t new_state:end

`,
  );
  assert.equal(await countStates(manager), "end:3 undefined:1");
  assert.equal(await manager.ok("queue", "refresh", "a"), "INFO: Refreshing Queue: a\nNo job status changes.\n");
  await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
  assertRanOnce(hosts, jobNames(4));
});

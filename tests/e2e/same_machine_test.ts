/** What hosts are called, and which machine answers: one name with two addresses, and one machine with two names. */

import assert from "node:assert/strict";
import { hostTest } from "../../testing/need.ts";
import {
  assertRanOnce,
  countOf,
  jobNames,
  letGo,
  makeManager,
  makeQueue,
  onceCommand,
  waitForState,
  waitsFor,
} from "../../testing/harness_faults.ts";

hostTest("one name with two addresses is two machines, for a run and for what comes after it", async (hosts) => {
  await using manager = await makeManager(hosts);
  const [red, red01] = [hosts.host("red"), hosts.host("red01")];
  await manager.ok("cluster", "create", "c");
  for (const [id, { address }] of [["n1", red], ["n2", red01]] as const) {
    await manager.ok("cluster", "add", "c", `--id=${id}`, "--name=node", "--user=pi", `--ip=${address}`);
  }
  await makeQueue(manager, "job[1-2]", onceCommand(waitsFor("go")));
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hostfile=c");
  await waitForState(manager, "job1", "start");
  await waitForState(manager, "job2", "start");
  const check = await manager.cms("queue", "check", "a");
  assert.equal(check.code, 0, check.stdout + check.stderr);
  // Each entry is told by its own machine.
  const machines = [red, red01].map(({ address }) => `pi@${address}`);
  const told = async (...words: string[]) => JSON.parse(await manager.ok(...words, "--output=json"));
  const slots: { machine: string; jobs: { job: string }[] }[] = await told("cluster", "status", "c");
  assert.deepEqual(slots.map(({ machine, jobs }) => [machine, jobs.map(({ job }) => job)]), [
    [machines[0], ["job1"]],
    [machines[1], ["job2"]],
  ]);
  const [{ hosts: used }] = await told("queue", "status", "a");
  assert.deepEqual(used.map((host: { machine: string; used: number }) => [host.machine, host.used]), [
    [machines[0], 1],
    [machines[1], 1],
  ]);
  const checked: { machine: string }[] = await told("cluster", "check", "c");
  assert.deepEqual(checked.map(({ machine }) => machine), machines);
  for (const host of [red, red01]) await letGo(host, "go");
  assert.equal((await run.ended()).code, 0, run.text);
  const jobs = await manager.jobs();
  assert.deepEqual(["job1", "job2"].map((name) => jobs.get(name)?.host), [red.address, red01.address]);
  assertRanOnce(hosts, jobNames(2));
  await manager.ok("queue", "reset", "a", "--status=end");
  for (const [host, job] of [[red, "job1"], [red01, "job2"]] as const) {
    assert.equal((await host.run(`test ! -e experiment/${job}`)).code, 0, `${job} is removed on ${host.name}`);
  }
});

hostTest("one machine with two names is one: one link, told once, and all slots are used", async (hosts) => {
  await using manager = await makeManager(hosts);
  const red = hosts.host("red");
  await makeQueue(manager, "job[1-4]", onceCommand(`case $n in job[12]) ${waitsFor("go")} ;; esac`));
  const run = manager.start("queue", "run", "fifo_multi", "a", `--hosts=pi@red,pi@${red.address}`);
  await waitForState(manager, "job1", "start");
  await waitForState(manager, "job2", "start");
  await letGo(red, "go");
  const { code } = await run.ended();
  assert.equal(code, 0, run.text);
  assert.equal(countOf(run, /not responding|responds again/g), 0, run.text);
  assert.equal(countOf(run, /is the machine that/g), 1, run.text);
  assertRanOnce(hosts, jobNames(4));

  // Jobs that an earlier run has started under the other name.
  await manager.ok("queue", "reset", "a", "--status=end");
  await manager.ok("queue", "delete", "a", "--name=job[3-4]");
  await red.run("rm -f go");
  const first = manager.start("queue", "run", "fifo_multi", "a", `--hosts=pi@${red.address}`);
  await waitForState(manager, "job1", "start");
  first.signal("SIGKILL");
  await first.gone;
  const second = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
  await second.waitFor("is the machine that");
  await second.waitFor("still runs on");
  await letGo(red, "go");
  assert.equal((await second.ended()).code, 0, second.text);
  assert.equal(countOf(second, /not responding|responds again|CRASH/g), 0, second.text);

  // Commands without a run go to both names, too.
  await manager.ok("queue", "delete", "a", "--name=job[1-2]");
  for (const [name, host] of [["job1", "red"], ["job2", red.address]] as const) {
    await manager.ok("queue", "add", "a", `--name=${name}`, "--user=pi", `--host=${host}`, "--command=sleep 60");
  }
  const third = manager.start("queue", "run", "fifo", "a", "--max-parallel=2");
  for (const name of ["job1", "job2"]) await waitForState(manager, name, "start");
  third.signal("SIGKILL");
  await third.gone;
  const reset = await manager.cms("queue", "reset", "a");
  assert.equal(reset.code, 0, reset.stdout + reset.stderr);
  assert.equal((await red.run("test -e experiment/job1 || test -e experiment/job2")).code, 1, "both are removed");
});

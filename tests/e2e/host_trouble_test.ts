/**
 * Hosts that do not answer, break down, come back, or lack something; and processes there that somebody kills.
 */

import assert from "node:assert/strict";
import { hostTest } from "../../testing/need.ts";
import type { TestHost } from "../../testing/hosts.ts";
import { waitUntil } from "../../testing/wait.ts";
import {
  assertRanOnce,
  countOf,
  countStates,
  jobNames,
  letGo,
  makeManager,
  makeQueue,
  onceCommand,
  QUICK_SSH,
  readText,
  runsOf,
  sshPids,
  waitForState,
  waitsFor,
} from "../../testing/harness_faults.ts";

/** The state log of a job on its host. */
function logOf(host: TestHost, job: string): string {
  return readText(`${host.home}/experiment/${job}/${job}.log`);
}

/** The lines of a text that hold a word. */
function linesWith(text: string, word: string): string[] {
  return text.split("\n").filter((line) => line.includes(word));
}

hostTest("a host that does not answer gets no jobs; when it comes back it gets some", async (hosts) => {
  await using manager = await makeManager(hosts, QUICK_SSH);
  const [red, red01] = [hosts.host("red"), hosts.host("red01")];
  await red01.cut();
  await makeQueue(manager, "job[1-4]", onceCommand(`[ "$n" = job4 ] && { ${waitsFor("go")}; }`));
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red01,pi@red");
  await run.waitFor("WARNING: Host pi@red01 not responding to probe check. Not assigning jobs to pi@red01\n");
  await waitForState(manager, "job4", "start");
  // The first in the list, and yet all went to the other.
  for (const { name, host } of (await manager.jobs()).values()) assert.equal(host, "red", name);

  await red01.mend();
  // The only other slot is taken.
  await manager.ok("queue", "add", "a", "--name=job5", `--command=${onceCommand("true")}`);
  await waitForState(manager, "job5", "end");
  assert.equal((await manager.jobs()).get("job5")?.host, "red01");
  await letGo(red, "go");
  const { code, stderr } = await run.ended();
  assert.equal(code, 0, run.text);
  assert.equal(linesWith(stderr, "probe check").length, 1, stderr);
  assertRanOnce(hosts, jobNames(5));
});

hostTest("no host at all: the run says so, waits for the time-out, and leaves the jobs waiting", async (hosts) => {
  await using manager = await makeManager(hosts, QUICK_SSH);
  await Promise.all([...hosts.hosts.values()].map((host) => host.cut()));
  await makeQueue(manager, "job[1-3]", onceCommand("true"));
  const args = ["queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01"] as const;
  const { code, stdout, stderr } = await manager.cms(...args, "--timeout=0.05");
  assert.equal(code, 1, stdout + stderr);
  assert.equal(stdout, "INFO: Ran Jobs: []\nINFO: Completed Jobs: []\n");
  assert.match(stderr, /^WARNING: No host responds\. Trying again for 3 s\.$/m);
  assert.match(stderr, /^WARNING: No host responded in time\. Waiting: 3\. To try again: cms queue run fifo_multi a /m);
  assert.equal(await countStates(manager), "undefined:3");

  await Promise.all([...hosts.hosts.values()].map((host) => host.mend()));
  await manager.ok(...args);
  assertRanOnce(hosts, jobNames(3));
});

hostTest("a link that breaks for less than the time-out changes nothing: the ends arrive", async (hosts) => {
  await using manager = await makeManager(hosts, QUICK_SSH);
  const [red, red01] = [hosts.host("red"), hosts.host("red01")];
  await makeQueue(manager, "job[1-4]", onceCommand(waitsFor("go")));
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01");
  await waitForState(manager, "job1", "start");
  await waitForState(manager, "job2", "start");
  await red.cut();
  await run.waitFor("WARNING: Host pi@red not responding to probe check. Not assigning jobs to pi@red\n");
  // Nobody sees this end.
  await letGo(red, "go");
  await waitUntil("the end of job1 on its host", () => logOf(red, "job1").includes("# cloudmesh state: end"));
  assert.equal((await manager.jobs()).get("job1")?.status, "start");
  await red.mend();
  await run.waitFor("INFO: Host pi@red responds again.\n");
  await letGo(red01, "go");
  const { code, stderr } = await run.ended();
  assert.equal(code, 0, run.text);
  assert.doesNotMatch(stderr, /CRASH/);
  assert.equal(await countStates(manager), "end:4");
  assertRanOnce(hosts, jobNames(4));
});

hostTest(
  "a host silent for longer than the time-out: its jobs are crash, the rest is done, refresh finds the truth",
  async (hosts) => {
    await using manager = await makeManager(hosts, QUICK_SSH);
    const [red, red01] = [hosts.host("red"), hosts.host("red01")];
    await makeQueue(manager, "job[1-4]", onceCommand(`[ "$n" != job1 ] || { ${waitsFor("go")}; }`));
    await letGo(red01, "go");
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01", "--timeout=0.05");
    await waitForState(manager, "job1", "start");
    await red.cut();
    const { code, stdout, stderr } = await run.ended();
    assert.equal(code, 1, run.text);
    assert.match(stderr, /^WARNING: Job job1 status:CRASH$/m);
    assert.match(stderr, /^WARNING: job1 on pi@red: pi@red was silent for 3s$/m);
    assert.match(stderr, /^WARNING: Job job1 did not end well: crash on pi@red$/m);
    assert.match(stdout, /^INFO: Completed Jobs: \['job2', 'job3', 'job4'\]$/m);
    assert.equal(await countStates(manager), "crash:1 end:3");
    // On the manager only: it still runs over there.
    assert.doesNotMatch(logOf(red, "job1"), /crash|end/);

    const silent = await manager.cms("queue", "refresh", "a");
    assert.equal(silent.code, 1, silent.stdout + silent.stderr);
    assert.match(silent.stderr, /^WARNING: Cannot reach pi@red: .*job1/m);
    assert.equal(await countStates(manager), "crash:1 end:3");

    await red.mend();
    await letGo(red, "go");
    await waitUntil("the end of job1 on its host", () => logOf(red, "job1").includes("# cloudmesh state: end"));
    assert.match(await manager.ok("queue", "refresh", "a"), /^job1 \t old_status:crash \t new_state:end$/m);
    assert.equal(await countStates(manager), "end:4");
    assertRanOnce(hosts, jobNames(4));
  },
);

hostTest(
  "a host that crashes with a job and is booted: the job is crash, also in its log, and the host gets the next",
  async (hosts) => {
    await using manager = await makeManager(hosts, QUICK_SSH);
    const red = hosts.host("red");
    await makeQueue(manager, "job[1-3]", onceCommand(`[ "$n" != job1 ] || { ${waitsFor("never")}; }`));
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
    await waitForState(manager, "job1", "start");
    await red.crash();
    await run.waitFor("WARNING: Host pi@red not responding to probe check. Not assigning jobs to pi@red\n");
    await red.boot();
    const { code, stdout, stderr } = await run.ended();
    assert.equal(code, 1, run.text);
    assert.match(stderr, /^WARNING: Job job1 status:CRASH$/m);
    assert.match(stdout, /^INFO: Ran Jobs: \['job1', 'job2', 'job3'\]$/m);
    assert.match(stdout, /^INFO: Completed Jobs: \['job2', 'job3'\]$/m);
    assert.match(logOf(red, "job1"), /^# cloudmesh state: crash$/m);
    assertRanOnce(hosts, jobNames(3));
  },
);

hostTest(
  "the ssh process or the agent is killed, and files are removed on the host: nothing is lost or doubled",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const red = hosts.host("red");
    await makeQueue(manager, "job[1-2]", onceCommand(waitsFor("go")));
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red");
    const again = () => countOf(run, /INFO: Host pi@red responds again\./g);
    await waitForState(manager, "job2", "start");

    // Somebody tidies up: a claim, a directory, the agent's own one.
    assert.equal((await red.run("cd experiment; rm job1/job1.run && rm -r job2 .cms")).code, 0);
    const [ssh] = sshPids(run);
    assert.ok(ssh !== undefined, run.text);
    Deno.kill(ssh, "SIGKILL");
    await waitUntil(() => `the link after ssh was killed; ${run.text}`, () => again() === 1, { limitMs: 20_000 });

    // The host answers before its new agent has written down its process.
    await waitUntil("the agent is killed", async () => {
      return (await red.run("set -- $(cat experiment/.cms/*/red*/agent); kill -9 $1")).code === 0;
    });
    await waitUntil(() => `the link after the agent was killed; ${run.text}`, () => again() === 2, { limitMs: 20_000 });
    assert.equal(await countStates(manager), "start:2");

    await letGo(red, "go");
    assert.equal((await run.ended()).code, 0, run.text);
    assertRanOnce(hosts, jobNames(2));
  },
);

hostTest(
  "a host name that does not resolve: fifo fails the start and goes on, fifo_multi leaves the host out",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    await makeQueue(manager, "job1", onceCommand("true"), "--user=pi", "--host=nosuch.invalid");
    await manager.ok("queue", "add", "a", "--name=job2", `--command=${onceCommand("true")}`, "--user=pi", "--host=red");
    const fifo = await manager.cms("queue", "run", "fifo", "a", "--max_parallel=2");
    assert.equal(fifo.code, 1, fifo.stdout + fifo.stderr);
    assert.match(fifo.stderr, /^WARNING: Job job1 failed to start\.$/m);
    assert.match(fifo.stderr, /^WARNING: job1 on pi@nosuch\.invalid: its name cannot be resolved$/m);
    assert.match(fifo.stdout, /^INFO: Ran Jobs: \['job2'\]$/m);
    assert.equal(await countStates(manager), "end:1 fail_start:1");

    await manager.ok("queue", "add", "a", "--name=job[3-5]", `--command=${onceCommand("true")}`);
    const multi = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@nosuch.invalid,pi@red");
    assert.equal(multi.code, 0, multi.stdout + multi.stderr);
    assert.match(
      multi.stderr,
      /^WARNING: Host \S*nosuch\.invalid not responding to probe check\. Not assigning jobs to/m,
    );
    assertRanOnce(hosts, ["job2", "job3", "job4", "job5"]);

    // Who may open few files has as many machines as these are enough for, and fails no job for want of others.
    await manager.ok("queue", "add", "a", "--name=few[1-12]", "--command=true");
    const hostsOf = async () => new Set([...(await manager.jobs()).values()].slice(5).map(({ host }) => host)).size;
    let isPart = false;
    for (let files = 64; files >= 40 && !isPart; files -= 2) {
      const words = "queue run fifo_multi a --hosts=pi@red,pi@red01,pi@red02";
      const { code, stderr } = await manager.type(`ulimit -n ${files}; cms ${words}`);
      assert.equal(code, 0, `${files} files: ${stderr}`);
      isPart = /^WARNING: pi@red\S*: Cannot start \S+: too many open files \(ulimit -n\)$/m.test(stderr);
      if (isPart) assert.ok(await hostsOf() < 3);
      await manager.ok("queue", "reset", "a", "--name=few[1-12]");
      await manager.ok("queue", "set", "a", "--name=few[1-12]", "--set", "host=", "--set", "user=");
    }
    assert.ok(isPart, "no number of files was enough for some of the machines only");
  },
);

hostTest(
  "a host that lets us not in, and one without setsid, are named with the reason; the others do the work",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const red02 = hosts.host("red02");
    await Deno.writeTextFile(`${hosts.host("red01").home}/.ssh/authorized_keys`, "");
    const hidden = 'mount --bind /dev/null "$(command -v setsid)"';
    assert.equal((await red02.run(hidden, { user: "root" })).code, 0);
    try {
      await makeQueue(manager, "job[1-4]", onceCommand("true"));
      const args = ["queue", "run", "fifo_multi", "a", "--hosts=pi@red01,pi@red02,pi@red"];
      const { code, stdout, stderr } = await manager.cms(...args);
      assert.equal(code, 0, stdout + stderr);
      assert.match(
        stderr,
        /^WARNING: pi@red01: permission denied; ssh pi@red01 must work without a password \(ssh-copy-id pi@red01; ssh-add for a key with a pass phrase\)$/m,
      );
      assert.match(stderr, /^WARNING: pi@red02: it has no program "setsid"$/m);
      for (const { name, host } of (await manager.jobs()).values()) assert.equal(host, "red", name);
      assertRanOnce(hosts, jobNames(4));
    } finally {
      await red02.run("umount /usr/bin/setsid", { user: "root" });
    }
  },
);

hostTest(
  "a job killed on its host is crash, in its log and in the queue; also if its wrapper dies with it",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const red = hosts.host("red");
    await makeQueue(manager, "job[1-3]", onceCommand(`[ "$n" = job3 ] || { ${waitsFor("never")}; }`));
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red");
    await waitForState(manager, "job1", "start");
    await waitForState(manager, "job2", "start");
    assert.equal((await red.run("kill -9 $(cat experiment/job1/job1.pid)")).code, 0);
    await run.waitFor("WARNING: Job job1 status:CRASH\n");
    await waitForState(manager, "job3", "end");

    // The claim names the wrapper: attempt, boot, pid. Nobody is left who could tell this end.
    const both = "read -r a b wrapper rest <experiment/job2/job2.run; kill -9 $wrapper $(cat experiment/job2/job2.pid)";
    assert.equal((await red.run(both)).code, 0);
    for (const pid of sshPids(run)) Deno.kill(pid, "SIGKILL"); // The next link asks at once, this one within a minute.
    const { code, stderr } = await run.ended();
    assert.equal(code, 1, run.text);
    assert.match(stderr, /^WARNING: Job job2 status:CRASH$/m);
    for (const job of ["job1", "job2"]) assert.match(logOf(red, job), /^# cloudmesh state: crash$/m, job);
    assert.equal(await countStates(manager), "crash:2 end:1");
    assert.deepEqual([...runsOf(hosts).values()], [1, 1, 1]);
  },
);

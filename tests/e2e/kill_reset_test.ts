/**
 * `queue reset`, `delete` and `refresh` when jobs run that nobody watches, on hosts that answer and hosts that do not;
 * and what they must leave alone.
 */

import assert from "node:assert/strict";
import { hostTest } from "../../testing/need.ts";
import type { TestHost, TestHosts } from "../../testing/hosts.ts";
import { Manager } from "../../testing/harness.ts";
import {
  assertRanOnce,
  countStates,
  jobNames,
  letGo,
  makeManager,
  makeQueue,
  onceCommand,
  QUICK_SSH,
  readText,
  runsOf,
  waitForState,
} from "../../testing/harness_faults.ts";

/** Sleeps of this length are those of the jobs of this file. */
const LONG = "987";

/** The jobs' processes on a host, right now. */
async function jobProcesses(host: TestHost): Promise<string> {
  return (await host.run(`ps -o args= -u pi | grep -E '[s]leep ${LONG}' || true`, { user: "root" })).stdout;
}

/** What stands in a directory of a host's home; [] if there is none. */
function namesIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** Runs queue `a` until all of these jobs run, and has the manager die then. */
async function leaveRunning(manager: Manager, hosts: string, jobs: readonly string[]): Promise<void> {
  const run = manager.start("queue", "run", "fifo_multi", "a", `--hosts=${hosts}`);
  for (const job of jobs) await waitForState(manager, job, "start");
  await run.kill9();
}

hostTest(
  "reset ends jobs with all their processes, removes their directories, and they can run again",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const red = hosts.host("red");
    // The first time they never end: one is plain, one ignores TERM, one has children that left its group and its
    // session.
    const kinds = [
      `sleep ${LONG}`,
      `trap '' TERM; while :; do sleep ${LONG}; done`,
      `setsid sleep ${LONG} & (setsid sh -c 'trap "" TERM; sleep ${LONG}; :' &) ; sleep ${LONG}`,
    ];
    await manager.ok("queue", "create", "a");
    for (const [i, kind] of kinds.entries()) {
      const command = onceCommand(`[ -e ~/go ] || { ${kind}; }`);
      await manager.ok("queue", "add", "a", `--name=job${i + 1}`, `--command=${command}`);
    }
    await manager.ok("queue", "add", "a", "--name=job4", "--command=true", "--status=crash");
    await leaveRunning(manager, "pi@red,pi@red,pi@red", jobNames(3));
    assert.equal((await jobProcesses(red)).split("\n").filter((line) => line.startsWith("sleep")).length >= 5, true);

    assert.equal(
      await manager.ok("queue", "reset", "a"),
      `job1 \t old_status:start \t new_state:ready
job2 \t old_status:start \t new_state:ready
job3 \t old_status:start \t new_state:ready
job4 \t old_status:crash \t new_state:undefined

`,
    );
    assert.equal(await jobProcesses(red), "");
    assert.deepEqual(namesIn(`${red.home}/experiment`).filter((name) => name.startsWith("job")), []);
    const before = await manager.jobs();
    assert.deepEqual([...before.values()].map((job) => job.status), ["ready", "ready", "ready", "undefined"]);

    await letGo(red, "go");
    const again = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
    assert.equal(again.code, 0, again.stdout + again.stderr);
    assert.doesNotMatch(again.stderr, /already present/);
    const after = await manager.jobs();
    assert.deepEqual([...after.values()].map((job) => job.status), ["end", "end", "end", "end"]);
    assert.deepEqual([...after.values()].map((job) => job.attempt), [2, 2, 2, 1]);
    assert.deepEqual([...runsOf(hosts).values()], [2, 2, 2]);
  },
);

hostTest(
  "reset leaves what the program did not make: input on the manager, and a directory that was there before",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const red = hosts.host("red");
    await makeQueue(manager, "job[1-3]", "cat data");
    for (const job of ["job1", "job3"]) {
      await Deno.mkdir(manager.path(job));
      await Deno.writeTextFile(manager.path(`${job}/data`), "the user's own\n");
    }
    assert.equal((await red.run("mkdir -p experiment/job2; echo theirs >experiment/job2/data")).code, 0);
    // job1 and job2 run on red, job3 where the experiment directory is the manager's.
    await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
    await manager.ok("queue", "reset", "a", "--status=end", "--name=job3");
    await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=localhost");
    assert.equal(readText(manager.path("job3/job3.out")), "the user's own\n");
    assert.equal(readText(`${red.home}/experiment/job2/job2.out`), "theirs\n");

    await manager.ok("queue", "reset", "a", "--status=end");
    // localhost needs no user, and so job3 has none.
    assert.equal(await countStates(manager), "ready:2 undefined:1");
    assert.deepEqual(namesIn(manager.path("job1")), ["data"]);
    assert.deepEqual(namesIn(manager.path("job3")), ["data"]);
    assert.deepEqual(namesIn(`${red.home}/experiment/job2`), ["data"]);
    assert.deepEqual(namesIn(`${red.home}/experiment/job1`), []);
  },
);

Deno.test("reset takes jobs by name, by state, by both, and otherwise all that are not in end", async () => {
  await using manager = await Manager.make(null);
  await manager.ok("queue", "create", "a");
  for (const status of ["end", "crash", "kill", "fail_start"]) {
    for (const n of [1, 2, 3]) {
      await manager.ok("queue", "add", "a", `--name=${status}${n}`, "--command=true", `--status=${status}`);
    }
  }
  await manager.ok("queue", "add", "a", "--name=new", "--command=true");
  const line = (job: string) => `${job} \t old_status:${job.slice(0, -1)} \t new_state:undefined\n`;

  const named = await manager.cms("queue", "reset", "a", "--name=crash1,end1,nosuch");
  assert.equal(named.stdout, `${line("end1")}${line("crash1")}\n`);
  assert.match(named.stderr, /^WARNING: Job nosuch does not exist in queue a$/m);
  assert.equal(
    await manager.ok("queue", "reset", "a", "--status=kill", "--name=kill[1-2],crash2"),
    `${line("kill1")}${line("kill2")}\n`,
  );
  assert.equal(await manager.ok("queue", "reset", "a", "--status=end"), `${line("end2")}${line("end3")}\n`);
  await manager.ok("queue", "add", "a", "--name=end4", "--command=true", "--status=end");
  const rest = ["crash2", "crash3", "kill3", "fail_start1", "fail_start2", "fail_start3"];
  assert.equal(await manager.ok("queue", "reset", "a"), `${rest.map(line).join("")}\n`);
  assert.equal(await manager.ok("queue", "reset", "a"), "No job status changes.\n");
  assert.equal(await countStates(manager), "end:1 undefined:13");

  const wrong = await manager.cms("queue", "reset", "a", "--status=finished");
  assert.equal(wrong.code, 2);
  assert.equal(wrong.stdout, "");
});

hostTest(
  "delete ends running jobs; on a host that does not answer it keeps and names them unless forced, reset leaves them",
  async (hosts) => {
    await using manager = await makeManager(hosts, QUICK_SSH);
    const [red, red01] = [hosts.host("red"), hosts.host("red01")];
    await makeQueue(manager, "job[1-4]", onceCommand(`sleep ${LONG}`));
    await leaveRunning(manager, "pi@red,pi@red,pi@red01,pi@red01", jobNames(4));
    assert.equal(
      await manager.ok("queue", "delete", "a", "--name=job[1,3]"),
      "INFO: Deleting jobs: ['job1', 'job3']\n",
    );
    assert.equal((await jobProcesses(red)).trim(), `sleep ${LONG}`);
    assert.equal((await jobProcesses(red01)).trim(), `sleep ${LONG}`);
    assert.deepEqual(namesIn(`${red.home}/experiment`).filter((name) => name.startsWith("job")), ["job2"]);

    await red.cut();
    const reset = await manager.cms("queue", "reset", "a");
    assert.equal(reset.code, 1, reset.stdout + reset.stderr);
    assert.equal(reset.stdout, "job4 \t old_status:start \t new_state:ready\n\n");
    assert.match(reset.stderr, /^WARNING: Cannot reach pi@red: .*\(pi@red: job2\)$/m);
    assert.match(reset.stderr, /^WARNING: Could not reset job:job2$/m);
    assert.equal((await manager.jobs()).get("job2")?.status, "start");
    assert.equal(await jobProcesses(red01), "");

    const deleted = await manager.cms("queue", "delete", "a", "--name=job[2,4]");
    assert.equal(deleted.code, 1, deleted.stdout + deleted.stderr);
    assert.equal(deleted.stdout, "INFO: Deleting jobs: ['job4']\n");
    assert.match(deleted.stderr, /^WARNING: Cannot reach pi@red: /m);
    assert.match(
      deleted.stderr,
      /^WARNING: Could not delete job:job2, it may still run; --force deletes its entry alone$/m,
    );
    assert.equal((await manager.jobs()).get("job2")?.status, "start");
    const forced = await manager.cms("queue", "delete", "a", "--name=job2", "--force");
    assert.deepEqual([forced.code, forced.stdout], [0, "INFO: Deleting jobs: ['job2']\n"]);
    assert.match(forced.stderr, /^WARNING: Job job2 may still run on pi@red: only its entry was deleted$/m);
    assert.equal((await manager.jobs()).size, 0);
  },
);

hostTest("reset goes through no link and to no place outside the experiment directory", async (hosts) => {
  await using manager = await makeManager(hosts);
  const red = hosts.host("red");
  await makeQueue(manager, "job1", "echo ran");
  await manager.ok("queue", "add", "a", "--name=job2", "--command=true", "--log=../../notes");
  await red.run("mkdir -p experiment/job2");
  await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
  // Somebody moved the results, and put a link in their place.
  const move = "mv experiment/job1 results && echo mine >results/mine && ln -s ~/results experiment/job1";
  assert.equal((await red.run(move)).code, 0);
  await manager.ok("queue", "reset", "a", "--status=end");
  assert.equal(readText(`${red.home}/results/mine`), "mine\n");
  assert.equal(readText(`${red.home}/results/job1.out`), "ran\n");
  assert.match(readText(`${red.home}/notes`), /state: end/);
  assert.deepEqual(namesIn(`${red.home}/experiment/job2`), []);

  const yaml = await manager.read("a-queue.yaml");
  const evil = yaml.replaceAll("job1", "../../results");
  await Deno.writeTextFile(manager.path("a-queue.yaml"), evil);
  const reset = await manager.cms("queue", "reset", "a", "--name=../../results");
  assert.equal(reset.code, 2, reset.stdout + reset.stderr);
  assert.match(reset.stderr, /^ERROR: \.\/experiment\/a-queue\.yaml:\d+: .*results/m);
  assert.equal(await manager.read("a-queue.yaml"), evil);
  assert.equal(readText(`${red.home}/results/mine`), "mine\n");
});

hostTest(
  "a state set to ready by hand runs the job again, with a warning about the directory that is there",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    await makeQueue(manager, "job[1-2]", onceCommand("true"));
    await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
    assertRanOnce(hosts, jobNames(2));
    const yaml = await manager.read("a-queue.yaml");
    await Deno.writeTextFile(manager.path("a-queue.yaml"), yaml.replace("status: end", "status: ready"));

    const again = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
    assert.equal(again.code, 0, again.stdout + again.stderr);
    assert.equal(
      again.stderr,
      `WARNING: Job directory experiment/job1 already present on host pi@red.
WARNING: Use \`cms queue reset\` prior to re-running jobs to ensure dir is deleted.
`,
    );
    assert.deepEqual([...runsOf(hosts)].sort(), [["job1", 2], ["job2", 1]]);
    assert.deepEqual([...(await manager.jobs()).values()].map((job) => job.attempt), [2, 1]);
  },
);

/** An ssh that notes each of its calls in the file `calls` of the manager. */
async function countingSsh(manager: Manager, hosts: TestHosts): Promise<Record<string, string>> {
  const path = `${manager.dir}/counting-ssh`;
  await Deno.writeTextFile(path, `#!/bin/sh\necho "$*" >>${manager.dir}/calls\nexec ssh "$@"\n`, { mode: 0o755 });
  return { CMS_SSH: hosts.env.CMS_SSH!.replace(/^ssh/, path) };
}

hostTest("refresh asks only about jobs that can have changed, over one connection for each machine", async (hosts) => {
  await using manager = await makeManager(hosts);
  await makeQueue(manager, "job[1-4]", "true");
  await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=pi@red01,pi@red");
  await manager.ok("queue", "add", "a", "--name=job[5-7]", `--command=sleep ${LONG}`);
  await leaveRunning(manager, "pi@red,pi@red,pi@red", ["job5", "job6", "job7"]);
  const env = await countingSsh(manager, hosts);
  const refresh = await manager.spawn([`${manager.bin}/cms`, "queue", "refresh", "a"], { env }).ended();
  assert.equal(refresh.code, 0, refresh.stderr);
  const calls = readText(`${manager.dir}/calls`).trim().split("\n");
  assert.equal(calls.length, 1, calls.join("\n"));
  assert.match(calls[0]!, / -- red exec sh$/);

  // Nothing that can have changed: nobody is asked.
  await manager.ok("queue", "reset", "a");
  await Deno.remove(`${manager.dir}/calls`);
  const idle = await manager.spawn([`${manager.bin}/cms`, "queue", "refresh", "a"], { env }).ended();
  assert.equal(idle.stdout, "INFO: Refreshing Queue: a\nNo job status changes.\n");
  assert.equal(readText(`${manager.dir}/calls`), "");
});

/**
 * The examples of the user's document, typed as printed, in its order.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { TestHost, TestHosts } from "../support/hosts.ts";
import { hostTest } from "../support/need.ts";
import { waitUntil } from "../support/wait.ts";
import { Manager } from "./harness.ts";
import { follow, printedLines } from "./transcript.ts";
import { WORKFLOW } from "./workflow.ts";

const CLUSTER = `
  $ cluster create a
  $ cms cluster add a --id=host[1-4] --name=red --user=pi --gpu=0 --pyenv="'~/ENV3/bin/activate'"
  INFO: Adding host host1 to cluster a
  INFO: Adding host host2 to cluster a
  INFO: Adding host host3 to cluster a
  INFO: Adding host host4 to cluster a
  $ cluster add a --id=host[1-4] --name=red --user=pi --gpu=0 --pyenv='~/ENV3/bin/activate'
  INFO: Adding host host1 to cluster a
  INFO: Adding host host2 to cluster a
  INFO: Adding host host3 to cluster a
  INFO: Adding host host4 to cluster a
  $ cms cluster list a
  +-------+------+------+--------+-----+---------------------+----+------------------+
  | id    | name | user | status | gpu | pyenv               | ip | max_jobs_allowed |
  +-------+------+------+--------+-----+---------------------+----+------------------+
  | host1 | red  | pi   | active | 0   | ~/ENV3/bin/activate |    | 1                |
  | host2 | red  | pi   | active | 0   | ~/ENV3/bin/activate |    | 1                |
  | host3 | red  | pi   | active | 0   | ~/ENV3/bin/activate |    | 1                |
  | host4 | red  | pi   | active | 0   | ~/ENV3/bin/activate |    | 1                |
  +-------+------+------+--------+-----+---------------------+----+------------------+
  $ cms cluster delete a --id=host[3-4]
  INFO: Deleting hosts: ['host3', 'host4']
  $ cms cluster set a --id=host1 --key=name --value=red02
  INFO: Setting host: host1 key: name value: red02 in cluster a
  $ cluster deactivate a --id=host1
  INFO: Deactivating host host1 in cluster a
  $ cluster list a
  +-------+-------+------+----------+-----+---------------------+----+------------------+
  | id    | name  | user | status   | gpu | pyenv               | ip | max_jobs_allowed |
  +-------+-------+------+----------+-----+---------------------+----+------------------+
  | host1 | red02 | pi   | inactive | 0   | ~/ENV3/bin/activate |    | 1                |
  | host2 | red   | pi   | active   | 0   | ~/ENV3/bin/activate |    | 1                |
  +-------+-------+------+----------+-----+---------------------+----+------------------+
  $ cluster activate a --id=host[1-2]
  INFO: Activating host host1 in cluster a
  INFO: Activating host host2 in cluster a
`;

const ADDED = range("job", 1, 10).map((job) => `  INFO: Adding job ${job} to queue a`).join("\n");

const TEN_JOBS = `
  +-------+--------+----------+-----+-----------+-----------+------------+
  | name  | status | command  | gpu | output    | log       | experiment |
  +-------+--------+----------+-----+-----------+-----------+------------+
  | job1  | ready  | sleep 10 | 0   | job1.out  | job1.log  | experiment |
  | job2  | ready  | sleep 10 | 0   | job2.out  | job2.log  | experiment |
  | job3  | ready  | sleep 10 | 0   | job3.out  | job3.log  | experiment |
  | job4  | ready  | sleep 10 | 0   | job4.out  | job4.log  | experiment |
  | job5  | ready  | sleep 10 | 0   | job5.out  | job5.log  | experiment |
  | job6  | ready  | sleep 10 | 0   | job6.out  | job6.log  | experiment |
  | job7  | ready  | sleep 10 | 0   | job7.out  | job7.log  | experiment |
  | job8  | ready  | sleep 10 | 0   | job8.out  | job8.log  | experiment |
  | job9  | ready  | sleep 10 | 0   | job9.out  | job9.log  | experiment |
  | job10 | ready  | sleep 10 | 0   | job10.out | job10.log | experiment |
  +-------+--------+----------+-----+-----------+-----------+------------+
`;

const QUEUE = `
  $ queue create a
  $ cms queue add a --name=job[1-10] --command="'sleep 10'" --user=pi --host=red --gpu=0 --pyenv=~/ENV3/bin/activate
${ADDED}
  $ queue add a --name=job[1-10] --command='sleep 10' --user=pi --host=red --gpu=0 --pyenv=~/ENV3/bin/activate
${ADDED}
  $ cms queue list a
${TEN_JOBS}
  $ queue list a
${TEN_JOBS}
  $ cms queue delete a --name=job[9-10]
  INFO: Deleting jobs: ['job9', 'job10']
`;

const RESET = `
  $ queue reset a --status=end
${range("job", 1, 8).map((job) => `  ${job} \t old_status:end \t new_state:ready`).join("\n")}
`;

/** Up to where the document trims its example. */
const FIFO_BEGINS = `INFO: Running job: job1 on pi@red

# ----------------------------------------------------------------------
# Run: job1
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1']
INFO: Running job: job2 on pi@red

# ----------------------------------------------------------------------
# Run: job2
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1', 'job2']
INFO: Running job: job3 on pi@red

# ----------------------------------------------------------------------
# Run: job3
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1', 'job2', 'job3']
INFO: Running job: job4 on pi@red

# ----------------------------------------------------------------------
# Run: job4
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1', 'job2', 'job3', 'job4']
INFO: Waiting. At max_parallel jobs=4.
`;

const FIFO_MULTI_BEGINS = `INFO: Starting job: job1 on host:pi@red

# ----------------------------------------------------------------------
# Run: job1
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1']
INFO: Starting job: job2 on host:pi@red01

# ----------------------------------------------------------------------
# Run: job2
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1', 'job2']
INFO: Starting job: job3 on host:pi@red02

# ----------------------------------------------------------------------
# Run: job3
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1', 'job2', 'job3']
INFO: Waiting. All hosts running max jobs.
`;

const ENDS = `
INFO: Ran Jobs: ['job1', 'job2', 'job3', 'job4', 'job5', 'job6', 'job7', 'job8']
INFO: Completed Jobs: ['job1', 'job2', 'job3', 'job4', 'job5', 'job6', 'job7', 'job8']
`;

/** Runs with a command that ends when the test lets it: what is printed before does not depend on the machine's pace. */
async function runAsPrinted(manager: Manager, hosts: readonly TestHost[], line: string, begins: string): Promise<void> {
  const run = manager.spawn(["bash", "-c", line]);
  await run.waitFor("INFO: Waiting.");
  for (const host of hosts) await host.run("touch go");
  const { code, stdout, stderr } = await run.ended();
  assert.ok(stdout.startsWith(begins), `${line}\n${stdout}`);
  assert.ok(stdout.endsWith(ENDS.trimStart()), `${line}\n${stdout}`);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  // Every start has its lines, the trimmed ones too.
  const banners = stdout.split("\n").filter((text) => text.startsWith("# Run: "));
  assert.deepEqual(banners, range("job", 1, 8).map((job) => `# Run: ${job}`));
  for (const host of hosts) await host.run("rm go");
}

hostTest("document: the cluster examples print what is printed there", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await follow(manager, CLUSTER);
});

hostTest("document: the queue examples, both schedulers and reset print what is printed there", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const { red } = await prepare(hosts);
  await follow(manager, QUEUE);
  // From here on jobs really run: the same ones, but for their ten seconds.
  const job = `--command='while [ ! -e ~/go ]; do sleep 0.05; done'`;
  await manager.type(`queue add a --name=job[1-8] ${job} --user=pi --host=red --gpu=0 --pyenv=~/ENV3/bin/activate`);
  await runAsPrinted(manager, [red], "cms queue run fifo a --max_parallel=4", FIFO_BEGINS);
  assert.deepEqual(await manager.states(), range("job", 1, 8).map((name) => `${name} end`));
  assert.equal((await red.run("ls -d experiment/job*")).stdout.split("\n").length, 8 + 1);
  await follow(manager, RESET);
  assert.equal((await red.run("ls experiment")).stdout, "", "the job directories are removed by reset");
  const all = [...hosts.hosts.values()];
  await runAsPrinted(
    manager,
    all,
    "queue run fifo_multi a --hosts=pi@red,pi@red01,pi@red02",
    FIFO_MULTI_BEGINS,
  );
  await follow(manager, RESET.replace("$ queue", "$ cms queue"));
});

hostTest("document: refresh tells what became of jobs whose manager crashed", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const { red } = await prepare(hosts);
  await manager.ok("queue", "create", "a");
  const command = "while [ ! -e ~/go ]; do sleep 0.05; done";
  await manager.ok("queue", "add", "a", "--name=job[1-3]", `--command=${command}`, "--user=pi", "--host=red");
  const run = manager.start("queue", "run", "fifo", "a", "--max_parallel=4");
  const started = range("job", 1, 3).map((job) => `${job} start`);
  await waitUntil("three jobs that run", async () => (await manager.states()).join() === started.join());
  await run.kill9();
  await red.run("touch go");
  await waitUntil("their ends in the logs on the host", async () => {
    const { stdout } = await red.run("grep -l 'cloudmesh state: end' experiment/*/*.log | wc -l");
    return stdout.trim() === "3";
  });
  const changes = range("job", 1, 3).map((job) => `  ${job} \t old_status:start \t new_state:end`).join("\n");
  await follow(
    manager,
    `
  $ queue refresh a
  INFO: Refreshing Queue: a
${changes}
  $ cms queue refresh a
  INFO: Refreshing Queue: a
  No job status changes.
`,
  );
});

hostTest("document: the typical workflow prints what is printed there and runs on three hosts", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await follow(manager, WORKFLOW);
  const run = await manager.type("cms queue run fifo_multi a --hostfile=a");
  assert.equal(run.code, 0, run.stdout + run.stderr);
  const names = nameList(range("job", 0, 10));
  assert.deepEqual(printedLines(run.stdout).slice(-2), [`INFO: Ran Jobs: ${names}`, `INFO: Completed Jobs: ${names}`]);
  assert.deepEqual(await manager.states(), range("job", 0, 10).map((name) => `${name} end`));
  for (const { name, host } of (await manager.jobs()).values()) {
    const { stdout } = await hosts.host(host ?? "").run(`cat experiment/${name}/${name}.out`);
    assert.equal(stdout, `${host}\n`, `the output of ${name}`);
  }
});

Deno.test("document: a name in four forms and options in two mean the same", async () => {
  await using manager = await Manager.make(null);
  await follow(
    manager,
    `
  $ queue create b
  $ queue add b --name=one --command=true
  INFO: Adding job one to queue b
  $ queue add --queue=b --name two --command 'echo "a b"' --user pi --host red
  INFO: Adding job two to queue b
  $ cms queue add --command=true queue=b --name=three
  INFO: Adding job three to queue b
  $ queue add --queue b-queue.yaml --name=four --command=true --experiment ./experiment/
  INFO: Adding job four to queue b
  $ queue info queue=b
  +-------+-----------+------------+-----+-----------+-----------+------------+
  | name  | status    | command    | gpu | output    | log       | experiment |
  +-------+-----------+------------+-----+-----------+-----------+------------+
  | one   | undefined | true       |     | one.out   | one.log   | experiment |
  | two   | ready     | echo "a b" |     | two.out   | two.log   | experiment |
  | three | undefined | true       |     | three.out | three.log | experiment |
  | four  | undefined | true       |     | four.out  | four.log  | experiment |
  +-------+-----------+------------+-----+-----------+-----------+------------+
  $ queue create
  $ cms queue add --name=one --command=true
  INFO: Adding job one to queue default
  $ queue delete default --name=one
  INFO: Deleting jobs: ['one']
  $ queue list
  None
  $ cluster create cluster=c
  $ cluster add --cluster=c --id h --name red --user pi
  INFO: Adding host h to cluster c
  $ cms cluster info --cluster c
  +----+------+------+--------+-----+-------+----+------------------+
  | id | name | user | status | gpu | pyenv | ip | max_jobs_allowed |
  +----+------+------+--------+-----+-------+----+------------------+
  | h  | red  | pi   | active |     |       |    | 1                |
  +----+------+------+--------+-----+-------+----+------------------+
  $ cluster create
  $ cluster list
  None
  $ ls experiment
  b-queue.yaml
  c-cluster.yaml
  default-cluster.yaml
  default-queue.yaml
`,
  );
});

/** The python environment of the examples, on each host. */
async function prepare(hosts: TestHosts): Promise<{ red: TestHost }> {
  for (const host of hosts.hosts.values()) await host.run("mkdir -p ENV3/bin; echo 'VENV=on' > ENV3/bin/activate");
  return { red: hosts.host("red") };
}

function range(prefix: string, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `${prefix}${first + i}`);
}

function nameList(names: readonly string[]): string {
  return `[${names.map((name) => `'${name}'`).join(", ")}]`;
}

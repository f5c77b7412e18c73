/**
 * The examples of the user's document, typed as printed, in its order.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { TestHost, TestHosts } from "../../testing/hosts.ts";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { CLUSTER, ENDS, FIFO_BEGINS, FIFO_MULTI_BEGINS, QUEUE, range, RESET, WORKFLOW } from "./document_examples.ts";
import { Manager } from "../../testing/harness.ts";
import { follow, printedLines } from "./transcript.ts";

/**
 * Runs with a command that ends when the test lets it: what is printed before does not depend on the machine's pace.
 */
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
  INFO: Queue default is empty; to add a job: cms queue add default --name=job1 --command=hostname
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
  INFO: Cluster default is empty; to add a host: cms cluster add default --id=host1 --name=HOST --user=USER
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

function nameList(names: readonly string[]): string {
  return `[${names.map((name) => `'${name}'`).join(", ")}]`;
}

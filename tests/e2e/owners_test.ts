/**
 * Projects and queues whose jobs have the same names, on the same hosts at once: none touches what another's job made.
 */

import assert from "node:assert/strict";
import { hostTest } from "../../testing/need.ts";
import type { TestHost, TestHosts } from "../../testing/hosts.ts";
import { waitUntil } from "../../testing/wait.ts";
import type { Manager } from "../../testing/harness.ts";
import { letGo, makeManager, makeQueue, readText, waitForState, waitsFor } from "../../testing/harness_faults.ts";

const RUN = ["queue", "run", "fifo_multi", "a", "--hosts=pi@red"];

/** Two projects, each with a queue `a` and a `job1`; that of the first has ended, that of the second runs. */
async function twoProjects(hosts: TestHosts, one: Manager, two: Manager) {
  await makeQueue(one, "job1", "echo one; echo one >result");
  await one.ok(...RUN);
  await makeQueue(two, "job1", `echo two; ${waitsFor("go")}; echo end; echo err >&2`);
  const run = two.start(...RUN);
  await waitForState(two, "job1", "start");
  return { run, red: hosts.host("red") };
}

function directories(host: TestHost): string[] {
  return [...Deno.readDirSync(`${host.home}/experiment`)].map(({ name }) => name).filter((name) => name !== ".cms")
    .sort();
}

for (const verb of ["reset", "delete"]) {
  hostTest(`${verb} of one project leaves the running job of another alone, and its results`, async (hosts) => {
    await using one = await makeManager(hosts);
    await using two = await makeManager(hosts);
    const { run, red } = await twoProjects(hosts, one, two);
    const beside = String((await two.jobs()).get("job1")?.job_directory);
    assert.match(beside, /^job1\.[0-9a-f]{16}$/);
    assert.deepEqual(directories(red), ["job1", beside]);
    // What a job wrote is no input of another's.
    assert.equal(readText(`${red.home}/experiment/job1/result`), "one\n");
    assert.equal(readText(`${red.home}/experiment/${beside}/result`), "");

    await one.ok("queue", verb, "a", "--name=job1");
    assert.deepEqual(directories(red), [beside]);
    assert.equal((await two.jobs()).get("job1")?.status, "start");
    await letGo(red, "go");
    assert.equal((await run.ended()).code, 0);
    assert.match(
      run.stdout,
      new RegExp(
        `INFO: Job job1 has the directory experiment/${beside} on pi@red: experiment/job1 there belongs to another queue.`,
      ),
    );
    assert.equal(run.stderr, "");
    const file = (end: string) => readText(`${red.home}/experiment/${beside}/job1${end}`);
    assert.deepEqual([file(".out"), file("-nohup.log")], ["two\nend\n", "err\n"]);
    assert.match(file(".log"), /state: start[^]*state: end\n$/);
    assert.match(await two.ok("queue", "check", "a"), /All agree\.\n$/);
  });

  hostTest(`${verb} of one project leaves what a job of another left`, async (hosts) => {
    await using one = await makeManager(hosts);
    await using two = await makeManager(hosts);
    const { run, red } = await twoProjects(hosts, one, two);
    await letGo(red, "go");
    assert.equal((await run.ended()).code, 0);
    const beside = String((await two.jobs()).get("job1")?.job_directory);
    // Either side, one after the other.
    await two.ok("queue", verb, "a", "--name=job1");
    assert.deepEqual(directories(red), ["job1"]);
    assert.equal(readText(`${red.home}/experiment/job1/job1.out`), "one\n");
    if (verb === "reset") {
      await two.ok(...RUN);
      // A place of its own again.
      assert.equal((await two.jobs()).get("job1")?.job_directory, beside);
    } else await makeQueue(two, "job1", "echo two");
    await one.ok("queue", verb, "a", "--name=job1");
    assert.deepEqual(directories(red), verb === "reset" ? [beside] : []);
  });
}

hostTest("input files reach the job whose they are, and no directory of another project", async (hosts) => {
  await using one = await makeManager(hosts);
  await using two = await makeManager(hosts);
  const red = hosts.host("red");
  for (const [manager, text] of [[one, "one"], [two, "two"]] as const) {
    await Deno.mkdir(manager.path("job1"), { recursive: true });
    await Deno.writeTextFile(manager.path("job1/input"), `${text}\n`);
    await makeQueue(manager, "job1", "cat input; echo new >input");
    await manager.ok(...RUN);
  }
  const beside = String((await two.jobs()).get("job1")?.job_directory);
  assert.equal(readText(`${red.home}/experiment/job1/job1.out`), "one\n");
  assert.equal(readText(`${red.home}/experiment/job1/input`), "new\n");
  assert.equal(readText(`${red.home}/experiment/${beside}/job1.out`), "two\n");
});

hostTest("a job that has its place beside is followed, killed and run again after its manager died", async (hosts) => {
  await using one = await makeManager(hosts);
  await using two = await makeManager(hosts);
  const { run, red } = await twoProjects(hosts, one, two);
  await run.kill9();
  const again = two.start(...RUN);
  await waitUntil("the job to be followed", () => /Job job1 still runs on pi@red/.test(again.stdout));
  await letGo(red, "go");
  assert.equal((await again.ended()).code, 0);
  const beside = String((await two.jobs()).get("job1")?.job_directory);
  assert.equal(readText(`${red.home}/experiment/${beside}/job1.out`), "two\nend\n");
});

hostTest(
  "two queues of one experiment with the same names of jobs each have whole results on localhost",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const names = ["job1", "job2", "job3"];
    for (const queue of ["a", "b"]) {
      await manager.ok("queue", "create", queue);
      await manager.ok("queue", "add", queue, "--name=job[1-3]", `--command=echo ${queue}`);
    }
    const runs = ["a", "b"].map((queue) =>
      manager.start("queue", "run", "fifo_multi", queue, "--hosts=localhost,localhost")
    );
    for (const run of runs) assert.equal((await run.ended()).code, 0);
    const outputs = async (queue: string): Promise<string[]> => {
      const jobs = await manager.jobs(queue);
      return names.map((name) => readText(manager.path(`${jobs.get(name)?.job_directory ?? name}/${name}.out`)));
    };
    assert.deepEqual(await outputs("a"), ["a\n", "a\n", "a\n"]);
    assert.deepEqual(await outputs("b"), ["b\n", "b\n", "b\n"]);
    await manager.ok("queue", "reset", "a", "--status=end");
    assert.deepEqual(await outputs("b"), ["b\n", "b\n", "b\n"]);
  },
);

hostTest("a job that is replaced keeps its queue's place; one of a copied queue file has another", async (hosts) => {
  await using manager = await makeManager(hosts);
  await makeQueue(manager, "job1", "echo one");
  await manager.ok(...RUN);
  const red = hosts.host("red");
  // A copy of the queue file is another queue: nothing of it reaches what the first one's jobs have there.
  await Deno.copyFile(manager.path("a-queue.yaml"), manager.path("b-queue.yaml"));
  await manager.ok("queue", "clean", "b", "--yes");
  await manager.ok("queue", "reset", "b", "--name=job1");
  assert.equal(readText(`${red.home}/experiment/job1/job1.out`), "one\n");
  await manager.ok("queue", "set", "b", "--name=job1", "--key=command", "--value=echo three");
  await manager.ok("queue", "run", "fifo_multi", "b", "--hosts=pi@red");
  assert.equal(readText(`${red.home}/experiment/job1/job1.out`), "one\n");
  const beside = String((await manager.jobs("b")).get("job1")?.job_directory);
  await manager.ok("queue", "add", "a", "--name=job1", "--command=echo two");
  await manager.ok(...RUN);
  assert.deepEqual(directories(red), ["job1", beside]);
  assert.equal(readText(`${red.home}/experiment/job1/job1.out`), "two\n");
  await manager.ok("queue", "clean", "a", "--yes");
  assert.deepEqual(directories(red), [beside]);
  // A third queue has the place now, and its files are not the first one's.
  await manager.ok("queue", "create", "c");
  await manager.ok("queue", "add", "c", "--name=job1", "--command=echo four");
  await manager.ok("queue", "run", "fifo_multi", "c", "--hosts=pi@red");
  const fetched = await manager.cms("queue", "fetch", "a", "--name=job1", "--to=got");
  assert.equal(fetched.code, 1);
  assert.match(fetched.stdout, /Fetched 0 files/);
  await manager.ok("queue", "fetch", "b", "--name=job1", "--to=got");
  assert.equal(readText(`${manager.dir}/got/job1/job1.out`), "three\n");
  for (const queue of ["a", "b", "c"]) await manager.ok("queue", "delete", queue, "--name=job1");
  assert.deepEqual(directories(red), []);
});

hostTest(
  "input that stands in a directory of another queue's job reaches a job of localhost, anew for each start",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const run = (queue: string) => manager.ok("queue", "run", "fifo_multi", queue, "--hosts=localhost");
    for (const queue of ["a", "b"]) await manager.ok("queue", "create", queue);
    await manager.ok("queue", "add", "a", "--name=job1", "--command=echo first");
    await run("a");
    // The directory is there, and marked as made by the program.
    const input = async (text: string) => {
      await Deno.mkdir(manager.path("job1/.parts/..odd"), { recursive: true });
      await Deno.writeTextFile(manager.path("job1/data"), `${text}\n`);
      await Deno.writeTextFile(manager.path("job1/.parts/..odd/one"), `part of ${text}\n`);
    };
    await input("here");
    await manager.ok("queue", "add", "b", "--name=job1", "--command=cat data .parts/..odd/one; echo mine >data; ls");
    await run("b");
    const beside = String((await manager.jobs("b")).get("job1")?.job_directory);
    const own = (text: string) => `${text}\npart of ${text}\ndata\n`;
    const output = () => readText(manager.path(`${beside}/job1.out`));
    assert.ok(output().startsWith(own("here")), output());
    assert.equal(readText(manager.path("job1/data")), "here\n");
    assert.equal(readText(manager.path("job1/job1.out")), "first\n");
    await input("later");
    await manager.ok("queue", "reset", "b", "--name=job1");
    await run("b");
    assert.ok(output().startsWith(own("later")), output());
    await manager.ok("queue", "delete", "b", "--name=job1");
    assert.deepEqual(
      [...Deno.readDirSync(manager.path(""))].map(({ name }) => name).filter((name) => /^job/.test(name)),
      ["job1"],
    );
    assert.equal(readText(manager.path("job1/data")), "later\n");
  },
);

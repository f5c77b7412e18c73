/**
 * Rights that a job takes away from its own files, and files that people put where the program works.
 *
 * @module
 */

import assert from "node:assert/strict";
import { makeHosts } from "../../testing/hosts.ts";
import { hostTest, needTest } from "../../testing/need.ts";
import { whyNoHosts } from "../../testing/hosts.ts";
import { Manager } from "../../testing/harness.ts";
import { makeQueue } from "../../testing/harness_faults.ts";

hostTest(
  "a job that takes away rights at its end gives back its slot at once, has its end, and can be removed",
  async (hosts) => {
    await using manager = await Manager.make(hosts);
    const red = hosts.host("red");
    const jobs = {
      job1: "mkdir sub; echo >sub/file; chmod -R a-w .; exit 3",
      job2: "chmod 000 job2.log; exit 3",
      job3: "chmod 000 .; exit 3",
      job4: "echo ran",
    };
    await manager.ok("queue", "create", "a");
    for (const [job, command] of Object.entries(jobs)) {
      await manager.ok("queue", "add", "a", `--name=${job}`, `--command=${command}`);
    }
    const run = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
    assert.equal(run.code, 1, run.stdout + run.stderr);
    const codes = [...(await manager.jobs()).values()].map(({ name, status, exit_code }) =>
      `${name} ${status} ${exit_code}`
    );
    assert.deepEqual(codes, ["job1 end 3", "job2 end 3", "job3 end 3", "job4 end 0"]);
    // What is asked later comes from the log.
    assert.match((await red.run("cat experiment/job1/job1.log")).stdout, /# exit: 3\n# cloudmesh state: end\n$/);
    await manager.ok("queue", "delete", "a", "--name=job[1-4]");
    assert.equal((await red.run("ls experiment")).stdout, "");
  },
);

needTest("reset and delete on localhost leave what a person put into a job's directory", null, async () => {
  await using manager = await Manager.make(null);
  await makeQueue(manager, "job[1-2]", "cat input.csv");
  const run = ["queue", "run", "fifo_multi", "a", "--hosts=localhost"];
  await manager.cms(...run);
  await Deno.writeTextFile(manager.path("job1/input.csv"), "1,2\n");
  await manager.ok("queue", "reset", "a", "--name=job[1-2]");
  assert.deepEqual(Array.from(Deno.readDirSync(manager.path("job1"))).map(({ name }) => name), ["input.csv"]);
  await assert.rejects(Deno.stat(manager.path("job2")), Deno.errors.NotFound);
  const again = await manager.cms(...run);
  assert.doesNotMatch(again.stderr, /job1/);
  assert.equal(await manager.read("job1/job1.out"), "1,2\n");
  await manager.ok("queue", "delete", "a", "--name=job1");
  assert.equal(await manager.read("job1/input.csv"), "1,2\n");
});

needTest("reset leaves a person's input where manager and host share a home", await whyNoHosts(), async () => {
  await using hosts = await makeHosts(["login", "node"], { sharedHome: true });
  const login = hosts.host("login");
  await using manager = await Manager.on(login);
  await makeQueue(manager, "job[1-2]", "cat input.csv");
  const run = ["queue", "run", "fifo_multi", "a", "--hosts=pi@node"];
  await manager.cms(...run);
  await login.run("echo 1,2 >experiment/job1/input.csv");
  await manager.ok("queue", "reset", "a", "--name=job[1-2]");
  assert.equal((await login.run("cd experiment; ls -A job1; ls -d job2; ls -A | grep input")).stdout, "input.csv\n");
  await manager.cms(...run);
  assert.equal(await manager.read("job1/job1.out"), "1,2\n");
});

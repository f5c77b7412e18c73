/** `queue run --collect=output`: what jobs have written comes to the manager, and is read there without the host. */
import assert from "node:assert/strict";
import { hostTest } from "../../testing/need.ts";
import { Manager } from "../../testing/harness.ts";

hostTest("a run collects outputs as jobs end, and log reads them when the hosts are gone", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=job[1-20]", "--command=echo out $PWD; echo err >&2");
  await manager.ok("queue", "add", "a", "--name=large", "--command=seq 1 200000", "--output=sub.out");
  await manager.ok("queue", "add", "a", "--name=bad", "--command=echo no; exit 3");
  const run = (queue: string) =>
    manager.cms("queue", "run", "fifo_multi", queue, "--hosts=pi@red,pi@red01", "--collect=output");
  assert.equal((await run("a")).code, 1);
  assert.equal(await manager.read("job7/job7.out"), "out /home/pi/experiment/job7\n");
  assert.equal(await manager.read("job7/job7-nohup.log"), "err\n");
  assert.match(await manager.read("bad/bad.log"), /^# cloudmesh state: end$/m);
  const large = Array.from({ length: 200_000 }, (_, i) => `${i + 1}\n`).join("");
  assert.ok(await manager.read("large/large.out") === large);

  // All files of those that have ended since, and of those whose output alone is here.
  await manager.ok(
    "queue",
    "add",
    "a",
    "--name=files",
    "--command=mkdir d; echo 1 > d/x; echo 2 > y; echo z",
    "--fetch=d",
  );
  await manager.ok("queue", "add", "a", "--name=plain", "--command=echo p > p.csv; echo w");
  const all = ["queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01", "--collect=all"];
  const { code, stderr } = await manager.cms(...all);
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /WARNING/);
  assert.equal(await manager.read("files/d/x"), "1\n");
  await assert.rejects(manager.read("files/y"));
  assert.equal(await manager.read("plain/p.csv"), "p\n");
  assert.equal(await manager.read("plain/plain.out"), "w\n");
  const noted = await manager.read(".a-queue.collected");
  assert.equal(noted.trimEnd().split("\n").filter((line) => line.includes('"all":true')).length, 24);
  await manager.ok(...all);
  assert.equal(await manager.read(".a-queue.collected"), noted);

  // What was collected is no input of the next attempt, and the next attempt's output takes its place.
  await manager.ok("queue", "reset", "a", "--name=job1");
  assert.equal((await manager.cms("queue", "log", "a", "job1")).stdout, "");
  await manager.ok("queue", "set", "a", "job1", "--key=command", "--value=cat job1-nohup.log; echo again");
  assert.equal((await run("a")).code, 0);
  assert.equal(await manager.read("job1/job1.out"), "again\n");

  // Another queue's job of that name leaves them alone.
  await manager.ok("queue", "create", "b");
  await manager.ok("queue", "add", "b", "--name=job7", "--command=echo other");
  assert.equal((await run("b")).code, 0);
  for (const host of ["red", "red01"]) await hosts.host(host).crash();
  assert.equal(await manager.ok("queue", "log", "b", "job7"), "other\n");
  assert.equal(await manager.ok("queue", "log", "a", "job7"), "out /home/pi/experiment/job7\n");
  assert.equal(await manager.ok("queue", "log", "a", "job7", "--error"), "err\n");
  assert.ok(await manager.ok("queue", "log", "a", "large", "--all") === large);
  assert.equal(await manager.ok("queue", "log", "a", "large", "--tail=2"), "199999\n200000\n");
});

hostTest("what a silent host keeps is collected by the next run", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=job[1-3]", "--command=echo $(hostname)");
  await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
  await assert.rejects(manager.read("job2/job2.out"));
  await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=pi@red01", "--collect=output");
  for (const job of ["job1", "job2", "job3"]) assert.equal(await manager.read(`${job}/${job}.out`), "red\n");
  assert.equal((await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red", "--collect=some")).code, 2);
});

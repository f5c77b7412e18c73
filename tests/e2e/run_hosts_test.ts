/**
 * Which host a job gets: slots, order, connections, localhost, and hosts that are wrong, missing or left out.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import type { TestHost, TestHosts } from "../../testing/hosts.ts";
import { hostTest } from "../../testing/need.ts";
import { Manager, pathWithout } from "../../testing/harness.ts";

/** A job that writes down when it begins and ends, in the order in which that happens on its host. */
const TRACED = 'echo "+ $CUDA_VISIBLE_DEVICES $$" >> ~/trace; sleep 0.2; echo "- $CUDA_VISIBLE_DEVICES $$" >> ~/trace';

/** From the traces of a host: how many jobs ran there, and the most at once, in all and by GPU. */
async function traceOf(host: TestHost): Promise<{ ran: number; most: number; mostByGpu: Record<string, number> }> {
  const { stdout } = await host.run("cat trace 2>/dev/null || true");
  const now: Record<string, number> = {};
  const mostByGpu: Record<string, number> = {};
  let ran = 0;
  let running = 0;
  let most = 0;
  for (const line of stdout.trim().split("\n").filter(Boolean)) {
    const [sign, gpu = ""] = line.split(" ");
    const step = sign === "+" ? 1 : -1;
    if (step > 0) ran++;
    running += step;
    now[gpu] = (now[gpu] ?? 0) + step;
    most = Math.max(most, running);
    mostByGpu[gpu] = Math.max(mostByGpu[gpu] ?? 0, now[gpu]);
  }
  assert.equal(running, 0, "every job that began has ended");
  return { ran, most, mostByGpu };
}

/** How often somebody has logged in on a host so far. */
async function loginsOn(hosts: TestHosts, name: string): Promise<number> {
  const log = await Deno.readTextFile(`${dirname(hosts.sshConfig)}/${name}/log`);
  return log.split("\n").filter((line) => line.includes("Accepted publickey")).length;
}

async function queueOf(manager: Manager, jobs: string, command: string): Promise<void> {
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", `--name=${jobs}`, "--command", command);
}

hostTest(
  "hosts: slots are those of the cluster; two entries with different GPUs on one machine never share",
  async (hosts) => {
    await using manager = await Manager.make(hosts);
    await queueOf(manager, "job[1-14]", TRACED);
    await manager.ok("cluster", "create", "c");
    await manager.ok("cluster", "add", "c", "--id=two", "--name=red", "--user=pi");
    await manager.ok("cluster", "set", "c", "--id=two", "--key=max_jobs_allowed", "--value=2");
    await manager.ok("cluster", "add", "c", "--id=left", "--name=red01", "--user=pi", "--status=inactive");
    await manager.ok("cluster", "add", "c", "--id=gpu0", "--name=red02", "--user=pi", "--gpu=0");
    await manager.ok("cluster", "add", "c", "--id=gpu1", "--name=red02", "--user=pi", "--gpu=1");
    const { code, stdout, stderr } = await manager.cms("queue", "run", "fifo_multi", "a", "--hostfile=c-cluster.yaml");
    assert.equal(code, 0, stdout + stderr);
    const red = await traceOf(hosts.host("red"));
    const red02 = await traceOf(hosts.host("red02"));
    assert.equal(red.most, 2, "max_jobs_allowed");
    assert.deepEqual(red02.mostByGpu, { 0: 1, 1: 1 }, "one job for each GPU");
    assert.equal(red.ran + red02.ran, 14);
    assert.equal((await hosts.host("red01").run("ls -A | grep -v .ssh")).stdout, "", "an inactive host gets nothing");
    assert.doesNotMatch(stdout, /pi@red01/);
  },
);

hostTest("hosts: one named twice runs two at once; --hosts and --hostfile add up; lists expand", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await queueOf(manager, "job[1-16]", TRACED);
  await manager.ok("cluster", "create", "c");
  await manager.ok("cluster", "add", "c", "--id=h", "--name=red02", "--user=pi");
  const words = ["--hosts=pi@red,pi@red,pi@red[01-02]", "--hostfile=c"];
  const { code, stdout, stderr } = await manager.cms("queue", "run", "fifo_multi", "a", ...words);
  assert.equal(code, 0, stdout + stderr);
  const [red, red01, red02] = await Promise.all(["red", "red01", "red02"].map((name) => traceOf(hosts.host(name))));
  assert.deepEqual([red?.most, red01?.most, red02?.most], [2, 1, 2]);
  assert.equal(red!.ran + red01!.ran + red02!.ran, 16);
});

hostTest(
  "hosts: 300 short jobs on three hosts run once each, over one connection a machine",
  async (hosts) => {
    await using manager = await Manager.make(hosts);
    await queueOf(manager, "job[1-300]", 'echo "${0%.bash}" >> ~/ran');
    const names = ["red", "red01", "red02"];
    const before = await Promise.all(names.map((name) => loginsOn(hosts, name)));
    const words = ["--hosts=pi@red,pi@red01,pi@red02,pi@red,pi@red01,pi@red02"];
    const { code, stdout, stderr } = await manager.cms("queue", "run", "fifo_multi", "a", ...words);
    assert.equal(code, 0, stdout + stderr);
    const after = await Promise.all(names.map((name) => loginsOn(hosts, name)));
    assert.deepEqual(after.map((count, i) => count - before[i]!), [1, 1, 1], "logins on the hosts");
    const jobs = Array.from({ length: 300 }, (_, i) => `job${i + 1}`);
    const started = [...stdout.matchAll(/^INFO: Starting job: (\S+) on host:pi@(\S+)$/gm)];
    assert.deepEqual([...new Set(started.map(([, job]) => job!))].toSorted(), jobs.toSorted());
    const listed = await manager.jobs();
    const ran: string[] = [];
    for (const name of names) {
      const { stdout } = await hosts.host(name).run("cat ran");
      const here = stdout.trim().split("\n");
      assert.deepEqual(here.toSorted(), started.filter(([, , host]) => host === name).map(([, job]) => job).toSorted());
      ran.push(...here);
    }
    assert.deepEqual(ran.toSorted(), jobs.toSorted(), "each exactly once");
    assert.ok([...listed.values()].every(({ status, exit_code }) => status === "end" && exit_code === 0));
  },
);

Deno.test("hosts: localhost needs no ssh", async () => {
  await using manager = await Manager.make(null);
  const env = { PATH: `${manager.bin}:${await pathWithout(manager, /^(ssh|scp|sftp)/)}` };
  assert.notEqual((await manager.type("command -v ssh", { env })).code, 0);
  const { code, stdout, stderr } = await manager.type(
    `queue create a; queue add a --name=job[1-3] --command='pwd; cat extra' --user=me --host=localhost
     mkdir -p experiment/job1; echo mine > experiment/job1/extra
     queue run fifo a --max_parallel=2; echo "status $?"; queue reset a --status=end`,
    { env },
  );
  assert.match(stdout, /^status 1$/m, "job2 and job3 have no file extra");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Completed Jobs: \['job1', 'job2', 'job3'\]/);
  assert.deepEqual(
    [...Deno.readDirSync(manager.path("job1"))].map(({ name }) => name),
    ["extra"],
    "the user's own stays",
  );
  assert.deepEqual(await manager.states(), ["job1 ready", "job2 ready", "job3 ready"]);
  assert.equal([...Deno.readDirSync(manager.dir)].map(({ name }) => name).join(), "experiment");
});

hostTest("hosts: one that cannot be reached is named and left out; the others do the work", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await queueOf(manager, "job[1-4]", "hostname");
  const words = ["--hosts=pi@nosuchhost.invalid,nobody@red,pi@red"];
  const { code, stdout, stderr } = await manager.cms("queue", "run", "fifo_multi", "a", ...words);
  assert.equal(code, 0, stdout + stderr);
  assert.match(
    stderr,
    /^WARNING: Host pi@nosuchhost.invalid not responding to probe check. Not assigning jobs to pi@nosuchhost.invalid$/m,
  );
  assert.match(stderr, /^WARNING: Host nobody@red not responding to probe check. Not assigning jobs to nobody@red$/m);
  assert.ok([...(await manager.jobs()).values()].every(({ status, host }) => status === "end" && host === "red"));
});

Deno.test("hosts: no hosts, no queue, no cluster: one line, status 2, and no file is made", async () => {
  await using manager = await Manager.make(null);
  const refused = async (line: string, ...lines: string[]) => {
    const { code, stdout, stderr } = await manager.type(line);
    // What follows in the line says what to do next.
    const said = stderr.trimEnd().split("\n").map((text) => text.split(/; there |: it has /)[0]);
    assert.deepEqual([said, stdout, code], [lines, "", 2], line);
  };
  await refused("queue list", "ERROR: Queue: ./experiment/default-queue.yaml does not exist");
  await refused("queue run fifo a --max_parallel=1", "ERROR: Queue: ./experiment/a-queue.yaml does not exist");
  await refused("cms cluster list a --experiment=E", "ERROR: Cluster: E/a-cluster.yaml does not exist");
  await refused("queue add a --name=x --command=true", "ERROR: Queue: ./experiment/a-queue.yaml does not exist");
  for (const verb of ["refresh", "reset", "delete --name=x"]) {
    await refused(`queue ${verb}`, "ERROR: Queue: ./experiment/default-queue.yaml does not exist");
  }
  assert.deepEqual([...Deno.readDirSync(manager.dir)], [], "no file, no directory");
  await manager.type("queue create a; queue add a --name=x --command=true; cluster create empty");
  const before = [...Deno.readDirSync(manager.path(""))].map(({ name }) => name).toSorted();
  await refused("queue run fifo_multi a", "WARNING: Please provide a --hosts or --hostfile argument");
  await refused("queue run fifo_multi a --hostfile=b", "ERROR: Cluster: ./experiment/b-cluster.yaml does not exist");
  await refused(
    "queue run fifo_multi a --hostfile=empty",
    "WARNING: No free hosts found in cluster empty-cluster.yaml",
  );
  await refused("queue run fifo_multi no --hosts=pi@red", "ERROR: Queue: ./experiment/no-queue.yaml does not exist");
  const { code, stderr } = await manager.type("queue run fifo_multi a --hosts=-oProxyCommand=x");
  assert.equal(code, 2);
  assert.match(stderr, /^ERROR: Cannot use "-oProxyCommand=x" as a host name: [^\n]*\n$/);
  assert.equal((await manager.type("queue run fifo a --max_parallel=0")).code, 2);
  assert.deepEqual([...Deno.readDirSync(manager.path(""))].map(({ name }) => name).toSorted(), before);
  assert.deepEqual(await manager.states(), ["x undefined"]);
});

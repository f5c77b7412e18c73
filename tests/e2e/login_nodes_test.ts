/**
 * Names that lead now to one machine and now to another, and machines that share a home: what lives on another machine
 * is neither gone nor started again.
 */

import assert from "node:assert/strict";
import { makeHosts, type TestHost, type TestHosts, whyNoHosts } from "../../testing/hosts.ts";
import { hostTest, needTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { Manager } from "../../testing/harness.ts";
import { countOf, countStates, makeQueue, readText, sshPids, waitForState } from "../../testing/harness_faults.ts";

const whyNot = await whyNoHosts();
const nodes = whyNot === null ? await makeHosts(["node1", "node2"], { sharedHome: true }) : null;
globalThis.addEventListener("unload", () => nodes?.disposeNow());

/** Writes down its start, and ends when a file with its name is there. */
const COMMAND = 'n=$(basename "$PWD"); echo $n >>../started; while [ ! -e ../$n.go ]; do sleep 0.05; done';

/** A name that leads to one of several hosts. */
class Route {
  readonly config: string;
  readonly #hosts: TestHosts;

  private constructor(hosts: TestHosts, config: string) {
    this.#hosts = hosts;
    this.config = config;
  }

  static async make(hosts: TestHosts, first: TestHost): Promise<Route> {
    const route = new Route(hosts, await Deno.makeTempFile());
    await route.to(first);
    return route;
  }

  /** From now on `login` is this host. */
  async to(host: TestHost): Promise<void> {
    await Deno.writeTextFile(
      `${this.config}.new`,
      `Host login\n  HostName ${host.address}\nInclude ${this.#hosts.sshConfig}\n`,
    );
    await Deno.rename(`${this.config}.new`, this.config);
  }

  get env(): Record<string, string> {
    return { CMS_SSH: `ssh -F ${this.config}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.config);
  }
}

function started(host: TestHost): string[] {
  return readText(`${host.home}/experiment/started`).trim().split("\n").filter(Boolean).sort();
}

needTest(
  "one name for two login nodes with one home: what lives on the other keeps its slot, until its log says that it ended",
  whyNot,
  async () => {
    await nodes!.reset();
    const [node1, node2] = [nodes!.host("node1"), nodes!.host("node2")];
    await using route = await Route.make(nodes!, node1);
    await using manager = await Manager.make(nodes, route.env);
    await makeQueue(manager, "job[1-4]", COMMAND);
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@login,pi@login");
    await waitForState(manager, "job1", "start");
    await waitForState(manager, "job2", "start");
    await route.to(node2);
    for (const pid of sshPids(run)) Deno.kill(pid, "SIGKILL");
    await run.waitFor("WARNING: Not known until pi@login leads to node1 again");
    await run.waitFor("['job1', 'job2']. They count as running.");
    assert.equal(await countStates(manager), "start:2 undefined:2");

    // A second manager asks the same: nothing is made of it.
    const check = await manager.cms("queue", "check", "a");
    assert.equal(check.code, 1);
    assert.match(check.stderr, /on node1 for all that is known/);

    await Deno.writeTextFile(`${node1.home}/experiment/job1.go`, "");
    await waitForState(manager, "job1", "end");
    await waitForState(manager, "job3", "start");
    assert.deepEqual(started(node1), ["job1", "job2", "job3"], "the slot of job2 is taken");

    await route.to(node1);
    for (const pid of sshPids(run)) Deno.kill(pid, "SIGKILL");
    await run.waitFor("WARNING: Not known until pi@login leads to node2 again");
    for (const job of ["job2", "job3", "job4"]) await Deno.writeTextFile(`${node1.home}/experiment/${job}.go`, "");
    const { code, stderr } = await run.ended();
    assert.equal(code, 0, run.text);
    assert.doesNotMatch(stderr, /CRASH|crash/);
    assert.equal(await countStates(manager), "end:4");
    assert.deepEqual(started(node1), ["job1", "job2", "job3", "job4"]);
    assert.equal(countOf(run, /Not known until pi@login leads to node1 again/g), 1, "told once");
    for (const job of ["job1", "job2"]) {
      assert.doesNotMatch(readText(`${node1.home}/experiment/${job}/${job}.log`), /crash/);
    }
  },
);

needTest("jobs of localhost seen from a second login node are on the first, not gone", whyNot, async () => {
  await nodes!.reset();
  const [node1, node2] = [nodes!.host("node1"), nodes!.host("node2")];
  await using manager = await Manager.on(node1);
  await makeQueue(manager, "job1", COMMAND);
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=localhost");
  await waitForState(manager, "job1", "start");
  await node1.run("pkill -KILL -f '[q]ueue run'");
  await run.ended();
  await using other = await Manager.on(node2);
  const check = await other.cms("queue", "check", "a");
  assert.equal(check.code, 1);
  assert.match(check.stderr, /is start, on node1 for all that is known, and that is not this machine/);
  for (const verb of [["refresh", "a"], ["reset", "a"], ["delete", "a", "--name=job1"]]) {
    const { code, stdout, stderr } = await other.cms("queue", ...verb);
    assert.equal(code, 1, `${verb[0]}: ${stdout}${stderr}`);
    assert.match(stderr, /Not known: job1, on node1, to which \S*localhost does not lead now/);
    assert.equal(await countStates(other), "start:1", verb[0]);
  }
  const next = other.start("queue", "run", "fifo_multi", "a", "--hosts=localhost");
  await next.waitFor("leads to node1 again");
  await Deno.writeTextFile(`${node1.home}/experiment/job1.go`, "");
  const { code } = await next.ended();
  assert.equal(code, 0, next.text);
  assert.equal(await countStates(other), "end:1");
  assert.deepEqual(started(node1), ["job1"]);
});

needTest("two machines with one host name and one home are two", whyNot, async () => {
  await nodes!.reset();
  const both = [nodes!.host("node1"), nodes!.host("node2")] as const;
  for (const [i, node] of both.entries()) {
    const id = String(i + 1).repeat(32);
    const script = `hostname node && echo ${id} >/run/machine-id && mount --bind /run/machine-id /etc/machine-id`;
    const { code, stderr } = await node.run(script, { user: "root" });
    assert.equal(code, 0, stderr);
  }
  try {
    await using manager = await Manager.make(nodes);
    await makeQueue(manager, "job[1-2]", COMMAND);
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@node1,pi@node2");
    await waitForState(manager, "job1", "start");
    await waitForState(manager, "job2", "start");
    for (const pid of sshPids(run, "node2")) Deno.kill(pid, "SIGKILL");
    await run.waitFor("INFO: Host pi@node2 responds again.");
    for (const job of ["job1", "job2"]) await Deno.writeTextFile(`${both[0].home}/experiment/${job}.go`, "");
    const { code } = await run.ended();
    assert.equal(code, 0, run.text);
    assert.equal(countOf(run, /not responding/g), 1, run.text);
    assert.equal(await countStates(manager), "end:2");
    const { stdout } = await both[0].run("ls experiment/.cms/*");
    assert.deepEqual(stdout.trim().split("\n"), ["node+11111111", "node+22222222"]);

    // With one machine-id as well they are taken for one that was booted. That both are up shows that they are two.
    for (const node of both) await node.run(`echo ${"3".repeat(32)} >/run/machine-id`, { user: "root" });
    await manager.ok("queue", "add", "a", "--name=job[3-4]", `--command=${COMMAND}`);
    const next = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@node1,pi@node2");
    await next.waitFor("WARNING: pi@node1 and pi@node2 are two machines with one host name (node) and one machine-id");
    for (const job of ["job3", "job4"]) await Deno.writeTextFile(`${both[0].home}/experiment/${job}.go`, "");
    assert.equal((await next.ended()).code, 0, next.text);
    assert.equal(countOf(next, /are two machines/g), 1, next.text);
  } finally {
    for (const [i, node] of both.entries()) {
      await node.run(`umount /etc/machine-id; hostname node${i + 1}`, { user: "root" });
    }
  }
});

hostTest(
  "one name for two machines with homes of their own: what the other has no trace of is not gone",
  async (hosts) => {
    const [red, red01] = [hosts.host("red"), hosts.host("red01")];
    await using route = await Route.make(hosts, red);
    await using manager = await Manager.make(hosts, route.env);
    await makeQueue(manager, "job[1-2]", COMMAND);
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@login");
    await waitForState(manager, "job1", "start");
    await route.to(red01);
    for (const pid of sshPids(run)) Deno.kill(pid, "SIGKILL");
    await run.waitFor("WARNING: Not known until pi@login leads to red again");
    assert.equal(await countStates(manager), "start:1 undefined:1");
    await route.to(red);
    for (const pid of sshPids(run)) Deno.kill(pid, "SIGKILL");
    await waitUntil(() => `the link; ${run.text}`, () => countOf(run, /responds again/g) === 2);
    for (const job of ["job1", "job2"]) await Deno.writeTextFile(`${red.home}/experiment/${job}.go`, "");
    const { code } = await run.ended();
    assert.equal(code, 0, run.text);
    assert.equal(await countStates(manager), "end:2");
    assert.deepEqual(started(red), ["job1", "job2"]);
  },
);

/** `cms cluster check` and `cms cluster status` on this machine, and what they say of what a machine may answer. */
import assert from "node:assert/strict";
import type { MachineFacts, ProbeResult } from "../../src/link/probe.ts";
import { checkHosts } from "../../src/operations/check_hosts.ts";
import { clusterRef } from "../../src/operations/refs.ts";
import { filesIn, withPlace } from "./harness.ts";

Deno.test("cluster check of this machine is well, leaves nothing, and knows our own queues", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("cluster", "create", "c");
    assert.match(await ok("cluster", "check", "c"), /^INFO: Cluster c has no hosts\.\n$/);
    await ok("cluster", "add", "c", "--id=h[1-3]", "--name=localhost", "--user=me");
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=job1", "--command=true");
    await ok("queue", "run", "fifo_multi", "a", "--hostfile=c");
    assert.equal(await ok("cluster", "check", "c"), "h[1-3]: ok\n");
    await ok("cluster", "deactivate", "c", "--id=h2");
    await Deno.mkdir(`${directory}/experiment/.cms/0123456789abcdef/x`, { recursive: true });
    assert.equal(
      await ok("cluster", "check", "c"),
      "h[1,3]: ok (has files of 1 other queue)\nh2: ok (inactive; has files of 1 other queue)\n",
    );
    const [record] = JSON.parse(await ok("cluster", "check", "c", "--id=h3", "--output=json"));
    assert.deepEqual([record.id, record.well, record.missing, record.troubles], ["h3", true, [], []]);
    assert.ok(record.room > 0 && Math.abs(record.clock_s) < 5 && record.shell.startsWith("/"), JSON.stringify(record));
    assert.match(await ok("cluster", "check", "c", "--wide"), /\| id +\| machine +\| status +\| well /);
    assert.equal((await run("cluster", "check", "c", "--id=h9")).status, 2);
    assert.equal((await run("cluster", "check", "none")).status, 2);
    assert.deepEqual(await filesIn(`${directory}/experiment`), ["a-queue.yaml", "c-cluster.yaml", "job1"]);
    const hidden = await Array.fromAsync(Deno.readDir(`${directory}/experiment`), ({ name }) => name);
    assert.deepEqual(hidden.filter((name) => name.includes("check")), []);
  });
});

Deno.test("cluster status shows slots and what runs in them, of all queues", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("cluster", "create", "c");
    await ok("cluster", "add", "c", "--id=h[1-4]", "--name=localhost", "--user=me");
    await ok("cluster", "deactivate", "c", "--id=h4");
    assert.equal(
      await ok("cluster", "status", "c"),
      "h[1-3]: 0 of 1 in use\nh4: inactive\n4 hosts, 0 of 3 slots in use\n",
    );
    await ok("queue", "create", "a");
    await ok("queue", "create", "b");
    const gate = "until [ -e ../go ]; do sleep 0.05; done";
    await ok("queue", "add", "a", "--name=one", `--command=${gate}`, "--shell=sh");
    await ok("queue", "add", "b", "--name=two", `--command=${gate}`, "--shell=sh");
    const runs = [
      run("queue", "run", "fifo_multi", "a", "--hostfile=c"),
      run("queue", "run", "fifo_multi", "b", "--hosts=me@localhost"),
    ];
    for (const queue of ["a", "b"]) {
      assert.equal((await run("queue", "wait", queue, "--for=started", "--timeout=30s")).status, 0);
    }
    assert.match(
      await ok("cluster", "status", "c"),
      /^h1: 1 of 1 in use: a\/one [0-9]+s\nh2: 1 of 1 in use: b\/two [0-9]+s\nh3: 0 of 1 in use\nh4: inactive\n4 hosts, 2 of 3 slots in use\n$/,
    );
    const [first] = JSON.parse(await ok("cluster", "status", "c", "--output=json"));
    assert.deepEqual([first.id, first.link, first.used, first.jobs[0].job], ["h1", "up", 1, "one"]);
    await Deno.writeTextFile(`${directory}/experiment/go`, "");
    await Promise.all(runs);
    assert.equal((await run("cluster", "status", "none")).status, 2);
  });
});

Deno.test("a run uses the hosts of several clusters, and takes notice of what becomes of each", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    for (const [cluster, id] of [["c", "h1"], ["d", "g1"], ["e", "h1"]] as const) {
      await ok("cluster", "create", cluster);
      await ok("cluster", "add", cluster, `--id=${id}`, "--name=localhost", "--user=me");
    }
    await ok("queue", "create", "a");
    const gate = "until [ -e ../go ]; do sleep 0.05; done";
    await ok("queue", "add", "a", "--name=job[1-2]", `--command=${gate}`, "--shell=sh");
    const both = run("queue", "run", "fifo_multi", "a", "--hostfile=c,d");
    assert.equal((await run("queue", "wait", "a", "--for=started", "--timeout=30s")).status, 0);
    assert.match(await ok("cluster", "status", "c"), /^h1: 1 of 1 in use: a\/job1 /);
    assert.match(await ok("cluster", "status", "d"), /^g1: 1 of 1 in use: a\/job2 /);
    assert.match(await ok("queue", "status", "a"), / on cluster c,d/);
    await ok("queue", "add", "a", "--name=job3", "--command=true", "--shell=sh");
    assert.match(await ok("queue", "explain", "a", "job3"), /h1.*full[^]*g1.*full/);
    const drained = run("cluster", "drain", "d", "--id=g1", "--timeout=60s");
    await Deno.writeTextFile(`${directory}/experiment/go`, "");
    assert.equal((await drained).status, 0);
    assert.equal((await both).status, 0);
    const same = await run("queue", "run", "fifo_multi", "a", "--hostfile=c,e");
    assert.equal(same.status, 2);
    assert.match(same.err, /^ERROR: Cannot use clusters c and e together: both have a host h1; to rename one: cms /);
    assert.match((await run("queue", "run", "fifo_multi", "a", "--hostfile=c,none")).err, /none-cluster.yaml does not/);
    await ok("queue", "add", "a", "--name=job4", "--command=true");
    assert.match(await ok("queue", "plan", "a", "--hostfile=c,d", "--duration=1m"), /^Queue a: 1 job on 1 slots/);
  });
});

const WELL: MachineFacts = {
  machine: "red/1",
  connectMs: 10,
  clockMs: 0,
  missing: [],
  missingForInput: [],
  hasProc: true,
  login: "/bin/bash",
  shell: "/bin/dash",
  gpus: [],
  roomKiB: 10_000_000,
  unwritable: null,
  queues: [],
  sharesWith: [],
};

Deno.test("each thing that a host may lack is said in one line, as trouble or as a note", async () => {
  await withPlace(async ({ ok, deps }) => {
    await ok("cluster", "create", "c");
    await ok("cluster", "add", "c", "--id=a", "--name=red", "--user=pi", "--gpu=0,1");
    await ok("cluster", "add", "c", "--id=b", "--name=red01", "--user=pi");
    const cases: readonly [facts: Partial<MachineFacts>, troubles: string[], notes: string[]][] = [
      [{ gpus: ["GPU 0", "GPU 1"] }, [], []],
      [{}, [], ["names GPU 0,1, and shows none"]],
      [{ gpus: ["x", "y"], missing: ["setsid", "tr"] }, ["has no setsid, tr"], []],
      [{ gpus: ["x"], missingForInput: ["tar"] }, [], [
        "has no tar, which jobs with input need",
        "names GPU 0,1, and shows 1",
      ]],
      [{ gpus: ["x", "y"], hasProc: false }, ["has no /proc (hosts are Linux machines)"], []],
      [{ gpus: ["x", "y"], clockMs: -200_000 }, ["its clock is 3m20s behind"], []],
      [{ gpus: ["x", "y"], roomKiB: 2048 }, ["has 2 MiB left on its disk"], []],
      [{ gpus: ["x", "y"], unwritable: "/home/pi Read-only file system" }, [
        "cannot write in /home/pi: Read-only file system",
      ], []],
      [{ gpus: ["x", "y"], sharesWith: [-1, 1] }, [], ["shares its home with b, the manager"]],
      [{ gpus: ["x", "y"], machine: "red01/2", sharesWith: [1] }, [], ["is the same machine as b"]],
      [{ gpus: ["x", "y"], queues: [{ id: "1", isLive: true }, { id: "2", isLive: false }] }, [], [
        "has files of 2 other queues, 1 of them with a run",
      ]],
    ];
    for (const [facts, troubles, notes] of cases) {
      const probe = (): Promise<ProbeResult[]> =>
        Promise.resolve([
          { type: "told", facts: { ...WELL, ...facts }, unfinished: null },
          { type: "told", facts: { ...WELL, machine: "red01/2" }, unfinished: null },
        ]);
      const [check] = await checkHosts(deps, { cluster: clusterRef(deps, { cluster: "c" }) }, probe);
      assert.deepEqual([check?.troubles, check?.notes], [troubles, notes]);
    }
  });
});

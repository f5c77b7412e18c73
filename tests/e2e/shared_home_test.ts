/**
 * A home directory that several machines share: hosts with one another, and with the manager.
 *
 * @module
 */

import assert from "node:assert/strict";
import { makeHosts, whyNoHosts } from "../../testing/hosts.ts";
import { needTest } from "../../testing/need.ts";
import { Manager } from "../../testing/harness.ts";

const whyNot = await whyNoHosts();
const hosts = whyNot === null ? await makeHosts(["login", "node"], { sharedHome: true }) : null;
globalThis.addEventListener("unload", () => hosts?.disposeNow());

needTest("a manager on a login node runs jobs on a node that shares its home", whyNot, async () => {
  await hosts!.reset();
  await using manager = await Manager.on(hosts!.host("login"));
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=job1", "--command=hostname; id -un");
  await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=pi@node");
  assert.equal(await manager.read("job1/job1.out"), "node\npi\n");
});

needTest("input files in a home that manager and host share are neither copied nor counted twice", whyNot, async () => {
  await hosts!.reset();
  const login = hosts!.host("login");
  await using manager = await Manager.on(login, { CMS_SSH: "/home/pi/noted-ssh" });
  // Notes each session, and ends one that is not the agent's in the middle.
  await login.run(`printf '%s\\n' '#!/bin/sh' 'echo "$@" >>~/sessions' \\
    'case $* in *"exec sh") exec ssh "$@" ;; *) dd bs=64k count=40 2>/dev/null | ssh "$@" ;; esac' >noted-ssh; chmod +x noted-ssh
    mkdir -p experiment/job1; head -c 40000000 /dev/urandom >experiment/job1/data; ls -i experiment/job1/data >before; sum <experiment/job1/data >>before`);
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=job[1-40]", "--command=ls; cat data | sum");
  await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@node,pi@node");
  const after = await login.run(
    "ls -i experiment/job1/data >after; sum <experiment/job1/data >>after; cmp before after; ls -A experiment | grep tmp",
  );
  assert.deepEqual(after, { code: 1, stdout: "", stderr: "" });
  assert.deepEqual(new Set((await manager.states()).map((line) => line.split(" ")[1])), new Set(["end"]));
  assert.match(await manager.read("job1/job1.out"), /^data\n/);
  const sessions = (await login.run("grep -vc 'exec sh$' sessions")).stdout;
  assert.equal(sessions, "1\n");
});

needTest(
  "input in a shared home reaches the job of a second queue, whose directory stands beside",
  whyNot,
  async () => {
    await hosts!.reset();
    const login = hosts!.host("login");
    await using manager = await Manager.on(login);
    const run = (queue: string) => manager.ok("queue", "run", "fifo_multi", queue, "--hosts=pi@node");
    for (const queue of ["a", "b"]) await manager.ok("queue", "create", queue);
    await manager.ok("queue", "add", "a", "--name=job1", "--command=echo first");
    await run("a");
    await login.run("echo here >experiment/job1/data");
    await manager.ok("queue", "add", "b", "--name=job1", "--command=cat data");
    await run("b");
    const beside = (await manager.jobs("b")).get("job1")?.job_directory;
    assert.equal(await manager.read(`${beside}/job1.out`), "here\n");
    await login.run("echo later >experiment/job1/data");
    await manager.ok("queue", "reset", "b", "--name=job1");
    await run("b");
    assert.equal(await manager.read(`${beside}/job1.out`), "later\n");
    assert.equal(await manager.read("job1/data"), "later\n");
  },
);

needTest("cluster check says which hosts share a home, with one another and with the manager", whyNot, async () => {
  await hosts!.reset();
  await using manager = await Manager.on(hosts!.host("login"));
  await manager.ok("cluster", "create", "c");
  await manager.ok("cluster", "add", "c", "--id=here", "--name=localhost", "--user=pi");
  await manager.ok("cluster", "add", "c", "--id=node", "--name=node", "--user=pi");
  assert.equal(
    await manager.ok("cluster", "check", "c"),
    "here: ok (shares its home with node)\nnode: ok (shares its home with here, the manager)\n",
  );
});

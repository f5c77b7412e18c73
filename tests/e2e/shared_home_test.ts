/**
 * A home directory that several machines share: hosts with one another, and with the manager.
 *
 * @module
 */

import assert from "node:assert/strict";
import { makeHosts, whyNoHosts } from "../support/hosts.ts";
import { needTest } from "../support/need.ts";
import { Manager } from "./harness.ts";

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

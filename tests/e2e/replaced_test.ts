/** A job is deleted and added again under its name while the host on which it runs is cut off. */
import assert from "node:assert/strict";
import type { Manager } from "../../testing/harness.ts";
import type { TestHosts } from "../../testing/hosts.ts";
import { hostTest } from "../../testing/need.ts";
import {
  letGo,
  makeManager,
  makeQueue,
  QUICK_SSH,
  readText,
  waitForState,
  waitsFor,
} from "../../testing/harness_faults.ts";

/** Writes down its start, and where an earlier one of its name lives still; waits for `~/go`. */
const COMMAND = 'if [ -e ~/pid.$CMS_JOB ] && kill -0 "$(cat ~/pid.$CMS_JOB)"; then echo $CMS_JOB >>~/twice; fi; ' +
  `echo $$ >~/pid.$CMS_JOB; echo $CMS_JOB >>~/started; ${waitsFor("go")}`;
const RUN = ["queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red,pi@red01"];

/** Deletes job1, whose host is cut off, and adds another of its name. */
async function replace(manager: Manager): Promise<void> {
  const deleted = await manager.cms("queue", "delete", "a", "--name=job1", "--force");
  assert.deepEqual([deleted.code, deleted.stdout], [0, "INFO: Deleting jobs: ['job1']\n"], deleted.stderr);
  assert.match(deleted.stderr, /^WARNING: Job job1 may still run on pi@red: only its entry was deleted$/m);
  await manager.ok("queue", "add", "a", "--name=job1", `--command=${COMMAND}`);
}

/** No two of one name at once, and each job as often as it should have run. */
function assertApart(hosts: TestHosts, starts: Readonly<Record<string, string>>): void {
  for (const [host, expected] of Object.entries(starts)) {
    const { home } = hosts.host(host);
    assert.equal(readText(`${home}/twice`), "", host);
    assert.equal(readText(`${home}/started`).trim().split("\n").filter(Boolean).sort().join(" "), expected, host);
  }
}

hostTest(
  "a job that replaced one on a host that is cut off waits, during a run, until the old one is ended",
  async (hosts) => {
    await using manager = await makeManager(hosts, QUICK_SSH);
    const [red, red01] = [hosts.host("red"), hosts.host("red01")];
    await makeQueue(manager, "job[1-3]", COMMAND);
    const run = manager.start(...RUN);
    for (const job of ["job1", "job2", "job3"]) await waitForState(manager, job, "start");
    await red.cut();
    await replace(manager);
    await letGo(red01, "go");
    // Now there is a slot for it, on a host that answers.
    await run.waitFor("WARNING: Job job1 waits: an earlier job of its name may still run on pi@red\n", 60_000);
    await waitForState(manager, "job3", "end");
    await manager.ok("queue", "add", "a", "--name=job4", `--command=${COMMAND}`);
    await waitForState(manager, "job4", "end");
    assert.deepEqual(await manager.states(), ["job2 start", "job3 end", "job1 undefined", "job4 end"]);
    await red.mend();
    await run.waitFor("INFO: Job job1 was killed on pi@red.\n", 60_000);
    await waitForState(manager, "job1", "start");
    await letGo(red, "go");
    const { code } = await run.ended();
    assert.equal(code, 0, run.stderr);
    assert.deepEqual(await manager.states(), ["job2 end", "job3 end", "job1 end", "job4 end"]);
    const isThere = (await manager.jobs()).get("job1")!.host === "red";
    assertApart(hosts, {
      red: isThere ? "job1 job1 job2" : "job1 job2",
      red01: isThere ? "job3 job4" : "job1 job3 job4",
    });
  },
);

hostTest(
  "a job that replaced one on a host that is cut off, while nothing ran, does not start beside the old one",
  async (hosts) => {
    await using manager = await makeManager(hosts, QUICK_SSH);
    const red = hosts.host("red");
    await makeQueue(manager, "job[1-3]", COMMAND);
    const first = manager.start(...RUN);
    for (const job of ["job1", "job2", "job3"]) await waitForState(manager, job, "start");
    await first.kill9();
    await red.cut();
    await replace(manager);
    await red.mend();
    const run = manager.start(...RUN);
    // The run knows nothing of the old one. Its host does.
    await waitForState(manager, "job1", "fail_start");
    await letGo(red, "go");
    await letGo(hosts.host("red01"), "go");
    const { code } = await run.ended();
    assert.equal(code, 1, run.stderr);
    assert.deepEqual(await manager.states(), ["job2 end", "job3 end", "job1 fail_start"]);
    assert.match(`${(await manager.jobs()).get("job1")!.reason}`, /^another attempt of the job runs there /);
    assertApart(hosts, { red: "job1 job2", red01: "job3" });
  },
);

/**
 * Jobs that are tried elsewhere when their host is silent, as `retry_on: lost` asks for, on real hosts.
 *
 * @module
 */

import assert from "node:assert/strict";
import { GATED, isAlive, ranOn, release } from "../../testing/gated.ts";
import type { Manager } from "../../testing/harness.ts";
import type { TestHosts } from "../../testing/hosts.ts";
import { makeManager, QUICK_SSH, waitForState } from "../../testing/harness_faults.ts";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";

hostTest(
  "lost: a job is tried elsewhere, and ended on its silent host before anything else starts there",
  async (hosts) => {
    await using manager = await makeManager(hosts, QUICK_SSH);
    const [red, red01] = [hosts.host("red"), hosts.host("red01")];
    await manager.ok("queue", "create", "a");
    const words = ["--retries=1", "--retry-delay=1s", "--retry-on=lost", "--command", GATED];
    await manager.ok("queue", "add", "a", "--name=x", ...words);
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01", "--timeout=0.05");
    await waitForState(manager, "x", "start");
    await red.cut();
    await run.waitFor(/Job x on pi@red: pi@red was silent for 3s; retry 1 of 1 in/, 40_000);
    await waitUntil("its second start", async () => {
      const job = (await manager.jobs()).get("x")!;
      return job.status === "start" && job.host === "red01";
    }, { limitMs: 40_000 });
    // Both run now. Another job waits for the host that is silent, and finds it free of the first.
    await manager.ok("queue", "add", "a", "--name=y", "--command=true");
    await red.mend();
    await run.waitFor("WARNING: Two attempts of job x may have overlapped: 1, on pi@red,", 40_000);
    await waitForState(manager, "y", "end");
    assert.ok(!await isAlive(red, "x"));
    assert.ok(await isAlive(red01, "x"));
    await release(red01, "x");
    const { code, stderr } = await run.ended();
    assert.equal(code, 0, stderr);
    assert.deepEqual(await ranOn(hosts), ["x", "x"]);
    assert.deepEqual(await manager.states(), ["x end", "y end"]);
  },
);

hostTest(
  "lost: without it a silent host's job stays a crash, and the next run ends what an earlier one has left",
  async (hosts) => {
    await using manager = await makeManager(hosts, QUICK_SSH);
    const [red, red01] = [hosts.host("red"), hosts.host("red01")];
    await manager.ok("queue", "create", "a");
    await manager.ok("queue", "add", "a", "--name=plain", "--retries=1", "--retry-delay=1s", "--command", GATED);
    const lost = ["--retries=1", "--retry-delay=1s", "--retry-on=lost"];
    await manager.ok("queue", "add", "a", "--name=x", ...lost, "--command", GATED);
    const words = ["queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red,pi@red01", "--timeout=0.05"];
    const first = manager.start(...words);
    for (const job of ["plain", "x"]) await waitForState(manager, job, "start");
    await red.cut();
    await waitForState(manager, "plain", "crash", 40_000);
    await waitUntil("x on the other host", async () => {
      const job = (await manager.jobs()).get("x")!;
      return job.status === "start" && job.host === "red01";
    }, { limitMs: 40_000 });
    await first.kill9();
    await red.mend();
    const second = manager.start(...words);
    await second.waitFor("WARNING: Two attempts of job x may have overlapped", 40_000);
    assert.ok(!await isAlive(red, "x"));
    assert.ok(await isAlive(red, "plain"), "it was only given up");
    await release(red, "plain");
    await release(red01, "x");
    assert.equal((await second.ended()).code, 0);
    assert.deepEqual(await ranOn(hosts), ["plain", "x", "x"]);
    await bootSilent(manager, hosts);
  },
);

/** Where a silent host was booted since, nothing of its job runs there for certain: the try that is left begins. */
async function bootSilent(manager: Manager, hosts: TestHosts): Promise<void> {
  const [red, red01] = [hosts.host("red"), hosts.host("red01")];
  const tries = ["--retries=1", "--retry-delay=1s"];
  await manager.ok("queue", "add", "a", "--name=gone", ...tries, `--command=[ $CMS_TRY = 2 ] || { ${GATED}; }`);
  await manager.ok("queue", "add", "a", "--name=keep", "--command", GATED);
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01", "--timeout=0.05");
  for (const job of ["gone", "keep"]) await waitForState(manager, job, "start");
  await red.crash();
  await waitForState(manager, "gone", "crash", 40_000);
  await red.boot();
  await waitForState(manager, "gone", "end", 40_000);
  const { history } = (await manager.jobs()).get("gone")!;
  assert.deepEqual((history as { status: string }[]).map(({ status }) => status), ["crash"]);
  await release(red01, "keep");
  assert.equal((await run.ended()).code, 0, run.text);
}

/**
 * Further tries on real hosts: where they go, what stays of the earlier ones, and what reset and delete take away.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Manager } from "../../testing/harness.ts";
import { hostTest } from "../../testing/need.ts";
import { waitForState } from "../../testing/harness_faults.ts";

const COMMAND = "echo out $CMS_TRY; echo err $CMS_TRY >&2; exit 3";

hostTest(
  "tries: a further one goes elsewhere, the files of all stay, reset and delete clear each host",
  async (hosts) => {
    await using manager = await Manager.make(hosts);
    await manager.ok("queue", "create", "a");
    const words = ["--retries=2", "--retry-delay=1s", `--command=${COMMAND}`];
    await manager.ok("queue", "add", "a", "--name=x", ...words);
    const run = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01");
    assert.equal(run.code, 1);
    const job = (await manager.jobs()).get("x")!;
    const past = job.history as { host: string }[];
    assert.deepEqual([...past.map(({ host }) => host), job.host], ["red", "red01", "red"]);
    for (const number of [1, 2, 3]) {
      const show = (...more: string[]) => manager.ok("queue", "log", "a", "x", `--try=${number}`, ...more);
      assert.equal(await show(), `out ${number}\n`);
      assert.equal(await show("--error"), `err ${number}\n`);
      assert.match(await show("--states"), new RegExp(`# attempt: \\w+\\.${number}\n.*# exit: 3\n`, "s"));
    }
    assert.equal(await manager.ok("queue", "log", "a", "x"), "out 3\n");
    const none = await manager.cms("queue", "log", "a", "x", "--try=4");
    assert.deepEqual([none.code, none.stderr], [1, "WARNING: Job x has no try 4; there are 1, 2, 3\n"]);
    const files = async (name: string) =>
      (await hosts.host(name).run("ls experiment/x 2>/dev/null || :")).stdout.split("\n").filter(Boolean);
    assert.ok((await files("red")).includes("x.out.1"));
    assert.ok(!(await files("red01")).some((name) => /\.\d$/.test(name)));
    await manager.ok("queue", "reset", "a", "x");
    assert.deepEqual([await files("red"), await files("red01")], [[], []]);
    assert.equal((await manager.jobs()).get("x")!.history, undefined);

    // The full number of tries anew; then the host of an earlier one is silent: the job goes, and a warning says so.
    const again = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01");
    assert.equal(again.code, 1);
    assert.equal(((await manager.jobs()).get("x")!.history as unknown[]).length, 2);
    await hosts.host("red01").cut();
    const deleted = await manager.cms("queue", "delete", "a", "--name=x");
    assert.equal(deleted.code, 0, deleted.stderr);
    assert.match(deleted.stderr, /WARNING: .*\(pi@red01: x\)/);
    await hosts.host("red01").mend();
    assert.deepEqual(await files("red"), []);
  },
);

hostTest("tries: a job that waits for its next try gets all of them anew by a reset during a run", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=x", "--retries=1", "--retry-delay=1h", "--command=exit 3");
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
  await run.waitFor(/Job x on pi@red: exit code 3; retry 1 of 1/);
  await waitForState(manager, "x", "ready");
  await manager.ok("queue", "reset", "a", "x");
  await run.waitFor(/retry 1 of 1[^]*retry 1 of 1/);
  run.signal("SIGTERM");
  await run.ended();
  assert.deepEqual(((await manager.jobs()).get("x")!.history as { try: number }[]).map((one) => one.try), [1]);
});

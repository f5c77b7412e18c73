/**
 * Further tries on real hosts: where they go, what stays of the earlier ones, and what reset and delete take away; and
 * the order of jobs that come after others.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Manager } from "../../testing/harness.ts";
import { hostTest } from "../../testing/need.ts";
import { waitForState } from "../../testing/harness_faults.ts";
import type { TestHost } from "../../testing/hosts.ts";
import { waitUntil } from "../../testing/wait.ts";

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

hostTest("tries: what is said of a job that waits for its next try", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=x", "--retries=1", "--retry-delay=1h", "--command=exit 3");
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
  await waitForState(manager, "x", "ready");
  const show = await manager.ok("queue", "show", "a", "x");
  assert.match(show, /\nnext +try 2 of 2\ntry 1 +exit code 3 on pi@red, 20/);
  assert.doesNotMatch(show, /ran on/);
  // Its files are no left-over that a reset should remove.
  assert.doesNotMatch(await manager.ok("queue", "check", "a"), /To do/);
  const reason = async (retries: number) => {
    await manager.ok("queue", "set", "a", "x", "--set", `retries=${retries}`);
    return await manager.ok("queue", "explain", "a", "x");
  };
  assert.match(await reason(4), /^x: retry 1 of 4 in /);
  assert.match(await reason(0), /^x: retry 1 of 1 in /);
  assert.match(await manager.ok("queue", "show", "a", "x"), /\nnext +try 2 of 2\n/);
  run.signal("SIGTERM");
  await run.ended();
});

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
  await withoutRun(manager, hosts.host("red"));
  await inOrder(manager, hosts.host("red"));
});

/** A job that fails while no run goes on keeps its tries, whoever asks its host first. */
async function withoutRun(manager: Manager, red: TestHost): Promise<void> {
  const command = "until [ -e ~/go ]; do sleep 0.05; done; [ $CMS_TRY = 2 ]";
  await manager.ok("queue", "delete", "a", "--name=x");
  await manager.ok("queue", "add", "a", "--name=late", "--retries=1", "--retry-delay=1s", `--command=${command}`);
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
  await waitForState(manager, "late", "start");
  await run.kill9();
  await red.run("touch go");
  await waitUntil("its end", async () => {
    await manager.ok("queue", "refresh", "a");
    return (await manager.jobs()).get("late")!.status === "ready";
  });
  await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
  const { status, history } = (await manager.jobs()).get("late")!;
  assert.deepEqual([status, (history as { reason: string }[]).map(({ reason }) => reason)], ["end", ["exit code 1"]]);
}

/** What comes after others on hosts: it starts, or never can; and with --cascade all of it runs again. */
async function inOrder(manager: Manager, red: TestHost): Promise<void> {
  await manager.ok("queue", "create", "o");
  const add = (name: string, command: string, ...words: string[]) =>
    manager.ok("queue", "add", "o", `--name=${name}`, `--command=${command}; echo $CMS_JOB >>~/order`, ...words);
  await add("prep[1-2]", '[ "$CMS_JOB" = prep1 ] || [ -e ~/well ] || exit 1');
  await add("train[1-2]", "true", "--after-corr=prep[1-2]");
  await add("report", "true", "--after=train[1-2]", "--priority=5");
  await add("alarm", "true", "--after-notok=prep2");
  await add("any", "true", "--after-any=prep[1-2]");
  const run = () => manager.cms("queue", "run", "fifo_multi", "o", "--hosts=pi@red");
  const reasons = async (...names: string[]) => {
    const jobs = await manager.jobs("o");
    return names.map((name) => `${jobs.get(name)!.status} ${jobs.get(name)!.reason ?? ""}`);
  };
  const first = await run();
  assert.equal(first.code, 1);
  assert.match(
    first.stderr,
    /^WARNING: Never started, because of jobs that they come after: 2 \(\['train2', 'report'\]\)$/m,
  );
  const never = "fail_start prep2 failed (exit code 1)";
  assert.deepEqual(await reasons("prep2", "train1", "train2", "report"), ["end ", "end ", never, never]);
  assert.equal((await red.run("cat order")).stdout, "prep1\ntrain1\nalarm\nany\n");
  await red.run("rm order; touch well");
  await manager.ok("queue", "reset", "o", "prep2", "--cascade");
  const second = await run();
  assert.deepEqual([second.code, ...await reasons("alarm")], [1, "fail_start prep2 ended well"]);
  const order = (await red.run("cat order")).stdout.trim().split("\n");
  assert.deepEqual(order.filter((name) => name !== "any"), ["prep2", "train2", "report"]);
  // A rule ends the run: what runs is killed, what waits is left.
  await manager.ok("queue", "create", "h");
  await manager.ok("queue", "add", "h", "--name=long", "--command=exec sleep 1000");
  await manager.ok("queue", "add", "h", "--name=bad,rest", "--command=exit 4");
  const words = ["--hosts=pi@red,pi@red", "--halt=now,fail=1"];
  const halted = await manager.cms("queue", "run", "fifo_multi", "h", ...words);
  assert.equal(halted.code, 1);
  assert.match(halted.stderr, /^WARNING: Halting \(now,fail=1\)/m);
  const states = await manager.states("h");
  assert.deepEqual(states.slice(0, 2), ["long kill", "bad end"]);
  assert.match(states[2]!, /^rest (undefined|kill)$/);
}

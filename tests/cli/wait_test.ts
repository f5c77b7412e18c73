/** `cms queue wait`, beside real runs on localhost. */
import assert from "node:assert/strict";
import { waitUntil } from "../../testing/wait.ts";
import { type Place, withPlace } from "./harness.ts";

async function withQueue(use: (place: Place, go: () => Promise<void>) => Promise<void>): Promise<void> {
  await withPlace(async (place) => {
    await place.ok("queue", "create", "a");
    await place.ok(
      "queue",
      "add",
      "a",
      "--name=slow",
      "--command=until [ -e ../go ]; do sleep 0.05; done",
      "--shell=sh",
    );
    await place.ok("queue", "add", "a", "--name=good[1-2]", "--command=true", "--shell=sh");
    await use(place, () => Deno.writeTextFile(`${place.directory}/experiment/go`, ""));
  });
}

Deno.test("queue wait returns when the jobs are over: 0 if all ended well, 1 if one did not", async () => {
  await withQueue(async ({ run, ok }, go) => {
    const running = run("queue", "run", "fifo_multi", "a", "--hosts=localhost,localhost");
    const waited = run("queue", "wait", "a");
    assert.equal((await run("queue", "wait", "a", "slow", "--for=started", "--timeout=30s")).status, 0);
    assert.equal((await run("queue", "wait", "a", "--name=good1", "--for=ended-well", "--timeout=30s")).status, 0);
    await ok("queue", "add", "a", "--name=bad", "--command=exit 3", "--shell=sh");
    assert.equal((await run("queue", "wait", "a", "--name=slow,bad", "--any", "--timeout=30s")).status, 1);
    assert.equal((await run("queue", "wait", "a", "slow", "--timeout=1s")).status, 124);
    await go();
    // A job that was added meanwhile counts, too.
    const { status, out } = await waited;
    assert.deepEqual([status, out], [1, ""]);
    assert.equal((await running).status, 1);
    assert.equal((await run("queue", "wait", "a", "--where=name~good")).status, 0);
  });
});

Deno.test("queue wait sees what happens across many rewritings of the file, and of a file that is edited", async () => {
  await withQueue(async ({ run, directory }, go) => {
    const waited = run("queue", "wait", "a", "--name=slow,later", "--no-run=wait", "--timeout=60s");
    const missing = await run("queue", "wait", "a", "--name=later", "--timeout=1s");
    assert.deepEqual([missing.status, missing.err], [1, "WARNING: Job later does not exist in queue a\n"]);
    const running = run("queue", "run", "fifo_multi", "a", "--hosts=localhost");
    const file = `${directory}/experiment/a-queue.yaml`;
    await waitUntil("slow runs", async () => /slow:[^]*?status: start/.test(await Deno.readTextFile(file)));
    await Deno.writeTextFile(file, await Deno.readTextFile(file) + "later:\n  command: 'true'\n  shell: sh\n");
    await go();
    assert.equal((await running).status, 0);
    assert.equal((await waited).status, 1); // `later` was missing at the begin.
  });
});

Deno.test("queue wait says that no run works on the queue, and fails at once where that is asked", async () => {
  await withQueue(async ({ run }) => {
    const { status, err } = await run("queue", "wait", "a", "--no-run=fail");
    assert.equal(status, 1);
    assert.match(err, /^ERROR: No run works on queue a/);
    const waiting = await run("queue", "wait", "a", "--timeout=1s");
    assert.equal(waiting.status, 124);
    assert.match(waiting.err, /^WARNING: No run works on queue a; waiting goes on\n$/);
    for (const words of [["--for=never"], ["--timeout=soon"], ["--no-run=perhaps"], ["--where=x"], ["--status=done"]]) {
      assert.equal((await run("queue", "wait", "a", ...words)).status, 2, words.join());
    }
  });
});

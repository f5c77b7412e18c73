/** `cms queue status`, `show` and `explain`: of a queue that rests, and beside a real run. */
import assert from "node:assert/strict";
import { realDeps } from "../../src/deps_real.ts";
import { LiveStatus } from "../../src/operations/live_status.ts";
import { waitUntil } from "../../testing/wait.ts";
import { withPlace } from "./harness.ts";

Deno.test("status, show and explain say how a queue and its jobs stand while a run works on it, and after", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    assert.match(await ok("queue", "status"), /^INFO: There is no queue in experiment; cms queue create makes one\n$/);
    await ok("queue", "create", "a");
    await ok("cluster", "create", "c");
    await ok("cluster", "add", "c", "--id=h[1-3]", "--name=localhost", "--user=me");
    await ok("cluster", "deactivate", "c", "--id=h3");
    await ok("queue", "add", "a", "--name=bad", "--command=exit 3", "--shell=sh");
    const gate = "until [ -e ../go ]; do sleep 0.05; done";
    await ok("queue", "add", "a", "--name=slow[1-2]", `--command=${gate}`, "--shell=sh");
    await ok("queue", "add", "a", "--name=free", "--command=true");
    await ok("queue", "add", "a", "--name=child", "--command=true", "--after=slow1,slow2", "--retries=2");
    await ok("queue", "add", "a", "--name=held", "--command=true", "--hold");
    assert.match(await ok("queue", "status"), /^a: no run, 0 of 6 done, 0 running, 0 failed\n$/);
    assert.equal(await ok("queue", "explain", "a", "held"), "held: held\n");

    await ok("queue", "pause", "a", "--reason=new disk");
    assert.match(
      await ok("queue", "status", "a"),
      /\nNo job starts: the queue is paused: new disk; cms queue resume a ends that\n/,
    );
    assert.match(await ok("queue", "status"), /^a: no run, paused, 0 of 6 done/);
    assert.equal(await ok("queue", "explain", "a", "bad"), "bad: the queue is paused: new disk\n");
    assert.match(await ok("queue", "show", "a", "bad"), /\nstate {6}undefined: the queue is paused: new disk\n/);
    await ok("queue", "resume", "a");

    const running = run("queue", "run", "fifo_multi", "a", "--hostfile=c");
    assert.equal((await run("queue", "wait", "a", "--name=slow[1-2]", "--for=started", "--timeout=30s")).status, 0);
    const status = await ok("queue", "status", "a");
    assert.match(
      status,
      /^Queue a: fifo_multi runs it on cluster c, process [0-9]+ on manager, since 20.*Z\nJobs: 1 of 6 done, 1 failed \(/,
    );
    assert.match(
      status,
      /\nRate: .* jobs\/s in the last minute, ends (?:at about|between) 20.*\nSlots: 2 of 2 in use\n {2}me@localhost: 2 of 2 in use, 0 free\nLast failures:\n {2}bad: exit code 3 on me@localhost, /,
    );
    // Nobody knows when a paused queue goes on.
    await ok("queue", "pause", "a");
    const paused = await ok("queue", "status", "a");
    assert.match(paused, /\nRate: .* jobs\/s in the last minute\n/);
    const live = new LiveStatus(realDeps(), {
      experiment: "experiment",
      directory: `${directory}/experiment`,
      name: "a",
    });
    assert.equal(await live.look(), "news");
    const { ratePerS, leftMs } = await live.status();
    assert.deepEqual([ratePerS === null, leftMs], [false, null]);
    live.end();
    await ok("queue", "resume", "a");
    assert.equal(
      await ok("queue", "explain", "a"),
      "1 job: held\n1 job: waits for a free slot\n1 job: waits for slow1\n" +
        "  h1: full (1 of 1)\n  h2: full (1 of 1)\n  h3: inactive\n",
    );
    const rows = JSON.parse(await ok("queue", "explain", "a", "--output=json")) as { job: null; host: string | null }[];
    assert.deepEqual(rows.map(({ host }) => host), [null, null, null, "h1", "h2", "h3"]);
    assert.deepEqual(rows[0], { job: null, host: null, count: 1, reason: "held" });
    assert.match(
      await ok("queue", "show", "a", "slow1"),
      /\nstate {6}start: runs on me@localhost\n[^]*\nneeded by {2}child \(undefined\)\n[^]*\nfiles {6}experiment\/slow1\/: slow1-nohup.log, slow1.out, slow1.log\n/,
    );
    await Deno.writeTextFile(`${directory}/experiment/go`, "");
    await running;
    const child = await ok("queue", "show", "a", "child");
    assert.match(child, /\nstate {6}end: ended well\n/);
    assert.match(
      child,
      /\nran on {5}me@localhost, try 1 of 3, .* to .* \([0-9ms]+\)\nwaits for {2}slow1 \(end\), slow2 \(end\)\nretries {4}2\n/,
    );
    const [record] = JSON.parse(await ok("queue", "show", "a", "bad", "--output=json"));
    assert.deepEqual([record.reason, record.exit_code, record.tries], ["exit code 3", 3, 1]);
    const [json] = JSON.parse(await ok("queue", "status", "a", "--output=json"));
    assert.deepEqual([json.done, json.failed, json.waiting, json.run], [5, 1, 1, null]);
    assert.match(await ok("queue", "status", "a"), /\nLast run: done at 20.*Z, 5 ran, 1 failed, 1 waiting\n/);

    // Of a run that halts: it starts nothing more, and says why, also afterwards.
    await Deno.remove(`${directory}/experiment/go`);
    await ok("queue", "reset", "a", "--name=bad,slow1,free");
    await ok("queue", "add", "a", "--name=tagged", "--command=true", "--tags", "by=me");
    const halting = run("queue", "run", "fifo_multi", "a", "--hostfile=c", "--halt=soon,fail=1");
    await waitUntil(
      "the halt",
      async () => /\nNo job starts: the run is halted \(soon,fail=1\)\n/.test(await ok("queue", "status", "a")),
    );
    await Deno.writeTextFile(`${directory}/experiment/go`, "");
    await halting;
    assert.match(await ok("queue", "status", "a"), /\nLast run: halted at 20.*Z, [0-9] ran, 1 failed, [0-9] waiting\n/);
    for (const tag of ["by", "by=me", "by=m*"]) {
      assert.match(
        await ok("queue", "list", "a", `--tag=${tag}`, "--columns=name"),
        /^\+-+\+\n\| name +\|\n\+-+\+\n\| tagged +\|\n\+-+\+\n$/,
      );
    }
    assert.equal(await ok("queue", "list", "a", "--tag=by", "--tag=by=you"), "INFO: No job of queue a fits.\n");
  });
});

Deno.test("show and explain refuse a job that is not there, and show nothing that moves the cursor", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create", "a");
    assert.equal((await run("queue", "show", "a", "x")).status, 2);
    assert.equal((await run("queue", "explain", "a", "x")).status, 2);
    assert.equal((await run("queue", "show", "a")).status, 2);
    assert.equal(await ok("queue", "explain", "a"), "No job of queue a waits.\n");
    await ok("queue", "add", "a", "--name=odd", "--command=echo '\u001b[2J'");
    assert.match(await ok("queue", "show", "a", "odd"), /command {4}echo '\\x1b\[2J'\n/);
  });
});

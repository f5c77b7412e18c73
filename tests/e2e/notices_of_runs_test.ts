/**
 * Commands and webhooks of a run on real hosts; what of them is left when the manager is killed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { GATED, releaseAll, waitForStarted } from "../../testing/gated.ts";
import { Manager } from "../../testing/harness.ts";
import { hostTest } from "../../testing/need.ts";
import { isAlive } from "../../testing/run_place.ts";
import { waitUntil } from "../../testing/wait.ts";

const TOLD = 'echo "$CMS_QUEUE $CMS_JOB $CMS_ATTEMPT $CMS_TRY $CMS_HOST $CMS_SLOT $CMS_GPUS ' +
  '$CMS_STATE $CMS_EXIT_CODE $CMS_REASON" >>';

async function linesOf(manager: Manager, file: string): Promise<string[]> {
  const text = await Deno.readTextFile(`${manager.dir}/${file}`).catch(() => "");
  return text.split("\n").filter(Boolean).toSorted();
}

hostTest("notices: commands and a webhook are told of each job and of the end", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const posted: Record<string, unknown>[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    posted.push(await request.json());
    return new Response();
  });
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=good", "--command=true");
  await manager.ok("queue", "add", "a", "--name=bad", "--command=exit 3", "--retries=1", "--retry-delay=1s");
  await manager.ok("cluster", "create", "c");
  await manager.ok("cluster", "add", "c", "--id=h1", "--name=red", "--user=pi", "--gpus=0-1", "--max-jobs-allowed=1");
  await manager.ok("queue", "add", "a", "--name=gpu", "--command=true", "--gpus=1");
  await manager.ok("queue", "add", "a", "--name=after", "--command=true", "--after=bad");
  const run = await manager.cms(
    "queue",
    "run",
    "fifo_multi",
    "a",
    "--hostfile=c",
    `--on-end=${TOLD} end`,
    `--on-fail=${TOLD} fail`,
    `--on-done=${TOLD} done; exit 5`,
    `--webhook=http://127.0.0.1:${server.addr.port}/`,
  );
  assert.equal(run.code, 1);
  assert.match(run.stderr, /^WARNING: --on-done for the end of the run failed: exit code 5$/m);
  const bad = "a bad 2 2 h1 0  end 3 exit code 3";
  const after = "a after 0 1    fail_start  bad failed (exit code 3)";
  const well = ["a good 1 1 h1 0  end 0 exit code 0", "a gpu 1 1 h1 0 0 end 0 exit code 0"];
  assert.deepEqual(await linesOf(manager, "end"), [after, bad, ...well]);
  assert.deepEqual(await linesOf(manager, "fail"), [after, bad]);
  const counts = "3 ran, 1 failed, 0 running, 0 waiting, 1 never started";
  assert.deepEqual(await linesOf(manager, "done"), [`a       done 1 ${counts}`]);
  const said = posted.map(({ event, job, state, exit_code }) => `${event} ${job} ${state} ${exit_code}`).toSorted();
  assert.deepEqual(said, [
    "job after fail_start null",
    "job bad end 3",
    "job good end 0",
    "job gpu end 0",
    "run undefined done 1",
  ]);
});

hostTest("notices: what a command leaves in the background does not keep the run from ending", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=job", "--command=true");
  const onEnd = "echo first >&2; sleep 600 & echo $! > left";
  await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=pi@red", `--on-end=${onEnd}`);
  const pid = Number((await linesOf(manager, "left"))[0]);
  assert.ok(isAlive(pid));
  Deno.kill(pid, "SIGKILL");
});

hostTest("notices: after kill -9 of the manager, before the end and at it, the next run tells of it", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=job", "--command", GATED);
  const words = ["queue", "run", "fifo_multi", "a", "--hosts=pi@red"];
  // At the end it waits for a file.
  const onDone = "echo $CMS_STATE >> told; until [ -e go ]; do sleep 0.05; done; echo $CMS_REASON >> whole";
  const first = manager.start(...words, `--on-done=${onDone}`);
  await waitForStarted(manager, first, "job");
  await first.kill9();
  const second = manager.start(...words);
  await waitForStarted(manager, second, "job");
  await releaseAll(hosts);
  await waitUntil("the command of the end", async () => (await linesOf(manager, "told")).length === 1);
  await second.kill9();
  const third = manager.start(...words);
  await waitUntil("the command of the end again", async () => (await linesOf(manager, "told")).length === 2);
  // The queue is free meanwhile, and a run beside tells nothing of the third's.
  assert.equal((await manager.cms(...words)).code, 0);
  await Deno.writeTextFile(`${manager.dir}/go`, "");
  assert.equal((await third.ended()).code, 0);
  assert.equal((await manager.cms(...words)).code, 0);
  assert.deepEqual(await linesOf(manager, "told"), ["done", "done"]);
  // The command of the second, which was killed, went on.
  await waitUntil("both commands have ended", async () => (await linesOf(manager, "whole")).length === 2);
});

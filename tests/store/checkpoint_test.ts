/** A checkpoint of who runs the queue: made without the lock, and complete whoever writes meanwhile. */
import assert from "node:assert/strict";
import type { FileLock, Files } from "../../src/deps.ts";
import { inspectQueue } from "../../src/store/inspect_queue.ts";
import { storePaths } from "../../src/store/paths.ts";
import { QueueFeed } from "../../src/store/queue_feed.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { StateFeed } from "../../src/store/state_feed.ts";
import type { QueueStore } from "../../src/store/store.ts";
import { parseJobs } from "../../src/store/yaml/job_record.ts";
import { jobOf, onFiles, put, set, withFiles, type World } from "./support.ts";

/** Somebody who runs a queue of one job; `meanwhile` is called when the new text is there and not in place yet. */
async function runnerOf({ deps, ref, file }: World, meanwhile: () => Promise<void>): Promise<QueueStore> {
  await createQueue(deps, ref);
  const replace: Files["replace"] = (path, content, mayReplace = () => Promise.resolve(true)) =>
    deps.files.replace(path, content, async () => {
      if (path === file) await meanwhile();
      return await mayReplace();
    });
  const runner = await openQueue(withFiles(deps, { ...deps.files, replace }), ref);
  await runner.commit(() => [put("a")]);
  assert.equal(await runner.claimRun("r1"), null);
  return runner;
}

/** The queue's lock, if it is free. */
function tryLock({ deps, ref }: World): Promise<FileLock | null> {
  return deps.files.lock(storePaths(ref, "queue").lock, { mode: "exclusive", wait: false });
}

async function writtenNames({ file }: World): Promise<string> {
  return [...parseJobs(await Deno.readTextFile(file), { shown: "a", experiment: "experiment" }).keys()].join(" ");
}

Deno.test("checkpoint() of who runs the queue holds no lock while it makes the text, and keeps what others add", () =>
  onFiles(async (world) => {
    const other = { store: null as QueueStore | null, times: 0 };
    const runner = await runnerOf(world, async () => {
      const lock = await tryLock(world);
      assert.ok(lock !== null, "the lock is free");
      lock.release();
      if (++other.times === 1) await other.store!.commit(() => [put("b")]);
    });
    other.store = await openQueue(world.deps, world.ref);
    assert.equal(await runner.checkpoint("always"), true);
    assert.equal(await writtenNames(world), "a b");
    assert.equal(await runner.checkpoint("always"), false, "there is nothing more to write");
    assert.equal(other.times, 2);
    for (const queue of [runner, other.store]) queue.close();
  }));

Deno.test("checkpoint() ends although others never stop to write", () =>
  onFiles(async (world) => {
    const other = { store: null as QueueStore | null, names: ["a"] };
    const runner = await runnerOf(world, async () => {
      const lock = await tryLock(world);
      lock?.release();
      if (lock === null) return; // The last time it is held: nobody can come in between.
      const name = `b${other.names.length}`;
      other.names.push(name);
      await other.store!.commit(() => [put(name)]);
    });
    other.store = await openQueue(world.deps, world.ref);
    assert.equal(await runner.checkpoint("always"), true);
    assert.ok(other.names.length > 2);
    assert.equal(await writtenNames(world), other.names.join(" "));
    for (const queue of [runner, other.store]) queue.close();
  }));

Deno.test("a run goes on while its file is written: the file has the jobs as they were, the journal what came since", () =>
  onFiles(async (world) => {
    let times = 0;
    const runner = await runnerOf(world, async () => {
      if (++times === 1) await runner.commit(() => [set("a", { status: "run", attempt: 1 }), put("b")]);
    });
    const feed = new QueueFeed(world.deps, world.ref);
    const states = new StateFeed(world.deps, world.ref);
    await feed.look();
    await states.begin();
    await runner.commit(() => [set("a", { command: "x" })]);
    assert.equal(await runner.checkpoint("beside"), true);
    assert.equal(times, 1, "it is not begun again");
    assert.equal(await writtenNames(world), "a");
    const other = await openQueue(world.deps, world.ref);
    assert.deepEqual([...other.jobs.values()], [...runner.jobs.values()]);
    assert.equal(jobOf(other, "a").status, "run");
    assert.equal(jobOf(other, "a").command, "x");
    // Who follows the queue is told of it once, and goes on behind it.
    const told = async () => (await feed.look())!.map(({ job, type, line }) => `${line} ${job.name} ${type}`);
    const moves = async () => (await states.look())?.map(({ name, status }) => `${name} ${status ?? ""}`.trim());
    assert.deepEqual(await told(), ["4 a moved", "5 b added"]);
    assert.deepEqual(await moves(), ["a", "a run", "b undefined"]);
    await runner.commit(() => [set("a", { status: "end", exit_code: 0 })]);
    assert.deepEqual(await told(), ["4 a moved"]);
    assert.deepEqual(await moves(), ["a end"]);
    assert.equal(await runner.checkpoint("always"), true);
    assert.equal(await writtenNames(world), "a b");
    for (const one of [runner, other, feed, states]) one.close();
  }));

Deno.test("what a person saves while a run writes the file is merged, and the file made anew", () =>
  onFiles(async (world) => {
    let times = 0;
    const runner = await runnerOf(world, async () => {
      if (++times > 1) return;
      await runner.commit(() => [put("b")]);
      await world.edit(world.file, (await Deno.readTextFile(world.file)).replace("shell: bash", "shell: sh"));
    });
    await runner.commit(() => [put("c")]);
    assert.equal(await runner.checkpoint("always"), true);
    await runner.commit(() => [set("a", { command: "x" })]);
    times = 0;
    assert.equal(await runner.checkpoint("beside"), true);
    assert.equal(jobOf(runner, "a").shell, "sh");
    assert.equal(jobOf(runner, "a").command, "x");
    assert.ok(times > 1, "it is begun again");
    runner.close();
  }));

Deno.test("inspectQueue() takes a file that a run is writing for no leftover", () =>
  onFiles(async (world) => {
    const found: string[][] = [];
    const runner = await runnerOf(world, async () => {
      found.push([...(await inspectQueue(world.deps, world.ref)).leftovers]);
    });
    assert.equal(await runner.checkpoint("always"), true);
    assert.deepEqual(found, [[]]);
    runner.close();
  }));

/** A checkpoint of who runs the queue: made without the lock, and complete whoever writes meanwhile. */
import assert from "node:assert/strict";
import type { FileLock, Files } from "../../src/deps.ts";
import { inspectQueue } from "../../src/store/inspect_queue.ts";
import { storePaths } from "../../src/store/paths.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import type { QueueStore } from "../../src/store/store.ts";
import { parseJobs } from "../../src/store/yaml/job_record.ts";
import { onFiles, put, withFiles, type World } from "./support.ts";

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

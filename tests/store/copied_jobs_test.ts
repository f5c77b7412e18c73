/** Copies of queue files: their jobs are others than those of the queue that was copied. */
import assert from "node:assert/strict";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { storePaths } from "../../src/store/paths.ts";
import type { QueueStore, StoreRef } from "../../src/store/store.ts";
import { jobOf, newJob, onBothFiles, onFiles, put, type World } from "./support.ts";

/** Queue `a` with a job that waits, one that is over and one that runs, in its file. */
async function made({ deps, ref }: World): Promise<void> {
  await createQueue(deps, ref);
  const queue = await openQueue(deps, ref);
  const place = { host: "red", user: "pi" };
  await queue.commit(() => [
    put("waits"),
    put("over", "true", { ...place, status: "end", attempt: 1, job_directory: "over.1", exit_code: 0 }),
    put("runs", "true", {
      ...place,
      status: "start",
      attempt: 1,
      replaced: [{ ...place, id: "f".repeat(32), attempt: 2 }],
    }),
  ]);
  await queue.checkpoint("always");
  queue.close();
}

const JOBS = ["waits", "over", "runs"];

function idsOf(queue: QueueStore): string[] {
  return JOBS.map((name) => jobOf(queue, name).id);
}

/** Opens a queue for a moment. */
async function look<T>({ deps }: World, ref: StoreRef, use: (queue: QueueStore) => T | Promise<T>): Promise<T> {
  const queue = await openQueue(deps, ref);
  try {
    return await use(queue);
  } finally {
    queue.close();
  }
}

onBothFiles("the jobs of a copied queue file get ids of their own, once", async (world) => {
  await made(world);
  const copy = { ...world.ref, name: "b" };
  await world.edit(storePaths(copy, "queue").file, await world.deps.files.readText(world.file) ?? "");
  const old = JOBS.map((name) => newJob(name).id);
  const ids = await look(world, copy, async (queue) => {
    const { warnings } = await queue.sync();
    assert.match(warnings.join(), /^\.\/experiment\/b-queue\.yaml is a copy: what hosts have of waits, over, runs is /);
    assert.equal(new Set([...old, ...idsOf(queue)]).size, 6);
    // What ran is still told, but leads nowhere.
    const [over, runs] = [jobOf(queue, "over"), jobOf(queue, "runs")];
    assert.deepEqual([over.status, over.exit_code, over.job_directory], ["end", 0, null]);
    assert.deepEqual([runs.status, runs.replaced ?? null], ["start", null]);
    return idsOf(queue);
  });
  await look(world, copy, async (queue) => {
    assert.deepEqual(idsOf(queue), ids);
    assert.deepEqual((await queue.sync()).warnings, []);
    await queue.checkpoint("always");
  });
  await look(world, copy, (queue) => assert.deepEqual(idsOf(queue), ids));
  await look(world, world.ref, (queue) => assert.deepEqual(idsOf(queue), old));
});

onBothFiles("a queue file that was renamed, or lost its journal, keeps its jobs", async (world) => {
  await made(world);
  const { files } = world.deps;
  const old = JOBS.map((name) => newJob(name).id);
  const text = await files.readText(world.file) ?? "";
  await files.remove(world.journal);
  await look(world, world.ref, (queue) => assert.deepEqual(idsOf(queue), old));
  const renamed = { ...world.ref, name: "c" };
  await files.remove(world.file);
  await world.edit(storePaths(renamed, "queue").file, text);
  await look(world, renamed, (queue) => assert.deepEqual(idsOf(queue), old));
});

Deno.test("a copied directory has other jobs while the first is there, one that was moved has the same", () =>
  onFiles(async (world) => {
    await made(world);
    const old = JOBS.map((name) => newJob(name).id);
    const home = world.ref.directory;
    const at = (directory: string) => ({ ...world.ref, directory });
    for (const to of [`${home}-one`, `${home}-two`]) {
      await new Deno.Command("cp", { args: ["-a", home, to] }).output();
    }
    const ids = await look(world, at(`${home}-one`), idsOf);
    assert.equal(new Set([...old, ...ids]).size, 6);
    await look(world, world.ref, (queue) => assert.deepEqual(idsOf(queue), old));
    // The same directory by another path.
    await Deno.symlink(home, `${home}-link`);
    await look(world, at(`${home}-link`), (queue) => assert.deepEqual(idsOf(queue), old));
    await Deno.rename(home, `${home}-three`);
    for (const to of ["-two", "-three"]) {
      await look(world, at(`${home}${to}`), (queue) => assert.deepEqual(idsOf(queue), old));
    }
  }));

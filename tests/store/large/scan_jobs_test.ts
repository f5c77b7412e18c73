import assert from "node:assert/strict";
import fc from "../../../testing/property.ts";
import type { Job } from "../../../src/job/job.ts";
import { isInFlight } from "../../../src/job/states.ts";
import type { Change } from "../../../src/store/changes.ts";
import { createQueue, openQueue } from "../../../src/store/queue_file.ts";
import { firstJobs } from "../../../src/store/large/first_jobs.ts";
import { scanJobs } from "../../../src/store/large/scan_jobs.ts";
import { del, inMemory, newJob, onBothFiles, put, set, type World } from "../support.ts";

/** Enough for a YAML that is not small. */
const MANY = 800;

async function largeQueue({ deps, ref }: World): Promise<void> {
  await createQueue(deps, ref);
  const queue = await openQueue(deps, ref);
  await queue.commit(() => [...Array(MANY).keys()].map((i) => put(`job${i}`, i % 7 === 0 ? "two\nlines" : "true")));
  await queue.checkpoint("always");
  queue.close();
}

async function commit({ deps, ref }: World, changes: readonly Change[]): Promise<void> {
  const queue = await openQueue(deps, ref);
  await queue.commit(() => changes);
  queue.close();
}

async function all({ deps, ref }: World): Promise<Job[]> {
  const queue = await openQueue(deps, ref);
  const jobs = [...queue.jobs.values()];
  queue.close();
  return jobs;
}

onBothFiles("scanJobs() gives the first jobs, those that are kept, and none of a small queue", async (world) => {
  const { deps, ref } = world;
  await createQueue(deps, ref);
  assert.equal(await scanJobs(deps, ref, () => true, 1), null);
  await largeQueue(world);
  for (const first of [await scanJobs(deps, ref, () => true, 3), await firstJobs(deps, ref, 3)]) {
    assert.deepEqual(first, (await all(world)).slice(0, 3));
  }
  assert.deepEqual(await firstJobs(deps, ref, MANY), await all(world));
  assert.equal(await firstJobs(deps, ref, MANY + 1), null);
  await commit(world, [set("job700", { status: "crash" }), set("job1", { status: "run", host: "red" })]);
  assert.deepEqual((await scanJobs(deps, ref, ({ status }) => status === "crash", 5))?.map(({ name }) => name), [
    "job700",
  ]);
  assert.deepEqual((await scanJobs(deps, ref, ({ status }) => isInFlight(status), Infinity))?.length, 1);
});

onBothFiles("scanJobs() leaves an edited file, and a damaged journal, to whoever reads all", async (world) => {
  const { deps, ref } = world;
  await largeQueue(world);
  const [text, journal] = [await deps.files.readText(world.file) ?? "", await deps.files.readText(world.journal) ?? ""];
  await world.edit(world.journal, `${journal}nonsense\n{}\n`);
  assert.equal(await scanJobs(deps, ref, () => true, 1), null);
  await world.edit(world.journal, journal);
  await world.edit(world.file, text.replace("job1:\n  name: job1\n", "jobX:\n  name: jobX\n"));
  assert.equal(await scanJobs(deps, ref, () => true, 1), null);
});

Deno.test("scanJobs() gives what the whole queue has, in its order, whatever the journal says", async () => {
  const name = fc.constantFrom("job0", "job3", "job5", `job${MANY - 1}`, "new1", "new2");
  const change: fc.Arbitrary<Change> = fc.oneof(
    name.map((one) => put(one, "again")),
    // Another job of that name.
    name.map((one) => put(one, "other", { id: `e${newJob(one).id.slice(1)}` })),
    name.map((one) => del(one)),
    fc.tuple(name, fc.constantFrom("ready", "end", "crash")).map(([one, status]) =>
      set(one, { status } as Partial<Job>)
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 10 }), async (changes) => {
      await inMemory(async (world) => {
        await largeQueue(world);
        const queue = await openQueue(world.deps, world.ref);
        for (const one of changes) await queue.commit(() => [one]);
        queue.close();
        const scanned = await scanJobs(world.deps, world.ref, () => true, Infinity);
        assert.notEqual(scanned, null);
        const first = await firstJobs(world.deps, world.ref, 6);
        const isRewired = changes.some((one) => one.type === "delete" && /^job[035]$/.test(one.job));
        if (!isRewired || first !== null) assert.deepEqual(first, (await all(world)).slice(0, 6));
        assert.deepEqual(scanned, await all(world));
      });
    }),
    { numRuns: 10 },
  );
});

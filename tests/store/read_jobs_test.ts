/** readJobs: who follows a queue reads the same as who opens it, whatever was done to it in between. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { followReads, readJobs } from "../../src/store/read_jobs.ts";
import type { Deps } from "../../src/deps.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { del, inMemory, newJob, onFiles, put, set, type World } from "./support.ts";

const NAMES = ["a", "b", "c", "d"];
const name = fc.constantFrom(...NAMES);
const action = fc.oneof(
  fc.record({ type: fc.constant("put" as const), name }),
  fc.record({ type: fc.constant("delete" as const), name }),
  fc.record({ type: fc.constant("state" as const), name, status: fc.constantFrom("ready", "run", "start", "end") }),
  fc.record({ type: fc.constant("field" as const), name, priority: fc.nat(9) }),
  fc.record({ type: fc.constant("move" as const), name, before: fc.option(name) }),
  fc.constant({ type: "checkpoint" as const }),
  fc.constant({ type: "edit" as const }),
  fc.constant({ type: "break" as const }),
  fc.constant({ type: "forget" as const }),
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

/** Does it, as another process would. What cannot be done is left out. */
async function act({ deps, ref, file, journal, edit }: World, one: Action): Promise<void> {
  // What the file says is all that is left.
  if (one.type === "forget") return void await deps.files.remove(journal);
  if (one.type === "edit" || one.type === "break") {
    const text = await deps.files.readText(file) ?? "";
    return await edit(
      file,
      one.type === "break" ? `${text}\nnonsense` : text.replace("command: 'true'", "command: no"),
    );
  }
  const queue = await openQueue(deps, ref).catch(() => null);
  if (queue === null) return await edit(file, (await deps.files.readText(file) ?? "").replaceAll("\nnonsense", ""));
  try {
    if (one.type === "checkpoint") return void await queue.checkpoint("always");
    await queue.commit(() => {
      const has = queue.jobs.has(one.name as JobName);
      if (one.type === "put") return has ? [] : [put(one.name)];
      if (!has) return [];
      if (one.type === "delete") return [del(one.name)];
      if (one.type === "field") return [set(one.name, { priority: one.priority })];
      if (one.type === "state") return [set(one.name, { status: one.status as "ready" })];
      return [{ type: "move", jobs: [one.name as JobName], before: one.before as JobName | null }];
    });
  } finally {
    queue.close();
  }
}

Deno.test("who follows a queue reads what who opens it reads, after any changes, edits and checkpoints", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 12 }), async (actions) => {
      await inMemory(async (world) => {
        const { deps, ref } = world;
        const ending = new AbortController();
        followReads(deps, ending.signal);
        await createQueue(deps, ref);
        await act(world, { type: "put", name: "a" });
        await readJobs(deps, ref);
        for (const one of actions) {
          await act(world, one);
          const read = await readJobs(deps, ref).then((jobs) => [...jobs.values()], (error) => error.message);
          const opened = await openQueue(deps, ref).then((queue) => {
            queue.close();
            return [...queue.jobs.values()];
          }, (error) => error.message);
          assert.deepEqual(read, opened);
        }
        ending.abort();
      });
    }),
    { numRuns: 200 },
  );
});

Deno.test("who follows a queue reads its file no more when a job changes, and keeps what was given before", async () => {
  await onFiles(async ({ deps, ref, file }) => {
    let reads = 0;
    const { readText, readBytes } = deps.files;
    const counted = (path: string): void => void (path === file && reads++);
    const files = {
      ...deps.files,
      readText: (path: string) => (counted(path), readText(path)),
      readBytes: (path: string, ...rest: []) => (counted(path), readBytes(path, ...rest)),
    };
    const own = { ...deps, files };
    const ending = new AbortController();
    followReads(own, ending.signal);
    await createQueue(deps, ref);
    const queue = await openQueue(deps, ref);
    await queue.commit(() => [{ type: "put", job: newJob("a") }]);
    await queue.checkpoint("always");
    const change = (priority: number) => queue.commit(() => [set("a", { priority })]);
    await readJobs(own, ref);
    await change(1);
    const before = await readJobs(own, ref);
    const [first] = [reads];
    for (let i = 2; i < 9; i++) {
      await change(i);
      assert.equal((await readJobs(own, ref)).get("a" as JobName)?.priority, i);
    }
    assert.equal(reads, first);
    assert.equal(await readJobs(own, ref), await readJobs(own, ref));
    assert.equal(before.get("a" as JobName)?.priority, 1);
    queue.close();
    ending.abort();
  });
});

Deno.test("of queues that were read so many bytes of files are kept, those that were asked for last", async () => {
  await onFiles(async ({ deps, ref, file }) => {
    const other = { ...ref, name: "other" };
    for (const one of [ref, other]) await createQueue(deps, one);
    let reads = 0;
    let moreBytes = 0;
    const { stamp, readText, readBytes } = deps.files;
    const counted = (path: string): void => void (path === file && reads++);
    const files: Deps["files"] = {
      ...deps.files,
      readText: (path) => (counted(path), readText(path)),
      readBytes: (path, ...rest) => (counted(path), readBytes(path, ...rest)),
      stamp: async (path) => {
        const real = await stamp(path);
        return real === null ? null : { ...real, sizeBytes: real.sizeBytes + moreBytes };
      },
    };
    const own = { ...deps, files };
    const readsOfFirst = async (): Promise<number> => {
      reads = 0;
      for (const one of [ref, other, ref]) await readJobs(own, one);
      return reads;
    };
    const once = await readsOfFirst();
    moreBytes = 20 * 1024 * 1024;
    assert.deepEqual([once > 0, await readsOfFirst()], [true, 2 * once]);
  });
});

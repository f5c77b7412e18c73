/** Large queues that are followed: their YAML is known by its stamp, and read in pieces. */
import assert from "node:assert/strict";
import fc from "../../../testing/property.ts";
import type { Deps } from "../../../src/deps.ts";
import { createQueue, openQueue } from "../../../src/store/queue_file.ts";
import { QueueFeed } from "../../../src/store/queue_feed.ts";
import { followReads, liveJobs, readJobs } from "../../../src/store/read_jobs.ts";
import type { QueueStore } from "../../../src/store/store.ts";
import { del, inMemory, onFiles, put, set, type World } from "../support.ts";

/** Enough for a YAML that is not small. */
const MANY = 800;

async function withLarge({ deps, ref }: World, use: (queue: QueueStore) => Promise<void>): Promise<void> {
  await createQueue(deps, ref);
  const queue = await openQueue(deps, ref);
  try {
    await queue.commit(() => [...Array(MANY).keys()].map((i) => put(`job${i}`, i % 7 === 0 ? "two\nlines" : "true")));
    await queue.checkpoint("always");
    await use(queue);
  } finally {
    queue.close();
  }
}

/** Counts how often the file is read, as a whole or in pieces. */
function counted(deps: Deps, file: string): { own: Deps; reads: { whole: number; pieces: number } } {
  const reads = { whole: 0, pieces: 0 };
  const { readBytes, readText, pieces } = deps.files;
  const whole = (path: string): void => void (path === file && reads.whole++);
  const files: Deps["files"] = {
    ...deps.files,
    readBytes: (path, ...rest) => (whole(path), readBytes(path, ...rest)),
    readText: (path) => (whole(path), readText(path)),
    pieces: (path, ...rest) => (path === file && reads.pieces++, pieces(path, ...rest)),
  };
  return { own: { ...deps, files }, reads };
}

Deno.test("a large queue that is followed is read once, in pieces, whatever checkpoints are made", async () => {
  await onFiles(async (world) => {
    const { own, reads } = counted(world.deps, world.file);
    const feed = new QueueFeed(own, world.ref);
    await withLarge(world, async (queue) => {
      await queue.commit(() => [set("job1", { status: "run" })]);
      assert.equal((await feed.look())?.length, 1);
      assert.deepEqual(reads, { whole: 0, pieces: 1 });
      for (const status of ["start", "end"] as const) {
        await queue.checkpoint("always");
        await queue.commit(() => [set("job1", { status })]);
        assert.deepEqual((await feed.look())?.map(({ job }) => job.status), [status]);
      }
      assert.deepEqual(reads, { whole: 0, pieces: 1 });
      assert.ok(feed.isPlain);
      assert.deepEqual([...feed.jobs.values()], [...queue.jobs.values()]);
      // What a person saves is read.
      const text = await Deno.readTextFile(world.file);
      await world.edit(world.file, text.replace("command: 'true'", "command: other"));
      assert.deepEqual(await feed.look(), []);
      assert.equal(reads.whole > 0, true);
      assert.equal([...feed.jobs.values()].some(({ command }) => command === "other"), true);
    });
    feed.close();
  });
});

Deno.test("a large queue that somebody writes into while it is read is not taken for what was written", async () => {
  await onFiles(async (world) => {
    await withLarge(world, async (queue) => {
      const { pieces } = world.deps.files;
      const text = await Deno.readTextFile(world.file);
      let torn = 0;
      // The file is cut where it stands, and whole again after the read.
      async function* meanwhile(path: string, offset: number): AsyncGenerator<Uint8Array> {
        if (path !== world.file) return yield* pieces(path, offset);
        yield new TextEncoder().encode(text.slice(0, text.indexOf("job400:")));
        await Deno.truncate(path, 1_000);
        torn++;
        await Deno.writeTextFile(path, text);
      }
      const own = { ...world.deps, files: { ...world.deps.files, pieces: meanwhile } };
      const other = await openQueue(own, world.ref);
      assert.ok(torn > 0);
      assert.deepEqual([...other.jobs.keys()], [...queue.jobs.keys()]);
      other.close();
      const feed = new QueueFeed(own, world.ref);
      await feed.look();
      assert.deepEqual([...feed.jobs.keys()], [...queue.jobs.keys()]);
      feed.close();
    });
  });
});

function inOnePiece(deps: Deps): Deps {
  const files = new Proxy(deps.files, {
    get(from, name) {
      const own = Reflect.get(from, name);
      if (typeof own !== "function") return own;
      return (...args: unknown[]) => {
        if (name === "pieces") throw new TypeError("as a whole");
        return own.apply(from, args);
      };
    },
  });
  return { ...deps, files };
}

const name = fc.constantFrom("job0", "job3", "job799", "new1");
const action = fc.oneof(
  name.map((one) => ({ type: "put" as const, name: one })),
  name.map((one) => ({ type: "delete" as const, name: one })),
  fc.record({ type: fc.constant("state" as const), name, status: fc.constantFrom("ready", "run", "end") }),
  fc.constant({ type: "checkpoint" as const, name: "" }),
  fc.constant({ type: "edit" as const, name: "" }),
  fc.constant({ type: "rest" as const, name: "" }),
);

Deno.test("who follows a large queue reads what who opens it reads", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 8 }), async (actions) => {
      await inMemory(async (world) => {
        const { deps, ref } = world;
        const ending = new AbortController();
        followReads(deps, ending.signal);
        await withLarge(world, async (queue) => {
          for (const { type, name, ...rest } of actions) {
            const has = queue.jobs.has(name as never);
            if (type === "put") await queue.commit(() => [put(name, "again")]);
            if (type === "delete" && has) await queue.commit(() => [del(name)]);
            if (type === "state" && has) await queue.commit(() => [set(name, rest)]);
            if (type === "checkpoint") await queue.checkpoint("always");
            if (type === "edit") {
              const text = await deps.files.readText(world.file) ?? "";
              await world.edit(world.file, text.replace("command: 'true'", "command: other"));
            }
            if (type === "rest") continue;
            const opened = await openQueue(deps, ref);
            opened.close();
            // Where nothing can be read in pieces, it is read as a whole.
            const whole = await openQueue(inOnePiece(deps), ref);
            whole.close();
            assert.deepEqual([...opened.jobs.values()], [...whole.jobs.values()]);
            assert.deepEqual([...(await liveJobs(deps, ref)).values()], [...opened.jobs.values()]);
            assert.deepEqual(await readJobs(deps, ref), new Map(opened.jobs));
          }
        });
        ending.abort();
      });
    }),
    { numRuns: 15 },
  );
});

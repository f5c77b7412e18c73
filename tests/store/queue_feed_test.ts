/** QueueFeed: every move of every job, once, in order, across checkpoints and edits. */
import assert from "node:assert/strict";
import { jobName } from "../../src/names/grammar.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { type FeedChange, QueueFeed } from "../../src/store/queue_feed.ts";
import type { QueueStore } from "../../src/store/store.ts";
import { newJob, onBothFiles, type World } from "./support.ts";

function shown(changes: readonly FeedChange[] | null): string[] | null {
  return changes?.map(({ type, job, from }) =>
    `${type} ${job.name} ${from}${type === "moved" ? ` ${job.status}` : ""}`
  ) ??
    null;
}

async function withTail(
  { deps, ref }: World,
  use: (tail: QueueFeed, queue: QueueStore, look: () => Promise<string[] | null>) => Promise<void>,
): Promise<void> {
  await createQueue(deps, ref);
  const queue = await openQueue(deps, ref);
  const tail = new QueueFeed(deps, ref);
  try {
    await use(tail, queue, async () => shown(await tail.look()));
  } finally {
    tail.close();
    queue.close();
  }
}

const a = jobName("a");
const b = jobName("b");

function move(queue: QueueStore, ...states: ("run" | "start" | "end")[]): Promise<unknown> {
  return Array.fromAsync(states, (status) => queue.commit(() => [{ type: "set", job: a, fields: { status } }]));
}

onBothFiles("a feed tells each move of a job, also those before a checkpoint and after it", async (world) => {
  await withTail(world, async (tail, queue, look) => {
    assert.deepEqual(await look(), []);
    await queue.commit(() => [{ type: "put", job: newJob("a") }, { type: "put", job: newJob("b") }]);
    assert.deepEqual(await look(), ["added a undefined", "added b undefined"]);
    const before = tail.begun;
    await move(queue, "run", "start");
    await queue.checkpoint("always");
    await move(queue, "end");
    assert.deepEqual(await look(), ["moved a undefined run", "moved a run start", "moved a start end"]);
    assert.notEqual(tail.begun, before);
    await queue.commit(() => [{ type: "delete", job: b }]);
    assert.deepEqual(await look(), ["deleted b undefined"]);
    assert.deepEqual(await look(), []);
    assert.deepEqual([...tail.jobs.keys()], [a]);
  });
});

onBothFiles("a feed at rest has no file open, and tells what is different since, once", async (world) => {
  await withTail(world, async (tail, queue, look) => {
    await queue.commit(() => [{ type: "put", job: newJob("a") }, { type: "put", job: newJob("b") }]);
    await queue.checkpoint("always");
    assert.deepEqual(await look(), []);
    await move(queue, "run");
    assert.deepEqual(await look(), ["moved a undefined run"]);
    tail.rest();
    assert.equal(tail.isOpen, false);
    assert.deepEqual(await look(), []);
    assert.equal(tail.isOpen, false);
    await move(queue, "start");
    await queue.commit(() => [{ type: "delete", job: b }]);
    assert.deepEqual(await look(), ["deleted b undefined", "moved a run start"]);
    await move(queue, "end");
    assert.deepEqual(await look(), ["moved a start end"]);
    tail.rest();
    await queue.checkpoint("always");
    assert.deepEqual(await look(), []);
    await queue.commit(() => [{ type: "put", job: newJob("b") }]);
    assert.deepEqual(await look(), ["added b undefined"]);
    assert.deepEqual([...tail.jobs].map(([name, { status }]) => `${name} ${status}`), ["a end", "b undefined"]);
  });
});

onBothFiles("a feed gives each change its journal, its line and its time", async (world) => {
  await withTail(world, async (tail, queue) => {
    await queue.commit(() => [{ type: "put", job: newJob("a") }]);
    await queue.checkpoint("always");
    await tail.look();
    await queue.commit(() => [{ type: "kill", jobs: [a] }]); // A line that changes nothing.
    await move(queue, "run", "start");
    const changes = await tail.look();
    assert.deepEqual(changes?.map(({ line }) => line), [3, 4]);
    assert.deepEqual(new Set(changes?.map(({ begun }) => begun)), new Set([tail.begun]));
    assert.ok(tail.begun.length >= 12 && changes!.every(({ atMs }) => atMs !== null));
  });
});

onBothFiles("the first look tells what the journal holds, and says that it is all", async (world) => {
  await withTail(world, async (tail, queue) => {
    await queue.commit(() => [{ type: "put", job: newJob("a") }]);
    await queue.checkpoint("always");
    await move(queue, "run", "start");
    assert.deepEqual(shown(await tail.look()), ["moved a undefined run", "moved a run start"]);
    assert.ok(tail.isWhole);
  });
});

onBothFiles("a feed that missed whole journals tells the difference", async (world) => {
  await withTail(world, async (_tail, queue, look) => {
    await queue.commit(() => [{ type: "put", job: newJob("a") }]);
    await queue.checkpoint("always");
    await look();
    await move(queue, "run");
    await queue.checkpoint("always");
    await move(queue, "start");
    await queue.checkpoint("always");
    await move(queue, "end");
    await queue.checkpoint("always");
    const told = await look();
    assert.equal(told?.[0], "moved a undefined run");
    assert.equal(told?.at(-1)?.endsWith(" end"), true);
    assert.deepEqual(await look(), []);
  });
});

onBothFiles("a feed tells what a person's edit changes, and passes over a file that does not parse", async (world) => {
  await withTail(world, async (_tail, queue, look) => {
    await queue.commit(() => [{ type: "put", job: newJob("a") }, { type: "put", job: newJob("b") }]);
    await queue.checkpoint("always");
    await look();
    const text = await world.deps.files.readText(world.file) ?? "";
    await world.edit(world.file, text.replace(/^b:/m, "c:").replace("status: undefined", "status: ready"));
    assert.deepEqual(await look(), ["deleted b undefined", "moved a undefined ready", "added c undefined"]);
    await world.edit(world.file, "a: [");
    assert.deepEqual(await look(), []);
    await world.edit(world.file, text);
    assert.deepEqual(await look(), ["deleted c undefined", "moved a ready undefined", "added b undefined"]);
  });
});

onBothFiles("a feed of a queue that is gone says so", async (world) => {
  await withTail(world, async (_tail, _queue, look) => {
    await look();
    await world.deps.files.remove(world.file);
    assert.equal(await look(), null);
  });
});

onBothFiles("the last run outlives its process and a command that holds the queue after it", async ({ deps, ref }) => {
  await createQueue(deps, ref);
  const about = { scheduler: "fifo", cluster: null, slots: 2, machines: {} } as const;
  const [run, onlooker] = [await openQueue(deps, ref), await openQueue(deps, ref)];
  assert.equal(await onlooker.lastRun(), null);
  await run.claimRun("one", about);
  assert.deepEqual([(await onlooker.lastRun())?.isRunning, (await onlooker.lastRun())?.about], [true, about]);
  await run.tellRun({ ...about, machines: { "pi@red": "down" } });
  assert.deepEqual((await onlooker.runner())?.about?.machines, { "pi@red": "down" });
  run.close();
  for (const hold of ["two", "three"]) {
    const command = await openQueue(deps, ref);
    await command.claimRun(hold);
    assert.equal((await onlooker.runner())?.about, undefined);
    assert.deepEqual([(await onlooker.lastRun())?.isRunning, (await onlooker.lastRun())?.run], [false, "one"]);
    command.close();
  }
  onlooker.close();
});

onBothFiles("what a run says of itself just before its end is written whole", async ({ deps, ref }) => {
  await createQueue(deps, ref);
  const about = { scheduler: "fifo", cluster: null, slots: 2, machines: {} } as const;
  const run = await openQueue(deps, ref);
  await run.claimRun("one", about);
  const told = ["up", "down"].map((state) => run.tellRun({ ...about, machines: { "pi@red": state as "up" | "down" } }));
  assert.equal(await run.endRun("always"), true);
  assert.deepEqual((await run.lastRun())?.about.machines, { "pi@red": "down" });
  await Promise.all(told);
  run.close();
});

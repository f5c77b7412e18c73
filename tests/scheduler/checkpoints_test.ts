import assert from "node:assert/strict";
import type { Job } from "../../src/job/job.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { type CheckpointParts, Checkpoints } from "../../src/scheduler/checkpoints.ts";

Deno.test("a checkpoint that finds a broken file is made again until the file is mended, and then no more", async () => {
  let nowMs = 0;
  let written = 0;
  const store = {
    isBroken: true,
    jobs: new Map(),
    checkpoint: () => Promise.resolve(!store.isBroken && ++written > 0),
  };
  const clock = { now: () => nowMs } as CheckpointParts["clock"];
  const checkpoints = new Checkpoints({ clock, store, onDone() {}, onFailure: assert.fail });
  const next = async () => {
    assert.ok(checkpoints.dueAtMs < Infinity, "none is due");
    nowMs = checkpoints.dueAtMs;
    checkpoints.begin();
    await checkpoints.settled();
  };
  checkpoints.isBehind = true;
  await next();
  await next();
  assert.equal(written, 0);
  store.isBroken = false;
  await next();
  assert.equal(written, 1);
  assert.equal(checkpoints.dueAtMs, Infinity);
});

Deno.test("the first checkpoint of a large queue comes as late as its cost asks for, that of a small one after a second", async () => {
  const dueAfter = async (size: number): Promise<number> => {
    const jobs = new Map(Array.from({ length: size }, (_, i) => [`job${i}`, {}] as [JobName, Job]));
    const store = { isBroken: false, jobs, checkpoint: () => Promise.resolve(true) };
    const clock = { now: () => 5_000 } as CheckpointParts["clock"];
    const checkpoints = new Checkpoints({ clock, store, onDone() {}, onFailure: assert.fail });
    checkpoints.isBehind = true;
    checkpoints.begin();
    await checkpoints.settled();
    assert.ok(checkpoints.isBehind, "none is due at once");
    return checkpoints.dueAtMs - 5_000;
  };
  assert.equal(await dueAfter(10), 1_000);
  assert.equal(await dueAfter(5_000), 1_000);
  // A twentieth of the time is what a checkpoint may take: 1 s of 20.
  assert.equal(await dueAfter(100_000), 20_000);
});

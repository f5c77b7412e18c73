import assert from "node:assert/strict";
import { type CheckpointParts, Checkpoints } from "../../src/scheduler/checkpoints.ts";

Deno.test("a checkpoint that finds a broken file is made again until the file is mended, and then no more", async () => {
  let nowMs = 0;
  let written = 0;
  const store = {
    isBroken: true,
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

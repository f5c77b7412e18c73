/**
 * What a run knows stays, whoever removes or damages its files meanwhile; whoever reads holds up nobody; nothing is
 * left out of the file when nothing runs.
 */

import assert from "node:assert/strict";
import type { ExternalChanges } from "../../src/store/changes.ts";
import { storePaths } from "../../src/store/paths.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { QueueFeed } from "../../src/store/queue_feed.ts";
import type { QueueStore } from "../../src/store/store.ts";
import { jobOf, namesOf, onBothFiles, put, set, type World } from "./support.ts";

/** Two openings of one new queue, as two processes have it. */
async function twoOpen({ deps, ref }: World, names: string[]): Promise<[QueueStore, QueueStore]> {
  await createQueue(deps, ref);
  const one = await openQueue(deps, ref);
  if (names.length > 0) await one.commit(() => names.map((name) => put(name)));
  return [one, await openQueue(deps, ref)];
}

async function yamlOf({ deps, file }: World): Promise<string> {
  return await deps.files.readText(file) ?? "";
}

for (const damage of ["removed", "cut", "changed", "put back", "begun by a command"] as const) {
  onBothFiles(`who runs a queue keeps what it knows when its journal is ${damage}`, async (world) => {
    const { deps, ref, journal } = world;
    const [runner, other] = await twoOpen(world, ["a", "b", "c"]);
    await runner.checkpoint("always");
    assert.equal(await runner.claimRun("r1"), null);
    const old = await deps.files.readText(journal);
    await runner.commit(() => [set("a", { status: "run", attempt: 1 }), set("b", { command: "x" })]);
    if (damage === "removed" || damage === "begun by a command") await deps.files.remove(journal);
    if (damage === "cut") await world.edit(journal, "");
    if (damage === "changed") await world.edit(journal, old + "no record\n{}\n");
    if (damage === "put back") await deps.files.replace(journal, old!);
    if (damage === "begun by a command") await other.commit(() => [put("d")]);
    let warnings: readonly string[] = [];
    await runner.commit((external) => {
      ({ warnings } = external);
      return [set("a", { status: "start" })];
    });
    assert.match(warnings.join(), /a-queue\.journal was removed or damaged; it was written anew, nothing is lost$/);
    const reader = await openQueue(deps, ref);
    const names = damage === "begun by a command" ? "a b c d" : "a b c";
    assert.deepEqual([...reader.jobs.values()], [...runner.jobs.values()]);
    assert.deepEqual([namesOf(reader), jobOf(reader, "a").status, jobOf(reader, "b").command], [names, "start", "x"]);
    assert.equal(reader.id, runner.id);
    await runner.endRun("always");
    assert.match(await yamlOf(world), /status: start[^]*command: x/);
    for (const queue of [runner, other, reader]) queue.close();
  });
}

onBothFiles("a reader takes no lock, and waits for nobody", async (world) => {
  const { deps, ref } = world;
  const [runner, other] = await twoOpen(world, ["a"]);
  await runner.commit(() => [set("a", { command: "x" })]);
  const held = await deps.files.lock(storePaths(ref, "queue").lock, { mode: "exclusive", wait: false });
  assert.ok(held !== null);
  const reader = await openQueue(deps, ref);
  await other.sync();
  assert.deepEqual([jobOf(reader, "a").command, jobOf(other, "a").command], ["x", "x"]);
  const tail = new QueueFeed(deps, ref);
  assert.ok(await tail.look() !== null);
  tail.close();
  held.release();
  for (const queue of [runner, other, reader]) queue.close();
});

onBothFiles(
  "a run's end writes into the YAML what a command wrote before it, and a command what came after",
  async (world) => {
    const [runner, other] = await twoOpen(world, ["a"]);
    assert.equal(await runner.claimRun("r1"), null);
    await runner.checkpoint("always");
    await other.commit(() => [put("b")]);
    assert.equal(await other.checkpoint("cheap"), false);
    const asked: string[] = [];
    const mayEnd = (external: ExternalChanges): boolean => asked.push(external.put.join()) > 1;
    assert.equal(await runner.endRun("always", mayEnd), false);
    await other.commit(() => [put("c")]);
    assert.equal(await runner.endRun("always", mayEnd), true);
    assert.deepEqual(asked, ["b", "c"]);
    assert.equal(await other.runner(), null);
    assert.match(await yamlOf(world), /^c:$/m);
    await other.commit(() => [put("d")]);
    assert.equal(await other.checkpoint("cheap"), true);
    assert.match(await yamlOf(world), /^d:$/m);
    for (const queue of [runner, other]) queue.close();
  },
);

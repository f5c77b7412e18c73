/** moveSelected() and the record of a move: in the files, beside an edit, in a large queue, for who follows. */
import assert from "node:assert/strict";
import { moveSelected, type Place } from "../../src/operations/move_jobs.ts";
import { addJobs } from "../../src/operations/add_jobs.ts";
import { listJobs } from "../../src/operations/list_jobs.ts";
import { jobsNamed } from "../../src/operations/select_jobs.ts";
import { jobName } from "../../src/names/grammar.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import type { StoreRef } from "../../src/store/store.ts";
import { moveJobs } from "../../src/store/state/move_jobs.ts";
import type { Deps } from "../../src/deps.ts";
import { inMemory, onBothFiles } from "../store/support.ts";

const WATCH = { warn: () => {} };

async function order(deps: Deps, queue: StoreRef): Promise<string> {
  return (await listJobs(deps, { queue })).map(({ name }) => name).join(" ");
}

async function withJobs(deps: Deps, queue: StoreRef, name = "j[1-5]"): Promise<void> {
  await createQueue(deps, queue);
  await addJobs(deps, { queue, name, spec: { command: "true" } });
}

onBothFiles("moveSelected() puts jobs before, after, first and last, in the order of their names", async (world) => {
  const { deps, ref: queue } = world;
  await withJobs(deps, queue);
  const move = async (names: string[], to: Place): Promise<string> => {
    await moveSelected(deps, { queue, selection: jobsNamed(names), to }, WATCH);
    return await order(deps, queue);
  };
  assert.equal(await move(["j4", "j2"], { type: "before", job: "j1" }), "j4 j2 j1 j3 j5");
  assert.equal(await move(["j4"], { type: "after", job: "j5" }), "j2 j1 j3 j5 j4");
  assert.equal(await move(["j5", "j3"], { type: "first" }), "j5 j3 j2 j1 j4");
  assert.equal(await move(["j5"], { type: "last" }), "j3 j2 j1 j4 j5");
  assert.equal(await move(["j5", "j4", "j1", "j2", "j3"], { type: "first" }), "j5 j4 j1 j2 j3");
  const again = await moveSelected(deps, { queue, selection: jobsNamed(["j5"]), to: { type: "first" } }, WATCH);
  assert.deepEqual(again, { moved: [], missing: [] });
  await assert.rejects(move(["j1"], { type: "before", job: "j1" }), /it is one of them/);
  await assert.rejects(move(["j1"], { type: "before", job: "j9" }), /"j9" does not exist/);
});

Deno.test("a move is taken in by who has the queue open, as a change of the order", async () => {
  await inMemory(async ({ deps, ref: queue }) => {
    await withJobs(deps, queue);
    const other = await openQueue(deps, queue);
    await other.claimRun("r"); // Its journal stays: the move is read from there.
    await moveSelected(deps, { queue, selection: jobsNamed(["j5"]), to: { type: "first" } }, WATCH);
    const external = await other.sync();
    assert.deepEqual([external.reordered, external.changed, external.put], [true, [], []]);
    assert.equal([...other.jobs.keys()].join(" "), "j5 j1 j2 j3 j4");
    assert.equal(await other.checkpoint("always"), true);
    other.close();
    assert.equal(await order(deps, queue), "j5 j1 j2 j3 j4");
  });
});

Deno.test("a move holds beside an edit of the file, unless the edit took away where it goes", async () => {
  await inMemory(async ({ deps, ref: queue, file, edit }) => {
    await withJobs(deps, queue);
    const run = await openQueue(deps, queue);
    await run.claimRun("r");
    await moveSelected(deps, { queue, selection: jobsNamed(["j5"]), to: { type: "before", job: "j2" } }, WATCH);
    const text = (await deps.files.readText(file))!;
    await edit(file, text.replace("command: 'true'", "command: hostname"));
    assert.equal(await order(deps, queue), "j1 j5 j2 j3 j4");
    await edit(file, text.replace(/^j2:\n(?: {2}.*\n)+/m, ""));
    assert.equal(await order(deps, queue), "j1 j3 j4 j5");
    run.close();
  });
});

Deno.test("a large queue is listed in the order of its moves, before they are in the file", async () => {
  await inMemory(async ({ deps, ref: queue, journal }) => {
    await withJobs(deps, queue, "j[1-2000]");
    await moveSelected(deps, { queue, selection: jobsNamed(["j2000"]), to: { type: "first" } }, WATCH);
    assert.match((await deps.files.readText(journal))!, /"type":"move"/);
    const [first] = await listJobs(deps, { queue, limit: 1 });
    assert.equal(first?.name, "j2000");
    await addJobs(deps, { queue, name: "j2000", spec: { command: "hostname" } });
    assert.deepEqual((await listJobs(deps, { queue, limit: 2 })).map(({ name }) => name), ["j2000", "j1"]);
  });
});

Deno.test("moveJobs() passes over names that are not there, and moves nothing where the other one is not", () => {
  const jobs = () => new Map(["a", "b", "c"].map((name) => [jobName(name), name]));
  const moved = (names: string[], before: string | null): string => {
    const all = jobs();
    moveJobs(all, names.map(jobName), before === null ? null : jobName(before));
    return [...all].map(([key, value]) => key === value ? key : "?").join("");
  };
  assert.deepEqual(
    [moved(["c", "x"], "a"), moved(["a"], null), moved(["c"], "x"), moved(["c", "a"], "a"), moved([], "a")],
    ["cab", "bca", "abc", "abc", "abc"],
  );
});

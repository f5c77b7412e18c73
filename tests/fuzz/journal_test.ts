/**
 * Journals and files of runs that are damaged in any way: an error that names file and line, or a state; never a
 * changed file.
 */
import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { StoreError } from "../../src/errors.ts";
import { inspectQueue } from "../../src/store/inspect_queue.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { QueueFeed } from "../../src/store/queue_feed.ts";
import { storePaths } from "../../src/store/paths.ts";
import { del, onFiles, put, set, type World } from "../store/support.ts";
import { treeOf } from "../../testing/tree.ts";
import { assertAll, hostile, mutatedBytes } from "./support.ts";

const FLIES = { status: "run", host: "red", user: "pi", attempt: 1, boot: "b", slot: "h" } as const;

/** A queue and its journal, with records of every kind; the last commit has several lines. */
async function made({ deps, ref, journal }: World): Promise<string> {
  await createQueue(deps, ref);
  const queue = await openQueue(deps, ref);
  await queue.commit(() => [put("a"), put("b", "x\ny: 'z'", { extra: { note: { deep: [1] } } }), put("c")]);
  await queue.checkpoint("always");
  await queue.commit(() => [set("a", FLIES)]);
  await queue.commit(() => [del("c"), put("b", "again", { id: "b".repeat(32) }), { type: "kill", jobs: [] }]);
  await queue.commit(() => [{ type: "kill", jobs: [queue.jobs.get([...queue.jobs.keys()][0]!)!.name] }]);
  await queue.commit(() => [put("d"), put("e"), set("a", { status: "start", pid: "7" })]);
  queue.close();
  return await Deno.readTextFile(journal);
}

/** The journal with something else in place of one value of one line, which stays JSON. */
function otherValue(text: string): fc.Arbitrary<string> {
  const lines = text.trimEnd().split("\n");
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    hostile,
    fc.constantFrom(1e300, -1, 0.5, null, "run", "nosuch", [], {}, { __proto__: null, a: 1 }),
  );
  return fc.tuple(fc.nat(lines.length - 1), fc.nat(30), value, fc.boolean()).map(([at, which, other, inner]) => {
    const record = JSON.parse(lines[at]!);
    const maps = Object.values(record).filter((one) => typeof one === "object" && one !== null && !Array.isArray(one));
    const target = (inner ? maps[which % Math.max(1, maps.length)] : record) as Record<string, unknown> ?? record;
    const keys = [...Object.keys(target), "__proto__", "more", "extra"];
    Object.defineProperty(target, keys[which % keys.length]!, { value: other, enumerable: true });
    return [...lines.slice(0, at), JSON.stringify(record), ...lines.slice(at + 1), ""].join("\n");
  });
}

/** Jobs as text. Only damage brings a number with a fraction there, which the YAML gives back as text. */
function plain(jobs: Iterable<object>): string {
  const isFraction = (value: unknown) =>
    typeof value === "number"
      ? !Number.isSafeInteger(value)
      : typeof value === "string" && /^-?[\d.]+e?[-+]?\d*$/.test(value);
  return JSON.stringify([...jobs].map((job) => ({ ...job, id: "" })), (_, value) => isFraction(value) ? "N" : value);
}

Deno.test("a damaged journal is an error that names its line, or it counts; looks change nothing, and agree", () =>
  onFiles(async (world) => {
    const { deps, ref, file, journal } = world;
    const text = await made(world);
    const yaml = await Deno.readTextFile(file);
    const damaged = fc.oneof(mutatedBytes(fc.constant(text)), mutatedBytes(otherValue(text)), {
      weight: 2,
      arbitrary: otherValue(text).map((changed) => ({ bytes: new TextEncoder().encode(changed) })),
    });
    await assertAll(
      fc.asyncProperty(
        damaged,
        fc.constantFrom("same", "edited", "torn"),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (
          { bytes },
          how,
          part,
        ) => {
          const edited = how === "same" ? yaml : yaml.replace("command: 'true'", "command: echo");
          await Deno.writeTextFile(file, how === "torn" ? edited.slice(0, Math.floor(part * edited.length)) : edited);
          // Not in this very moment: then it would be looked at again a moment later.
          await Deno.utime(file, new Date(0), new Date(Date.now() - 10_000));
          await Deno.writeFile(journal, bytes);
          const before = await treeOf(ref.directory);
          const looked = await inspectQueue(deps, ref);
          const tail = new QueueFeed(deps, ref);
          const told = await tail.look().catch((error) => error);
          tail.close();
          const queue = await openQueue(deps, ref).catch((error) => error);
          assert.deepEqual(await treeOf(ref.directory), before);
          if (queue instanceof Error) {
            assert.ok(queue instanceof StoreError, queue.stack);
            if (looked.journalProblem === null) return void assert.equal(looked.yamlProblem?.message, queue.message);
            assert.match(
              queue.message,
              /^experiment\/\.a-queue\.journal:\d+: [^\n]+$|^\.\/experiment\/\.a-queue\.journal:\d+: [^\n]+$/,
            );
            assert.equal(looked.journalProblem?.message, queue.message);
            assert.ok(told instanceof StoreError, String(told));
            return;
          }
          assert.equal(looked.journalProblem, null);
          assert.equal(looked.yamlProblem, null);
          assert.ok(Array.isArray(told), String(told));
          assert.equal(plain(looked.jobs.values()), plain(queue.jobs.values()));
          // What can be read can be gone on with, and what is written can be read.
          await queue.commit(() => [put("z")]);
          await queue.checkpoint("always");
          const again = await openQueue(deps, ref);
          assert.equal(plain(again.jobs.values()), plain(queue.jobs.values()));
          again.close();
          queue.close();
        },
      ),
    );
    assert.equal(({} as { a?: unknown }).a, undefined);
  }));

Deno.test("whatever stands in the file of a run, the queue can be looked at, held and run", () =>
  onFiles(async (world) => {
    const { deps, ref } = world;
    await made(world);
    const { run } = storePaths(ref, "queue");
    const real = JSON.stringify({
      pid: 7,
      hostname: "vm",
      run: "ff",
      about: { scheduler: "fifo", cluster: null, slots: 4, machines: { "pi@red": "up" } },
    });
    const last = `{"pid":1,"hostname":"vm","run":"ee","last":${real}}`;
    await assertAll(
      fc.asyncProperty(
        fc.oneof(mutatedBytes(fc.constantFrom(real, last)), mutatedBytes(hostile)),
        async ({ bytes }) => {
          await Deno.writeFile(run, bytes);
          const { runner, lastRun } = await inspectQueue(deps, ref);
          assert.equal(runner, null);
          assert.notEqual(lastRun?.isRunning, true);
          const queue = await openQueue(deps, ref);
          assert.equal(await queue.claimRun("r1"), null);
          await queue.lastRun();
          queue.close();
          await inspectQueue(deps, ref);
        },
      ),
    );
  }));

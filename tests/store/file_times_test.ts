/**
 * The clock of a file system may be hours away from ours, and may know seconds only.
 */

import assert from "node:assert/strict";
import { SMALL_YAML_BYTES } from "../../src/store/large/checkpoint_due.ts";
import type { AppendFile, Deps, FileStamp } from "../../src/deps.ts";
import { encodePieces } from "../../src/store/journal/journal.ts";
import { Summary } from "../../src/store/large/summary.ts";
import { storePaths } from "../../src/store/paths.ts";
import { YamlFile } from "../../src/store/yaml/yaml_file.ts";
import { storeError } from "../../src/store/file_errors.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { jobOf, namesOf, newJob, onFiles, put, set, type World } from "./support.ts";

/** The same deps with other stamps, and a clock that a test can move. */
function withStamps(
  { deps }: World,
  change: (stamp: FileStamp) => FileStamp,
): { deps: Deps; pass(ms: number): void; waits: number[] } {
  const { files, clock } = deps;
  const changed = (stamp: FileStamp | null) => stamp === null ? null : change(stamp);
  let passedMs = 0;
  const waits: number[] = [];
  return {
    pass: (ms) => passedMs += ms,
    waits,
    deps: {
      ...deps,
      clock: {
        now: () => clock.now() + passedMs,
        epochMs: () => clock.epochMs() + passedMs,
        sleepUntil: async (atMs, signal) => {
          waits.push(atMs - clock.now() - passedMs);
          await clock.sleepUntil(Math.min(atMs - passedMs, clock.now() + 500), signal);
        },
      },
      files: {
        ...files,
        stamp: async (path) => changed(await files.stamp(path)),
        async openAppend(path, options): Promise<AppendFile | null> {
          const file = await files.openAppend(path, options);
          return file === null ? null : { ...file, stamp: async () => change(await file.stamp()) };
        },
      },
    },
  };
}

const later = (ms: number) => (stamp: FileStamp): FileStamp => ({ ...stamp, modifiedMs: stamp.modifiedMs + ms });
const inSeconds = (stamp: FileStamp): FileStamp => ({
  ...stamp,
  modifiedMs: Math.floor(stamp.modifiedMs / 1000) * 1000,
});

for (const hours of [1, -1]) {
  Deno.test(`a checkpoint does not wait for a file system's clock that is ${hours} h away`, () =>
    onFiles(async (world) => {
      const { deps, waits } = withStamps(world, later(hours * 3_600_000));
      await createQueue(deps, world.ref);
      const queue = await openQueue(deps, world.ref);
      await queue.commit(() => [put("a", "x".repeat(SMALL_YAML_BYTES))]);
      assert.equal(await queue.checkpoint("always"), true);
      queue.close();
      assert.ok(waits.every((ms) => ms <= 200), `it waited ${waits.map(Math.round).join(", ")} ms`);
    }));
}

Deno.test("half of a file is not taken for all of it by a command, though the file system's clock is behind", () =>
  onFiles(async (world) => {
    const { deps, waits } = withStamps(world, later(-3_600_000));
    await createQueue(deps, world.ref);
    const queue = await openQueue(deps, world.ref);
    await queue.commit(() => [put("a"), put("b"), put("c")]);
    await queue.checkpoint("always");
    const text = await Deno.readTextFile(world.file);
    await world.edit(world.file, text.slice(0, text.indexOf("\nb:") + 1));
    const { sleepUntil } = deps.clock;
    Object.assign(deps.clock, {
      sleepUntil: async (atMs: number) => {
        await world.edit(world.file, text);
        await sleepUntil(atMs);
      },
    });
    await queue.commit(() => [set("a", { command: "x" })]);
    assert.equal(namesOf(queue), "a b c");
    assert.ok(waits.length > 0);
    queue.close();
  }));

Deno.test("an edit of the same size in the same second is taken where file times are seconds", () =>
  onFiles(async (world) => {
    const { deps, pass } = withStamps(world, inSeconds);
    await createQueue(deps, world.ref);
    const queue = await openQueue(deps, world.ref);
    assert.equal(await queue.claimRun("r"), null);
    for (const command of ["one", "two", "six", "ten"]) {
      await queue.commit(() => [put("a", "old"), put("b", command)]);
      await queue.checkpoint("always");
      const before = await deps.files.stamp(world.file);
      const text = await Deno.readTextFile(world.file);
      await world.edit(world.file, text.replace("command: old", "command: new"));
      await Deno.utime(world.file, before!.modifiedMs / 1000, before!.modifiedMs / 1000);
      // A checkpoint right after it does not write over it, and a look when time has passed sees it.
      if (command < "p") pass(3_000);
      else await queue.commit(() => [set("b", { gpu: "1" })]);
      await queue.checkpoint("always");
      assert.equal(jobOf(queue, "a").command, "new", command);
      assert.match(await Deno.readTextFile(world.file), /command: new/);
    }
    queue.close();
  }));

Deno.test("a queue that could not be read again is refused before it is written", () =>
  onFiles(async (world) => {
    const { deps } = withStamps(world, (stamp) => ({ ...stamp, sizeBytes: stamp.sizeBytes + 444_430_000 }));
    await createQueue(deps, world.ref);
    const queue = await openQueue(deps, world.ref);
    await assert.rejects(queue.commit(() => [put("a", "x".repeat(20_000))]), {
      code: "store",
      message:
        "./experiment/a-queue.yaml: the queue would become larger than 500 MB, the most that can be read: use several queues",
    });
    await queue.commit(() => [put("b")]);
    assert.equal(namesOf(await openQueue(world.deps, world.ref)), "b");
    queue.close();
  }));

Deno.test("a queue file that could not be read again is not written", () =>
  onFiles(async ({ deps, ref, file }) => {
    await createQueue(deps, ref);
    const before = await Deno.readTextFile(file);
    const yaml = new YamlFile(deps, storePaths(ref, "queue"));
    const rendered = { pieces: Array(501).fill(new Uint8Array(1_000_000)), summary: new Summary(0) };
    await assert.rejects(yaml.write(rendered, "", () => Promise.resolve(true)), {
      code: "store",
      message:
        "./experiment/a-queue.yaml: it would become larger than 500 MB, the most that can be read: use several queues",
    });
    assert.equal(await Deno.readTextFile(file), before);
  }));

Deno.test("encodePieces() gives a large commit in pieces of whole lines", () => {
  const records = Array.from({ length: 400 }, (_, i) => ({
    type: "put",
    job: newJob(`job${i}`, "x".repeat(99_000)),
    was: null,
  } as const));
  const texts = [...encodePieces(records)].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(texts.length, 3);
  const lines = texts.flatMap((text) => text.replace(/\n$/, "").split("\n"));
  assert.equal(lines.filter((line) => JSON.parse(line).more).length, 399);
  assert.equal(JSON.parse(lines.at(-1)!).more, undefined);
});

Deno.test("errors that have only a number are told with the file and what is meant", () => {
  const told = (number: number) =>
    (storeError("a.yaml", "lock", new Error(`No (os error ${number})`)) as Error).message;
  assert.equal(told(27), "a.yaml: cannot lock: the file would be larger than this process may make one (ulimit -f)");
  assert.equal(told(38), "a.yaml: cannot lock: the file system has no locks (flock)");
});

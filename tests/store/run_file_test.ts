/** The right to run a queue, when somebody removes its file by hand. */
import assert from "node:assert/strict";
import type { Files } from "../../src/deps.ts";
import type { ExternalChanges } from "../../src/store/changes.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { storePaths } from "../../src/store/paths.ts";
import { onFiles, put, set, withFiles } from "./support.ts";

Deno.test("a run whose file was removed makes it anew with its next commit, and nobody else may run the queue", () =>
  onFiles(async ({ deps, ref }) => {
    await createQueue(deps, ref);
    const [runner, other] = [await openQueue(deps, ref), await openQueue(deps, ref)];
    const about = { scheduler: "fifo" as const, cluster: null, slots: 2, machines: {} };
    await runner.commit(() => [put("a")]);
    assert.equal(await runner.claimRun("r1", about), null);
    await Deno.remove(storePaths(ref, "queue").run);
    assert.equal(await other.runner(), null, "nobody is seen");
    const warnings: string[] = [];
    const look = (external: ExternalChanges) => (warnings.push(...external.warnings), []);
    await runner.commit(look);
    await runner.commit(look);
    assert.deepEqual(warnings, ["./experiment/.a-queue.run was removed; it was made anew"]);
    assert.equal((await other.claimRun("r2"))?.run, "r1");
    assert.deepEqual((await other.runner())?.about, about);
    assert.equal(await runner.endRun("always"), true);
    assert.equal(await other.claimRun("r2"), null);
    for (const queue of [runner, other]) queue.close();
  }));

Deno.test("a run whose file was removed, and taken by another, decides nothing any more", () =>
  onFiles(async ({ deps, ref, file }) => {
    await createQueue(deps, ref);
    const [runner, other] = [await openQueue(deps, ref), await openQueue(deps, ref)];
    await runner.commit(() => [put("a")]);
    assert.equal(await runner.claimRun("r1"), null);
    await Deno.remove(storePaths(ref, "queue").run);
    assert.equal(await other.claimRun("r2"), null);
    let times = 0;
    const decide = () => (times++, [set("a", { status: "run" as const, attempt: 1 })]);
    await assert.rejects(
      runner.commit(decide),
      /^CmsError: \.\/experiment\/\.a-queue\.run was removed, and process \d+ on \S+ runs the queue now$/,
    );
    assert.equal(times, 0);
    const text = await Deno.readTextFile(file);
    assert.equal(await runner.endRun("always", () => false), true, "it ends");
    assert.equal(await Deno.readTextFile(file), text);
    assert.equal((await other.runner())?.run, "r2");
    for (const queue of [runner, other]) queue.close();
  }));

Deno.test("a run sees that another machine runs the queue too, where locks do not reach that far, and leaves it", () =>
  onFiles(async ({ deps, ref }) => {
    await createQueue(deps, ref);
    // On the other machine each lock is free.
    const lock: Files["lock"] = async (path, options) => {
      const held = await deps.files.lock(`${path}.there`, options);
      return held && { ...held, describe: (text) => Deno.writeTextFile(path, text) };
    };
    const there = {
      ...withFiles(deps, { ...deps.files, lock }),
      environment: { ...deps.environment, hostname: () => "node2", pid: 7 },
    };
    const [runner, other] = [await openQueue(deps, ref), await openQueue(there, ref)];
    const about = { scheduler: "fifo" as const, cluster: null, slots: 2, machines: {} };
    assert.equal(await runner.claimRun("r1", about), null);
    for (const machines of [{ red: "up" as const }, { red: "down" as const }]) {
      await runner.tellRun({ ...about, machines });
      await runner.commit(() => [put("a")]);
    }
    assert.equal(await other.claimRun("r2", about), null);
    await assert.rejects(
      runner.commit(() => [put("b")]),
      /^CmsError: .\/experiment\/\.a-queue\.run: process 7 on node2 runs the queue too: the locks of this file system do not reach from one machine to another$/,
    );
    await other.commit(() => [put("c")]);
    assert.equal(await runner.endRun("always", () => false), true);
    for (const queue of [runner, other]) queue.close();
  }));

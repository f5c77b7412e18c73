/** The right to run a queue, when somebody removes its file by hand. */
import assert from "node:assert/strict";
import type { ExternalChanges } from "../../src/store/changes.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { storePaths } from "../../src/store/paths.ts";
import { onFiles, put, set } from "./support.ts";

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

import assert from "node:assert/strict";
import { openQueue } from "../../src/store/queue_file.ts";
import type { StateMove } from "../../src/store/journal/state_line.ts";
import { StateFeed } from "../../src/store/state_feed.ts";
import { createQueue } from "../../src/operations/create_queue.ts";
import { del, onBothFiles, put, set } from "./support.ts";

function shown(moves: readonly StateMove[] | null): string[] | null {
  return moves === null
    ? null
    : moves.map(({ type, name, status, exitCode }) => `${type} ${name} ${status ?? ""} ${exitCode ?? ""}`.trim());
}

onBothFiles("StateFeed reports each move across rewritings of the file, in order", async ({ deps, ref }) => {
  await createQueue(deps, { queue: ref });
  const queue = await openQueue(deps, ref);
  const feed = new StateFeed(deps, ref);
  try {
    await queue.commit(() => [put("a"), put("b")]);
    await feed.begin();
    assert.deepEqual(await feed.look(), []);
    await queue.commit(() => [set("a", { status: "run" })]);
    assert.deepEqual(shown(await feed.look()), ["set a run"]);
    await queue.commit(() => [set("a", { status: "start" })]);
    await queue.checkpoint("always");
    await queue.commit(() => [set("a", { status: "end", exit_code: 3 }), del("b")]);
    // The new journal begins with the jobs in flight.
    assert.deepEqual(shown(await feed.look()), ["set a start", "set a start", "set a end 3", "delete b"]);
    assert.deepEqual(await feed.look(), []);
    // A commit that is longer than the pieces in which the journal is read, and others behind it.
    const many = Array.from({ length: 1_000 }, (_, i) => `many${i}`);
    await queue.commit(() => many.map((name) => put(name)));
    await queue.commit(() => [set("many0", { status: "run" })]);
    const moves = shown(await feed.look());
    assert.deepEqual([moves?.length, moves?.at(-1)], [1_001, "set many0 run"]);
  } finally {
    feed.close();
    queue.close();
  }
});

onBothFiles(
  "StateFeed says when the queue itself must be looked at: two rewritings, an edit",
  async ({ deps, ref, file, edit }) => {
    await createQueue(deps, { queue: ref });
    const queue = await openQueue(deps, ref);
    const feed = new StateFeed(deps, ref);
    try {
      await queue.commit(() => [put("a")]);
      await feed.begin();
      for (const status of ["run", "start"] as const) {
        await queue.commit(() => [set("a", { status })]);
        await queue.checkpoint("always");
      }
      assert.equal(await feed.look(), null);
      await feed.begin();
      await edit(file, `${await deps.files.readText(file)}b:\n  command: x\n`);
      assert.equal(await feed.look(), null);
      await feed.begin();
      assert.deepEqual(await feed.look(), []);
    } finally {
      feed.close();
      queue.close();
    }
  },
);

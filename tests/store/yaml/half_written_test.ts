/**
 * A person's editor that writes into the queue file itself: the first half of a file is often YAML, of a queue that has
 * lost jobs.
 */

import assert from "node:assert/strict";
import type { Deps } from "../../../src/deps.ts";
import { inspectQueue } from "../../../src/store/inspect_queue.ts";
import { createQueue, openQueue } from "../../../src/store/queue_file.ts";
import type { QueueStore } from "../../../src/store/store.ts";
import { jobOf, namesOf, onFiles, put, set, withFiles, type World } from "../support.ts";

/** A queue a, b, c in its file, and the text of that. */
async function queueOfThree(world: World, deps: Deps = world.deps): Promise<{ queue: QueueStore; text: string }> {
  await createQueue(world.deps, world.ref);
  const queue = await openQueue(deps, world.ref);
  await queue.commit(() => [put("a"), put("b"), put("c")]);
  await queue.checkpoint("always");
  return { queue, text: await Deno.readTextFile(world.file) };
}

/**
 * The same deps, where `meanwhile` happens when the store waits for the first time since it `isDue` (a busy machine has
 * other waits).
 */
function whenWaiting(deps: Deps, meanwhile: () => Promise<void>, isDue = () => true): Deps {
  let isDone = false;
  return {
    ...deps,
    clock: {
      now: () => deps.clock.now(),
      epochMs: () => deps.clock.epochMs(),
      async sleepUntil(atMs, signal) {
        if (!isDone && isDue()) {
          isDone = true;
          await meanwhile();
        } else await deps.clock.sleepUntil(atMs, signal);
      },
    },
  };
}

/** Text up to the entry of a job. */
function upTo(text: string, job: string): string {
  return text.slice(0, text.indexOf(`\n${job}:`) + 1);
}

Deno.test("an edit is not taken in before it is written to its end", () =>
  onFiles(async (world) => {
    const edited = { text: "" };
    const { queue, text } = await queueOfThree(
      world,
      whenWaiting(world.deps, () => Deno.writeTextFile(world.file, edited.text), () => edited.text !== ""),
    );
    edited.text = text.replace("command: 'true'", "command: mine");
    assert.notEqual(edited.text, text);
    await world.edit(world.file, upTo(edited.text, "b"));
    const external = await queue.sync();
    assert.deepEqual([external.deleted, external.changed], [[], ["a"]]);
    assert.equal(namesOf(queue), "a b c");
    queue.close();
  }));

Deno.test("a command that begins in the middle of a save sees all of it, and so does what it writes", () =>
  onFiles(async (world) => {
    const { queue, text } = await queueOfThree(world);
    queue.close();
    await world.edit(world.file, upTo(text, "c"));
    const deps = whenWaiting(world.deps, () => Deno.writeTextFile(world.file, text));
    const again = await openQueue(deps, world.ref);
    await again.commit(() => [put("d")]);
    await again.checkpoint("always");
    assert.equal(namesOf(again), "a b c d");
    again.close();
    assert.match(await Deno.readTextFile(world.file), /^c:$/m);
  }));

Deno.test("what a person saves while the new file is being written is kept", () =>
  onFiles(async (world) => {
    const { queue, text } = await queueOfThree(world);
    queue.close();
    const edited = text.replace("command: 'true'", "command: mine");
    let saves = 0;
    const { files } = world.deps;
    const slow: Deps["files"] = {
      ...files,
      async replace(path, content, mayReplace) {
        const save = path === world.file && saves++ === 0;
        // At the end of the writing, right before the rename.
        const last = async () => {
          if (save) await files.replace(path, edited);
          return await mayReplace?.() ?? true;
        };
        return await files.replace(path, content, last);
      },
    };
    const again = await openQueue(withFiles(world.deps, slow), world.ref);
    await again.commit(() => [set("b", { command: "x" })]);
    await again.checkpoint("always");
    assert.deepEqual([jobOf(again, "a").command, jobOf(again, "b").command], ["mine", "x"]);
    again.close();
    const written = await Deno.readTextFile(world.file);
    assert.match(written, /command: mine/);
    assert.match(written, /command: x/);
  }));

Deno.test("what ends in the middle of a line is no edit: a command names it, an open queue goes on and leaves it", () =>
  onFiles(async (world) => {
    const { queue, text } = await queueOfThree(world);
    // A line that is YAML, too.
    const torn = upTo(text, "c") + "c:\n  name: c";
    await world.edit(world.file, torn);
    const { warnings } = await queue.sync();
    assert.match(warnings.join(), /a-queue\.yaml: does not end with a line break, as if it were half written/);
    await queue.commit(() => [set("c", { command: "x" })]);
    assert.equal(await queue.checkpoint("always"), false);
    assert.equal(namesOf(queue), "a b c");
    await assert.rejects(openQueue(world.deps, world.ref), /does not end with a line break/);
    assert.equal(await Deno.readTextFile(world.file), torn);
    await world.edit(world.file, text);
    await queue.sync();
    await queue.checkpoint("always");
    assert.match(await Deno.readTextFile(world.file), /command: x/);
    queue.close();
  }));

Deno.test("an empty file is called empty, and a look at it says the same", () =>
  onFiles(async (world) => {
    const { queue, text } = await queueOfThree(world);
    queue.close();
    for (
      const [torn, message] of [["", /is empty; write \{\} for an empty queue$/], [
        text.slice(0, -3),
        /half written/,
      ]] as const
    ) {
      await world.edit(world.file, torn);
      await assert.rejects(openQueue(world.deps, world.ref), message);
      assert.match((await inspectQueue(world.deps, world.ref)).yamlProblem?.message ?? "", message);
    }
  }));

Deno.test("a file that nobody has written yet may end as it likes, and one in braces, too", () =>
  onFiles(async (world) => {
    await world.deps.files.makeDirectory(world.ref.directory);
    await world.edit(world.file, "a:\n  command: x");
    const queue = await openQueue(world.deps, world.ref);
    await queue.commit(() => [put("b")]);
    await world.edit(world.file, '{"a": {"command": "y"}}');
    await queue.sync();
    assert.equal(namesOf(queue), "a b");
    queue.close();
  }));

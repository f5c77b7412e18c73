/** A person saves the queue file from a text that an editor has held for a while, while somebody runs the queue. */
import assert from "node:assert/strict";
import type { Job } from "../../../src/job/job.ts";
import type { Change } from "../../../src/store/changes.ts";
import { createQueue, openQueue } from "../../../src/store/queue_file.ts";
import type { QueueStore } from "../../../src/store/store.ts";
import { failingFiles } from "../failing_files.ts";
import { del, jobOf, namesOf, onBothFiles, put, set, withFiles, type World } from "../support.ts";

const RUN = { status: "run", attempt: 1, boot: "b", slot: "h", user: "pi", host: "red" } as const;
const START = { status: "start", pid: "7", started: "2026-01-01T00:00:00Z" } as const;
const END = { status: "end", exit_code: 0, ended: "2026-01-01T00:00:09Z", boot: null, slot: null } as const;

/** A queue that we run, with jobs a, b, c in its file, and its text. */
async function running({ deps, ref, file }: World): Promise<{ queue: QueueStore; text: string }> {
  await createQueue(deps, ref);
  const queue = await openQueue(deps, ref);
  await queue.claimRun("r", { scheduler: "fifo_multi", cluster: null, slots: 1, machines: {} });
  await queue.commit(() => [put("a"), put("b"), put("c")]);
  await queue.checkpoint("always");
  return { queue, text: await deps.files.readText(file) ?? "" };
}

/**
 * Writes each change down as a commit, and the file after it: the journal begins anew each time, and knows nothing of
 * before.
 */
async function step(queue: QueueStore, name: string, ...steps: Partial<Job>[]): Promise<void> {
  for (const fields of steps) {
    await queue.commit(() => [set(name, fields)]);
    await queue.checkpoint("always");
  }
}

/** Another process adds, deletes, replaces. */
async function byCommand({ deps, ref }: World, ...changes: Change[]): Promise<void> {
  const other = await openQueue(deps, ref);
  await other.commit(() => changes);
  other.close();
}

/**
 * Takes the file in, as a run does. What all others read is the same as what we have, before the file is written and
 * after it.
 */
async function takeIn({ deps, ref }: World, queue: QueueStore): Promise<readonly string[]> {
  let warnings: readonly string[] = [];
  await queue.commit((external) => {
    warnings = external.warnings;
    return [];
  });
  for (const isWritten of [false, true]) {
    if (isWritten) await queue.checkpoint("always");
    const other = await openQueue(deps, ref);
    assert.deepEqual([...other.jobs], [...queue.jobs], isWritten ? "after the checkpoint" : "before the checkpoint");
    other.close();
  }
  return warnings;
}

onBothFiles("an older text takes nothing back of what has run, and its edits of commands count", async (world) => {
  const { queue, text } = await running(world);
  await step(queue, "a", RUN, START, END);
  await step(queue, "b", RUN, START);
  await world.edit(world.file, text.replace("command: 'true'", "command: mine"));
  const warnings = await takeIn(world, queue);
  assert.equal(warnings.length, 1, warnings.join("\n"));
  assert.match(warnings[0]!, /^The queue file was saved from an older text: what was done since to a, b stays$/);
  const { command, ...a } = jobOf(queue, "a");
  assert.equal(command, "mine");
  assert.deepEqual([a.status, a.attempt, a.pid, a.exit_code, a.ended], ["end", 1, "7", 0, END.ended]);
  assert.deepEqual([jobOf(queue, "b").status, jobOf(queue, "c").status], ["start", "undefined"]);
  queue.close();
});

onBothFiles("a text of when a job still ran does not make it run again", async (world) => {
  const { queue } = await running(world);
  await step(queue, "a", RUN, START);
  const text = await world.deps.files.readText(world.file) ?? "";
  await step(queue, "a", END);
  await world.edit(world.file, text.replace("command: 'true'", "command: mine"));
  await takeIn(world, queue);
  assert.deepEqual([jobOf(queue, "a").status, jobOf(queue, "a").command], ["end", "mine"]);
  queue.close();
});

onBothFiles("a text of before a reset does not undo it", async (world) => {
  const { queue } = await running(world);
  await step(queue, "a", RUN, START, END);
  const text = await world.deps.files.readText(world.file) ?? "";
  await step(queue, "a", { status: "ready", pid: null, exit_code: null, started: null, ended: null });
  await world.edit(world.file, text);
  await takeIn(world, queue);
  assert.deepEqual([jobOf(queue, "a").status, jobOf(queue, "a").pid], ["ready", null]);
  queue.close();
});

onBothFiles("a job set to ready by hand runs again, also in a text that is older otherwise", async (world) => {
  const { queue } = await running(world);
  await step(queue, "a", RUN, START, END);
  const text = await world.deps.files.readText(world.file) ?? "";
  await step(queue, "b", RUN, START, END);
  await world.edit(world.file, text.replace("status: end", "status: ready"));
  await takeIn(world, queue);
  assert.deepEqual([jobOf(queue, "a").status, jobOf(queue, "b").status], ["ready", "end"]);
  queue.close();
});

onBothFiles(
  "an older text neither loses what was added since, nor brings back what was deleted or replaced",
  async (world) => {
    const { queue, text } = await running(world);
    await byCommand(world, put("new"), del("b"), put("c", "other", { id: "c".repeat(32) }));
    await queue.commit(() => []);
    await step(queue, "a", RUN, START);
    await world.edit(world.file, text.replace("command: 'true'", "command: mine"));
    const warnings = await takeIn(world, queue);
    assert.equal(namesOf(queue), "a c new");
    assert.equal(jobOf(queue, "c").command, "other");
    assert.ok(warnings.includes("Added since, and therefore kept: new"), warnings.join("\n"));
    queue.close();
  },
);

onBothFiles("the same of what only the journal had when the run began", async (world) => {
  const { queue: first, text } = await running(world);
  await byCommand(world, put("new"), del("b"));
  first.close();
  const { deps, ref } = world;
  const queue = await openQueue(deps, ref);
  await queue.claimRun("s", { scheduler: "fifo_multi", cluster: null, slots: 1, machines: {} });
  assert.equal(await queue.checkpoint("always"), true);
  await step(queue, "a", RUN, START);
  await world.edit(world.file, text.replace("command: 'true'", "command: mine"));
  const warnings = await takeIn(world, queue);
  assert.equal(namesOf(queue), "a c new");
  assert.ok(warnings.includes("Added since, and therefore kept: new"), warnings.join("\n"));
  queue.close();
});

onBothFiles("a text of before jobs had ids holds the same jobs", async (world) => {
  const { queue, text } = await running(world);
  await step(queue, "a", RUN, START, END);
  const ids = [...queue.jobs.values()].map(({ id }) => id);
  await world.edit(world.file, text.replaceAll(/^ *id: .*\n/gm, ""));
  await takeIn(world, queue);
  assert.deepEqual([...queue.jobs.values()].map(({ id }) => id), ids);
  assert.equal(jobOf(queue, "a").status, "end");
  queue.close();
});

onBothFiles("a person may delete, add and move jobs in a text that is not older", async (world) => {
  const { queue } = await running(world);
  await byCommand(world, put("new"));
  await queue.commit(() => []);
  await step(queue, "a", RUN, START, END);
  const text = await world.deps.files.readText(world.file) ?? "";
  const at = (name: string) => text.indexOf(`${name}:\n`);
  const entry = text.slice(at("new"));
  await world.edit(
    world.file,
    entry.replaceAll("new", "mine").replace(/^( *id: ).*$/m, `$1${"d".repeat(32)}`) + text.slice(at("c"), at("new")) +
      text.slice(0, at("b")),
  );
  assert.deepEqual(await takeIn(world, queue), []);
  assert.equal(namesOf(queue), "mine c a");
  assert.equal(jobOf(queue, "a").status, "end");
  queue.close();
});

onBothFiles("a journal that cannot be written once does not make an older text count", async (world) => {
  const failure = { at: Infinity, moment: "before", code: "ENOSPC" } as const;
  const failures: { at: number } = failure;
  const files = failingFiles(world.deps.files, failure);
  const { queue, text } = await running({ ...world, deps: withFiles(world.deps, files) });
  await step(queue, "a", RUN, START, END);
  await byCommand(world, { type: "kill", jobs: [jobOf(queue, "b").name] });
  await queue.commit(() => []);
  await world.edit(world.file, text.replace("command: 'true'", "command: mine"));
  failures.at = files.count() + 1;
  await assert.rejects(queue.commit(() => []));
  await queue.commit(({ kill }) => {
    assert.deepEqual(kill, [], "what was asked once is told once");
    return [];
  });
  assert.deepEqual([jobOf(queue, "a").status, jobOf(queue, "a").command], ["end", "mine"]);
  await takeIn(world, queue);
  queue.close();
});

onBothFiles(
  "an older text that is saved while the file is being written takes nothing back, then or later",
  async (world) => {
    const { deps } = world;
    const saved: { text: string | null } = { text: null };
    const files = {
      ...failingFiles(deps.files, { at: Infinity, moment: "before", code: null }),
      replace: async (...args: Parameters<typeof deps.files.replace>) => {
        const { text } = saved;
        saved.text = null;
        if (text !== null) await world.edit(world.file, text);
        return await deps.files.replace(...args);
      },
    };
    const { queue, text } = await running({ ...world, deps: withFiles(deps, files) });
    await byCommand(world, put("new"));
    await queue.commit(() => []);
    await step(queue, "a", RUN, START);
    await queue.commit(() => [set("a", END)]);
    saved.text = text;
    await queue.checkpoint("always");
    await byCommand(
      world,
      del("new"),
      set("a", { status: "ready", pid: null, exit_code: null, started: null, ended: null }),
    );
    await takeIn(world, queue);
    assert.deepEqual([namesOf(queue), jobOf(queue, "a").status], ["a b c", "ready"]);
    queue.close();
  },
);

onBothFiles("a copy of a running job's entry that stands above it does not take its id", async (world) => {
  const { queue } = await running(world);
  await step(queue, "a", RUN, START);
  const { id } = jobOf(queue, "a");
  const text = await world.deps.files.readText(world.file) ?? "";
  const entry = text.slice(text.indexOf("a:\n"), text.indexOf("b:\n"));
  await world.edit(world.file, entry.replace("a:", "copy:").replace("status: start", "status: ready") + text);
  await queue.commit(() => []);
  assert.equal(namesOf(queue), "copy a b c");
  assert.deepEqual([jobOf(queue, "a").id, jobOf(queue, "copy").id === id], [id, false]);
  queue.close();
});

onBothFiles(
  "a text in which jobs share their id, as the original program wrote it, holds the same jobs wherever they stand",
  async (world) => {
    const { deps, ref, file } = world;
    const first = await running(world);
    first.queue.close();
    const text = first.text.replaceAll(/^( *id: ).*$/gm, `$1'${"e".repeat(32)}'`);
    await world.edit(file, text);
    const queue = await openQueue(deps, ref);
    await queue.claimRun("r", { scheduler: "fifo_multi", cluster: null, slots: 1, machines: {} });
    await step(queue, "b", RUN, START, END);
    const { id } = jobOf(queue, "b");
    const [a, b, c] = text.split(/^(?=[abc]:)/m) as [string, string, string];
    for (const saved of [text.replace("'true'", "mine"), b + a + c, b + c]) {
      await world.edit(file, saved);
      await takeIn(world, queue);
      assert.deepEqual([jobOf(queue, "b").id, jobOf(queue, "b").status], [id, "end"]);
    }
    await byCommand(world, del("b"));
    await queue.commit(() => []);
    await queue.checkpoint("always");
    await world.edit(file, b + c);
    await takeIn(world, queue);
    assert.equal(namesOf(queue), "c");
    queue.close();
  },
);

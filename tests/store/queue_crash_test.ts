import assert from "node:assert/strict";
import { StoreError } from "../../src/errors.ts";
import type { Deps } from "../../src/deps.ts";
import type { Job } from "../../src/job/job.ts";
import type { Change } from "../../src/store/changes.ts";
import { inspectQueue } from "../../src/store/inspect_queue.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { storePaths } from "../../src/store/paths.ts";
import type { QueueStore } from "../../src/store/store.ts";
import { memoryDeps, MemoryFiles } from "../../testing/memory_files.ts";
import { Died, failingFiles, type Moment } from "./failing_files.ts";
import { del, put, set, withFiles } from "./support.ts";

const ref = { experiment: "experiment", directory: "/home/experiment", name: "a" };
const MOMENTS: readonly Moment[] = ["before", "half", "after"];

/**
 * What a process does: each step is a commit (its changes), a checkpoint, the right to run, or commits while a
 * checkpoint makes its text.
 */
type Step = readonly Change[] | "checkpoint" | "claim" | { readonly meanwhile: readonly (readonly Change[])[] };

const STEPS: readonly Step[] = [
  [put("a"), put("b"), put("c")],
  [set("a", { status: "run", host: "red", user: "pi", attempt: 1 })],
  "checkpoint",
  [set("a", { status: "start", pid: "7" }), del("b")],
  [put("d")],
  "checkpoint",
  [set("a", { status: "end", exit_code: 0 }), put("b", "again", { id: "b".repeat(32) })],
  "checkpoint",
];

/** A run, which goes on while its queue file is written. */
const RUN_STEPS: readonly Step[] = [
  [put("a"), put("b"), put("c")],
  "claim",
  [set("a", { status: "run", host: "red", user: "pi", attempt: 1 })],
  { meanwhile: [[set("a", { status: "start", pid: "7" }), set("b", { status: "run", attempt: 1 })], [put("d")]] },
  { meanwhile: [[set("a", { status: "end", exit_code: 0 }), del("c")], [set("a", { command: "x" })]] },
  { meanwhile: [] },
  [set("b", { status: "end", exit_code: 1 })],
  "checkpoint",
];

function stateOf(queue: Pick<QueueStore, "jobs">): string {
  return JSON.stringify([...queue.jobs.values()]);
}

/** Does all steps; `done` hears the state after each, and after each commit of one. */
async function work(deps: Deps, done: (state: string) => void, steps: readonly Step[] = STEPS): Promise<void> {
  let meanwhile: (readonly Change[])[] = [];
  const { file } = storePaths(ref, "queue");
  const replace: Deps["files"]["replace"] = (path, content, mayReplace = () => Promise.resolve(true)) =>
    deps.files.replace(path, content, async () => {
      if (path === file) {
        for (let changes = meanwhile.shift(); changes !== undefined; changes = meanwhile.shift()) {
          const commit = changes;
          await queue.commit(() => commit);
          done(stateOf(queue));
        }
      }
      return await mayReplace();
    });
  const queue = await openQueue(withFiles(deps, { ...deps.files, replace }), ref);
  try {
    for (const step of steps) {
      if (step === "checkpoint") await queue.checkpoint("always");
      else if (step === "claim") assert.equal(await queue.claimRun("r"), null);
      else if ("meanwhile" in step) {
        meanwhile = [...step.meanwhile];
        assert.equal(await queue.checkpoint("beside"), true);
        assert.equal(meanwhile.length, 0);
      } else await queue.commit(() => step);
      done(stateOf(queue));
    }
  } finally {
    queue.close();
  }
}

async function fresh(): Promise<{ files: MemoryFiles; deps: Deps }> {
  const files = new MemoryFiles();
  const deps = memoryDeps(files);
  await createQueue(deps, ref);
  return { files, deps };
}

/** States after each step, the one before all first; and how many operations write. */
async function plan(steps: readonly Step[] = STEPS): Promise<{ states: string[]; operations: number }> {
  const { files, deps } = await fresh();
  const counting = failingFiles(files, { at: 0, moment: "before", code: null });
  const states = ["[]"];
  await work(withFiles(deps, counting), (state) => states.push(state), steps);
  return { states, operations: counting.count() };
}

for (
  const { power, who, steps } of [null, 0, 0.5, 1].flatMap((power) => [
    { power, who: "command", steps: STEPS },
    { power, who: "run that goes on while its file is written", steps: RUN_STEPS },
  ])
) {
  const what = power === null ? "a kill" : `a power cut that keeps ${power} of what was not synced`;
  Deno.test(`after ${what} at any write of a ${who} the queue is as before or after the step, and goes on`, async () => {
    const { states, operations } = await plan(steps);
    assert(operations > 20, `only ${operations} operations`);
    for (let at = 1; at <= operations; at++) {
      for (const moment of MOMENTS) {
        const { files, deps } = await fresh();
        const seen = ["[]"];
        await assert.rejects(
          work(withFiles(deps, failingFiles(files, { at, moment, code: null })), (s) => seen.push(s), steps),
          Died,
        );
        if (power !== null) files.powerCut(power);
        const looked = await inspectQueue(deps, ref);
        const queue = await openQueue(deps, ref);
        const found = stateOf(queue);
        const here = `operation ${at} (${moment}), after step ${seen.length - 1}`;
        assert.equal(stateOf(looked), found, `a look sees what opening does: ${here}`);
        assert.deepEqual([looked.yamlProblem, looked.journalProblem, looked.warnings], [null, null, []], here);
        assert.equal(seen.at(-1), states[seen.length - 1], here);
        assert([states[seen.length - 1], states[seen.length]].includes(found), `${here}: ${found}`);
        await queue.commit(() => [put("z")]);
        if (power === null) {
          // What the killed one had not made durable is so with what is acknowledged later.
          files.powerCut();
          const kept = await openQueue(deps, ref);
          assert.equal(stateOf(kept), stateOf(queue), here);
          kept.close();
        }
        await queue.checkpoint("always");
        queue.close();
        const again = await openQueue(deps, ref);
        const without = JSON.stringify([...again.jobs.values()].filter((job: Job) => job.name !== "z"));
        assert.equal(without, found, here);
        again.close();
      }
    }
  });
}

Deno.test("a commit that was not durable is durable with the next that is, and lost as a whole before", async () => {
  const { files, deps } = await fresh();
  const queue = await openQueue(deps, ref);
  await queue.commit(() => [put("a")]);
  await queue.commit(() => [put("b"), put("c")], { durable: false });
  files.powerCut(0.9);
  const lost = await openQueue(deps, ref);
  assert.deepEqual([...lost.jobs.keys()], ["a"]);
  await lost.commit(() => [put("d")], { durable: false });
  await lost.commit(() => [put("e")]);
  files.powerCut();
  const kept = await openQueue(deps, ref);
  assert.deepEqual([...kept.jobs.keys()], ["a", "d", "e"]);
});

for (const code of ["ENOSPC", "EROFS"]) {
  Deno.test(`a write that fails with ${code} is an error that names the file, and leaves the state as it was`, async () => {
    const { states, operations } = await plan();
    for (let at = 1; at <= operations; at++) {
      for (const moment of ["before", "half"] as const) {
        const { files, deps } = await fresh();
        let steps = 0;
        const failing = withFiles(deps, failingFiles(files, { at, moment, code }));
        const queue = await openQueue(failing, ref);
        for (const step of STEPS as readonly (readonly Change[] | "checkpoint")[]) {
          const before = stateOf(queue);
          const act = () => step === "checkpoint" ? queue.checkpoint("always") : queue.commit(() => step);
          try {
            await act();
          } catch (error) {
            assert(error instanceof StoreError, String(error));
            assert.match(
              error.message,
              /^\.\/experiment\/\.?a-queue\.(yaml|journal): cannot write: (no space|the file system is)/,
            );
            assert.equal(stateOf(queue), before, `operation ${at} (${moment})`);
            const other = await openQueue(deps, ref);
            assert.equal(stateOf(other), before, `operation ${at} (${moment})`);
            other.close();
            await act();
          }
          assert.equal(stateOf(queue), states[++steps], `operation ${at} (${moment})`);
        }
        queue.close();
        const other = await openQueue(deps, ref);
        assert.equal(stateOf(other), states.at(-1));
      }
    }
  });
}

Deno.test("what a person saves while a checkpoint makes its text is merged, not overwritten", async () => {
  const { files, deps } = await fresh();
  const { file } = storePaths(ref, "queue");
  const first = await openQueue(deps, ref);
  await first.commit(() => [put("a"), put("b")]);
  await first.checkpoint("always");
  const text = await files.readText(file) ?? "";
  let looks = -Infinity;
  const editing = failingFiles(files, { at: 0, moment: "before", code: null });
  const queue = await openQueue(
    withFiles(deps, {
      ...editing,
      stamp: async (path) => {
        // A checkpoint looks at the YAML's stamp first to read what changed, and again when the new text is made.
        if (path === file && ++looks === 2) {
          files.edit(file, text.replace(/^b:\n( .*\n)*/m, "").replace("shell: bash", "shell: sh"));
        }
        return await files.stamp(path);
      },
    }),
    ref,
  );
  await queue.commit(() => [set("a", { command: "x" })]);
  looks = 0;
  assert.equal(await queue.checkpoint("always"), true);
  const found = await openQueue(deps, ref);
  assert.deepEqual([...found.jobs.values()].map((job) => [job.name, job.command, job.shell]), [["a", "x", "sh"]]);
  assert(looks > 3, "the checkpoint saw the edit that was made under its hands");
});

Deno.test("what a run could not make durable is written anew with its next commit, and what others wrote since", async () => {
  let fails = false;
  /** Takes what is written, and finds out only at the sync that there is no room for it. */
  class Late extends MemoryFiles {
    override async openAppend(path: string, options: { create: boolean }): ReturnType<MemoryFiles["openAppend"]> {
      const file = await super.openAppend(path, options);
      const sync = () => fails ? Promise.reject(Object.assign(new Error("no"), { code: "ENOSPC" })) : file!.sync();
      return file === null ? null : { ...file, sync };
    }
  }
  const files = new Late();
  const deps = memoryDeps(files);
  const paths = storePaths(ref, "queue");
  await createQueue(deps, ref);
  const run = await openQueue(deps, ref);
  const other = await openQueue(deps, ref);
  await run.commit(() => [put("a"), put("b")]);
  await run.checkpoint("always");
  assert.equal(await run.claimRun("r1"), null);
  await run.commit(() => [set("a", { status: "run", attempt: 1 })], { durable: false });
  fails = true;
  await assert.rejects(run.makeDurable(), (error) => error instanceof StoreError && /cannot write/.test(error.message));
  fails = false;
  await other.commit(() => [set("b", { command: "x" })]);
  const before = await files.stamp(paths.journal);
  files.edit(paths.file, `${await files.readText(paths.file)}# edited\n`);
  const warnings: string[] = [];
  await run.commit((external) => (warnings.push(...external.warnings), []), { durable: false });
  await run.makeDurable();
  // Each record stands as it was, also for an edited file, and the file is older than they are.
  assert.deepEqual(warnings, ["The queue file was saved from an older text: what was done since to a stays"]);
  assert.notEqual((await files.stamp(paths.journal))?.inode, before?.inode, "no sync makes up for one that failed");
  files.powerCut();
  const after = await openQueue(deps, ref);
  assert.deepEqual([...after.jobs.values()].map(({ status, attempt, command }) => [status, attempt, command]), [
    ["run", 1, "true"],
    ["undefined", 0, "x"],
  ]);
  for (const queue of [run, other, after]) queue.close();
});

Deno.test("who makes durable what was committed holds no lock, and needs none", async () => {
  const { files, deps } = await fresh();
  const run = await openQueue(deps, ref);
  await run.commit(() => [put("a")], { durable: false });
  const lock = await files.lock(storePaths(ref, "queue").lock, { mode: "exclusive", wait: false });
  assert.ok(lock !== null);
  await run.makeDurable();
  files.powerCut();
  const after = await openQueue(deps, ref);
  assert.deepEqual([...after.jobs.keys()], ["a"]);
  for (const queue of [run, after]) queue.close();
});

Deno.test("who takes a queue over makes durable what a run that was killed had only written", async () => {
  const files = new MemoryFiles();
  const deps = memoryDeps(files);
  await createQueue(deps, ref);
  const killed = await openQueue(deps, ref);
  await killed.commit(() => [put("a")]);
  await killed.commit(() => [set("a", { status: "run", attempt: 1 })], { durable: false });
  killed.close();
  const next = await openQueue(deps, ref);
  await next.claimRun("next");
  files.powerCut();
  const after = await openQueue(memoryDeps(files), ref);
  assert.deepEqual([...after.jobs.values()].map(({ status, attempt }) => [status, attempt]), [["run", 1]]);
  after.close();
  next.close();
});

Deno.test("a claim that fails at any write holds nothing: others may run the queue", async () => {
  const messages: string[] = [];
  for (let at = 1;; at++) {
    const { files, deps } = await fresh();
    const failing = withFiles(deps, failingFiles(files, { at, moment: "before", code: "ENOSPC" }));
    const queue = await openQueue(failing, ref);
    const failed = await queue.claimRun("fails").then(() => null, (error: Error) => error.message);
    queue.close();
    if (failed === null) break;
    messages.push(failed);
    const other = await openQueue(deps, ref);
    assert.equal(await other.claimRun("other"), null, failed);
    other.close();
  }
  assert.ok(messages.some((message) => /a-queue\.yaml: cannot claim the run: no space/.test(message)), messages.join());
});

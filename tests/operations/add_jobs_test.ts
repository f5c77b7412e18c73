import assert from "node:assert/strict";
import { CmsError, InvalidError } from "../../src/errors.ts";
import { jobName } from "../../src/names/grammar.ts";
import { addJobs, addJobsOfSpecs, type AddJobsRequest } from "../../src/operations/add_jobs.ts";
import { setOptions } from "../../src/job/options.ts";
import { changeJob } from "../../src/operations/change_job.ts";
import { createQueue } from "../../src/operations/create_queue.ts";
import { listJobs } from "../../src/operations/list_jobs.ts";
import { queueRef } from "../../src/operations/refs.ts";
import { openQueue } from "../../src/store/queue_file.ts";
import type { Deps } from "../../src/deps.ts";
import { withPlace } from "../cli/harness.ts";

/** A queue in a fresh directory, and `add` on it. */
async function withQueue(
  use: (at: {
    deps: Deps;
    add: (name: string, spec?: Partial<AddJobsRequest["spec"]>) => Promise<string[]>;
    jobs: () => ReturnType<typeof listJobs>;
  }) => Promise<void>,
): Promise<void> {
  await withPlace(async ({ deps }) => {
    const queue = queueRef(deps, { queue: "a" });
    await createQueue(deps, { queue });
    await use({
      deps,
      add: async (name, spec) => (await addJobs(deps, { queue, name, spec: { command: "true", ...spec } })).added,
      jobs: () => listJobs(deps, { queue }),
    });
  });
}

Deno.test("addJobs() gives each job its own id and the original's defaults", async () => {
  await withQueue(async ({ add, jobs }) => {
    assert.deepEqual(await add("job[1-3]", { user: "pi", host: "red", gpu: "0,1" }), ["job1", "job2", "job3"]);
    const [first, ...rest] = await jobs();
    assert.equal(new Set([first, ...rest].map((job) => job?.id)).size, 3);
    assert.match(first?.id ?? "", /^[0-9a-f]{32}$/);
    assert.deepEqual(
      [first?.input, first?.output, first?.log, first?.status, first?.gpu, first?.shell, first?.directory],
      ["job1/input", "job1.out", "job1.log", "ready", "0,1", "bash", "./experiment"],
    );
  });
});

Deno.test("addJobs() takes an empty value as none", async () => {
  await withQueue(async ({ add, jobs }) => {
    await add("a", { user: "", host: "", gpu: "", shell: "", log: "", output: "", pyenv: "", status: "" });
    const [job] = await jobs();
    assert.deepEqual(
      [job?.status, job?.user, job?.host, job?.gpu, job?.shell, job?.log, job?.output, job?.pyenv],
      ["undefined", null, null, null, "bash", "a.log", "a.out", null],
    );
  });
});

Deno.test("addJobs() replaces a job of the same name in its place", async () => {
  await withQueue(async ({ add, jobs }) => {
    await add("a,b,c");
    const before = await jobs();
    await add("b", { command: "false" });
    const after = await jobs();
    assert.deepEqual(after.map((job) => [job.name, job.command]), [["a", "true"], ["b", "false"], ["c", "true"]]);
    assert.notEqual(after[1]?.id, before[1]?.id);
  });
});

for (const status of ["run", "start"] as const) {
  Deno.test(`addJobs() refuses to replace a job in ${status} and adds none of its call`, async () => {
    await withQueue(async ({ add, jobs, deps }) => {
      await add("a");
      const store = await openQueue(deps, queueRef(deps, { queue: "a" }));
      await store.commit(() => [{ type: "set", job: jobName("a"), fields: { status } }]);
      store.close();
      const before = await jobs();
      await assert.rejects(add("new,a"), (error) => {
        assert(error instanceof CmsError);
        assert.equal(error.code, "conflict");
        assert.match(error.message, /^Cannot replace job "a": it is running/);
        return true;
      });
      assert.deepEqual(await jobs(), before);
    });
  });
}

Deno.test("addJobs() names all problems of a request at once and adds nothing", async () => {
  await withQueue(async ({ add, jobs }) => {
    const spec = { command: " ", user: "-x", host: "a b", status: "bad", shell: "python3", pyenv: "x", log: "a\nb" };
    await assert.rejects(add("ok,-bad", spec), (error) => {
      assert(error instanceof InvalidError);
      assert.deepEqual(
        error.problems.map((problem) => /"(-bad|-x|a b|bad|python3|a\\nb)"|command/.exec(problem)?.[0]),
        [
          '"-bad"',
          "command",
          '"a\\nb"',
          '"-x"',
          '"a b"',
          '"python3"',
          '"bad"',
        ],
      );
      return true;
    });
    assert.deepEqual(await jobs(), []);
  });
});

const REFUSED: readonly [what: string, name: string, spec: Partial<AddJobsRequest["spec"]>][] = [
  ["an empty list of names", ",", {}],
  ["a NUL in the command", "a", { command: "x\0" }],
  ["a NUL in the pyenv", "a", { pyenv: "x\0" }],
  ["a line end in the output", "a", { output: "x\n" }],
  ["a line end in the gpu", "a", { gpu: "0\n1" }],
  ["a shell with arguments", "a", { shell: "bash -c" }],
];

for (const [what, name, spec] of REFUSED) {
  Deno.test(`addJobs() refuses ${what}`, async () => {
    await withQueue(async ({ add, jobs }) => {
      await assert.rejects(add(name, spec), InvalidError);
      assert.deepEqual(await jobs(), []);
    });
  });
}

Deno.test("addJobs() takes a pyenv with every shell that can source it", async () => {
  await withQueue(async ({ add, jobs }) => {
    for (const shell of ["sh", "dash", "/bin/bash", "zsh", "tcsh", "fish"]) await add("a", { shell, pyenv: "~/x" });
    assert.equal((await jobs())[0]?.shell, "fish");
  });
});

Deno.test("addJobs() refuses more text than one request may make, before it makes any", async () => {
  await withQueue(async ({ deps, add, jobs }) => {
    const text = "x".repeat(99_000);
    for (const [name, spec] of [["a[1-100000]", { command: text }], ["a[1-400]", { gpu: text }]] as const) {
      await assert.rejects(add(name, spec), /Cannot add jobs: the request makes more than 32 MiB of text .*; split it/);
    }
    const queue = queueRef(deps, { queue: "a" });
    const many = (count: number, name: string) => Array(count).fill({ name, spec: { command: "true" } });
    await assert.rejects(
      addJobsOfSpecs(deps, { queue, jobs: many(100_000, "-[1-100000]") }),
      /Cannot add jobs: the request makes more than 100000 names/,
    );
    const wrong = Array.from({ length: 500 }, (_, i) => ({ name: `-${i}`, spec: { command: "true" } }));
    await assert.rejects(addJobsOfSpecs(deps, { queue, jobs: wrong }), (error: InvalidError) => {
      assert.equal(error.problems.length, 101);
      assert.equal(error.problems.at(-1), "and 400 more problems");
      return true;
    });
    assert.deepEqual(await jobs(), []);
    await add("a[1-30]", { command: text });
    assert.equal((await jobs()).length, 30);
  });
});

Deno.test("addJobs() takes the options of their table, and keeps no other", async () => {
  await withQueue(async ({ add, jobs }) => {
    await add("a", { retries: "2", retry_delay: 5, retry_on: "75,crash", priority: "-3", hold: true, history: [] });
    await add("b", { after: "a", after_any: ["a"], retries: "" });
    const [a, b] = await jobs();
    assert.deepEqual(setOptions(a!), {
      retries: 2,
      retry_delay: "5m",
      retry_on: [75, "crash"],
      priority: -3,
      hold: true,
    });
    assert.deepEqual(setOptions(b!), { after: ["a"], after_any: ["a"] });
  });
});

Deno.test("addJobs() names each option that cannot be used, and adds nothing", async () => {
  await withQueue(async ({ add, jobs }) => {
    await assert.rejects(add("a", { retries: "x", retry_delay: "soon", retry_on: "never", after: "a b" }), (error) => {
      assert.ok(error instanceof InvalidError);
      assert.deepEqual(error.problems.map((text) => text.split(":")[0]), [
        "retries",
        "retry_delay",
        "retry_on",
        "after",
      ]);
      return true;
    });
    assert.deepEqual(await jobs(), []);
  });
});

Deno.test("addJobs() and changeJob() refuse an order that cannot be", async () => {
  await withQueue(async ({ deps, add, jobs }) => {
    const queue = queueRef(deps, { queue: "a" });
    await assert.rejects(add("b", { after: "a" }), /Cannot add a job after a: not in the queue/);
    await assert.rejects(add("b", { after_any: "b" }), /wait for each other: b after b/);
    await add("a");
    await add("b", { after: "a" });
    await add("c", { after_notok: "b" });
    await assert.rejects(add("a", { after: "c" }), /wait for each other: a after c after b after a/);
    await assert.rejects(
      changeJob(deps, { queue, job: "a", fields: { after_any: ["c"] } }),
      /Cannot change jobs that wait for each other: a after c after b after a/,
    );
    await changeJob(deps, { queue, job: "b", fields: { after: null, priority: 7 } });
    await changeJob(deps, { queue, job: "a", fields: { after: ["c"] } });
    assert.deepEqual((await jobs()).map((job) => setOptions(job)), [
      { after: ["c"] },
      { priority: 7 },
      { after_notok: ["b"] },
    ]);
  });
});

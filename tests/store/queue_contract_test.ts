import assert from "node:assert/strict";
import { CmsError, StoreError } from "../../src/errors.ts";
import { NO_EXTERNAL_CHANGES } from "../../src/store/changes.ts";
import { createQueue, listNames, openQueue, removeQueue } from "../../src/store/queue_file.ts";
import type { QueueStore } from "../../src/store/store.ts";
import { del, jobOf, namesOf, onBothFiles, put, set, type World } from "./support.ts";
import { jobName } from "../../src/names/grammar.ts";

/** Two openings of one new queue, as two processes have it. */
async function twoOpen({ deps, ref }: World, names: string[]): Promise<[QueueStore, QueueStore]> {
  await createQueue(deps, ref);
  const one = await openQueue(deps, ref);
  if (names.length > 0) await one.commit(() => names.map((name) => put(name)));
  return [one, await openQueue(deps, ref)];
}

async function yamlOf({ deps, file }: World): Promise<string> {
  return await deps.files.readText(file) ?? "";
}

onBothFiles("createQueue() makes an empty file, and leaves one that exists as it is", async (world) => {
  const { deps, ref, file } = world;
  assert.equal(await createQueue(deps, ref), true);
  assert.equal(await yamlOf(world), "{}\n");
  await world.edit(file, "# mine\nx:\n  command: a\n");
  assert.equal(await createQueue(deps, ref), false);
  assert.equal(await yamlOf(world), "# mine\nx:\n  command: a\n");
  await world.edit(file, "");
  await assert.rejects(createQueue(deps, ref), /a-queue.yaml: is empty; write {} for an empty queue/);
});

onBothFiles("createQueue() does not bring back the jobs of a removed queue", async (world) => {
  const [one] = await twoOpen(world, ["x"]);
  one.close();
  await world.deps.files.remove(world.file);
  await createQueue(world.deps, world.ref);
  const again = await openQueue(world.deps, world.ref);
  assert.equal(namesOf(again), "");
  again.close();
});

onBothFiles("openQueue() of a queue that does not exist says so and makes no file", async ({ deps, ref }) => {
  await deps.files.makeDirectory(ref.directory);
  const refused = (text: string) => (error: unknown) =>
    error instanceof CmsError && error.code === "not_found" && error.message === text;
  await assert.rejects(openQueue(deps, ref), refused("Queue: ./experiment/a-queue.yaml does not exist"));
  await assert.rejects(openQueue(deps, { ...ref, experiment: "E" }), refused("Queue: E/a-queue.yaml does not exist"));
  assert.deepEqual(await deps.files.list(ref.directory), []);
});

onBothFiles("a queue that was deleted since it was opened does not come back", async (world) => {
  const { deps, ref } = world;
  const gone = { code: "not_found", message: "Queue: ./experiment/a-queue.yaml does not exist" };
  for (const names of [[], ["x"]]) {
    const [one, two] = await twoOpen(world, names);
    assert.equal(await one.claimRun("delete"), null);
    await removeQueue(deps, ref);
    one.close();
    await assert.rejects(two.claimRun("r"), gone);
    await assert.rejects(two.commit(() => [put("y")]), gone);
    await assert.rejects(two.sync(), gone);
    await assert.rejects(two.checkpoint("always"), gone);
    assert.deepEqual(await deps.files.list(ref.directory), [".a-queue.lock"]);
    await createQueue(deps, ref);
    assert.equal(await two.claimRun("r"), null);
    assert.equal(namesOf(two), "");
    two.close();
    await deps.files.remove(world.file);
  }
});

onBothFiles(
  "a file that is away for a moment stops no run and no command, but none begins to run it",
  async (world) => {
    const { deps, ref, file } = world;
    const [runner, other] = await twoOpen(world, ["a"]);
    await runner.checkpoint("always");
    assert.equal(await runner.claimRun("r1"), null);
    await other.sync();
    const text = await yamlOf(world);
    await deps.files.remove(file);
    await other.commit(() => [put("b")]);
    await runner.commit(() => [put("c")]);
    runner.close();
    await assert.rejects(other.claimRun("r2"), { code: "not_found" });
    await world.edit(file, text);
    assert.equal(await other.claimRun("r2"), null);
    assert.equal(namesOf(other), "a b c");
    other.close();
    const again = await openQueue(deps, ref);
    assert.equal(namesOf(again), "a b c");
    again.close();
  },
);

onBothFiles("who runs a queue goes on when all its files are gone", async (world) => {
  const { deps, file, journal } = world;
  const [runner] = await twoOpen(world, ["a"]);
  assert.equal(await runner.claimRun("r1"), null);
  for (const path of [file, journal]) await deps.files.remove(path);
  let warnings: readonly string[] = [];
  await runner.commit((external) => {
    ({ warnings } = external);
    return [set("a", { status: "run" })];
  });
  assert.deepEqual(warnings, [
    "./experiment/.a-queue.journal was removed or damaged; it was written anew, nothing is lost",
    "./experiment/a-queue.yaml was removed; it is written anew, nothing is lost",
  ]);
  assert.equal(jobOf(runner, "a").status, "run");
  assert.equal(await runner.checkpoint("always"), true);
  runner.close();
  const next = await openQueue(deps, world.ref);
  assert.equal(jobOf(next, "a").status, "run");
  next.close();
});

onBothFiles("listNames() lists queues, sorted, and none of a directory that is missing", async ({ deps, ref }) => {
  assert.deepEqual(await listNames(deps, ref.directory, "queue"), []);
  for (const name of ["b", "a", "c-queue"]) await createQueue(deps, { ...ref, name });
  assert.deepEqual(await listNames(deps, ref.directory, "queue"), ["a", "b", "c-queue"]);
  assert.deepEqual(await listNames(deps, ref.directory, "cluster"), []);
});

onBothFiles("commit() is seen by a new opening, in order, before any checkpoint", async (world) => {
  const [one, two] = await twoOpen(world, ["b", "a", "1"]);
  assert.equal(namesOf(two), "b a 1");
  await one.commit(() => [set("b", { command: "x" }), del("a"), put("1", "y", { id: "f".repeat(32) }), put("a")]);
  const three = await openQueue(world.deps, world.ref);
  assert.deepEqual([...three.jobs], [...one.jobs]);
  assert.equal(namesOf(three), "b 1 a");
  assert.equal(jobOf(three, "b").command, "x");
  assert.equal(await yamlOf(world), "{}\n");
  for (const queue of [one, two, three]) queue.close();
});

onBothFiles("commit() takes in what others did before it decides", async (world) => {
  const [one, two] = await twoOpen(world, ["a", "b", "c"]);
  await two.commit(() => [del("a"), set("b", { command: "x" }), put("d"), { type: "kill", jobs: [jobName("c")] }]);
  let calls = 0;
  await one.commit((external) => {
    calls++;
    assert.deepEqual(external, { ...NO_EXTERNAL_CHANGES, put: ["d"], changed: ["b"], deleted: ["a"], kill: ["c"] });
    assert.equal(namesOf(one), "b c d");
    return [];
  });
  assert.equal(calls, 1);
  assert.deepEqual(await one.sync(), NO_EXTERNAL_CHANGES);
  assert.deepEqual(await two.sync(), NO_EXTERNAL_CHANGES, "one's own changes are nothing external");
  one.close();
  two.close();
});

onBothFiles("sync() tells of jobs replaced, deleted and added anew, and of changes undone", async (world) => {
  const [one, two] = await twoOpen(world, ["a", "b", "c"]);
  await two.commit(() => [put("a", "new", { id: "f".repeat(32) }), set("b", { command: "x" })]);
  await two.commit(() => [set("b", { command: "true" }), put("d"), del("d")]);
  assert.deepEqual(await one.sync(), { ...NO_EXTERNAL_CHANGES, put: ["a"] });
  assert.equal(namesOf(one), "a b c");
  await two.commit(() => [del("a"), put("a", "newer", { id: "e".repeat(32) })]);
  assert.deepEqual(await one.sync(), { ...NO_EXTERNAL_CHANGES, put: ["a"], reordered: true });
  assert.equal(namesOf(one), "b c a");
  one.close();
  two.close();
});

onBothFiles("commit() without an effect writes nothing", async (world) => {
  const [one, two] = await twoOpen(world, ["a"]);
  two.close();
  const before = await world.deps.files.stamp(world.journal);
  await one.commit(() => [set("a", { command: "true" }), set("gone", { command: "x" }), del("gone")]);
  await one.commit(() => []);
  assert.deepEqual(await world.deps.files.stamp(world.journal), before);
  await assert.rejects(
    one.commit(() => {
      throw new RangeError("no");
    }),
    RangeError,
  );
  await one.commit(() => [set("a", { command: "x" })]);
  assert.equal(jobOf(one, "a").command, "x");
  one.close();
});

onBothFiles("checkpoint() writes the YAML, and nobody else sees a change", async (world) => {
  const [one, two] = await twoOpen(world, ["a", "b"]);
  await one.commit(() => [set("a", { status: "run", host: "red", user: "pi", attempt: 1, boot: "x" })]);
  await two.sync();
  const { id } = two;
  assert.equal(await one.checkpoint("cheap"), true);
  assert.equal(await one.checkpoint("always"), false, "there is nothing more to write");
  assert.match(await yamlOf(world), /^a:\n {2}name: a\n(.*\n)* {2}status: run\n/);
  assert.deepEqual(await two.sync(), NO_EXTERNAL_CHANGES);
  await two.commit(() => [put("c")]);
  assert.deepEqual(await one.sync(), { ...NO_EXTERNAL_CHANGES, put: ["c"] });
  const three = await openQueue(world.deps, world.ref);
  assert.deepEqual([...three.jobs], [...one.jobs]);
  assert.deepEqual([one.id, two.id, three.id], [id, id, id]);
  for (const queue of [one, two, three]) queue.close();
});

onBothFiles("checkpoint() 'cheap' of a large file waits until the journal is a fraction of it", async (world) => {
  const [one, two] = await twoOpen(world, []);
  await one.commit(() => Array.from({ length: 700 }, (_, i) => put(`job${i}`)));
  assert.equal(await one.checkpoint("always"), true);
  await two.commit(() => [put("x")]);
  assert.equal(await two.checkpoint("cheap"), false);
  await two.commit(() => Array.from({ length: 300 }, (_, i) => put(`more${i}`)));
  assert.equal(await two.checkpoint("cheap"), true);
  one.close();
  two.close();
});

onBothFiles("while a runner is alive only it makes checkpoints, and it gets requests to kill once", async (world) => {
  const [runner, other] = await twoOpen(world, ["a"]);
  assert.equal(await runner.claimRun("r1"), null);
  const me = { pid: world.deps.environment.pid, hostname: world.deps.environment.hostname(), run: "r1" };
  assert.deepEqual(await other.runner(), me);
  assert.deepEqual(await other.claimRun("r2"), me);
  await other.commit(() => [set("a", { command: "x" }), { type: "kill", jobs: [jobName("a")] }]);
  assert.equal(await other.checkpoint("always"), false);
  assert.equal(await runner.checkpoint("always"), true);
  assert.deepEqual((await runner.sync()).kill, ["a"], "a checkpoint does not swallow external changes");
  assert.deepEqual((await runner.sync()).kill, []);
  runner.close();
  assert.equal(await other.runner(), null);
  assert.equal(await other.claimRun("r2"), null);
  other.close();
});

onBothFiles("a person's edit is an external change, and is kept by the next checkpoint", async (world) => {
  const [one, two] = await twoOpen(world, ["a", "b", "c"]);
  await one.checkpoint("always");
  await two.sync();
  await one.commit(() => [set("b", { status: "end", attempt: 1 })]);
  const blocks = (await yamlOf(world)).split(/^(?=[abc]:)/m);
  const added = "mine:\n  command: echo 1\n";
  await world.edit(
    world.file,
    blocks[2]! + added +
      blocks[1]!.replace("status: undefined", "status: kill").replace("command: 'true'", "command: x"),
  );
  assert.deepEqual(await two.sync(), {
    ...NO_EXTERNAL_CHANGES,
    put: ["mine"],
    changed: ["b"],
    deleted: ["a"],
    reordered: true,
  });
  assert.equal(namesOf(two), "c mine b");
  assert.deepEqual([jobOf(two, "b").command, jobOf(two, "b").status, jobOf(two, "b").attempt], ["x", "kill", 1]);
  await one.sync();
  const ids = new Set([...one.jobs.values()].map((job) => job.id));
  assert.equal(ids.size, 3);
  await one.commit(() => [set("c", { command: "y" })]);
  assert.equal(await one.checkpoint("always"), true);
  assert.deepEqual(await two.sync(), { ...NO_EXTERNAL_CHANGES, changed: ["c"] });
  const three = await openQueue(world.deps, world.ref);
  assert.deepEqual([...three.jobs], [...one.jobs]);
  for (const queue of [one, two, three]) queue.close();
});

onBothFiles("an edit with nothing to add is left as the person saved it", async (world) => {
  const [one, two] = await twoOpen(world, ["a"]);
  two.close();
  await one.checkpoint("always");
  const text = "# a comment\n" + (await yamlOf(world)).replace("'true'", "false");
  await world.edit(world.file, text);
  assert.equal(await one.checkpoint("always"), true);
  assert.equal(await yamlOf(world), text);
  assert.equal(jobOf(one, "a").command, "false");
  assert.equal(await one.checkpoint("always"), false);
  one.close();
});

onBothFiles(
  "edits of a job in flight are not taken, with one warning, also in a process that never saw the old file",
  async (world) => {
    const [one, two] = await twoOpen(world, ["a", "b"]);
    await one.commit(() => ["a", "b"].map((name) => set(name, { status: "run", host: "red", user: "pi", attempt: 1 })));
    await one.checkpoint("always");
    await one.commit(() => [set("a", { status: "start", pid: "77" })]);
    const text = (await yamlOf(world)).replace(/^b:\n( .*\n)*/m, "").replace("status: run", "status: ready").replace(
      "'true'",
      "x",
    );
    await world.edit(world.file, text);
    const three = await openQueue(world.deps, world.ref);
    for (const queue of [one, two, three]) {
      const { warnings } = await queue.sync();
      assert.equal(warnings.length, 2);
      assert.match(
        warnings.join("; "),
        /Edit of status of job a was not taken: it runs on pi@red.*Job b was not deleted/,
      );
      assert.deepEqual([jobOf(queue, "a").status, jobOf(queue, "a").pid, jobOf(queue, "a").command], [
        "start",
        "77",
        "x",
      ]);
      assert.equal(jobOf(queue, "b").status, "run");
      assert.deepEqual((await queue.sync()).warnings, []);
    }
    assert.deepEqual([...three.jobs], [...one.jobs]);
    // They end before the file is written anew: that they do still counts for all.
    await two.commit(() => ["a", "b"].map((name) => set(name, { status: "end", exit_code: 0 })));
    await one.commit(() => [set("a", { command: "y" })]); // What it has seen of the edit is overtaken.
    const four = await openQueue(world.deps, world.ref);
    assert.deepEqual([jobOf(four, "a").status, jobOf(four, "b").status], ["end", "end"]);
    for (const queue of [one, two, three, four]) {
      await queue.sync();
      assert.deepEqual([...queue.jobs], [...four.jobs]);
    }
    assert.equal(await one.checkpoint("always"), true);
    assert.match(await yamlOf(world), /status: end(.*\n)*b:\n/);
    for (const queue of [one, two, three, four]) queue.close();
  },
);

onBothFiles(
  "what an edit was not to change stays so, though the file cannot be read when that is written down",
  async (world) => {
    const [one, two] = await twoOpen(world, ["a", "b"]);
    await one.commit(() => [set("a", { status: "run", host: "red", user: "pi", attempt: 1 })]);
    await one.checkpoint("always");
    const edited = (await yamlOf(world)).replace(/^a:\n( .*\n)*/m, "");
    await world.edit(world.file, edited);
    for (const queue of [one, two]) await queue.sync();
    await world.edit(world.file, "a: [");
    await two.commit(() => [set("a", { status: "end", exit_code: 0 })]);
    await one.commit(() => [set("b", { command: "y" })]);
    await world.edit(world.file, edited);
    const three = await openQueue(world.deps, world.ref);
    assert.deepEqual([jobOf(three, "a").status, jobOf(three, "b").command], ["end", "y"]);
    for (const queue of [one, two]) {
      await queue.sync();
      assert.deepEqual([...queue.jobs], [...three.jobs]);
    }
    for (const queue of [one, two, three]) queue.close();
  },
);

onBothFiles("nothing is written on a state that is out of date and cannot be read", async (world) => {
  const [one, two] = await twoOpen(world, ["a", "b"]);
  await one.commit(() => [del("a")]);
  await one.checkpoint("always");
  const text = await yamlOf(world);
  await world.edit(world.file, "a: [");
  await assert.rejects(two.commit(() => [set("a", { command: "x" })]), /a-queue.yaml:/);
  assert.match((await two.sync()).warnings.join(), /goes on with what was read before/);
  await assert.rejects(two.commit(() => [set("b", { command: "x" })]), /a-queue.yaml:/);
  await world.edit(world.file, text);
  await two.commit(() => [set("a", { command: "x" }), set("b", { command: "x" })]);
  assert.deepEqual([namesOf(two), jobOf(two, "b").command], ["b", "x"]);
  for (const queue of [one, two]) queue.close();
});

onBothFiles("an edit that is not taken is told to the run, whoever else saw it first", async (world) => {
  const [one, two] = await twoOpen(world, ["a", "b"]);
  assert.equal(await one.claimRun("r"), null);
  await one.commit(() => [set("a", { status: "run", host: "red", user: "pi", attempt: 1 })]);
  await one.checkpoint("always");
  await world.edit(world.file, (await yamlOf(world)).replace(/^a:\n( .*\n)*/m, ""));
  await two.commit(() => [put("c")]);
  const { warnings } = await one.sync();
  assert.match(warnings.join("; "), /^Job a was not deleted by the edit of the file: it runs on pi@red$/);
  assert.equal(namesOf(one), "b c a");
  assert.equal(await one.checkpoint("always"), true);
  await two.sync();
  assert.deepEqual([...two.jobs], [...one.jobs]);
  for (const queue of [one, two]) queue.close();
});

onBothFiles(
  "a YAML that cannot be read stops nothing that is open, is never overwritten, and counts again once mended",
  async (world) => {
    const [one, two] = await twoOpen(world, ["a"]);
    await one.checkpoint("always");
    const good = await yamlOf(world);
    for (const bad of ["a: [\n", "", "a:\n  status: foo\n"]) {
      await world.edit(world.file, bad);
      const { warnings } = await one.sync();
      assert.equal(warnings.length, 1, warnings.join());
      assert.match(warnings[0]!, /^\.\/experiment\/a-queue.yaml.*goes on with what was read before$/);
      assert.deepEqual((await one.sync()).warnings, []);
      await one.commit(() => [set("a", { command: `c${bad.length}` })]);
      assert.equal(await one.checkpoint("always"), false);
      await assert.rejects(openQueue(world.deps, world.ref), StoreError);
      await two.sync();
      assert.equal(jobOf(two, "a").command, `c${bad.length}`);
    }
    assert.equal(await yamlOf(world), "a:\n  status: foo\n");
    await world.edit(world.file, good.replace("shell: bash", "shell: sh"));
    assert.deepEqual((await one.sync()).changed, ["a"]);
    assert.deepEqual([jobOf(one, "a").command, jobOf(one, "a").shell], ["c17", "sh"]);
    assert.equal(await one.checkpoint("always"), true);
    one.close();
    two.close();
  },
);

onBothFiles("jobs that share an id, or have none, get one each, the same for all who look", async (world) => {
  await createQueue(world.deps, world.ref);
  const text = ["a", "b", "c"].map((name) => `${name}:\n  id: ${"7".repeat(32)}\n  command: x\n`).join("") +
    "d:\n  command: x\n";
  await world.edit(world.file, text);
  const one = await openQueue(world.deps, world.ref);
  const two = await openQueue(world.deps, world.ref);
  const idsOf = (queue: QueueStore) => [...queue.jobs.values()].map((job) => job.id);
  assert.equal(new Set(idsOf(one)).size, 4);
  assert.equal(jobOf(one, "a").id, "7".repeat(32));
  await one.commit(() => [set("b", { command: "y" }), del("c")]);
  assert.deepEqual(await two.sync(), { ...NO_EXTERNAL_CHANGES, changed: ["b"], deleted: ["c"] });
  assert.deepEqual(idsOf(two), idsOf(one));
  await world.edit(world.file, text.replace("command: x", "command: z"));
  const three = await openQueue(world.deps, world.ref);
  assert.deepEqual([...idsOf(three)], idsOf(one));
  assert.equal(namesOf(three), "a b d");
  for (const queue of [one, two, three]) queue.close();
});

onBothFiles("a torn end of the journal is passed over and cut off by the next write", async (world) => {
  const [one, two] = await twoOpen(world, ["a"]);
  one.close();
  two.close();
  const good = await world.deps.files.readText(world.journal) ?? "";
  const batch = '{"type":"delete","job":"a","id":"' + jobOf(one, "a").id + '","more":1}\n';
  for (const torn of ['{"type":"del', "\0\0\0\0", "garbage\n", batch, batch + '{"type":']) {
    await world.edit(world.journal, good + torn);
    const queue = await openQueue(world.deps, world.ref);
    assert.equal(namesOf(queue), "a", torn);
    await queue.commit(() => [set("a", { command: torn.length.toString() })]);
    const after = await world.deps.files.readText(world.journal) ?? "";
    assert(after.startsWith(good) && !after.includes(torn.slice(0, 11) + "\0") && after.endsWith("}\n"), after);
    assert.equal(after.slice(good.length).split("\n").length, 2);
    queue.close();
    const again = await openQueue(world.deps, world.ref);
    assert.equal(jobOf(again, "a").command, torn.length.toString());
    again.close();
  }
});

onBothFiles("damage in the middle of a journal is an error with file and line, and changes nothing", async (world) => {
  const [one, two] = await twoOpen(world, ["a", "b"]);
  one.close();
  two.close();
  const good = await world.deps.files.readText(world.journal) ?? "";
  const lines = good.split("\n");
  const cases: [text: string, line: number][] = [
    [[lines[0], "garbage", ...lines.slice(2)].join("\n"), 2],
    [["{}", ...lines.slice(1)].join("\n"), 1],
    [[lines[0]!.replace('"cms":1', '"cms":2'), ...lines.slice(1)].join("\n"), 1],
    [good + '{"type":"what"}\n' + good.slice(good.indexOf("\n") + 1), 4],
    [good + '{"type":"set","job":"a","id":"","fields":{"status":"foo"},"was":{}}\n{"type":"kill","jobs":[]}\n', 4],
  ];
  for (const [text, line] of cases) {
    await world.edit(world.journal, text);
    await assert.rejects(openQueue(world.deps, world.ref), (error) => {
      assert(error instanceof StoreError, String(error));
      assert.deepEqual([error.path, error.line], ["./experiment/.a-queue.journal", line], error.message);
      return true;
    });
    assert.equal(await world.deps.files.readText(world.journal), text);
  }
});

onBothFiles("a queue that was copied elsewhere keeps its jobs and gets an id of its own", async (world) => {
  const [one, two] = await twoOpen(world, ["a"]);
  two.close();
  const copy = { ...world.ref, directory: world.ref.directory + "2" };
  await world.deps.files.makeDirectory(copy.directory);
  for (const name of ["a-queue.yaml", ".a-queue.journal"]) {
    await world.edit(
      `${copy.directory}/${name}`,
      await world.deps.files.readText(`${world.ref.directory}/${name}`) ?? "",
    );
  }
  const other = await openQueue(world.deps, copy);
  assert.equal(namesOf(other), "a");
  const { id } = other;
  assert.notEqual(id, one.id);
  await other.claimRun("r");
  await other.commit(() => [put("b")]);
  const again = await openQueue(world.deps, copy);
  assert.deepEqual([again.id, namesOf(again)], [id, "a b"]);
  for (const queue of [one, other, again]) queue.close();
});

onBothFiles("without its journal a queue is what the YAML says", async (world) => {
  const [one, two] = await twoOpen(world, ["a"]);
  await one.checkpoint("always");
  one.close();
  two.close();
  await world.deps.files.remove(world.journal);
  const queue = await openQueue(world.deps, world.ref);
  assert.equal(namesOf(queue), "a");
  await queue.commit(() => [put("b")]);
  queue.close();
});

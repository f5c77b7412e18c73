import assert from "node:assert/strict";
import type { Deps } from "../../../src/deps.ts";
import { jobName } from "../../../src/names/grammar.ts";
import type { Change } from "../../../src/store/changes.ts";
import { findLines, readBlockAt } from "../../../src/store/large/find_entry.ts";
import { NamedJobs } from "../../../src/store/large/named_jobs.ts";
import { createQueue, openQueue } from "../../../src/store/queue_file.ts";
import { del, inMemory, jobOf, onBothFiles, put, set, type World } from "../support.ts";

/** Enough for a YAML that is not small. */
const MANY = 800;

/** A queue whose YAML is large and freshly written. */
async function largeQueue({ deps, ref }: World, changes: readonly Change[] = []): Promise<void> {
  await createQueue(deps, ref);
  const queue = await openQueue(deps, ref);
  await queue.commit(() => [...Array(MANY).keys()].map((i) => put(`job${i}`, `echo ${i}`)));
  await queue.commit(() => changes);
  await queue.checkpoint("always");
  queue.close();
}

/** The same deps, and how often the journal was opened beside the first time: by who reads the queue as a whole. */
function counted(deps: Deps): { deps: Deps; wholeReads: () => number } {
  let count = 0;
  const files = new Proxy(deps.files, {
    get(target, member: keyof Deps["files"]) {
      if (member === "openAppend") count++;
      const value = target[member] as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { deps: { ...deps, files }, wholeReads: () => Math.max(0, count - 1) };
}

/** Commits by name; gives how often the queue was read as a whole. */
async function commitNamed(world: World, names: string[], decide: (jobs: NamedJobs["jobs"]) => Change[]) {
  const { deps, wholeReads } = counted(world.deps);
  const named = new NamedJobs(deps, world.ref, names);
  try {
    await named.commit(() => decide(named.jobs));
    await named.checkpoint("cheap");
  } finally {
    named.close();
  }
  return wholeReads();
}

onBothFiles("NamedJobs adds to a large queue, in order, without reading all of it", async (world) => {
  await largeQueue(world);
  for (const name of ["new", "007", "yes"]) assert.equal(await commitNamed(world, [name], () => [put(name)]), 0);
  const queue = await openQueue(world.deps, world.ref);
  assert.equal(queue.jobs.size, MANY + 3);
  assert.deepEqual([...queue.jobs.keys()].slice(-4), [`job${MANY - 1}`, "new", "007", "yes"]);
  queue.close();
});

onBothFiles(
  "NamedJobs sees a job as it is: of the file, of the journal, of both, deleted, made anew",
  async (world) => {
    await largeQueue(world, [put("007", "first"), set("job7", { host: "red" })]);
    const seen = async (name: string) => {
      let command: string | null | undefined = null;
      assert.equal(await commitNamed(world, [name], (jobs) => (command = jobs.get(jobName(name))?.command, [])), 0);
      return command;
    };
    assert.deepEqual([await seen("job0"), await seen("job7"), await seen(`job${MANY - 1}`), await seen("job8000")], [
      "echo 0",
      "echo 7",
      `echo ${MANY - 1}`,
      undefined,
    ]);
    assert.equal(await seen("007"), "first");
    await commitNamed(world, ["job7"], () => [set("job7", { command: "other" })]);
    assert.equal(await seen("job7"), "other");
    await commitNamed(world, ["job7"], () => [del("job7")]);
    assert.equal(await seen("job7"), undefined);
    await commitNamed(world, ["job7"], () => [put("job7", "again")]);
    assert.equal(await seen("job7"), "again");
    const queue = await openQueue(world.deps, world.ref);
    assert.equal(jobOf(queue, "job7").host, null);
    assert.equal([...queue.jobs.keys()].at(-1), "job7");
    queue.close();
  },
);

onBothFiles("NamedJobs leaves what it cannot be sure of to the whole queue", async (world) => {
  await largeQueue(world);
  const last = `job${MANY - 1}`;
  // An edit, also one that leaves the size as it is.
  const text = await world.deps.files.readText(world.file) ?? "";
  await world.edit(world.file, text.replace("command: echo 5\n", "command: echo 6\n"));
  assert(
    await commitNamed(
      world,
      ["job5"],
      (jobs) => (assert.equal(jobs.get(jobName("job5"))?.command, "echo 6"), [put("a")]),
    ) > 0,
  );
  // The edit has not been written anew yet: still so.
  assert(await commitNamed(world, [last], () => [put(last, "b")]) > 0);
  const queue = await openQueue(world.deps, world.ref);
  await queue.checkpoint("always");
  queue.close();
  assert.equal(await commitNamed(world, ["b"], () => [put("b")]), 0);
  // A torn end is cut off by who reads all.
  const journal = await world.deps.files.readText(world.journal) ?? "";
  await world.edit(world.journal, `${journal}{"type":"put","na`);
  assert(await commitNamed(world, ["c"], () => [put("c")]) > 0);
  await world.edit(world.journal, journal + '{"type":"delete","job":"b","id":"x","more":1}\n');
  assert(await commitNamed(world, ["d"], (jobs) => (assert(jobs.has(jobName("b"))), [put("d")])) > 0);
});

onBothFiles("NamedJobs makes no file for a queue that does not exist", async (world) => {
  await world.deps.files.makeDirectory(world.ref.directory);
  await assert.rejects(commitNamed(world, ["a"], () => [put("a")]), { code: "not_found" });
  assert.deepEqual(await world.deps.files.list(world.ref.directory), []);
});

onBothFiles("NamedJobs makes a checkpoint when that is due", async (world) => {
  await largeQueue(world);
  const before = (await world.deps.files.stamp(world.file))!.sizeBytes;
  let reads = 0;
  for (let i = 0; i < 6 && reads === 0; i++) {
    const command = "x".repeat(16_000);
    reads = await commitNamed(world, [`more${i}`], () => [put(`more${i}`, command)]);
  }
  assert(reads > 0);
  assert((await world.deps.files.stamp(world.file))!.sizeBytes > before + 60_000);
});

Deno.test("NamedJobs appends the same records as the whole queue", async () => {
  const journals: string[] = [];
  for (const isNamed of [true, false]) {
    await inMemory(async (world) => {
      await largeQueue(world);
      const changes = [put("job3", "new"), set("job4", { command: "c", status: "ready" }), del("job5"), put("x")];
      const queue = isNamed ? null : await openQueue(world.deps, world.ref);
      if (queue === null) assert.equal(await commitNamed(world, ["job3", "job4", "job5", "x"], () => changes), 0);
      await queue?.commit(() => changes);
      queue?.close();
      const [, ...lines] = (await world.deps.files.readText(world.journal) ?? "").split("\n");
      journals.push(lines.join("\n").replaceAll(/"at":\d+/g, ""));
    });
  }
  assert.equal(journals[0], journals[1]);
  assert.match(journals[0]!, /delete/);
});

Deno.test("findLines() finds whole lines wherever pieces end, and readBlockAt() an entry to its end", async () => {
  await inMemory(async ({ deps: { files }, ref, file }) => {
    await files.makeDirectory(ref.directory);
    const text = "a:\n  x: b\nab:\n  y: |-\n    b:\n\n    c\nb:\n  z: 1\nlast:\n  q: 2\n";
    await files.replace(file, text);
    const found = await findLines(files, file, ["a:", "ab:", "b:", "last:", "c:", "  z: 1"]);
    assert.deepEqual(found, [0, text.indexOf("ab:"), text.indexOf("\nb:") + 1, text.indexOf("last:"), null, 39]);
    const block = async (at: number) => new TextDecoder().decode(await readBlockAt(files, file, at));
    assert.equal(await block(0), "a:\n  x: b\n");
    assert.equal(await block(found[1]!), "ab:\n  y: |-\n    b:\n\n    c\n");
    assert.equal(await block(found[3]!), "last:\n  q: 2\n");
  });
});

/** A look at a queue's files in every state, that changes none of them. */
import assert from "node:assert/strict";
import { NotFoundError } from "../../src/errors.ts";
import { inspectQueue, type QueueInspection } from "../../src/store/inspect_queue.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { storePaths } from "../../src/store/paths.ts";
import type { Change } from "../../src/store/changes.ts";
import { treeOf } from "../../testing/tree.ts";
import { onFiles, put, set, type World } from "./support.ts";

const RUNS = { status: "start", host: "red", user: "pi", attempt: 1, boot: "b", pid: "7" } as const;

/** A queue after these commits, the last ones only in the journal. */
async function made(
  world: World,
  written: readonly Change[],
  ...commits: readonly (readonly Change[])[]
): Promise<void> {
  await createQueue(world.deps, world.ref);
  const queue = await openQueue(world.deps, world.ref);
  await queue.commit(() => written);
  await queue.checkpoint("always");
  for (const changes of commits) await queue.commit(() => changes);
  queue.close();
}

/** Looks, and proves that nothing was touched. */
async function look(world: World): Promise<QueueInspection> {
  const before = await treeOf(world.ref.directory);
  const found = await inspectQueue(world.deps, world.ref);
  assert.deepEqual(await treeOf(world.ref.directory), before);
  return found;
}

const statesOf = ({ jobs }: QueueInspection) => [...jobs.values()].map(({ name, status }) => `${name} ${status}`);

Deno.test("inspectQueue() of a queue in order finds nothing", () =>
  onFiles(async (world) => {
    await made(world, [put("a"), put("b")]);
    const { id, jobs, runner, lastRun, ...rest } = await look(world);
    const queue = await openQueue(world.deps, world.ref);
    assert.equal(id, queue.id);
    queue.close();
    assert.deepEqual([...jobs.keys()], ["a", "b"]);
    assert.deepEqual([runner, lastRun], [null, null]);
    assert.deepEqual(rest, {
      yamlProblem: null,
      journalProblem: null,
      tornBytes: 0,
      begunAt: null,
      isEdited: false,
      warnings: [],
      unwritten: 0,
      leftovers: [],
      isLocked: false,
    });
  }));

Deno.test("inspectQueue() makes no lock file, and none where there is no queue", () =>
  onFiles(async (world) => {
    await assert.rejects(inspectQueue(world.deps, world.ref), NotFoundError);
    await Deno.mkdir(world.ref.directory);
    await assert.rejects(look(world), NotFoundError);
    await world.edit(world.file, "a:\n  command: 'true'\n");
    assert.deepEqual(statesOf(await look(world)), ["a undefined"]);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(world.ref.directory))).map(({ name }) => name), [
      "a-queue.yaml",
    ]);
  }));

Deno.test("inspectQueue() of a YAML that does not parse, or is gone, knows what the journal knows to be in flight", () =>
  onFiles(async (world) => {
    await made(world, [put("a"), put("b")], [set("a", RUNS)], [put("c")]);
    await world.edit(world.file, "a:\n  status: [\n");
    const broken = await look(world);
    assert.match(broken.yamlProblem?.message ?? "", /^\.?\/?experiment\/a-queue\.yaml:\d+: /);
    assert.deepEqual(statesOf(broken).sort(), ["a start", "c undefined"]);
    assert.deepEqual([broken.isEdited, broken.warnings, broken.unwritten], [false, [], 0]);
    await Deno.remove(world.file);
    const gone = await look(world);
    assert.equal(gone.yamlProblem?.code, "not_found");
    assert.deepEqual(statesOf(gone).sort(), ["a start", "c undefined"]);
  }));

Deno.test("inspectQueue() counts the records before the damage of a journal, and names its line", () =>
  onFiles(async (world) => {
    await made(world, [put("a")], [set("a", RUNS)], [put("b")], [put("c")]);
    const lines = (await Deno.readTextFile(world.journal)).split("\n");
    lines[2] = lines[2]!.replace("{", "[");
    await world.edit(world.journal, lines.join("\n"));
    const found = await look(world);
    assert.match(found.journalProblem?.message ?? "", /\.a-queue\.journal:3: is damaged/);
    assert.deepEqual(statesOf(found), ["a start"]);
    await world.edit(world.journal, "rubbish\n{}\n");
    const all = await look(world);
    assert.match(all.journalProblem?.message ?? "", /\.a-queue\.journal:1: is damaged/);
    assert.deepEqual(statesOf(all), ["a undefined"]);
    await Deno.remove(world.journal);
    await Deno.mkdir(world.journal);
    assert.match((await look(world)).journalProblem?.message ?? "", /\.a-queue\.journal: cannot read: /);
  }));

Deno.test("inspectQueue() tells a torn end, what stands in the journal alone, an edit, and an edit that does not count", () =>
  onFiles(async (world) => {
    await made(world, [put("a"), put("b")], [set("a", RUNS)], [put("c")]);
    assert.equal((await look(world)).unwritten, 2);
    await Deno.writeTextFile(world.journal, '{"type":"put","na', { append: true });
    const torn = await look(world);
    assert.deepEqual([torn.tornBytes, torn.journalProblem], [17, null]);
    assert.deepEqual(statesOf(torn), ["a start", "b undefined", "c undefined"]);
    const text = await Deno.readTextFile(world.file);
    await world.edit(world.file, text.replace("command: 'true'", "command: echo"));
    const edited = await look(world);
    assert.deepEqual([edited.isEdited, edited.warnings], [true, []]);
    await world.edit(world.file, text.replace("status: undefined", "status: end"));
    assert.match((await look(world)).warnings.join(), /^Edit of status of job a was not taken/);
  }));

Deno.test("inspectQueue() tells where the journal of a copied directory was begun, who runs it, and what killed writers left", () =>
  onFiles(async (world) => {
    await made(world, [put("a")]);
    const home = world.ref.directory;
    const copy = { ...world, ref: { ...world.ref, directory: `${home}-copy` } };
    await new Deno.Command("cp", { args: ["-a", home, copy.ref.directory] }).output();
    const copied = await look(copy);
    assert.equal(copied.begunAt, `${world.deps.environment.hostname()}:${home}`);
    assert.equal((await look(world)).begunAt, null);
    const about = { scheduler: "fifo", cluster: null, slots: 3, machines: {} } as const;
    await Deno.writeTextFile(`${home}/.a-queue.yaml.0123456789abcdef.tmp`, "x");
    await Deno.writeTextFile(`${home}/..a-queue.journal.0123456789abcdef.tmp`, "x");
    assert.deepEqual((await look(world)).leftovers, [
      "..a-queue.journal.0123456789abcdef.tmp",
      ".a-queue.yaml.0123456789abcdef.tmp",
    ]);
    const queue = await openQueue(world.deps, world.ref);
    // A command that goes on asks its hosts for the first of these now.
    const [asked, old] = ["0123456789abcdef", "fedcba9876543210"].map((hex) => `${home}/.input.${queue.id}.${hex}.tmp`);
    for (const path of [asked!, old!]) await Deno.writeTextFile(path, "");
    await Deno.utime(old!, 0, 0);
    await queue.claimRun("r1", about);
    const left = [...Deno.readDirSync(home)].map(({ name }) => `${home}/${name}`).filter((name) => /\.tmp$/.test(name));
    assert.deepEqual(left, [asked]);
    const held = await look(world);
    assert.deepEqual([held.runner?.pid, held.runner?.about, held.lastRun?.isRunning], [Deno.pid, about, true]);
    queue.close();
    const over = await look(world);
    assert.deepEqual([over.runner, over.lastRun?.isRunning], [null, false]);
  }));

Deno.test("inspectQueue() reads all the same when somebody keeps the lock", () =>
  onFiles(async (world) => {
    await made(world, [put("a")]);
    const lock = await world.deps.files.lock(storePaths(world.ref, "queue").lock, { mode: "exclusive", wait: true });
    let nowMs = 0;
    // Each look at the clock is a second later.
    const clock = { now: () => nowMs += 1000, epochMs: () => nowMs, sleepUntil: () => Promise.resolve() };
    const found = await inspectQueue({ ...world.deps, clock }, world.ref);
    lock?.release();
    assert.deepEqual([found.isLocked, statesOf(found)], [true, ["a undefined"]]);
    assert.equal((await look(world)).isLocked, false);
  }));

Deno.test("a file of a run that is rubbish, as after a power cut, names nobody and keeps nobody from running the queue", () =>
  onFiles(async (world) => {
    await made(world, [put("a")]);
    await Deno.writeFile(storePaths(world.ref, "queue").run, new Uint8Array([0, 0xff, 0xfe, 0x80]));
    const found = await look(world);
    assert.deepEqual([found.runner, found.lastRun], [null, null]);
    const queue = await openQueue(world.deps, world.ref);
    assert.equal(await queue.lastRun(), null);
    assert.equal(await queue.claimRun("r1"), null);
    queue.close();
  }));

/**
 * The manager's own troubles: a full disk, a directory that cannot be written, damaged files, several commands at once,
 * a long pause.
 */

import assert from "node:assert/strict";
import { whyNoHosts } from "../../testing/hosts.ts";
import { hostTest, needTest } from "../../testing/need.ts";
import { must, outcomeOf } from "../../testing/hosts/shell.ts";
import { waitUntil } from "../../testing/wait.ts";
import { Manager } from "../../testing/harness.ts";
import {
  assertRanOnce,
  countOf,
  countStates,
  jobNames,
  letGo,
  makeManager,
  makeQueue,
  onceCommand,
  readText,
  runsOf,
  waitForState,
  waitsFor,
} from "../../testing/harness_faults.ts";

const whyNoMounts = await whyNoHosts();

/** Text of each file of the experiment directory that has content of a user (locks and claims have none). */
function filesOf(manager: Manager): Record<string, string> {
  const files: Record<string, string> = {};
  for (const { name, isFile } of Deno.readDirSync(manager.path("."))) {
    if (isFile && !/\.(lock|run)$/.test(name)) files[name] = readText(manager.path(name));
  }
  return files;
}

/** The manager's experiment directory as a small disk of its own, for as long as it is in use. */
async function smallDisk(manager: Manager): Promise<AsyncDisposable> {
  const directory = manager.path("");
  await Deno.mkdir(directory, { recursive: true });
  await must(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", directory]);
  return { [Symbol.asyncDispose]: async () => void await outcomeOf(["umount", "-l", directory]) };
}

/** Writes until the disk is full. */
function fillDisk(path: string): void {
  using file = Deno.openSync(path, { create: true, append: true });
  const block = new Uint8Array(4096);
  try {
    for (let i = 0; i < 1000; i++) file.writeSync(block);
  } catch {
    return; // It is full.
  }
  throw new Error(`Cannot fill the disk of ${path}: it is larger than thought`);
}

hostTest(
  "a full disk of the manager: no start without its line in the journal; freed, the run goes on",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    await using _disk = await smallDisk(manager);
    await makeQueue(manager, "job[1-40]", onceCommand(`[ "$n" != job1 ] || { ${waitsFor("go")}; }`));
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
    await waitForState(manager, "job1", "start");
    // Lists read while the disk is full as well: nothing has to be written for them.
    fillDisk(manager.path("filler"));
    await letGo(hosts.host("red"), "go");
    await run.waitFor(/^WARNING: .*no space left on the device/m);
    // The journal's last block takes a few more lines; then there is an end.
    const isStuck = () => /no job starts until it can be written/.test(run.stderr);
    await waitUntil(() => `the run to say that nothing starts; ${run.text}`, isStuck, { limitMs: 60_000 });
    const journal = readText(manager.path(".a-queue.journal"));
    const ran = [...runsOf(hosts).keys()];
    for (const name of ran) {
      assert.ok(
        journal.includes(`"${name}"`),
        `${name} ran, and the journal knows nothing of it`,
      );
    }
    assert.ok(ran.length < 40, "the disk was full, and all jobs ran");
    assert.equal((await manager.jobs()).size, 40);

    await Deno.remove(manager.path("filler"));
    const { code, stderr } = await run.ended();
    assert.equal(code, 0, run.text);
    assert.ok(stderr.split("\n").length < 10, stderr);
    assert.equal(await countStates(manager), "end:40");
    assertRanOnce(hosts, jobNames(40));
    assert.deepEqual(Object.keys(filesOf(manager)).filter((name) => name.endsWith(".tmp")), []);
  },
);

needTest(
  "an experiment directory that cannot be written: one line, status 2, nothing changed; lists work",
  whyNoMounts,
  async () => {
    await using manager = await Manager.make(null);
    await using _disk = await smallDisk(manager);
    await makeQueue(manager, "job[1-2]", "true");
    await manager.ok("queue", "add", "a", "--name=job3", "--command=true", "--status=end");
    await manager.ok("cluster", "create", "c");
    const before = filesOf(manager);
    await must(["mount", "-o", "remount,ro", manager.path("")]);
    const commands = [
      ["queue", "add", "a", "--name=job4", "--command=true"],
      ["queue", "delete", "a", "--name=job1"],
      ["queue", "reset", "a", "--status=end"],
      ["queue", "create", "b"],
      ["queue", "run", "fifo_multi", "a", "--hosts=localhost"],
      ["cluster", "add", "c", "--id=h", "--name=red", "--user=pi"],
    ];
    for (const command of commands) {
      const { code, stdout, stderr } = await manager.cms(...command);
      const what = `${command.join(" ")}: ${code}\n${stdout}${stderr}`;
      assert.equal(code, 2, what);
      assert.equal(stdout, "", what);
      assert.match(stderr, /^ERROR: [^\n]*(read-only|permission denied)[^\n]*\n$/, what);
    }
    assert.equal(await countStates(manager), "end:1 undefined:2");
    assert.deepEqual(filesOf(manager), before);
  },
);

hostTest(
  "a journal whose last line is torn loses nothing else; one damaged in the middle is an error and is not touched",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    await makeQueue(manager, "job[1-3]", onceCommand(waitsFor("go")));
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01");
    await waitForState(manager, "job2", "start");
    await run.kill9();
    const path = manager.path(".a-queue.journal");
    const whole = readText(path);
    assert.ok(whole.split("\n").length > 3, whole);

    await Deno.writeTextFile(
      path,
      whole.replace(/\n([^\n]*)\n/, (_, line) => `\n${line.slice(0, -9)}#${line.slice(-8)}\n`),
    );
    const damaged = filesOf(manager);
    for (
      const command of [
        ["list", "a"],
        ["add", "a", "--name=job4", "--command=true"],
        ["run", "fifo_multi", "a", "--hosts=pi@red"],
        ["refresh", "a"],
      ]
    ) {
      const { code, stdout, stderr } = await manager.cms("queue", ...command);
      assert.equal(code, 2, stdout + stderr);
      assert.match(stderr, /^ERROR: \.\/experiment\/\.a-queue\.journal:2: [^\n]+\n$/, command.join(" "));
      assert.deepEqual(filesOf(manager), damaged, command.join(" "));
    }

    // The next line was being written when the power went.
    await Deno.writeTextFile(path, `${whole}{"type":"set","job":"job3","fie`);
    assert.equal((await manager.jobs()).get("job2")?.status, "start");
    for (const name of ["red", "red01"]) await letGo(hosts.host(name), "go");
    const again = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01");
    assert.equal(again.code, 0, again.stdout + again.stderr);
    assert.equal(await countStates(manager), "end:3");
    assertRanOnce(hosts, jobNames(3));
  },
);

Deno.test("a queue file broken by hand: every command names file and line, and leaves it as it is", async () => {
  await using manager = await Manager.make(null);
  await makeQueue(manager, "job[1-2]", "true");
  const path = manager.path("a-queue.yaml");
  const lines = (await manager.read("a-queue.yaml")).split("\n");
  await Deno.writeTextFile(path, [...lines.slice(0, 4), "  gpu: [0, 1", ...lines.slice(4)].join("\n"));
  const before = filesOf(manager);
  for (
    const command of [
      ["list", "a"],
      ["add", "a", "--name=job3", "--command=true"],
      ["run", "fifo_multi", "a", "--hosts=localhost"],
      ["reset", "a"],
      ["refresh", "a"],
      ["delete", "a", "--name=job1"],
    ]
  ) {
    const { code, stdout, stderr } = await manager.cms("queue", ...command);
    assert.equal(code, 2, command.join(" "));
    assert.equal(stdout, "", command.join(" "));
    assert.match(stderr, /^ERROR: \.\/experiment\/a-queue\.yaml:\d+: [^\n]+\n$/, command.join(" "));
  }
  assert.deepEqual(filesOf(manager), before);
});

Deno.test("what would make a file larger than ulimit -f allows is refused in one line, and changes nothing", async () => {
  await using manager = await Manager.make(null);
  await makeQueue(manager, "job1", "true");
  const { code, stdout, stderr } = await manager.type(
    "ulimit -f 1; cms queue add a --name=job[2-100] --command=true; echo $?; cms queue add a --name=one --command=true",
  );
  const refused =
    "./experiment/.a-queue.journal: cannot write: the file would be larger than this process may make one";
  assert.equal(stderr.split("\n", 1)[0], `ERROR: ${refused} (ulimit -f)`, stderr);
  assert.equal(stdout, "2\nINFO: Adding job one to queue a\n");
  assert.equal(code, 0);
  assert.deepEqual([...(await manager.jobs()).keys()], ["job1", "one"]);
});

Deno.test("two commands that add at the same time, twenty times: no job is lost", async () => {
  await using manager = await Manager.make(null);
  await manager.ok("queue", "create", "a");
  for (let round = 0; round < 20; round++) {
    const names = [`left${round}`, `right${round}`];
    await Promise.all(names.map((name) => manager.ok("queue", "add", "a", `--name=${name}`, "--command=true")));
  }
  assert.equal((await manager.jobs()).size, 40);
  const yaml = await manager.read("a-queue.yaml");
  assert.equal(countOf({ stdout: yaml, stderr: "" }, /^(left|right)\d+:$/gm), 40, yaml.slice(0, 500));
});

hostTest(
  "a manager that stands still for longer than a link lives without a word goes on as if nothing was",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const [red, red01] = [hosts.host("red"), hosts.host("red01")];
    // job1 is the clock: a link is given up after 15 s.
    await makeQueue(manager, "job[1-4]", onceCommand(`case $n in job1) sleep 17;; job2) ${waitsFor("go")};; esac`));
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01");
    await waitForState(manager, "job1", "start");
    await waitForState(manager, "job2", "start");
    run.signal("SIGSTOP");
    const second = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
    assert.match(second.stderr, /process (\d+) on \S+ runs it already, but is suspended; .*: kill -CONT \1$/m);
    assert.equal(second.code, 2);
    const log = () => readText(`${red.home}/experiment/job1/job1.log`);
    await waitUntil("the end of job1", () => log().includes("# cloudmesh state: end"), { limitMs: 30_000 });
    await letGo(red01, "go");
    run.signal("SIGCONT");
    const { code, stderr } = await run.ended();
    assert.equal(code, 0, run.text);
    assert.doesNotMatch(stderr, /CRASH/);
    assert.equal(await countStates(manager), "end:4");
    assertRanOnce(hosts, jobNames(4));
  },
);

/**
 * The manager's file system and accounts: without room for names, without links and rights, of somebody else, with the
 * file of the run removed by hand.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { whyNoHosts } from "../../testing/hosts.ts";
import { must, outcomeOf } from "../../testing/hosts/shell.ts";
import { hostTest, needTest, whyNoPrograms } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { Manager, type Running } from "../../testing/harness.ts";
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

hostTest(
  "a manager's file system without room for further files is told once; with room the run goes on",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const directory = manager.path("");
    await Deno.mkdir(directory, { recursive: true });
    await must(["mount", "-t", "tmpfs", "-o", "size=20m,nr_inodes=20", "tmpfs", directory]);
    await using _mounted = { [Symbol.asyncDispose]: async () => void await outcomeOf(["umount", "-l", directory]) };
    const gates = `case $n in job1) ${waitsFor("go")} ;; job6) ${waitsFor("later")} ;; esac`;
    await makeQueue(manager, "job[1-6]", onceCommand(gates));
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red");
    await waitForState(manager, "job1", "start");
    let made = 0;
    assert.throws(() => {
      for (; made < 100; made++) Deno.writeTextFileSync(`${directory}/filler${made}`, "");
    }, { code: "ENOSPC" });
    await letGo(hosts.host("red"), "go");
    await run.waitFor(/^WARNING: .*a-queue\.yaml: cannot write: no space left on the device/m);
    // Whoever looks sees all of it.
    for (const job of jobNames(5)) await waitForState(manager, job, "end");
    for (let i = 0; i < made; i++) Deno.removeSync(`${directory}/filler${i}`);
    const isWritten = () => /^job5:\n( {2}.*\n)*? {2}status: end$/m.test(readText(manager.path("a-queue.yaml")));
    await waitUntil("the queue file with what happened", isWritten);
    await letGo(hosts.host("red"), "later");
    const { code } = await run.ended();
    assert.equal(code, 0, run.stderr);
    assert.equal(countOf(run, /a-queue\.yaml: cannot write/g), 1, run.stderr);
    assertRanOnce(hosts, jobNames(6));
    assert.doesNotMatch(readText(manager.path("a-queue.yaml")), /status: (run|start|undefined)/);
  },
);

hostTest(
  "a run goes on beside readers that stand still, and keeps what it knows when its files are removed by hand",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const red = hosts.host("red");
    // Those that have ended make the reading of the file last.
    await makeQueue(manager, "old[1-1500]", "true", "--status=end");
    await manager.ok("queue", "add", "a", "--name=job[1-22]", `--command=${onceCommand(waitsFor("go"))}`);
    await manager.ok("queue", "add", "a", "--name=job23", `--command=${onceCommand(waitsFor("never"))}`);
    const words = ["queue", "run", "fifo_multi", "a", `--hosts=${Array(22).fill("pi@red").join()}`];
    const run = manager.start(...words);
    // So many are counted and not named.
    await run.waitFor(/^INFO: Running Jobs: \['job1', .*'job20', ... and 2 more\]$/m);
    const readers = [await stoppedReader(manager), await stoppedReader(manager), await stoppedReader(manager)];
    await manager.ok("queue", "add", "a", "--name=job24", `--command=${onceCommand("true")}`);
    await letGo(red, "go");
    await waitUntil("the jobs that come after", () => runsOf(hosts).get("job24") === 1, { limitMs: 30_000 });
    await waitForState(manager, "job24", "end");
    for (const reader of readers) reader.signal("SIGCONT");
    for (const reader of readers) {
      const { code, stdout, stderr } = await reader.ended();
      assert.equal(code, 0, stderr);
      assert.match(stdout, /\| job23 /);
    }

    await Deno.remove(manager.path(".a-queue.run"));
    await run.waitFor(/^WARNING: \.\/experiment\/\.a-queue\.run was removed; it was made anew$/m);
    const second = await manager.cms(...words);
    assert.equal(second.code, 2, second.stdout + second.stderr);
    await Deno.remove(manager.path(".a-queue.journal"));
    await run.waitFor(/^WARNING: .*a-queue\.journal was removed or damaged; it was written anew, nothing is lost$/m);
    await Deno.remove(manager.path("a-queue.yaml"));
    await run.waitFor(/^WARNING: .*a-queue\.yaml was removed; it is written anew, nothing is lost$/m);
    await waitUntil("the queue file", () => readText(manager.path("a-queue.yaml")).includes("\njob24:\n"), {
      limitMs: 30_000,
    });
    await run.kill9();
    await letGo(red, "never");
    const last = await manager.cms(...words);
    assert.equal(last.code, 0, last.stdout + last.stderr);
    assertRanOnce(hosts, jobNames(24));
    assert.equal(await countStates(manager), "end:1524");
    // Nothing runs any more, so that the file has all of it.
    assert.doesNotMatch(readText(manager.path("a-queue.yaml")), /status: (run|start|undefined)/);
  },
);

/** A `queue list` that stands still in the middle of its reading. */
async function stoppedReader(manager: Manager): Promise<Running> {
  const reads = ({ pid }: Running): boolean => openFiles(pid).some((path) => path.endsWith(".a-queue.journal"));
  for (let i = 0; i < 100; i++) {
    const reader = manager.start("queue", "list", "a");
    for (; reader.isRunning; await new Promise((done) => setTimeout(done, 1))) {
      if (!reads(reader)) continue;
      reader.signal("SIGSTOP");
      if (reads(reader)) return reader;
      reader.signal("SIGCONT");
    }
  }
  throw new Error("No reader was found in the middle of its reading");
}

function openFiles(pid: number): string[] {
  try {
    return Array.from(Deno.readDirSync(`/proc/${pid}/fd`), ({ name }) => Deno.readLinkSync(`/proc/${pid}/fd/${name}`));
  } catch {
    return []; // One of them was closed meanwhile, or all.
  }
}

const whyNoExfat = whyNoMounts ?? whyNoPrograms("mount.exfat-fuse", "mkfs.exfat", "losetup") ?? await whyNoFuse();

needTest(
  "a manager's file system without links and rights (exFAT) has all that a queue needs",
  whyNoExfat,
  async () => {
    await using manager = await Manager.make(null);
    const directory = manager.path("");
    await using _disk = await mountImage(manager, ["mkfs.exfat"], ["mount.exfat-fuse"]);
    await makeQueue(manager, "job[1-6]", "echo hello; exit $((CMS_INDEX == 6))");
    const run = ["queue", "run", "fifo_multi", "a", "--hosts=localhost,localhost"];
    assert.equal((await manager.cms(...run)).code, 1);
    assert.equal(await manager.read("job1/job1.out"), "hello\n");
    const file = manager.path("a-queue.yaml");
    await Deno.writeTextFile(file, readText(file).replaceAll("exit $((CMS_INDEX == 6))", "exit 0"));
    await manager.ok("queue", "reset", "a", "--failed");
    assert.equal((await manager.cms(...run)).code, 0);
    await manager.ok("queue", "check", "a");
    await manager.ok("queue", "delete", "a", "--name=job[1-6]");
    assert.deepEqual(
      Array.from(Deno.readDirSync(directory)).filter(({ name }) => name.startsWith("job")),
      [],
    );
  },
);

needTest(
  "another account may look at a queue, is refused in one line where it would write, and has its own place beside it",
  whyNoMounts,
  async () => {
    await using manager = await Manager.make(null);
    await makeQueue(manager, "job1", "true");
    const home = `${manager.home}/other`;
    await Deno.mkdir(home);
    for (const path of [manager.dir, manager.home, home]) await must(["chmod", "a+rx", path]);
    await must(["chmod", "a+rx", new URL(".", `file://${manager.dir}`).pathname]);
    await must(["chown", "1501", home]);
    const other = (...words: string[]) =>
      manager.spawn(["setpriv", "--reuid=1501", "--regid=1501", "--clear-groups", `${manager.bin}/cms`, ...words], {
        env: { HOME: home, XDG_CACHE_HOME: `${home}/cache` },
      }).ended();
    for (const words of [["list", "a"], ["status", "a"], ["check", "a"], ["show", "a", "job1"]]) {
      const { code, stderr } = await other("queue", ...words);
      assert.equal(code, 0, stderr);
    }
    const before = readText(manager.path("a-queue.yaml"));
    const writes = [["add", "a", "--name=x", "--command=true"], ["delete", "a", "--name=job1"], ["reset", "a"]];
    for (const words of [...writes, ["run", "fifo_multi", "a", "--hosts=localhost"]]) {
      const { code, stderr } = await other("queue", ...words);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^ERROR: \.\/experiment\/a-queue\.yaml: cannot lock: permission denied\n$/);
    }
    assert.equal(readText(manager.path("a-queue.yaml")), before);

    // A queue of their own in the same directory: what the first account has made there is no place for their agent.
    await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=localhost");
    await must(["chmod", "1777", manager.path("")]);
    for (const words of [["create", "b"], ["add", "b", "--name=job1", "--command=id -u"]]) {
      assert.equal((await other("queue", ...words)).code, 0);
    }
    const run = ["run", "fifo_multi", "b", "--hosts=localhost"];
    const refused = await other("queue", ...run, "--timeout=0.01");
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /^WARNING: localhost: cannot make \S+: Permission denied \(\S+\/\.cms belongs to root\)$/m,
    );
    // Where they may, each has a directory of its own for a job of the same name.
    await must(["chmod", "1777", manager.path(".cms")]);
    const ran = await other("queue", ...run);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    const [beside] = Array.from(Deno.readDirSync(manager.path(""))).filter(({ name }) => name.startsWith("job1."));
    assert.equal(await manager.read(`${beside?.name}/job1.out`), "1501\n");
  },
);

/** The manager's experiment directory as a disk of another kind, for as long as it is in use. */
async function mountImage(manager: Manager, make: string[], mount: string[]): Promise<AsyncDisposable> {
  const [image, directory] = [`${manager.home}/image`, manager.path("")];
  await Deno.mkdir(directory, { recursive: true });
  await must(["truncate", "-s", "32M", image]);
  await must([...make, image]);
  const loop = (await must(["losetup", "-f", "--show", image])).trim();
  const release = async (): Promise<void> => {
    await outcomeOf(["umount", "-l", directory]);
    await outcomeOf(["losetup", "-d", loop]);
  };
  try {
    await must([...mount, loop, directory]);
  } catch (error) {
    await release();
    throw error;
  }
  return { [Symbol.asyncDispose]: release };
}

const whyNoExt2 = whyNoMounts ?? whyNoPrograms("mkfs.ext2", "losetup") ?? await whyNoLoops();

needTest(
  "where file times are whole seconds, an edit in the second of the run's own writing counts",
  whyNoExt2,
  async () => {
    await using manager = await Manager.make(null);
    await using _disk = await mountImage(manager, ["mkfs.ext2", "-q", "-I", "128"], ["mount", "-t", "ext2"]);
    await makeQueue(manager, "job[1-2]", "while [ ! -e ../go ]; do sleep 0.05; done; echo old");
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=localhost");
    const [file, journal] = [manager.path("a-queue.yaml"), manager.path(".a-queue.journal")];
    await waitUntil("job1 in the file", () => /^job1:\n( {2}.*\n)*? {2}status: start$/m.test(readText(file)));
    // As an editor that keeps the file, and of the same size.
    await Deno.writeTextFile(file, readText(file).replace(/(^job2:\n(?: {2}.*\n)*?.*; echo )old/m, "$1new"));
    const isTaken = () => {
      const text = readText(file);
      const hash = createHash("sha256").update(text).digest("hex");
      return text.includes("; echo new") && readText(journal).split("\n", 1)[0]!.includes(hash);
    };
    await waitUntil("the journal of the edited file", isTaken, { limitMs: 40_000 });
    await Deno.writeTextFile(manager.path("go"), "");
    assert.equal((await run.ended()).code, 0, run.text);
    assert.deepEqual([await manager.read("job1/job1.out"), await manager.read("job2/job2.out")], ["old\n", "new\n"]);
  },
);

/** Runs a program for which `flock` gives an error of this number; with 0 it seems to work, and does nothing. */
const WITHOUT_LOCKS = `
  my ($errno, @command) = @ARGV;
  my ($seccomp, $prctl, $flock) = @{{ x86_64 => [317, 157, 73], aarch64 => [277, 167, 32] }->{"${Deno.build.arch}"}};
  my @refuse = (0x20, 0, 0, 0, 0x15, 0, 1, $flock, 6, 0, 0, 0x50000 | $errno, 6, 0, 0, 0x7fff0000);
  my $program = pack("Sx6P", 4, pack("SCCL" x 4, @refuse));
  syscall($prctl, 38, 1, 0, 0, 0) == 0 && syscall($seccomp, 1, 0, $program) == 0 or die "seccomp: $!";
  exec @command`;
const ENOSYS = 38;

hostTest(
  "a file system without locks is refused in one line; of two runs that its locks do not keep apart the first leaves",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const without = (errno: number, ...words: string[]) => [
      ...["perl", "-e", WITHOUT_LOCKS, String(errno)],
      ...[`${manager.bin}/cms`, "queue", ...words],
    ];
    await makeQueue(manager, "job[1-2]", onceCommand(waitsFor("go")));
    const run = ["run", "fifo_multi", "a", "--hosts=pi@red"];
    for (const words of [["add", "a", "--name=x", "--command=true"], run]) {
      const { code, stdout, stderr } = await manager.spawn(without(ENOSYS, ...words)).ended();
      assert.deepEqual([code, stdout], [2, ""]);
      assert.equal(stderr, "ERROR: ./experiment/a-queue.yaml: cannot lock: the file system has no locks (flock)\n");
    }
    assert.match((await manager.spawn(without(ENOSYS, "list", "a")).ended()).stdout, /\| job2 /);

    const first = manager.spawn(without(0, ...run));
    await waitForState(manager, "job1", "start");
    const elsewhere = ["unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh"];
    const second = manager.spawn([...elsewhere, ...without(0, ...run)]);
    await first.waitFor(
      /process \d+ on elsewhere runs the queue too: the locks of this file system do not reach from /,
    );
    assert.equal((await first.ended()).code, 1, first.text);
    await letGo(hosts.host("red"), "go");
    assert.equal((await second.ended()).code, 0, second.text);
    assertRanOnce(hosts, jobNames(2));
  },
  whyNoPrograms("perl"),
);

/** Why no image of ext2 can be mounted here; null if one can. */
async function whyNoLoops(): Promise<string | null> {
  const found = await outcomeOf(["sh", "-c", "losetup -f && grep -w ext2 /proc/filesystems"]);
  return found.code === 0 ? null : "no loop devices or no ext2";
}

/** Why no exFAT image can be mounted here; null if one can. */
async function whyNoFuse(): Promise<string | null> {
  const found = await outcomeOf(["sh", "-c", "test -w /dev/fuse && losetup -f"]);
  return found.code === 0 ? null : "no FUSE or no loop devices";
}

/**
 * What a job is on a real host and on localhost, how its end is told, and what becomes of what it leaves running.
 */

import assert from "node:assert/strict";
import type { TestHost } from "../../testing/hosts.ts";
import { hostTest } from "../../testing/need.ts";
import { makeManager, readText } from "../../testing/harness_faults.ts";

/** Sleeps of this length are those of the jobs of this file. */
const LONG = "7011";

/** Signals that are blocked and ignored, and descriptors; the last is that of the list itself. */
const SIGNALS = "grep -E '^Sig(Ign|Blk):' /proc/self/status; ls /proc/self/fd";
const AS_LOGIN = "SigBlk: 0 SigIgn: 0 0 1 2 3";

/** What SIGNALS prints, of signals the first 31: the others are the C library's, or a test host's. */
function plain(text: string): string {
  const numbers = text.replaceAll(/[0-9a-f]{8}([0-9a-f]{8})/g, (_, hex) => String(parseInt(hex, 16) & 0x7fffffff));
  return numbers.trim().split(/\s+/).join(" ");
}

hostTest("a job has the signals of a login, ends as it ended, and loses no line that it writes", async (hosts) => {
  await using manager = await makeManager(hosts);
  const red = hosts.host("red");
  const jobs: Record<string, string> = {
    train: `mkdir -p ~/proj; echo mine >~/proj/train.ended; cd ~/proj; sh -c 'kill -ABRT $$'`,
    signals: SIGNALS,
    lines: "echo 1; echo 2 >>/dev/stdout; sh -c 'echo 3 >>lines.out'; echo 4",
    anew: "echo a >&2; echo b >/dev/stderr; echo c >&2; echo 1; echo 2 >/dev/stdout; nohup sleep 3 & echo 3",
    heredoc: "cat <<X\ntext",
    exits: "exit() { builtin exit 3; }; alias [=false; IFS=0123456789; (builtin exit 5)",
    cut: "kill -KILL $$",
  };
  await manager.ok("queue", "create", "a");
  for (const [name, command] of Object.entries(jobs)) {
    await manager.ok("queue", "add", "a", `--name=${name}`, `--command=${command}`);
  }
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
  const { stderr } = await run.ended();
  const ends = [...(await manager.jobs()).values()].map(({ name, status, exit_code }) => [name, status, exit_code]);
  assert.deepEqual(ends, [
    ["train", "end", 134],
    ["signals", "end", 0],
    ["lines", "end", 0],
    ["anew", "end", 0],
    ["heredoc", "end", 0],
    ["exits", "end", 5],
    ["cut", "crash", 137],
  ], stderr);
  const out = (job: string): string => readText(`${red.home}/experiment/${job}/${job}.out`);
  assert.equal(readText(`${red.home}/proj/train.ended`), "mine\n");
  assert.equal(plain(out("signals")), AS_LOGIN);
  assert.equal(out("lines"), "1\n2\n3\n4\n");
  assert.equal(out("anew"), "1\n2\n3\n");
  assert.equal(readText(`${red.home}/experiment/anew/anew-nohup.log`).replace(/^nohup: .*\n/m, ""), "a\nb\nc\n");
  assert.equal(out("heredoc"), "text\n");
});

hostTest("a job of localhost has them too, whatever the caller of cms has open and ignores", async (hosts) => {
  await using manager = await makeManager(hosts);
  await manager.ok("queue", "create", "a");
  const command = `--command=${SIGNALS}; echo "password$CMS_PASSWORD"`;
  await manager.ok("queue", "add", "a", "--name=job1", command, "--host=localhost", "--user=me");
  const caller =
    "exec 7</dev/null 9</dev/null 200</dev/null; trap '' HUP INT QUIT USR2; export CMS_USER=me CMS_PASSWORD=secret";
  const { code, stderr } = await manager.type(`${caller}; exec cms queue run fifo a --max_parallel=1`);
  assert.equal(code, 0, stderr);
  const out = readText(`${manager.dir}/experiment/job1/job1.out`);
  assert.equal(plain(out), `${AS_LOGIN} password`);
});

hostTest("check names what a job has left running, and reset and delete end it", async (hosts) => {
  await using manager = await makeManager(hosts);
  const red = hosts.host("red");
  const sleeps = async (): Promise<number> =>
    Number((await red.run(`ps -o args= -u pi | grep -cE '^sleep ${LONG}'`, { user: "root" })).stdout);
  await manager.ok("queue", "create", "a");
  for (const job of ["job1", "job2", "job3"]) {
    await manager.ok("queue", "add", "a", `--name=${job}`, `--command=nohup sleep ${LONG} & echo ok`);
  }
  await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
  assert.equal(await sleeps(), 3);
  const pid = (await red.run(`pgrep -u pi -o -f 'sleep ${LONG}'`, { user: "root" })).stdout.trim();
  const { stdout } = await manager.start("queue", "check", "a").ended();
  assert.match(
    stdout,
    new RegExp(`job1 .*pi@red.* has left process ${pid} running.*queue reset a --name=job1`),
    stdout,
  );
  await manager.ok("queue", "reset", "a", "--name=job1");
  assert.equal(await sleeps(), 2);
  await manager.ok("queue", "delete", "a", "--name=job2");
  assert.equal(await sleeps(), 1);
  await manager.ok("queue", "reset", "a", "--name=job3");
  assert.equal(await sleeps(), 0);
});

hostTest(
  "check names what a replaced job has left running, and reset and delete end it",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    const [red, red01] = [hosts.host("red"), hosts.host("red01")];
    const leave = `--command=nohup sleep ${LONG} & echo ok`;
    const sleeps = async (host: TestHost): Promise<string[]> =>
      (await host.run(`pgrep -u pi -x -f 'sleep ${LONG}'`, { user: "root" })).stdout.trim().split("\n").filter(Boolean);
    const add = (job: string, ...words: string[]) => manager.ok("queue", "add", "a", `--name=${job}`, ...words);
    await manager.ok("queue", "create", "a");
    for (const job of ["job1", "job2", "job3"]) await add(job, leave);
    await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
    // job1 runs again in the same directory, job2 on another machine, job3 not at all.
    await add("job1", leave, "--host=red", "--user=pi");
    await add("job2", "--command=echo ok", "--host=red01", "--user=pi");
    await manager.ok("queue", "run", "fifo", "a", "--max_parallel=2");
    await add("job3", "--command=echo ok");
    assert.equal((await sleeps(red)).length, 4);
    const check = manager.start("queue", "check", "a");
    const { stdout, stderr } = await check.ended();
    const found = (stdout + stderr).split("\n").filter((line) => line.includes("has left process"));
    assert.deepEqual(found.map((line) => line.replace(/process.*/, "")).sort(), [
      "INFO: Job job1 on pi@red has left ",
      "INFO: Job job2 on pi@red has left ",
      "WARNING: Job job3 on pi@red has left ",
    ]);
    assert.ok(found.some((line) => line.includes("job1") && /\d+, \d+/.test(line)), found.join("\n"));
    await manager.ok("queue", "reset", "a", "--name=job1");
    assert.equal((await sleeps(red)).length, 2);
    await manager.ok("queue", "delete", "a", "--name=job2");
    assert.equal((await sleeps(red)).length, 1);
    await manager.ok("queue", "reset", "a", "--name=job3");
    assert.deepEqual(await sleeps(red), []);
    for (const host of [red, red01]) {
      assert.equal((await host.run("ls experiment")).stdout, "", `directories are left on ${host.name}`);
    }
    assert.match(await manager.ok("queue", "check", "a"), /All agree\.\n$/);
    assert.equal((await manager.jobs()).get("job1")?.replaced ?? null, null);
  },
);

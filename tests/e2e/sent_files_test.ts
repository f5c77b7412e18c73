/** Files that jobs have sent: when they go from the hosts, and what a cut in the middle of a copy leaves. */
import assert from "node:assert/strict";
import type { TestHost } from "../../testing/hosts.ts";
import { Manager } from "../../testing/harness.ts";
import {
  childrenOf,
  isAlive,
  letGo,
  makeManager,
  QUICK_SSH,
  readText,
  waitForState,
  waitsFor,
} from "../../testing/harness_faults.ts";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";

/** A file that cannot be made smaller. */
async function makeFile(path: string, bytes: number): Promise<void> {
  const data = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(data.subarray(at, at + 65_536));
  await Deno.writeFile(path, data);
}

/** A PATH with what a manager needs, but no rsync. */
async function withoutRsync(manager: Manager): Promise<string> {
  const bin = `${manager.dir}/tools`;
  await Deno.mkdir(bin);
  for (const tool of ["ssh", "tar", "sh", "bash", "env", "dirname", "readlink", "nsenter", "ip"]) {
    const path = (await manager.type(`PATH=/usr/bin:/bin:/usr/sbin:/sbin command -v ${tool}`)).stdout.trim();
    if (path !== "") await Deno.symlink(path, `${bin}/${tool}`);
  }
  return `${manager.bin}:${bin}`;
}

/** The contents that are kept of each queue, by their first bytes. */
async function kept(red: TestHost): Promise<string[]> {
  const script =
    'for f in experiment/.cms/*/red*/sent/o/*; do [ ! -e "$f" ] || { head -c 9 "$f" | tr "\\0" 0; echo; }; done';
  return (await red.run(script)).stdout.split("\n").filter((line) => line !== "").sort();
}

hostTest("what jobs have sent goes with them, but what another one needs or another queue has", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const red = hosts.host("red");
  const file = (name: string, text: string) => Deno.writeTextFile(`${manager.dir}/${name}`, text);
  await Promise.all([file("shared", "shared---"), file("other", "other----"), file("own", "own------")]);
  await file("large", "large----".padEnd(9_000_000, "\0"));
  const add = (queue: string, name: string, ...words: string[]) =>
    manager.ok("queue", "add", queue, `--name=${name}`, "--command=cat other; true", ...words);
  const run = async (queue: string): Promise<string> =>
    (await manager.cms("queue", "run", "fifo_multi", queue, "--hosts=pi@red,pi@red", "--verbose", "--push=own")).stdout;
  for (const queue of ["a", "b"]) await manager.ok("queue", "create", queue);
  await add("a", "job1", "--send=shared", "--send=large");
  await add("a", "job2", "--send=other");
  await add("a", "late", "--send=other", "--hold");
  await add("b", "job1", "--send=shared");
  const said = await run("a");
  assert.match(said, /^INFO: Pushed 1 file \(9 B\) to pi@red by rsync$/m);
  assert.match(said, /^INFO: Sent 1 file \(8\.6 MiB\) to pi@red by rsync$/m);
  assert.match(said, /^INFO: Sent \d files? \(\d+ B\) to pi@red by tar$/m);
  await run("b");
  assert.deepEqual(await kept(red), ["large----", "other----", "shared---", "shared---"]);

  // Beside a run nothing goes that it may count upon.
  await manager.ok("queue", "add", "a", "--name=waits", `--command=${waitsFor("go")}`);
  const beside = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
  await waitForState(manager, "waits", "start");
  await manager.ok("queue", "clean", "a", "job1");
  assert.equal((await kept(red)).length, 4);
  await letGo(red, "go");
  await beside.ended();
  assert.equal((await manager.jobs()).get("waits")?.status, "end", beside.text);

  // The last but one that needs it; what a held job needs stays, and is not sent again.
  await manager.ok("queue", "clean", "a");
  assert.deepEqual(await kept(red), ["other----", "shared---"]);
  await manager.ok("queue", "release", "a", "late");
  assert.doesNotMatch(await run("a"), /Sent/);
  assert.equal((await red.run("cat experiment/late/late.out")).stdout, "other----");
  await manager.ok("queue", "delete", "a", "--name=late");
  assert.deepEqual(await kept(red), ["shared---"]);
  assert.equal((await red.run("ls -d experiment/.cms/*/red*/sent | wc -l")).stdout.trim(), "1");
  await manager.ok("queue", "delete", "b", "--name=job1", "--yes");
  assert.deepEqual(await kept(red), []);
});

/** Pids of the ssh processes, of whatever process below a run, that lead to a host. */
function sshTo(host: TestHost, pid: number): number[] {
  return childrenOf(pid).flatMap((child) => {
    const words = readText(`/proc/${child}/cmdline`).split("\0");
    return [...(words[0]?.endsWith("ssh") && words.includes(host.name) ? [child] : []), ...sshTo(host, child)];
  });
}

hostTest("a copy that is cut in the middle goes on, and leaves no half of a file under its name", async (hosts) => {
  await using manager = await makeManager(hosts, [...QUICK_SSH, "Compression=yes"]);
  const [red, red01, red02] = [hosts.host("red"), hosts.host("red01"), hosts.host("red02")];
  const bytes = 32_000_000;
  await makeFile(`${manager.dir}/big`, bytes);
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=job1", "--send=big", "--command=wc -c <big");
  await manager.ok("cluster", "create", "c");
  for (const host of [red01, red02]) {
    await manager.ok("cluster", "add", "c", `--id=${host.name}`, `--name=${host.name}`, "--user=pi");
    await host.run("mkdir project && echo old >project/big");
  }
  const push = (host: TestHost): string[] => ["cluster", "push", "c", "big", "--to=project", `--id=${host.name}`];
  const tools = await withoutRsync(manager);
  const copies = [
    [red, "experiment/.cms", manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red")],
    [red01, "project", manager.start(...push(red01))],
    [red02, "project", manager.spawn([`${manager.bin}/cms`, ...push(red02)], { env: { PATH: tools } })],
  ] as const;
  const received = async () => Number(/eth0:\s*(\d+)/.exec((await red.run("cat /proc/net/dev")).stdout)?.[1]);
  const before = await received();
  await Promise.all(copies.map(async ([host, path, run]) => {
    const hasCome = async () => (await host.run(`find ${path} -size +${bytes / 2 / 1024}k | grep .`)).code === 0;
    await waitUntil(() => `half of the file on ${host.name}: ${run.text}`, hasCome, { limitMs: 60_000 });
    await host.cut();
    const cut = sshTo(host, run.pid);
    assert.notEqual(cut.length, 0);
    await waitUntil("the cut to be seen", () => !cut.some(isAlive), { limitMs: 30_000 });
    // What came stands beside.
    assert.ok(await hasCome());
    const { stdout } = await host.run("cat project/big experiment/job1/big");
    assert.equal(stdout, host === red ? "" : "old\n");
    await host.mend();
  }));
  const [run, ...pushes] = await Promise.all(copies.map(([, , run]) => run.ended()));
  assert.equal(run!.code, 0, run!.stderr);
  assert.equal((await red.run("cat experiment/job1/job1.out")).stdout.trim(), `${bytes}`);
  assert.ok(await received() - before < 1.4 * bytes, "all of it was sent anew");
  assert.equal((await red.run("ls -A experiment/.cms/*/red*/sent/in")).stdout, "");
  const sum = (await manager.type("sha256sum <big")).stdout;
  for (const [i, host] of [red01, red02].entries()) {
    if (pushes[i]!.code !== 0) assert.match(pushes[i]!.stderr, /^WARNING: Cannot reach /);
    await manager.ok(...push(host));
    assert.equal((await host.run("sha256sum <project/big")).stdout, sum);
  }
});

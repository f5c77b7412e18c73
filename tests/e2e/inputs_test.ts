/**
 * Input files on their way to hosts: where they land, what a copy that breaks off leaves, and files that cannot be
 * copied.
 *
 * @module
 */

import assert from "node:assert/strict";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { Manager, pathWithout } from "../../testing/harness.ts";
import { isAlive, makeManager, makeQueue, sshPids } from "../../testing/harness_faults.ts";

async function input(manager: Manager, job: string, files: Record<string, string>): Promise<void> {
  await Deno.mkdir(manager.path(job), { recursive: true });
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(manager.path(`${job}/${name}`), text);
}

hostTest("input files land where the job runs, wherever the login shell goes first", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const red = hosts.host("red");
  await red.run("mkdir -p scratch/experiment/job1");
  await makeQueue(manager, "job1", "cat data");
  await input(manager, "job1", { data: "here" });
  // As with `cd ~/scratch` in .bashrc.
  const script =
    '#!/bin/bash\nfor word; do words+=("$word"); [ "$word" != red ] || words+=(\'cd ~/scratch;\'); done\n' +
    `exec ${manager.env.CMS_SSH} "\${words[@]}"\n`;
  await Deno.writeTextFile(`${manager.home}/ssh`, script, { mode: 0o755 });
  const run = await manager.type("cms queue run fifo_multi a --hosts=pi@red", {
    env: { CMS_SSH: `${manager.home}/ssh` },
  });
  assert.equal(run.code, 0, run.stdout + run.stderr);
  assert.equal((await red.run("cat experiment/job1/job1.out; ls scratch/experiment/job1")).stdout, "here");

  // So do files that are pushed, by rsync and by tar.
  await manager.ok("cluster", "create", "c");
  await manager.ok("cluster", "add", "c", "--id=h", "--name=red", "--user=pi");
  await Deno.writeTextFile(`${manager.dir}/one`, "one");
  const without = await pathWithout(manager, /^rsync$/);
  for (const [to, path] of [["by-rsync", ""], ["by-tar", `PATH=${manager.bin}:${without} `]] as const) {
    const push = await manager.type(`${path}cms cluster push c one --to=${to} --verbose`, {
      env: { CMS_SSH: `${manager.home}/ssh` },
    });
    assert.equal(push.code, 0, push.stderr);
    assert.match(push.stdout, new RegExp(`${to.replace("-", " ")}\n$`));
    assert.equal((await red.run(`cat ${to}/one`)).stdout, "one", push.stdout);
  }
});

hostTest("a copy of input files that breaks off changes nothing, and is made again", async (hosts) => {
  await using manager = await makeManager(hosts);
  const red = hosts.host("red");
  await makeQueue(manager, "job1", "cat data | wc -c; cat old");
  await input(manager, "job1", { data: "x".repeat(64_000_000), old: "new" });
  await red.run("mkdir -p experiment/job1; echo kept >experiment/job1/data; echo kept >experiment/job1/old");
  // So that the copy is caught in the middle.
  const slow = ["-o", "Compression=yes"];
  const run = manager.spawn([`${manager.bin}/cms`, "queue", "run", "fifo_multi", "a", "--hosts=pi@red"], {
    env: { CMS_SSH: [manager.env.CMS_SSH, ...slow].join(" ") },
  });
  const copying = () => red.run("find experiment -path '*/.cms/*' -size +1000k | grep .");
  await waitUntil("the copy", async () => (await copying()).code === 0, { limitMs: 20_000 });
  const copier = sshPids(run).at(-1)!;
  Deno.kill(copier, "SIGKILL");
  assert.equal((await red.run("cat experiment/job1/data experiment/job1/old")).stdout, "kept\nkept\n");
  const { code, stdout, stderr } = await run.ended();
  assert.equal(code, 0, stdout + stderr);
  assert.equal((await red.run("cat experiment/job1/job1.out")).stdout.trim(), "64000000\nnew");
  await waitUntil("no rest of it", async () => (await copying()).code !== 0);
  assert.ok(!isAlive(copier));

  // A stream that ends between two files looks whole to tar: its last member is missing.
  await input(manager, "job2", { data: "half" });
  await manager.ok("queue", "add", "a", "--name=job2", "--command=cat data");
  const tar = '#!/bin/sh\nfor word; do shift; case $word in .input.*) ;; *) set -- "$@" "$word" ;; esac; done\n' +
    'PATH=/usr/bin:/bin exec tar "$@"\n';
  await Deno.mkdir(`${manager.home}/bin`);
  await Deno.writeTextFile(`${manager.home}/bin/tar`, tar, { mode: 0o755 });
  const cut = await manager.type('PATH="$HOME/bin:$PATH" cms queue run fifo_multi a --hosts=pi@red');
  assert.equal(cut.code, 1, cut.stdout + cut.stderr);
  assert.match(cut.stderr, /job2 .*cannot unpack the input files there: the copy broke off/);
  assert.equal((await red.run("ls experiment/job2/data")).stdout, "");
});

hostTest("input files that cannot be copied fail their own job alone, with the reason", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await makeQueue(manager, "job[1-9]", "cat data");
  for (let i = 1; i < 10; i++) await input(manager, `job${i}`, { data: `data${i}` });
  await manager.type("mknod experiment/job3/device c 1 3");
  // A directory of that name stands there.
  await hosts.host("red").run("mkdir -p experiment/job5/data");
  await Deno.mkdir(`${manager.dir}/elsewhere`);
  await Deno.writeTextFile(`${manager.dir}/elsewhere/data`, "data7");
  await Deno.remove(manager.path("job7"), { recursive: true });
  await Deno.symlink("../elsewhere", manager.path("job7"));
  const run = await manager.cms(
    "queue",
    "run",
    "fifo_multi",
    "a",
    "--hosts=pi@red,pi@red,pi@red,pi@red,pi@red,pi@red,pi@red,pi@red,pi@red",
  );
  assert.equal(run.code, 1);
  const states = await manager.states();
  assert.deepEqual(
    states,
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => `job${i} ${i === 3 || i === 5 ? "fail_start" : "end"}`),
  );
  assert.match(run.stderr, /job3 .*cannot unpack the input files there: .*device: .*not permitted/);
  assert.match(run.stderr, /job5 .*cannot unpack the input files there: .*job5\/data is a directory there/);
  for (const i of [1, 7, 9]) {
    assert.equal((await hosts.host("red").run(`cat experiment/job${i}/job${i}.out`)).stdout, `data${i}`);
  }
  assert.equal((await hosts.host("red").run("ls -A experiment/.cms/*/red | grep '^i'")).stdout, "");
});

hostTest("files that jobs send are where they start, each content once on a machine", async (hosts) => {
  await using manager = await makeManager(hosts);
  const red = hosts.host("red");
  const odd = "a b,{x};$(id) 'ü'\nline\\n";
  const data = `${manager.dir}/data`;
  await Deno.mkdir(`${data}/sub`, { recursive: true });
  await Deno.writeTextFile(`${data}/${odd}`, "odd\n");
  await Deno.writeTextFile(`${data}/sub/say`, "#!/bin/sh\necho said\n", { mode: 0o755 });
  await Deno.symlink(`../${odd}`, `${data}/sub/link`);
  const big = new Uint8Array(20_000_000);
  for (let at = 0; at < big.length; at += 65_536) crypto.getRandomValues(big.subarray(at, at + 65_536));
  await Deno.writeFile(`${manager.dir}/big`, big);
  await Deno.writeFile(`${manager.dir}/equal`, big);
  const add = (...words: string[]) => manager.ok("queue", "add", "a", ...words);
  await manager.ok("queue", "create", "a");
  await add("--name=own{v}", "--param=v=1-3", "--send=data", "--command=cat data/a*; echo {v} | tee data/sub/link");
  await add("--name=kept", "--send=data/./sub/say", `--send=data/${odd}`, "--command=sub/say; cat a*");
  await add("--name=big", "--send=big", "--send=equal", "--command=cmp big equal && wc -c <big; echo x >>big; true");
  await add("--name=project", "--workdir=my project", "--send=equal", "--command=pwd; wc -c <equal");
  await add("--name=input", "--input=data/sub/say", "--command=./say");
  await add("--name=none", "--send=data/none", "--command=true");
  const run = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red,pi@red,pi@red");
  assert.equal(run.code, 1, run.stderr);
  const states = await manager.states();
  assert.deepEqual(states, [
    ..."own1 own2 own3 kept big project input".split(" ").map((job) => `${job} end`),
    "none fail_start",
  ]);
  assert.match(run.stderr, /none .*cannot send files: there is no \S+\/data\/none/);
  const said = async (job: string) => (await red.run(`cat experiment/${job}/${job}.out`)).stdout;
  for (const v of [1, 2, 3]) assert.equal(await said(`own${v}`), `odd\n${v}\n`);
  assert.equal(await said("kept"), "said\nodd\n");
  assert.equal(await said("big"), "20000000\n");
  assert.equal(await said("project"), "/home/pi/my project\n20000000\n");
  assert.equal(await said("input"), "said\n");
  // Nobody has written into what the others have.
  assert.equal(
    (await red.run("cmp experiment/big/big 'my project/equal' && ls experiment/.cms/*/red*/sent/o | wc -l")).stdout,
    "3\n",
  );
  assert.equal((await red.run("ls -A experiment/.cms/*/red* | grep '^s\\.'")).stdout, "");

  // Changed in little; what breaks off goes on; another machine has no room for it; localhost.
  await Deno.writeTextFile(`${data}/sub/say`, "#!/bin/sh\necho other\n");
  big.fill(7, 1_000_000, 1_000_010);
  await Deno.writeFile(`${manager.dir}/big`, big);
  await hosts.host("red01").run(
    "mkdir -p /home/pi/experiment; mount -t tmpfs -o size=12m,uid=$(id -u pi) tmpfs /home/pi/experiment",
    { user: "root" },
  );
  await manager.ok("queue", "reset", "a", "--name=big,input,none");
  await Deno.writeTextFile(`${data}/none`, "now");
  await manager.ok("queue", "create", "b");
  await manager.ok("queue", "add", "b", "--name=full[1-2]", "--send=big", "--command=true");
  await manager.ok("queue", "create", "c");
  await manager.ok(
    "queue",
    "add",
    "c",
    "--name=here",
    "--send=data",
    "--send=big",
    "--command=cat data/none; wc -c <big",
  );
  const [again, full, here] = await Promise.all([
    manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red"),
    manager.cms("queue", "run", "fifo_multi", "b", "--hosts=pi@red01,pi@red01"),
    manager.cms("queue", "run", "fifo_multi", "c", "--hosts=localhost"),
  ]);
  assert.equal(again.code, 0, again.stderr);
  assert.equal(await said("input"), "other\n");
  assert.equal((await red.run("cmp experiment/big/big 'my project/equal'")).code, 1);
  assert.equal(full.code, 1);
  assert.match(full.stderr, /full1 .*cannot send files: .*No space left on device/);
  await manager.ok("queue", "add", "b", "--name=small", "--send=data/none", "--command=cat none");
  await manager.cms("queue", "run", "fifo_multi", "b", "--hosts=pi@red01");
  assert.equal((await hosts.host("red01").run("cat experiment/small/small.out")).stdout, "now");
  await hosts.host("red01").run("umount -l /home/pi/experiment", { user: "root" });
  assert.equal(here.code, 0, here.stderr);
  assert.equal(await Deno.readTextFile(manager.path("here/here.out")), "now20000000\n");
  assert.equal(await Deno.readTextFile(`${data}/none`), "now");
});

/** `cms queue fetch` from real hosts: what comes, what is left there, and that nothing leads outside the target. */
import assert from "node:assert/strict";
import { makeManager, QUICK_SSH } from "../../testing/harness_faults.ts";
import { hostTest } from "../../testing/need.ts";

/** Files of a directory, as `path size`. */
async function filesIn(directory: string, below = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(`${directory}/${below}`)) {
    const path = `${below}${entry.name}`;
    if (entry.isDirectory) found.push(...await filesIn(directory, `${path}/`));
    else found.push(`${path} ${(await Deno.lstat(`${directory}/${path}`)).size}`);
  }
  return found.sort();
}

const WRITE = [
  "mkdir -p out/deep .hidden; echo {v} > out/a.csv; echo deep > out/deep/b.csv; echo 1 > result.csv; echo h > .hidden/x",
  "echo odd > 'a b;$(id)'; echo dash > -n; echo ü > ü; printf 'nl' > 'two\nlines'; printf x > \"$(printf 'b\\377d')\"",
  "head -c 300000 /dev/zero > big; ln -s /etc/passwd link; ln -s / out/root; : > empty; echo said",
].join("; ");

hostTest("queue fetch brings what jobs wrote, only what changed, and nothing outside the target", async (hosts) => {
  await using manager = await makeManager(hosts, QUICK_SSH);
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=j{v}", "--param=v=1-3", `--command=${WRITE}`);
  await manager.ok(
    "queue",
    "add",
    "a",
    "--name=w",
    "--workdir=project",
    "--command=echo w > w.csv; echo out",
    "--fetch=*.csv,none*",
  );
  const hostList = "--hosts=pi@red,pi@red01,pi@red02";
  assert.equal((await manager.cms("queue", "run", "fifo_multi", "a", hostList)).code, 0);

  const dry = await manager.cms("queue", "fetch", "a", "--name=j1", "--to=all", "--dry-run");
  assert.match(dry.stdout, /^j1\/result\.csv\t2 B$/m);
  await assert.rejects(Deno.stat(`${manager.dir}/all`));

  const all = await manager.cms("queue", "fetch", "a", "--name=j[1-3]", "--to=all", "--max=100K");
  assert.equal(all.code, 0, all.stderr);
  assert.match(all.stderr, /^WARNING: Left link of job j1 there: it is a link$/m);
  assert.match(all.stderr, /^WARNING: Left "big" of job j2 there: it has 293 KiB$/m);
  assert.match(all.stderr, /^WARNING: Left "b\ufffdd" of job j1 there: its name cannot be used here$/m);
  const own = (job: string, sizes: string): string[] =>
    [
      "-n 5",
      "a b;$(id) 4",
      "empty 0",
      `${job}-nohup.log 0`,
      `${job}.log ${sizes}`,
      `${job}.out 5`,
      "out/a.csv 2",
      "out/deep/b.csv 5",
      "result.csv 2",
      "ü 3",
    ].map((line) => `${job}/${line}`);
  const plain = (lines: string[]) => lines.map((line) => line.replace(/(\.log) [1-9]\d*$/, "$1 N")).sort();
  assert.deepEqual(
    plain(await filesIn(`${manager.dir}/all`)),
    ["j1", "j2", "j3"].flatMap((job) => own(job, "N")).sort(),
  );
  assert.equal(await Deno.readTextFile(`${manager.dir}/all/j3/out/a.csv`), "3\n");

  // Only what changed; what is newer here stays unless forced.
  const job1 = (await manager.jobs()).get("j1")!;
  const there = `${hosts.host(job1.host!).home}/experiment/j1`;
  await Deno.writeTextFile(`${there}/result.csv`, "changed\n");
  const later = new Date(Date.now() + 5_000);
  await Deno.utime(`${there}/result.csv`, later, later);
  await Deno.writeTextFile(`${manager.dir}/all/j2/result.csv`, "mine!\n");
  const again = await manager.cms("queue", "fetch", "a", "--name=j[1-3]", "--to=all", "--max=100K");
  assert.match(again.stdout, /^INFO: Fetched 1 file \(8 B\) to all; 28 unchanged$/m);
  assert.match(again.stderr, /j2\/result\.csv is newer here \(--force replaces it\)/);
  assert.equal(await Deno.readTextFile(`${manager.dir}/all/j1/result.csv`), "changed\n");
  assert.equal(await Deno.readTextFile(`${manager.dir}/all/j2/result.csv`), "mine!\n");
  await manager.ok("queue", "fetch", "a", "--name=j2", "--to=all", "--max=100K", "--force");
  assert.equal(await Deno.readTextFile(`${manager.dir}/all/j2/result.csv`), "1\n");

  // Other places, and patterns.
  await manager.ok("queue", "fetch", "a", "--name=j[1-2]", "out", "*.csv", "--to=p", "--by=params");
  assert.deepEqual(await filesIn(`${manager.dir}/p`), [
    ...["v=1/out/a.csv 2", "v=1/out/deep/b.csv 5", "v=1/result.csv 8", "v=2/out/a.csv 2", "v=2/out/deep/b.csv 5"],
    "v=2/result.csv 2",
  ]);
  await manager.ok("queue", "fetch", "a", "--name=j[1-2]", "result.csv", "*.out", "--to=f", "--flat");
  assert.deepEqual(await filesIn(`${manager.dir}/f`), ["j1-result.csv 8", "j1.out 5", "j2-result.csv 2", "j2.out 5"]);
  await manager.ok("queue", "fetch", "a", "--name=j1", "result.csv", "--to=h", "--by=host");
  assert.deepEqual(await filesIn(`${manager.dir}/h`), [`pi@${job1.host}/j1/result.csv 8`]);

  // What the job names: its outputs, and patterns of its workdir. What is not there is named.
  const named = await manager.cms("queue", "fetch", "a", "--name=w");
  assert.equal(named.code, 1);
  assert.match(named.stderr, /^WARNING: No file none\* of job w on pi@red\d*$/m);
  assert.deepEqual((await filesIn(manager.path("w"))).map((line) => line.split(" ")[0]), [
    "w-nohup.log",
    "w.csv",
    "w.log",
    "w.out",
  ]);

  // A directory here that leads elsewhere.
  await Deno.mkdir(`${manager.dir}/elsewhere`);
  await Deno.mkdir(`${manager.dir}/trap/j1`, { recursive: true });
  await Deno.symlink(`${manager.dir}/elsewhere`, `${manager.dir}/trap/j1/out`);
  await Deno.symlink(`${manager.dir}/elsewhere/x`, `${manager.dir}/trap/j1/result.csv`);
  const trap = await manager.cms("queue", "fetch", "a", "--name=j1", "out", "result.csv", "--to=trap");
  assert.equal(trap.code, 1);
  assert.match(trap.stderr, /Cannot write j1\/out\/a\.csv: .*trap\/j1\/out leads out of /);
  assert.deepEqual(await filesIn(`${manager.dir}/elsewhere`), []);
  assert.equal((await Deno.lstat(`${manager.dir}/trap/j1/result.csv`)).isFile, true);

  for (const pattern of ["/etc/passwd", "../x", "a/../../b", "~/x"]) {
    const refused = await manager.cms("queue", "fetch", "a", pattern);
    assert.equal(refused.code, 2, pattern);
    assert.match(refused.stderr, /^ERROR: Cannot fetch [^\n]+\n$/);
  }

  // A machine that does not answer keeps nobody else from it.
  const cut = hosts.host(job1.host!);
  await cut.cut();
  const rest = await manager.cms("queue", "fetch", "a", "--name=j[1-3]", "result.csv", "--to=rest");
  assert.equal(rest.code, 1);
  assert.match(rest.stderr, new RegExp(`^WARNING: Cannot reach pi@${job1.host}: `, "m"));
  const left = [...(await manager.jobs()).values()].filter(({ host, name }) => host !== job1.host && name !== "w");
  assert.deepEqual(await filesIn(`${manager.dir}/rest`), left.map(({ name }) => `${name}/result.csv 2`).sort());
  await cut.mend();
});

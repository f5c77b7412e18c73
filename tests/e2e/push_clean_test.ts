/** `cms cluster push` and `cms queue clean` on real hosts. */
import assert from "node:assert/strict";
import { makeManager, QUICK_SSH, readText } from "../../testing/harness_faults.ts";
import { hostTest } from "../../testing/need.ts";

const ODD = "a b;$(id) 'ü'";

hostTest("cluster push sends files once to each machine, by rsync and by tar, and names what fails", async (hosts) => {
  await using manager = await makeManager(hosts, QUICK_SSH);
  await manager.ok("cluster", "create", "c");
  // Two hosts of the cluster are one machine.
  for (const [id, name] of [["h1", "red"], ["h2", "red"], ["h3", "red01"], ["h4", "red02"]] as const) {
    await manager.ok("cluster", "add", "c", `--id=${id}`, `--name=${name}`, "--user=pi");
  }
  await manager.ok("cluster", "deactivate", "c", "--id=h4");
  await Deno.mkdir(`${manager.dir}/data/sub`, { recursive: true });
  await Deno.writeTextFile(`${manager.dir}/data/sub/${ODD}`, "odd");
  await Deno.writeTextFile(`${manager.dir}/data/-n`, "x".repeat(100_000));
  await Deno.chmod(`${manager.dir}/data/-n`, 0o755);
  const push = (...words: string[]) => manager.cms("cluster", "push", "c", ...words);
  const first = await push("data", "--to=my project", "--verbose");
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(first.stdout.trim().split("\n").sort(), [
    "INFO: Pushed 2 files (97.7 KiB) to pi@red by rsync",
    "INFO: Pushed 2 files (97.7 KiB) to pi@red01 by rsync",
  ]);
  for (const host of ["red", "red01"]) {
    const there = `${hosts.host(host).home}/my project/data`;
    assert.equal(readText(`${there}/sub/${ODD}`), "odd");
    assert.equal((await Deno.stat(`${there}/-n`)).mode! & 0o777, 0o755);
  }
  await Deno.writeTextFile(`${manager.dir}/data/sub/${ODD}`, "changed");
  const second = await push("data", "--to=my project", "--id=h1");
  assert.equal(second.stdout, "INFO: Pushed 1 file (7 B) to pi@red\n");
  assert.equal(readText(`${hosts.host("red").home}/my project/data/sub/${ODD}`), "changed");
  await assert.rejects(Deno.stat(`${hosts.host("red02").home}/my project`));
  assert.equal((await push("data/./sub", "--to=kept", "--id=h3")).code, 0);
  assert.equal(readText(`${hosts.host("red01").home}/kept/sub/${ODD}`), "changed");

  // A manager without rsync.
  const words = `cms cluster push c data --to=by-tar --id=h[1-3] --verbose`;
  const bin = `${manager.dir}/tools`;
  await Deno.mkdir(bin);
  for (const tool of ["ssh", "tar", "sh", "bash", "env", "dirname", "readlink", "nsenter", "ip"]) {
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", `command -v ${tool}`],
      env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" },
    }).output();
    const path = new TextDecoder().decode(stdout).trim();
    if (path !== "") await Deno.symlink(path, `${bin}/${tool}`);
  }
  const tar = await manager.type(`PATH=${manager.bin}:${bin}; ${words}`);
  assert.equal(tar.code, 0, tar.stderr);
  assert.match(tar.stdout, /^INFO: Pushed all to pi@red01 by tar$/m);
  assert.equal(readText(`${hosts.host("red01").home}/by-tar/data/sub/${ODD}`), "changed");

  for (const wrong of [["none"], [], ["data/../data/./.."], ["data", "--id=h9"], ["data", "--to=~x"]]) {
    const refused = await push(...wrong);
    assert.equal(refused.code, 2, wrong.join(" "));
    assert.match(refused.stderr, /^ERROR: [^\n]+\n$/);
  }
  // What a machine cannot take is named, and keeps no other from it.
  await Deno.writeTextFile(`${hosts.host("red").home}/taken`, "a file");
  await hosts.host("red01").cut();
  const failed = await push("data", "--to=taken");
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^WARNING: Cannot push to pi@red: [^\n]*taken[^\n]*$/m);
  assert.match(failed.stderr, /^WARNING: Cannot reach pi@red01: /m);
  await hosts.host("red01").mend();
});

hostTest(
  "queue clean removes directories of jobs that ended well, and keeps records and all other directories",
  async (hosts) => {
    await using manager = await makeManager(hosts, QUICK_SSH);
    await manager.ok("queue", "create", "a");
    await Deno.mkdir(`${manager.dir}/data`);
    await Deno.writeTextFile(`${manager.dir}/data/${ODD}`, "hi\n");
    await manager.ok("queue", "add", "a", "--name=good[1-2]", "--command=cat ~/data/a*");
    const write = "mkdir -p out/deep; echo 1 >out/deep/a.csv; echo 2 >'b c.csv'; echo 3 >x; echo 4 >'$(id).txt'";
    await manager.ok("queue", "add", "a", "--name=keep", `--command=${write}`);
    await manager.ok("queue", "add", "a", "--name=bad", "--command=exit 3");
    await manager.ok("queue", "add", "a", "--name=held", "--command=true", "--hold");
    const missing = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red", "--push=none");
    assert.deepEqual([missing.code, missing.stderr], [2, "ERROR: Cannot push none: there is no such file\n"]);
    const run = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red", "--push=data");
    assert.match(run.stderr, /bad/);
    const home = `${hosts.host("red").home}/experiment`;
    const there = async (): Promise<string[]> =>
      (await Array.fromAsync(Deno.readDir(home), ({ name }) => name)).filter((name) => !name.startsWith(".")).sort();
    assert.deepEqual(await there(), ["bad", "good1", "good2", "keep"]);
    assert.equal((await manager.cms("queue", "clean", "a", "--keep=../x")).code, 2);
    await manager.ok("queue", "clean", "a", "keep,good2", "--keep=*.csv,none/");
    const { stdout: left } = await hosts.host("red").run("cd experiment/keep; find . -type f | sort");
    assert.equal(
      left.replaceAll(/^\.\/(?:\.cms|keep\.(?:pid|run.*))\n/gm, ""),
      "./b c.csv\n./keep.log\n./out/deep/a.csv\n",
    );
    assert.deepEqual(await there(), ["bad", "good1", "keep"]);
    await manager.ok("queue", "delete", "a", "keep");
    await manager.ok("queue", "reset", "a", "good2");
    await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
    assert.deepEqual(await there(), ["bad", "good1", "good2"]);
    assert.match(
      await manager.ok("queue", "clean", "a", "--dry-run"),
      /^INFO: Would remove the directories of \['good1', 'good2'\]$/m,
    );
    assert.deepEqual(await there(), ["bad", "good1", "good2"]);
    assert.match(await manager.ok("queue", "clean", "a", "good1"), /^INFO: Removed the directories of \['good1'\]$/m);
    assert.deepEqual(await there(), ["bad", "good2"]);
    await manager.ok("queue", "clean", "a");
    assert.deepEqual(await there(), ["bad"]);
    assert.deepEqual(await manager.states(), ["good1 end", "good2 end", "bad end", "held undefined"]);
    assert.match(await manager.ok("queue", "clean", "a"), /INFO: No directory to remove\.|^$/);
    // They can run again.
    await manager.ok("queue", "reset", "a", "good1");
    await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
    assert.deepEqual(await there(), ["bad", "good1"]);
    assert.equal(readText(`${home}/good1/good1.out`), "hi\n");
  },
);

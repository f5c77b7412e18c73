import assert from "node:assert/strict";
import { realDeps } from "../../src/deps_real.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { Inputs } from "../../src/scheduler/inputs.ts";

async function has(inputs: Inputs, job: string): Promise<boolean> {
  const names = { shell: "/bin/bash", output: "result.txt", log: `${job}.log` };
  return (await inputs.of([{ job: job as JobName, ...names }])).size === 1;
}

Deno.test("Inputs.of() sees a directory that comes, one that goes, and takes no file for one", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const inputs = new Inputs(realDeps(), directory);
    assert.equal(await has(inputs, "job1"), false);
    await Deno.mkdir(`${directory}/job1`);
    const own = [".cms", "job1.log", "job1.run.2", "job1.bash", "result.txt", "job1.limit.a.1", "job1-nohup.log.12"];
    for (const name of [...own, "job1.out.1", "job1.log.3"]) await Deno.writeTextFile(`${directory}/job1/${name}`, "");
    assert.equal(await has(inputs, "job1"), false, "only the program's own files");
    for (const name of ["job1.out.1.csv", "job1.sh", "job1-nohup.log.1234", "job12.out"]) {
      await Deno.writeTextFile(`${directory}/job1/${name}`, "");
      assert.equal(await has(inputs, "job1"), true, name);
      await Deno.remove(`${directory}/job1/${name}`);
    }
    await Deno.writeTextFile(`${directory}/job1/.data`, "");
    assert.equal(await has(inputs, "job1"), true, "made a moment after the directory was read");
    await Deno.writeTextFile(`${directory}/job2`, "");
    assert.equal(await has(inputs, "job2"), false);
    await Deno.remove(`${directory}/job1`, { recursive: true });
    assert.equal(await has(inputs, "job1"), false);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Inputs.of() reads a directory once while it stays as it is", async () => {
  let lists = 0;
  let modifiedMs = 123;
  let nowMs = 10_000;
  const files = {
    ...realDeps().files,
    stamp: () => Promise.resolve({ sizeBytes: 0, modifiedMs, inode: 1, isDirectory: true }),
    list: (path: string) => Promise.resolve(path === "/experiment" ? [`job${++lists}`] : ["data"]),
  };
  const clock = { ...realDeps().clock, now: () => nowMs };
  const inputs = new Inputs({ files, clock }, "/experiment");
  // Seen for the first time: it may change again within the same tick of the file system's clock, whatever that says.
  assert.equal(await has(inputs, "job1"), true);
  assert.equal(await has(inputs, "job2"), true);
  nowMs += 200;
  assert.equal(await has(inputs, "job3"), true);
  assert.equal(await has(inputs, "job4"), false);
  assert.equal(lists, 3);
  modifiedMs = 5_000; // Perhaps it gives whole seconds only.
  assert.equal(await has(inputs, "job4"), true);
  nowMs += 2_000;
  assert.equal(await has(inputs, "job5"), true);
  nowMs += 2_000;
  assert.equal(await has(inputs, "job6"), true);
  assert.equal(await has(inputs, "job7"), false);
});

Deno.test("Inputs.of() asks for each job where the directory is large and changes all the time", async () => {
  let lists = 0;
  const files = {
    ...realDeps().files,
    stamp: (path: string) =>
      Promise.resolve(path === "/e/job7" ? null : { sizeBytes: 0, modifiedMs: 9_999, inode: 1, isDirectory: true }),
    list: (path: string) => {
      if (path !== "/e") return Promise.resolve(["data"]);
      lists++;
      return Promise.resolve(Array.from({ length: 10_000 }, (_, i) => `job${i}`));
    },
  };
  const inputs = new Inputs({ files, clock: { ...realDeps().clock, now: () => 10_000 } }, "/e");
  for (let i = 1; i < 50; i++) assert.equal(await has(inputs, `job${i}`), i !== 7);
  assert.equal(lists, 1);
});

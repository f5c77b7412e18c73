import assert from "node:assert/strict";
import { realDeps } from "../../src/deps_real.ts";
import { Inputs } from "../../src/scheduler/inputs.ts";

Deno.test("Inputs.has() sees a directory that comes, one that goes, and takes no file for one", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const inputs = new Inputs(realDeps(), directory);
    assert.equal(await inputs.has("job1"), false);
    await Deno.mkdir(`${directory}/job1`);
    assert.equal(await inputs.has("job1"), true, "made a moment after the directory was read");
    await Deno.writeTextFile(`${directory}/job2`, "");
    assert.equal(await inputs.has("job2"), false);
    await Deno.remove(`${directory}/job1`);
    assert.equal(await inputs.has("job1"), false);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Inputs.has() reads a directory once while it stays as it is", async () => {
  let lists = 0;
  let modifiedMs = 0;
  const files = {
    ...realDeps().files,
    stamp: () => Promise.resolve({ sizeBytes: 0, modifiedMs, inode: 1, isDirectory: true }),
    list: () => Promise.resolve([`job${++lists}`]),
  };
  const clock = { ...realDeps().clock, now: () => 10_000 };
  const inputs = new Inputs({ files, clock }, "/experiment");
  assert.equal(await inputs.has("job1"), true);
  assert.equal(await inputs.has("job2"), false);
  assert.equal(lists, 1);
  modifiedMs = 9_950; // A moment ago: it may change again within the same tick of the file system's clock.
  assert.equal(await inputs.has("job2"), true);
  assert.equal(await inputs.has("job3"), true);
});

import assert from "node:assert/strict";
import type { Deps } from "../../src/deps.ts";
import { makeHost } from "../../src/cluster/host.ts";
import { StoreError } from "../../src/errors.ts";
import { hostId } from "../../src/names/grammar.ts";
import { changeCluster, createCluster, readCluster } from "../../src/store/cluster_file.ts";
import { listNames } from "../../src/store/queue_file.ts";
import { failingFiles } from "./failing_files.ts";
import { onBothFiles, withFiles } from "./support.ts";

const host = (id: string) => makeHost(hostId(id), { name: "red", user: "pi", gpu: "0,1" });

onBothFiles("createCluster() makes an empty file and leaves one that exists", async ({ deps, ref }) => {
  assert.equal(await createCluster(deps, ref), true);
  await changeCluster(deps, ref, () => new Map([[hostId("h"), host("h")]]));
  assert.equal(await createCluster(deps, ref), false);
  assert.deepEqual([...await readCluster(deps, ref)], [["h", host("h")]]);
  assert.deepEqual(await listNames(deps, ref.directory, "cluster"), ["a"]);
});

onBothFiles("readCluster() and changeCluster() of none say so and make no file", async ({ deps, ref }) => {
  await deps.files.makeDirectory(ref.directory);
  const gone = { code: "not_found", message: "Cluster: ./experiment/a-cluster.yaml does not exist" };
  await assert.rejects(readCluster(deps, ref), gone);
  await assert.rejects(changeCluster(deps, ref, (hosts) => hosts), gone);
  assert.deepEqual(await deps.files.list(ref.directory), []);
});

onBothFiles("changeCluster() loses no change of many at once", async ({ deps, ref }) => {
  await createCluster(deps, ref);
  const ids = Array.from({ length: 20 }, (_, i) => `h${i}`);
  await Promise.all(ids.map((id) => changeCluster(deps, ref, (hosts) => new Map([...hosts, [hostId(id), host(id)]]))));
  assert.deepEqual(new Set((await readCluster(deps, ref)).keys()), new Set(ids));
});

onBothFiles(
  "changeCluster() writes nothing when the change fails or the file is damaged",
  async ({ deps, ref, edit }) => {
    await createCluster(deps, ref);
    const file = `${ref.directory}/a-cluster.yaml`;
    await assert.rejects(
      changeCluster(deps, ref, () => {
        throw new RangeError("no");
      }),
      RangeError,
    );
    assert.equal(await deps.files.readText(file), "{}\n");
    await edit(file, "");
    await assert.rejects(changeCluster(deps, ref, (hosts) => hosts), (error) => {
      assert(error instanceof StoreError);
      assert.equal(error.message, "./experiment/a-cluster.yaml: is empty; write {} for an empty cluster");
      return true;
    });
    assert.equal(await deps.files.readText(file), "");
  },
);

/** Deps with which a person saves in the middle of each writing of a file. */
function whileSaving(deps: Deps, save: () => Promise<void>): Deps {
  const files = failingFiles(deps.files, { at: 0, moment: "before", code: null });
  return withFiles(deps, {
    ...files,
    // At the end of the writing, right before the rename.
    replace: (path, content, mayReplace) =>
      files.replace(path, content, async () => {
        await save();
        return await mayReplace?.() ?? true;
      }),
  });
}

onBothFiles("changeCluster() keeps what a person saves while it writes", async ({ deps, ref, edit }) => {
  await createCluster(deps, ref);
  await changeCluster(deps, ref, () => new Map([[hostId("h1"), host("h1")], [hostId("h2"), host("h2")]]));
  const file = `${ref.directory}/a-cluster.yaml`;
  const mine = (await deps.files.readText(file) ?? "").replace("gpu: 0,1", "gpu: 7");
  assert.match(mine, /gpu: 7/);
  let saves = 0;
  const saving = whileSaving(deps, async () => {
    if (saves++ === 0) await edit(file, mine);
  });
  await changeCluster(saving, ref, (hosts) => new Map([...hosts, [hostId("h3"), host("h3")]]));
  const hosts = await readCluster(deps, ref);
  assert.deepEqual([...hosts].map(([id, { gpu }]) => `${id} ${gpu}`), ["h1 7", "h2 0,1", "h3 0,1"]);
});

onBothFiles(
  "changeCluster() gives up where a person saves all the time, and leaves that",
  async ({ deps, ref, edit }) => {
    await createCluster(deps, ref);
    const file = `${ref.directory}/a-cluster.yaml`;
    let saved = "";
    const saving = whileSaving(deps, () => edit(file, saved = `#${saved || "\n{}\n"}`));
    await assert.rejects(changeCluster(saving, ref, () => new Map([[hostId("h"), host("h")]])), {
      code: "conflict",
      message: "Cannot change ./experiment/a-cluster.yaml: somebody else saves it all the time",
    });
    assert.equal(await deps.files.readText(file), saved);
    assert.deepEqual((await deps.files.list(ref.directory))?.filter((name) => name.endsWith(".tmp")), []);
  },
);

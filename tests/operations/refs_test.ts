import assert from "node:assert/strict";
import { InvalidError } from "../../src/errors.ts";
import { clusterRef, queueRef } from "../../src/operations/refs.ts";
import { withPlace } from "../cli/harness.ts";

Deno.test("queueRef() and clusterRef() have the document's defaults and take a file's ending off", async () => {
  await withPlace(({ deps, directory }) => {
    const place = { experiment: "experiment", directory: `${directory}/experiment` };
    assert.deepEqual(queueRef(deps, {}), { ...place, name: "default" });
    assert.deepEqual(queueRef(deps, { queue: "a-queue.yaml" }), { ...place, name: "a" });
    assert.deepEqual(clusterRef(deps, { cluster: "a-cluster.yaml" }), { ...place, name: "a" });
    assert.deepEqual(clusterRef(deps, { cluster: "a-queue.yaml" }), { ...place, name: "a-queue.yaml" });
    return Promise.resolve();
  });
});

Deno.test("queueRef() makes the experiment plain and its directory absolute", async () => {
  await withPlace(({ deps, directory }) => {
    const at = (experiment: string) => queueRef(deps, { experiment });
    assert.equal(at("./runs/").directory, `${directory}/runs`);
    assert.equal(at("./runs/").experiment, "runs");
    assert.equal(at("/srv/runs/").directory, "/srv/runs");
    assert.equal(at(".").directory, directory);
    assert.throws(() => at("../x"), InvalidError);
    assert.throws(() => queueRef(deps, { queue: "a/b" }), InvalidError);
    return Promise.resolve();
  });
});

/** A disk that refuses: what was done is told as done, what was not in the words of every operation. */
import assert from "node:assert/strict";
import { withService } from "../../testing/service/service.ts";

function failure(code: string): Error {
  return Object.assign(new Error("no"), { code });
}

Deno.test("a change that stands in the journal is a success with a warning when the queue file cannot be written", async () => {
  let full = false;
  await withService(async ({ json, ask, warnings }) => {
    await json("POST /queue/?name=a");
    full = true;
    const words = /^The queue file could not be written, its journal is complete: .*: no space left on the device$/;
    const added = await json("POST /queue/a?name=job[1-2]&command=true");
    assert.deepEqual(added.added, ["job1", "job2"]);
    assert.match(added.warnings[0], words);
    const many = await json("POST /queue/a/jobs", { json: { jobs: [{ name: "job3", command: "true" }] } });
    assert.match(many.warnings[0], words);
    const patched = await ask("PATCH /queue/a/job/job3", { json: { gpu: "1" } });
    assert.equal(patched.status, 200);
    const deleted = await json("DELETE /queue/a/job/job1");
    assert.deepEqual(deleted.deleted, ["job1"]);
    assert.match(deleted.warnings[0], words);
    assert.equal((await json("PUT /queue/a/refresh")).changes.length, 0);
    assert.deepEqual(Object.keys(await json("GET /queue/a")), ["job2", "job3"]);
    assert.equal(warnings.filter((line) => words.test(line)).length, warnings.length);
  }, ({ deps }) => {
    const { files } = deps;
    const replace: typeof files.replace = (path, ...rest) =>
      full && path.endsWith("-queue.yaml") ? Promise.reject(failure("ENOSPC")) : files.replace(path, ...rest);
    return { deps: { ...deps, files: { ...files, replace } } };
  });
});

Deno.test("a run that cannot write beside its queue, and a queue that cannot be made, say why", async () => {
  await withService(async ({ json, ask }) => {
    await json("POST /queue/?name=a");
    await json("POST /queue/a?name=j&command=true&user=pi&host=localhost");
    for (
      const [line, why] of [
        ["PUT /queue/a/run_fifo?max_parallel=1", "./experiment/a-queue.yaml: cannot run: the file system is read-only"],
        ["POST /queue/?name=b&experiment=full", "full: cannot make the directory: no space left on the device"],
        ["POST /cluster/?name=b&experiment=full", "full: cannot make the directory: no space left on the device"],
      ] as const
    ) {
      const reply = await ask(line);
      assert.deepEqual([reply.status, await reply.json()], [500, { detail: why }]);
    }
  }, ({ deps }) => {
    const { files } = deps;
    const openAppend: typeof files.openAppend = (path, options) =>
      path.endsWith(".log") ? Promise.reject(failure("EROFS")) : files.openAppend(path, options);
    const makeDirectory: typeof files.makeDirectory = (path) =>
      path.endsWith("/full") ? Promise.reject(failure("ENOSPC")) : files.makeDirectory(path);
    const environment = { ...deps.environment, self: ["false"] };
    return { deps: { ...deps, environment, files: { ...files, openAppend, makeDirectory } } };
  });
});

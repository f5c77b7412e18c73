/** A disk that refuses: what was done is told as done, what was not in the words of every operation. */
import assert from "node:assert/strict";
import { needTest, whyNoMounts } from "../../testing/need.ts";
import { withExecutable } from "../../testing/service/executable.ts";
import { withService } from "../../testing/service/service.ts";

/** A small disk, and one that is read only, below the directory of the service. */
const JOB = "job1: {name: job1, id: a1, status: end, command: x, user: me, host: localhost, attempt: 1}";
const MOUNT = `exec unshare -m sh -c 'mkdir full ro && mount -t tmpfs -o size=400k none full && echo "${JOB}" > ` +
  `ro/a-queue.yaml && mount --bind ro ro && mount -o remount,bind,ro ro && exec "$@"' sh "$@"`;

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

needTest(
  "on a disk that is full, and one that may be read only, the executable does what it can and says why not",
  await whyNoMounts(),
  async () => {
    await withExecutable(async ({ ask, pid, directory }) => {
      const here = async (command: string) => {
        const args = ["-t", String(pid), "-m", "sh", "-c", `cd '${directory}/full' && ${command}`];
        assert.ok((await new Deno.Command("nsenter", { args, stderr: "null" }).output()).success, command);
      };
      const answer = async (line: string, experiment = "full"): Promise<string> => {
        const reply = await ask(`${line}${line.includes("?") ? "&" : "?"}experiment=${experiment}`);
        return `${reply.status} ${await reply.text()}`;
      };
      const refused = async (line: string, why: string, experiment?: string) =>
        assert.equal(await answer(line, experiment), `500 ${JSON.stringify({ detail: why })}`);
      assert.match(await answer("POST /queue/?name=a"), /^200 /);
      assert.match(await answer("POST /queue/a?name=job[1-3]&command=true&user=me&host=localhost"), /^200 /);
      // The journal still has room.
      await here("head -c 360000 /dev/zero > fill");
      const command = "x".repeat(100);
      const headers = { accept: "application/json" };
      const added = await ask(`POST /queue/a?name=more[1-60]&command=${command}&experiment=full`, { headers });
      const { warnings } = await added.json();
      assert.equal(added.status, 200);
      assert.match(warnings[0], /The queue file could not be written, its journal is complete: .*no space left/);
      await here("cat /dev/zero > fill || true");
      await refused("POST /queue/?name=b", "full/b-queue.yaml: cannot write: no space left on the device");
      await refused(
        "PUT /queue/a/run_fifo?max_parallel=1",
        "full/a-queue.yaml: cannot run: no space left on the device",
      );
      const readOnly = async (line: string, what: string) =>
        await refused(line, `ro/a-queue.yaml: cannot ${what}: the file system is read-only`, "ro");
      await readOnly("PUT /queue/a/run_fifo?max_parallel=1", "run");
      for (const line of ["PUT /queue/a/reset?name=job1", "PUT /queue/a/hold", "DELETE /queue/a"]) {
        await readOnly(line, "lock");
      }
      assert.match(await answer("GET /queue/a/job/more60"), /^200 /);
    }, { before: MOUNT });
  },
);

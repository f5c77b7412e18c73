/**
 * Queue and cluster files that somebody broke: each command takes them, or says in one line what is wrong, and changes
 * nothing.
 */
import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { type Outcome, withPlace } from "../cli/harness.ts";
import { treeOf } from "../../testing/tree.ts";
import { assertAll, mutatedBytes } from "./support.ts";

/** Hosts that cannot be reached, at once. */
const NO_SSH = { CMS_SSH: "false" };
const ORIGINAL = new URL("../fixtures/original/", import.meta.url);

/** No hang (it is here), no stack trace, nothing unprintable; if it is refused, one line that names the file. */
function assertPolite({ out, err, status }: Outcome, file: string): void {
  assert.ok([0, 1, 2].includes(status), `status ${status}`);
  assert.doesNotMatch(out + err, /Fault in the program|^ {4}at /m);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(err, /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]/);
  for (const line of err.split("\n").slice(0, -1)) assert.match(line, /^(ERROR|WARNING): ./);
  if (status !== 2) return;
  assert.equal(out, "");
  assert.match(err, new RegExp(`^ERROR: \\./experiment/${file}(:\\d+)?: .+\\n$`));
}

Deno.test("a broken queue file is refused in one line that names it, or read; what is refused is not changed", async () => {
  await withPlace(async ({ run, ok, directory }) => {
    await ok("queue", "create", "b");
    await ok(
      "queue",
      "add",
      "b",
      "--name=job[1-3]",
      "--command=echo 'a: b' # c\nx",
      "--user=pi",
      "--host=red",
      "--gpu=0",
    );
    await ok("queue", "add", "b", "--name=other", "--command=true", "--status=end");
    const texts = await Promise.all(
      [new URL("jobs-queue.yaml", ORIGINAL), `${directory}/experiment/b-queue.yaml`].map((path) =>
        Deno.readTextFile(path)
      ),
    );
    const path = `${directory}/experiment/a-queue.yaml`;
    await assertAll(
      fc.asyncProperty(mutatedBytes(fc.constantFrom(...texts)), async ({ bytes }) => {
        await Deno.remove(`${directory}/experiment/.a-queue.journal`).catch(() => {});
        await Deno.writeFile(path, bytes);
        await run("queue", "list", "a"); // The lock file, if there is none yet.
        const before = await treeOf(directory);
        const list = await run("queue", "list", "a", "--output=json");
        assertPolite(list, "a-queue\\.yaml");
        const check = await run("queue", "check", "a");
        assertPolite(check, "a-queue\\.yaml");
        assert.deepEqual(await treeOf(directory), before, "reading changes nothing");
        const add = await run("queue", "add", "a", "--name=added", "--command=true");
        assertPolite(add, "a-queue\\.yaml");
        if (list.status !== 0) {
          assert.deepEqual([add.status, check.status], [2, 1]);
          assert.deepEqual(await treeOf(directory), before, "what is refused changes nothing");
          return;
        }
        // What was read is written back with the same meaning, and the new job with it.
        assert.equal(add.status, 0, add.err);
        const [old, now] = [list, await run("queue", "list", "a", "--output=json")].map(({ out }) => JSON.parse(out));
        const plain = (jobs: Record<string, unknown>[]) =>
          jobs.filter(({ name }) => name !== "added").map(({ id: _, ...fields }) => fields);
        assert.deepEqual(plain(now), plain(old));
        assert.ok(now.some(({ name }: { name: string }) => name === "added"));
      }),
    );
  }, NO_SSH);
});

Deno.test("a broken cluster file is refused in one line that names it, or read; what is refused is not changed", async () => {
  await withPlace(async ({ run, ok, directory }) => {
    await ok("cluster", "create", "b");
    await ok("cluster", "add", "b", "--id=h[1-3]", "--name=red", "--user=pi", "--ip=10.0.0.7", "--gpu=0,1");
    const texts = await Promise.all(
      [new URL("hosts-cluster.yaml", ORIGINAL), `${directory}/experiment/b-cluster.yaml`].map((path) =>
        Deno.readTextFile(path)
      ),
    );
    await ok("queue", "create", "a");
    const path = `${directory}/experiment/a-cluster.yaml`;
    await assertAll(
      fc.asyncProperty(mutatedBytes(fc.constantFrom(...texts)), async ({ bytes }) => {
        await Deno.writeFile(path, bytes);
        await run("cluster", "delete", "a", "--id=nosuch"); // The lock file, if there is none yet.
        await Deno.writeFile(path, bytes);
        const before = await treeOf(directory);
        const list = await run("cluster", "list", "a", "--output=json");
        assertPolite(list, "a-cluster\\.yaml");
        assert.deepEqual(await treeOf(directory), before, "reading changes nothing");
        const add = await run("cluster", "add", "a", "--id=added", "--name=red", "--user=pi");
        assertPolite(add, "a-cluster\\.yaml");
        if (list.status !== 0) {
          assert.equal(add.status, 2);
          assertPolite(await run("queue", "run", "fifo_multi", "a", "--hostfile=a"), "a-cluster\\.yaml");
          assert.deepEqual(await treeOf(directory), before, "what is refused changes nothing");
          return;
        }
        assert.equal(add.status, 0, add.err);
        const [old, now] = [JSON.parse(list.out), JSON.parse(await ok("cluster", "list", "a", "--output=json"))];
        assert.deepEqual(
          now.filter(({ id }: { id: string }) => id !== "added"),
          old.filter(({ id }: { id: string }) => id !== "added"),
        );
      }),
    );
  }, NO_SSH);
});

/** A queue of hundreds of MB: what would become too large to be read is refused before it is written. */
import assert from "node:assert/strict";
import { Manager } from "../../testing/harness.ts";
import { hostTest } from "../../testing/need.ts";

/** As long as a command may be, and a little less than an argument of a program may be. */
const COMMAND_BYTES = 99_000;
/** As many as one request may bring. */
const AT_ONCE = 1_300;
/** Each command reads or writes all of it. */
const LIMIT_MS = 600_000;

hostTest(
  "5,200 commands of 99 kB are refused before they are written; 3,900 are read, and a job beside them is run",
  async (hosts) => {
    await using manager = await Manager.make(hosts);
    const cms = (...args: string[]) => manager.spawn([`${manager.bin}/cms`, ...args], { limitMs: LIMIT_MS }).ended();
    await manager.ok("queue", "create", "a");
    const command = `--command=${"x".repeat(COMMAND_BYTES)}`;
    const add = (name: string) =>
      cms("queue", "add", "a", `--name=${name}[1-${AT_ONCE}]`, command, "--status=end", "--yes");
    for (const name of ["x", "y", "z"]) assert.equal((await add(name)).code, 0, name);
    const yaml = manager.path("a-queue.yaml");
    const before = Deno.statSync(yaml);
    assert.ok(before.size > 3 * AT_ONCE * COMMAND_BYTES);
    const refused = await add("more");
    assert.deepEqual([refused.code, refused.stdout, refused.stderr], [
      2,
      "",
      "ERROR: ./experiment/a-queue.yaml: the queue would become larger than 500 MB, the most that can be read: use several queues\n",
    ]);
    const after = Deno.statSync(yaml);
    assert.deepEqual([after.ino, after.size, after.mtime], [before.ino, before.size, before.mtime]);
    assert.ok(Deno.statSync(manager.path(".a-queue.journal")).size < 10_000);

    for (
      const words of [["add", "a", "--name=small", "--command=echo here"], ["run", "fifo_multi", "a", "--hosts=pi@red"]]
    ) {
      const { code, stderr } = await cms("queue", ...words);
      assert.equal(code, 0, stderr);
    }
    assert.equal(await Deno.readTextFile(`${hosts.host("red").home}/experiment/small/small.out`), "here\n");
    const { stdout } = await cms("queue", "list", "a", "--name=x1,small", "--output=json");
    const left = JSON.parse(stdout) as { name: string; status: string }[];
    assert.deepEqual(left.map(({ name, status }) => `${name} ${status}`), ["x1 end", "small end"]);
  },
);

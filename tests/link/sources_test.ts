/** What is sent, and when a file counts as known without being read again. */
import assert from "node:assert/strict";
import { realDeps } from "../../src/deps_real.ts";
import type { Deps, FileStamp } from "../../src/deps.ts";
import { Sources } from "../../src/link/sources.ts";

for (const aheadMs of [0, 10_000, -3_600_000]) {
  Deno.test(`a file that changes in the same second is sent as it is, with a file system's clock ${aheadMs} ms ahead`, async () => {
    const directory = await Deno.makeTempDir();
    try {
      const { files, clock } = realDeps();
      let reads = 0;
      let passedMs = 0;
      const coarse = (stamp: FileStamp | null) =>
        stamp && { ...stamp, modifiedMs: Math.floor(stamp.modifiedMs / 1000) * 1000 + aheadMs };
      const deps: Pick<Deps, "files" | "clock"> = {
        files: {
          ...files,
          stamp: async (path) => coarse(await files.stamp(path)),
          pieces: (path, from) => (reads++, files.pieces(path, from)),
        },
        clock: { ...clock, now: () => clock.now() + passedMs, epochMs: () => clock.epochMs() + passedMs },
      };
      const sources = new Sources(deps);
      const path = `${directory}/data`;
      const second = Math.floor(Date.now() / 1000);
      const save = async (text: string) => {
        await Deno.writeTextFile(path, text);
        await Deno.utime(path, second, second);
      };
      await save("one");
      const { key } = await sources.tree(path);
      await save("two");
      const other = await sources.tree(path);
      assert.notEqual(other.key, key);
      passedMs += 3_000;
      await sources.tree(path);
      assert.equal(reads, 3);
      assert.equal((await sources.tree(path)).key, other.key);
      assert.equal(reads, 3, "it is known by now");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

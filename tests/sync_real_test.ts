import assert from "node:assert/strict";
import { SmallSyncs } from "../src/sync_real.ts";

/** Syncs once for each time, which it takes in place, ms. @returns "i" for each that was in place, "t" by thread. */
async function ways(times: readonly number[]): Promise<string> {
  let nowMs = 0;
  let way = "";
  const syncs = new SmallSyncs(() => nowMs);
  for (const ms of times) {
    await syncs.sync({
      syncDataSync() {
        nowMs += ms;
        way += "i";
      },
      // deno-lint-ignore require-await
      async syncData() {
        way += "t";
      },
    });
  }
  return way;
}

const times = (ms: number, count: number) => Array<number>(count).fill(ms);

Deno.test("a disk that is slow now and then is written in place", async () => {
  assert.equal(await ways([1, 40, 1, 1, 9, 1, 300, 1]), "i".repeat(8));
});

Deno.test("a slow disk is left to a thread, tried again, and then for longer", async () => {
  assert.equal(await ways(times(9, 70)), "ii" + "t".repeat(20) + "i" + "t".repeat(40) + "i" + "t".repeat(6));
  assert.match(await ways(times(9, 5_000)), /it{640}it{640}i/);
});

Deno.test("a disk that has become quick is written in place again, and forgiven one slow sync", async () => {
  assert.equal(await ways([9, 9, ...times(9, 20), 1, 9, 1, 9, 9, 9]), "ii" + "t".repeat(20) + "i".repeat(5) + "t");
});

import assert from "node:assert/strict";
import { sharedWork } from "../../src/service/shared_work.ts";

Deno.test("sharedWork() works once for all who ask before it begins, and never twice at a time", async () => {
  const ends: ((value: string | null) => void)[] = [];
  const ask = sharedWork(async (key) => {
    if (key === "b") return key;
    const { promise, resolve } = Promise.withResolvers<string | null>();
    ends.push(resolve);
    const value = await promise;
    if (value === null) throw new Error("no");
    return value;
  });
  const first = ask("a");
  assert.equal(await ask("b"), "b");
  const others = [ask("a"), ask("a")];
  assert.equal(ends.length, 1);
  ends[0]!(null);
  await assert.rejects(first, /no/);
  assert.equal(ends.length, 2);
  const late = ask("a");
  ends[1]!("two");
  assert.deepEqual(await Promise.all(others), ["two", "two"]);
  assert.equal(ends.length, 3);
  ends[2]!("three");
  assert.equal(await late, "three");
  const again = ask("a");
  ends[3]!("four");
  assert.equal(await again, "four");
});

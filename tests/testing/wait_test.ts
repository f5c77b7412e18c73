import assert from "node:assert/strict";
import { waitUntil } from "../../testing/wait.ts";

Deno.test("waitUntil() returns what the condition gives once it is truthy", async () => {
  let looks = 0;
  const value = await waitUntil("the third look", () => ++looks >= 3 ? `look ${looks}` : null);
  assert.equal(value, "look 3");
});

Deno.test("waitUntil() throws at the limit with the description and the last state", async () => {
  await assert.rejects(
    waitUntil(() => "the end of a job that is start", () => Promise.resolve(0), { limitMs: 30 }),
    /Waited 30 ms in vain for the end of a job that is start: the condition last gave 0/,
  );
});

Deno.test("waitUntil() takes an error of the condition as not yet", async () => {
  let looks = 0;
  await waitUntil("a look without an error", () => {
    if (++looks < 2) throw new Error("too early");
    return true;
  });
  assert.equal(looks, 2);
  await assert.rejects(
    waitUntil("a miracle", () => {
      throw new RangeError("never");
    }, { limitMs: 20 }),
    /for a miracle: the condition last gave RangeError: never/,
  );
});

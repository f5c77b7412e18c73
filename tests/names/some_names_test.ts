import assert from "node:assert/strict";
import { someNames } from "../../src/names/some_names.ts";

Deno.test("someNames() names five, and says how many more there are", () => {
  const names = ["a", "b", "c", "d", "e", "f", "g"];
  assert.equal(someNames(names.slice(0, 1)), "a");
  assert.equal(someNames(names.slice(0, 5)), "a, b, c, d, e");
  assert.equal(someNames(names), "a, b, c, d, e and 2 more");
});

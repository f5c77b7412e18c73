import assert from "node:assert/strict";
import { Places } from "../../src/scheduler/places.ts";

Deno.test("a place belongs to the first whose link leads there, until that leads elsewhere or nowhere", () => {
  const places = new Places();
  assert.equal(places.enter("here", "a"), "a");
  assert.equal(places.enter("here", "b"), "a");
  assert.equal(places.enter("here", "a"), "a");
  assert.equal(places.enter("there", "a"), "a");
  assert.equal(places.enter("here", "b"), "b");
  // Who is turned away is nowhere any more.
  assert.equal(places.enter("there", "b"), "a");
  assert.equal(places.enter("here", "c"), "c");
  places.leave("a");
  assert.equal(places.enter("there", "c"), "c");
});

/** The page of the dashboard is what its sources make, has the right types, and weighs little. */
import assert from "node:assert/strict";
import { staleParts } from "../../scripts/dashboard.ts";

Deno.test("the page is what its sources make, fits the service's operations, and weighs less than 60 kB", async () => {
  assert.deepEqual(await staleParts(), []);
});

import assert from "node:assert/strict";
import { fuzzService } from "../../testing/service/fuzzing.ts";

Deno.test("200 requests made from the document, with sizes at every bound, find no fault of the executable", async () => {
  const { statuses, faults } = await fuzzService({ count: 200, seed: 20261 });
  assert.deepEqual(faults, []);
  assert.ok((statuses.get(200) ?? 0) > 20 && (statuses.get(422) ?? 0) > 20, [...statuses].join());
});

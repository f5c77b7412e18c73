import assert from "node:assert/strict";
import { makeJob } from "../../src/job/job.ts";
import { jobName } from "../../src/names/grammar.ts";
import { changedFields, type JobPatch } from "../../src/operations/changed_fields.ts";
import { Problems } from "../../src/operations/check.ts";

Deno.test("changedFields() keeps where a job ran when it gets another host or user, and only then", () => {
  const made = makeJob(jobName("x"), { command: "true", host: "red", user: "pi" }, { id: "a", experiment: "e" });
  const replaced = (job: typeof made, patch: JobPatch) => changedFields(job, patch, new Problems()).replaced;
  const ran = { ...made, attempt: 2, status: "end" } as const;
  const there = [{ id: "a", attempt: 2, host: "red", user: "pi" }];
  assert.deepEqual(replaced(ran, { host: "red01" }), there);
  assert.deepEqual(replaced(ran, { user: "me" }), there);
  assert.equal(replaced(ran, { host: "red", command: "hostname" }), undefined);
  assert.equal(replaced(made, { host: "red01" }), undefined);
});

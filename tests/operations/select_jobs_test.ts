import assert from "node:assert/strict";
import { InvalidError } from "../../src/errors.ts";
import { makeJob } from "../../src/job/job.ts";
import { jobName } from "../../src/names/grammar.ts";
import {
  ALL_JOBS,
  isByProperty,
  readSelection,
  type SelectionWords,
  selectJobs,
} from "../../src/operations/select_jobs.ts";

const jobs = new Map(["a1", "a2", "a3"].map((name, i) => {
  const made = makeJob(jobName(name), { command: "true" }, { id: name, experiment: "e" });
  return [made.name, { ...made, status: (["end", "crash", "ready"] as const)[i]!, exit_code: i === 0 ? 0 : null }];
}));

function chosen(words: SelectionWords): string[] {
  return selectJobs(jobs, readSelection(words)).chosen.map(({ name }) => name);
}

Deno.test("selectJobs() takes jobs for which all that is given holds, in file order", () => {
  assert.deepEqual(chosen({}), ["a1", "a2", "a3"]);
  assert.deepEqual(chosen({ name: "a3,a1" }), ["a1", "a3"]);
  assert.deepEqual(chosen({ status: "end,ready" }), ["a1", "a3"]);
  assert.deepEqual(chosen({ failed: true }), ["a2"]);
  assert.deepEqual(chosen({ where: ["name!=a3", "exit_code="] }), ["a2"]);
  assert.deepEqual(chosen({ name: "a[1-2]", status: "end", where: ["exit_code=0"] }), ["a1"]);
});

Deno.test("selectJobs() names what the queue does not have", () => {
  assert.deepEqual(selectJobs(jobs, readSelection({ name: "a1,b[1-2]" })).missing, ["b1", "b2"]);
});

Deno.test("readSelection() says all that is wrong at once", () => {
  assert.throws(() => readSelection({ name: "a[", status: "done", where: ["x"] }), (error: InvalidError) => {
    assert.equal(error.problems.length, 3);
    return true;
  });
});

Deno.test("isByProperty() is false for names alone", () => {
  assert.equal(isByProperty(ALL_JOBS), false);
  assert.equal(isByProperty(readSelection({ name: "a1" })), false);
  assert.equal(isByProperty(readSelection({ failed: true })), true);
});

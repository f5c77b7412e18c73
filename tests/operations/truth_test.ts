import assert from "node:assert/strict";
import { jobName } from "../../src/names/grammar.ts";
import { makeJob } from "../../src/job/job.ts";
import { fieldsFrom } from "../../src/operations/truth.ts";

Deno.test("fieldsFrom() takes in that a job's directory is beside that of its name", () => {
  const job = makeJob(jobName("job1"), { command: "true" }, { id: "a1", experiment: "experiment" });
  const running = { ...job, status: "run" as const, attempt: 1 };
  const directory = "job1.5abf83d4ba2a228e";
  const times = { startedAtMs: null, endedAtMs: null };
  const fields = fieldsFrom(running, { type: "ended", state: "end", exitCode: 0, ...times, directory });
  assert.equal(fields?.job_directory, directory);
  const alive = fieldsFrom(running, { type: "alive", pid: 1, startedAtMs: null, orphan: false, directory });
  assert.equal(alive?.job_directory, directory);
  assert.ok(!("job_directory" in (fieldsFrom(running, { type: "ended", state: "end", exitCode: 0, ...times }) ?? {})));
});

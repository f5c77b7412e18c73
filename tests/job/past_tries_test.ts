/** Where earlier tries were, and the names of their files. */
import assert from "node:assert/strict";
import { makeJob } from "../../src/job/job.ts";
import type { PastTry } from "../../src/job/options.ts";
import { asOfTry, triedThere } from "../../src/job/past_tries.ts";
import { jobName } from "../../src/names/grammar.ts";

const past = (number: number, host: string, status = "end"): PastTry => ({
  try: number,
  attempt: number,
  host,
  user: "pi",
  started: null,
  ended: null,
  status,
  exit_code: 1,
  reason: null,
});
const JOB = makeJob(jobName("x"), { command: "true" }, { id: "0".repeat(32), experiment: "e" });
const RED = { user: "pi", host: "red" };

Deno.test("a try leaves the files of the last one that was started at its place", () => {
  const history = [past(1, "red"), past(2, "blue"), past(3, "red", "fail_start")];
  assert.equal(triedThere({ history }, RED), 1);
  assert.equal(triedThere({ history }, { user: "pi", host: "blue" }), 2);
  assert.equal(triedThere({ history }, { user: "me", host: "red" }), null);
  assert.equal(triedThere({}, RED), null);
});

Deno.test("the files of a try have its number behind their names where a later one was at its place", () => {
  const job = { ...JOB, ...RED, attempt: 4, status: "start" as const };
  const endings = (number: number, history: PastTry[], of: typeof job | typeof JOB = job) =>
    asOfTry({ ...of, history }, number)?.endings ?? null;
  const history = [past(1, "red"), past(2, "blue"), past(3, "red", "fail_start")];
  assert.deepEqual([1, 2, 3, 4, 5].map((number) => endings(number, history)), [[".1"], [""], [".3"], [""], null]);
  // One that could not be started may have left the names as they were.
  const waiting = { ...job, status: "ready" as const };
  assert.deepEqual([1, 3, 4].map((number) => endings(number, history, waiting)), [[".1", ""], [""], null]);
  assert.equal(asOfTry(JOB, 1), null);
  const { job: then } = asOfTry({ ...job, history }, 2)!;
  assert.deepEqual([then.host, then.attempt, then.exit_code], ["blue", 2, 1]);
});

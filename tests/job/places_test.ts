import assert from "node:assert/strict";
import { type Job, makeJob } from "../../src/job/job.ts";
import { earlierJobs, hasPlaces, replacedBy } from "../../src/job/places.ts";
import type { PastTry } from "../../src/job/options.ts";
import { jobName } from "../../src/names/grammar.ts";

function job(id: string, fields: Partial<Job> = {}): Job {
  return { ...makeJob(jobName("x"), { command: "true" }, { id, experiment: "e" }), ...fields };
}

function past(attempt: number, host: string | null): PastTry {
  const none = { started: null, ended: null, exit_code: null, reason: null };
  return { try: attempt, attempt, host, user: "pi", status: "end", ...none };
}

const at = (host: string) => ({ user: "pi", host });
const told = (jobs: readonly Job[]) => jobs.map(({ id, attempt, host }) => `${id}.${attempt} ${host}`);

Deno.test("earlierJobs() gives the machines of earlier tries and of replaced jobs, the latest of each", () => {
  assert.deepEqual(earlierJobs(job("a", { attempt: 3, ...at("red") })), []);
  const history = [past(1, "blue"), past(2, "green"), past(3, "blue"), past(4, "red"), past(5, null)];
  const tried = job("a", { attempt: 6, ...at("red"), history });
  assert.deepEqual(told(earlierJobs(tried)), ["a.3 blue", "a.2 green"]);
  // A replaced job's directory need not have been that of the present one.
  const replaced = [{ id: "o", attempt: 2, ...at("red") }, { id: "o", attempt: 1, ...at("green") }];
  assert.deepEqual(told(earlierJobs({ ...tried, replaced })), ["a.3 blue", "a.2 green", "o.2 red"]);
});

Deno.test("replacedBy() hands over where a job was to the one that takes its name", () => {
  assert.equal(replacedBy(job("a")), null);
  assert.equal(hasPlaces(job("a")), false);
  const first = replacedBy(job("a", { attempt: 2, ...at("red"), history: [past(1, "blue")] }));
  assert.deepEqual(first, [{ id: "a", attempt: 2, ...at("red") }, { id: "a", attempt: 1, ...at("blue") }]);
  // It never ran.
  const second = job("b", { replaced: first });
  assert.equal(hasPlaces(second), true);
  assert.deepEqual(replacedBy(second), first);
  assert.deepEqual(replacedBy({ ...second, attempt: 1, ...at("red") }), [
    { id: "b", attempt: 1, ...at("red") },
    { id: "a", attempt: 1, ...at("blue") },
  ]);
  const hosts = Array.from({ length: 30 }, (_, i) => ({ id: "o", attempt: 1, ...at(`h${i}`) }));
  assert.equal(replacedBy(job("c", { replaced: hosts }))?.length, 20);
});

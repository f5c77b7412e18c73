import assert from "node:assert/strict";
import { InvalidError } from "../../src/errors.ts";
import { type Job, makeJob } from "../../src/job/job.ts";
import { isFailed } from "../../src/job/outcome.ts";
import { holds, parseWhere } from "../../src/job/where.ts";
import { jobName } from "../../src/names/grammar.ts";

function job(fields: Partial<Job> = {}): Job {
  const made = makeJob(jobName("train-1"), { command: "python train.py --lr=0.1" }, { id: "1", experiment: "e" });
  return { ...made, ...fields };
}

const ended = job({
  ...{
    status: "end",
    exit_code: 3,
    host: "red01",
    started: "2026-01-31T12:00:00Z",
    ended: "2026-01-31T12:31:00Z",
  } as const,
  ...{ params: { lr: "0.05", name: "b" }, tags: { night: "" }, retries: 2, after: ["a", "b"] },
});

function check(cases: Record<string, boolean>): void {
  for (const [text, expected] of Object.entries(cases)) assert.equal(holds(ended, parseWhere(text)), expected, text);
}

Deno.test("holds() compares numbers as numbers and text as text", () => {
  check({
    ...{ "exit_code=3": true, "exit_code!=3": false, "exit_code>2": true, "exit_code>=3": true, "exit_code<10": true },
    ...{ "param.lr<0.1": true, "param.lr=5e-2": true, "param.lr>1": false, "param.name<c": true, "retries=2": true },
    ...{ "status=end": true, "name>=train": true, "attempt=0": true, " exit_code = 3 ": true },
  });
});

Deno.test("holds() compares durations by their length", () => {
  check({ "duration>30m": true, "duration<1h": true, "duration=31m": true });
});

Deno.test("holds() compares sizes by what they are", () => {
  const small = job({ memory: "512M" });
  for (const [text, expected] of Object.entries({ "memory<1G": true, "memory>=0.5g": true, "memory>1M": true })) {
    assert.equal(holds(small, parseWhere(text)), expected, text);
    assert.equal(holds(job(), parseWhere(text)), false, text);
  }
  assert.ok(holds(small, parseWhere("memory=0.5G")));
  assert.throws(() => parseWhere("memory<8"), /Cannot use "8" as a size: write it as 500M, 8G or 1.5T/);
});

Deno.test("holds() takes * for any characters, and ~ for a part in any case", () => {
  check({
    ...{
      "host=red*": true,
      "host=*01": true,
      "host=r*d*1": true,
      "host=*": true,
      "host=red*02": false,
      "host!=blue*": true,
    },
    ...{ "host=red01*1": false, "command~TRAIN.py": true, "command~test": false, "after~b": true },
  });
});

Deno.test("holds() takes a field that is not set for the empty value alone", () => {
  check({
    ...{ "pid=": true, "pid!=": false, "pid=5": false, "pid!=5": true, "pid<5": false, "param.none=": true },
    ...{ "param.none>0": false, "tag.night=": true, "time_limit=": true, "time_limit>1m": false, "gpu~0": false },
  });
});

Deno.test("parseWhere() refuses what is no condition, says which fields there are, and takes no time for long ones", () => {
  for (
    const text of ["", "=3", "exit_code", "nothing=1", "exit_code==3 ".repeat(200), "duration>soon", "__proto__=1"]
  ) {
    assert.throws(() => parseWhere(text), InvalidError, text);
  }
  assert.equal(holds(job({ command: "a".repeat(99_000) }), parseWhere(`command=${"*a".repeat(400)}b`)), false);
});

Deno.test("isFailed() is true for what is over and did not end well", () => {
  const failed = [["end", 1], ["end", null], ["kill", null], ["fail_start", null], ["crash", 139]] as const;
  for (const [status, exit_code] of failed) assert.equal(isFailed({ status, exit_code }), true, status);
  for (const status of ["undefined", "ready", "run", "start"] as const) {
    assert.equal(isFailed({ status, exit_code: null }), false);
  }
  assert.equal(isFailed({ status: "end", exit_code: 0 }), false);
});

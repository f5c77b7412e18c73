import assert from "node:assert/strict";
import { InvalidError } from "../../src/errors.ts";
import { readWholeJobs } from "../../src/operations/whole_jobs.ts";

const JOBS = [{ name: "a", command: "echo 1" }, { name: "b", command: "echo\n2", priority: 5, tags: { k: "v" } }];

Deno.test("readWholeJobs() reads lists and maps as YAML, JSON and JSON lines, and one job alone", () => {
  const byName = Object.fromEntries(JOBS.map(({ name, ...fields }) => [name, fields]));
  const texts: readonly [string, string][] = [
    [JSON.stringify(JOBS), "x.json"],
    [JSON.stringify(JOBS, null, 2), "standard input"],
    [JSON.stringify(byName), "x.json"],
    [JOBS.map((job) => `${JSON.stringify(job)}\n`).join("\n"), "x.jsonl"],
    ["a:\n  command: echo 1\nb:\n  command: |-\n    echo\n    2\n  priority: 5\n  tags: {k: v}\n", "x.yaml"],
    ["- {name: a, command: echo 1}\n- name: b\n  command: |-\n    echo\n    2\n  priority: 5\n  tags: {k: v}\n", "-"],
    [`\ufeff${JSON.stringify(JOBS)}`, "x.yml"],
  ];
  for (const [text, shown] of texts) {
    const read = readWholeJobs(text, shown);
    assert.deepEqual(read.map(({ name }) => name), ["a", "b"], text);
    assert.deepEqual(read.map(({ spec }) => spec.command), ["echo 1", "echo\n2"], text);
    assert.deepEqual([read[1]!.spec.priority, read[1]!.spec.tags], [5, { k: "v" }], text);
  }
  assert.deepEqual(readWholeJobs('{"name": "x", "command": "true"}', "x").map(({ name }) => name), ["x"]);
});

Deno.test("readWholeJobs() leaves out what a run wrote, and keeps fields that mean nothing to the program", () => {
  const ran = {
    status: "end",
    exit_code: 3,
    pid: "7",
    attempt: 4,
    reason: "exit code 3",
    duration: 2,
    "param.lr": "1",
  };
  const [job] = readWholeJobs(JSON.stringify([{ ...JOBS[0], ...ran, host: "red", user: "pi", note: "mine" }]), "x");
  assert.deepEqual(job, {
    name: "a",
    spec: {
      command: "echo 1",
      input: "a/input",
      output: "a.out",
      log: "a.log",
      shell: "bash",
      user: "pi",
      host: "red",
      extra: { note: "mine" },
    },
  });
});

Deno.test("readWholeJobs() names the place of all that is wrong", () => {
  const cases: readonly [string, RegExp][] = [
    ["", /it has no jobs/],
    ["[]", /it has no jobs/],
    ["[", /Cannot use x: /],
    ["7", /no list or map of jobs/],
    ['{"name":"a","command":"b"}\n{', /line 2: /],
    ['[{"command":"x"}]', /job 1: name is missing/],
    ['[{"name":"a/b","command":"x"},{"name":"c"}]', /job 1: .*a\/b.*; job 2: command is missing/],
    ['[{"name":"a","command":"x","retires":3}]', /the field "retires" is unknown; is retries meant\?/],
    ['[{"name":"a","command":"x","priority":"high"}]', /job 1: priority is not valid/],
    ['[{"name":"a","command":"x"},{"name":"a","command":"y"}]', /job 2: a is also job 1/],
    ["a:\n  command: x\n bad", /Cannot use x/],
  ];
  for (const [text, reason] of cases) {
    assert.throws(
      () => readWholeJobs(text, "x"),
      (error) => error instanceof InvalidError && reason.test(error.message),
    );
  }
});

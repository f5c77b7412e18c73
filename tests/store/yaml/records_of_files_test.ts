import assert from "node:assert/strict";
import fc from "../../../testing/property.ts";
import { StoreError } from "../../../src/errors.ts";
import { parseHosts, renderHosts } from "../../../src/store/yaml/host_record.ts";
import { parseJobs, problemOfFields, renderJobs } from "../../../src/store/yaml/job_record.ts";
import { parseJournal } from "../../../src/store/journal/journal.ts";
import { newJob } from "../support.ts";

const fixture = (name: string) => Deno.readTextFileSync(new URL(`../../fixtures/original/${name}`, import.meta.url));
const at = { shown: "a-queue.yaml", experiment: "experiment" };

function errorOf(body: () => unknown): StoreError {
  try {
    body();
  } catch (error) {
    assert(error instanceof StoreError);
    return error;
  }
  throw new Error("Nothing was thrown");
}

Deno.test("a queue file of the original loads with every value as it was meant", () => {
  const jobs = [...parseJobs(fixture("jobs-queue.yaml"), at).values()];
  assert.deepEqual(jobs.map((job) => job.name), ["job1", "job2", "job03", "job4", "2", "job6", "job7"]);
  const [job1, job2, job03, job4, two, , job7] = jobs;
  assert.deepEqual(
    [job1!.status, job1!.pid, job1!.gpu, job1!.pyenv, job1!.last_probe_check],
    ["end", "71277", "0", "~/ENV3/bin/activate", "03/09/2022 12:30:00"],
  );
  assert.deepEqual([job2!.gpu, job4!.gpu, two!.gpu], ["1", "", null]);
  assert.equal(job03!.command, "echo café > 'a b'; true");
  assert.equal(job03!.experiment, "experiment");
  assert.match(job4!.command, /^python3 train.py .* "a very long name: of many words" # and a comment$/);
  assert.deepEqual([two!.command, job7!.command], ["007", "echo one\necho two\n"]);
  assert.deepEqual([job1!.attempt, job1!.exit_code, job1!.started, job1!.boot], [0, null, null, null]);
  for (const job of jobs) assert.deepEqual(job.extra, {}, "derived fields are dropped");
});

Deno.test("an empty queue file of the original loads", () =>
  assert.equal(parseJobs(fixture("empty-queue.yaml"), at).size, 0));

Deno.test("a cluster file of the original loads with every value as it was meant", () => {
  const hosts = [...parseHosts(fixture("hosts-cluster.yaml"), "c").values()];
  assert.deepEqual(hosts.map((host) => host.id), ["host1", "host2", "host3", "10"]);
  const [host1, host2, host3] = hosts;
  assert.deepEqual([host1!.gpu, host1!.max_jobs_allowed, host2!.gpu, host2!.max_jobs_allowed], ["0", 1, "", 2]);
  assert.deepEqual([host3!.ip, host3!.probe_status, host3!.cores], ["10.0.0.3", true, 4]);
  assert.deepEqual([...parseHosts(renderHosts(new Map(hosts.map((host) => [host.id, host]))), "c").values()], hosts);
});

Deno.test("parseJobs() gives missing fields the defaults of add, and the key counts as the name", () => {
  const [job] = [...parseJobs("x:\n  name: other\n  command: 5\n  user: pi\n  host: red\n", at).values()];
  assert.deepEqual(job, newJob("x", "5", { id: "", user: "pi", host: "red", status: "ready" }));
});

Deno.test("parseJobs() keeps unknown fields, and renderJobs() writes them back", () => {
  const text = "x:\n  command: a\n  note: 'yes'\n  labels:\n    - 1\n    - k: v\n  __proto__: 1\n";
  const jobs = parseJobs(text, at);
  assert.deepEqual([...parseJobs(renderJobs(jobs), at)], [...jobs]);
  assert.match(renderJobs(jobs), /note: 'yes'\n {2}labels:\n {4}- 1\n {4}- k: v\n {2}__proto__: 1\n$/);
});

Deno.test("renderJobs() writes the original's fields in its order, ours after them, boot and slot only while there is one", () => {
  const job = newJob("x", "a", { boot: "b", slot: "host1" });
  const names = (text: string) => [...text.matchAll(/^ {2}(\w+):/gm)].map((match) => match[1]).join(" ");
  const all =
    "name id experiment directory input output log status gpu command shell pid host user pyenv last_probe_check " +
    "exit_code started ended attempt";
  assert.equal(names(renderJobs(new Map([[job.name, { ...job, boot: null, slot: null }]]))), all);
  assert.equal(names(renderJobs(new Map([[job.name, job]]))), `${all} boot slot`);
});

Deno.test("parseJobs() tells all problems at once, with the line of the first", () => {
  const error = errorOf(() =>
    parseJobs(
      "good:\n  command: a\nx:\n  command: a\n  status: foo\n  host: -oProxy\n  command2: b\n-y:\n  attempt: -1\n",
      at,
    )
  );
  assert.match(error.message, /host is not valid.*status is "foo".*job "-y".*attempt is -1/s);
  assert.deepEqual([error.path, error.line], ["a-queue.yaml", 6]);
  assert(!error.message.includes("\n"));
});

Deno.test("parseHosts() refuses what cannot be a host", () => {
  assert.match(errorOf(() => parseHosts("h:\n  user: pi\n", "c")).message, /name is missing/);
  assert.match(
    errorOf(() => parseHosts("h:\n  name: red\n  max_jobs_allowed: '-1'\n", "c")).message,
    /^c:3: .*max_jobs_allowed/,
  );
  assert.match(errorOf(() => parseHosts("h: 5\n", "c")).message, /not a map of fields/);
});

Deno.test("a journal's job without a command is damage: its queue file could not be read again", () => {
  const read = (job: unknown) => {
    const header = '{"cms":1,"queue":"a","at":"b","yaml":"c"}\n';
    const bytes = new TextEncoder().encode(
      `${header}${JSON.stringify({ type: "put", name: "a", was: null, job })}\n{}\n`,
    );
    return () => parseJournal(bytes, { shown: "j", lines: 0, experiment: "e" });
  };
  assert.throws(read({}), /^StoreError: j:2: is damaged: command is missing$/);
  assert.throws(read({ command: "true", gpu: "all" }), /^StoreError: j:2: is damaged: gpu is /);
  assert.throws(read({ command: "true", log: "a.out" }), /^StoreError: j:2: is damaged: output is /);
  assert.throws(read({ command: "true" }), /^StoreError: j:3: /);
});

Deno.test("a record whose values are not as the program writes them is damage, though a person might write them so", () => {
  const record = { type: "set", job: "a", id: "a", fields: { attempt: 1 }, was: { attempt: 0 } };
  const read = (fields: unknown) => {
    const header = '{"cms":1,"queue":"a","at":"b","yaml":"c"}\n';
    const bytes = new TextEncoder().encode(`${header}${JSON.stringify({ ...record, fields })}\n{}\n`);
    return () => parseJournal(bytes, { shown: "j", lines: 0, experiment: "e" });
  };
  // A number as text would be counted on as text: 1 and 1 is 11.
  assert.throws(read({ attempt: "1" }), /^StoreError: j:2: is damaged: attempt is "1"$/);
  assert.throws(read({ attempt: "" }), /^StoreError: j:2: is damaged: attempt is ""$/);
  assert.throws(read({ pid: 7 }), /^StoreError: j:2: is damaged: pid is 7$/);
  assert.throws(read({ nosuch: 7 }), /^StoreError: j:2: is damaged: nosuch is no field of a job$/);
  // A checkpoint would write it into a file that is refused.
  assert.throws(read({ command: "" }), /^StoreError: j:2: is damaged: command is missing$/);
  assert.throws(read({ gpu: "all" }), /^StoreError: j:2: is damaged: gpu is "all": use numbers such as 0,1$/);
  assert.throws(read({ attempt: 2, pid: "7", exit_code: null }), /^StoreError: j:3: /);
  // The job may have its log elsewhere, and another shell.
  assert.throws(read({ output: "a.log" }), /^StoreError: j:3: /);
  assert.throws(read({ output: "a.bash" }), /^StoreError: j:3: /);
});

Deno.test("problemOfFields() finds in usual fields what reading them as those of a job finds", async () => {
  const odd = fc.constantFrom(
    "",
    "red",
    "red-01",
    "999.1.1.1",
    "-x",
    "a b",
    "a:22",
    "x'",
    "Pi",
    "pi",
    "pi\\",
    "é",
    "[::1]",
  );
  const any = fc.oneof(
    odd,
    fc.constantFrom(null, 0, 1, -1, 1.5, true, "1", "end", "over", "2026-01-31T12:00:00Z", {}),
    fc.string(),
  );
  const names = ["status", "host", "user", "exit_code", "attempt", "pid", "started", "ended", "boot", "slot", "nosuch"];
  const fields = fc.dictionary(fc.constantFrom(...names), any, { maxKeys: 3 });
  await fc.assert(
    fc.property(fields, (usual) => {
      // With a field that is not usual all of them are read as those of a job.
      const slowly = problemOfFields({ ...usual, output: "x.out" } as never);
      assert.equal(problemOfFields(usual as never), slowly);
    }),
    { numRuns: 3_000 },
  );
});

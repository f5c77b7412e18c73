import assert from "node:assert/strict";
import fc from "../../../testing/property.ts";
import { CmsError } from "../../../src/errors.ts";
import type { Job } from "../../../src/job/job.ts";
import { JOB_STATES } from "../../../src/job/states.ts";
import { jobName } from "../../../src/names/grammar.ts";
import { JobBlockReader } from "../../../src/store/large/job_entries.ts";
import { parseJobs, renderJob, renderJobs } from "../../../src/store/yaml/job_record.ts";
import { newJob } from "../support.ts";

const at = { shown: "a-queue.yaml", experiment: "other" };

/** The jobs, or the fault that is told. */
function read(text: string): unknown {
  try {
    return [...parseJobs(text, at)];
  } catch (error) {
    if (error instanceof CmsError) return error.message.replace(/^.*?: /, "");
    throw error;
  }
}

const someText = fc.oneof(
  fc.constantFrom(
    ...["true", "sleep 1", "echo 'it''s'", 'python x.py --lr=0.1, "a"', "a: b", "a #b", "two\nlines", "two\nlines\n\n"],
    ...["é", "0", "007", "1e3", "~", "yes", "", " x", "x ", "end:", "{a}", "[1]", "&a b", "*a", "- a", "x\ty"],
  ),
  fc.string({ unit: "grapheme", maxLength: 30 }),
);
const someName = fc.oneof(fc.constantFrom("1", "yes", "null", "0x1"), fc.stringMatching(/^[a-c0-3][a-c0-3.+_-]{0,3}$/));
const someJob: fc.Arbitrary<Job> = fc.record({
  name: someName,
  command: someText,
  input: someText,
  gpu: fc.option(someText),
  status: fc.constantFrom(...JOB_STATES),
  host: fc.option(fc.constantFrom("red", "10.0.0.1", "::1", "")),
  user: fc.option(fc.constantFrom("pi", "0", "")),
  exit_code: fc.option(fc.integer({ min: -3, max: 300 })),
  started: fc.option(fc.constant("2026-01-31T12:00:00Z")),
  boot: fc.option(someText),
  slot: fc.option(fc.constant("red")),
  time_limit: fc.option(fc.constantFrom("30m", "1h30m")),
  after: fc.option(fc.uniqueArray(someName, { minLength: 1, maxLength: 3 })),
  gpus: fc.option(fc.constantFrom(0.5, 2)),
  params: fc.option(
    fc.dictionary(fc.constantFrom("lr", "no", "seed"), someText.map((text) => text.replaceAll("\0", ""))),
  ),
  history: fc.option(fc.constant([{
    ...{ try: 1, attempt: 1, host: "red", user: "pi", started: null, ended: "2026-01-31T12:00:00Z", status: "end" },
    ...{ exit_code: 3, reason: "exit code 3" },
  }])),
  extra: fc.oneof(fc.constant({}), fc.dictionary(fc.constantFrom("note", "no", "b"), fc.option(someText))),
}).map(({ name, command, ...fields }) => newJob(name, command, fields));

const someFile = fc.array(someJob, { minLength: 1, maxLength: 5 }).map((jobs) =>
  renderJobs(new Map(jobs.map((job) => [job.name, job])))
);

// A mark of the document's begin changes nothing but the way: the library reads it all.
const asTheLibrary = (text: string) => assert.deepEqual(read(text), read(`---\n${text}`));

Deno.test("parseJobs() reads what the program wrote as the library does", () => {
  fc.assert(fc.property(someFile, asTheLibrary), { numRuns: 1000 });
});

Deno.test("parseJobs() reads edited files as the library does, or says what is wrong", () => {
  const line = fc.constantFrom(
    ...["  # c", "# c", "", "    deeper", "  command: x", "  more: 1", "x:", "x: {}", "  status: ready", "---", "..."],
    ...["  user: -x", "  attempt: -1", "  attempt: '3'", "  command: |-", "  command: >", "  id: ''", " gpu: 1"],
    ...["  experiment: ./a/", "  experiment: ../a", "  shell: ''", "  pid: 12", "  exit_code: x", "  host: 5", "\t"],
  );
  const edit = fc.record({
    at: fc.nat(60),
    remove: fc.constantFrom(0, 0, 1, 2),
    add: fc.array(line, { maxLength: 2 }),
  });
  fc.assert(
    fc.property(someFile, fc.array(edit, { minLength: 1, maxLength: 3 }), (text, edits) => {
      const lines = text.split("\n");
      for (const { at, remove, add } of edits) lines.splice(at % lines.length, remove, ...add);
      // Two marks of a begin are a fault of their own.
      const edited = lines.join("\n");
      if (!/^(?:[ \t]*(?:#.*)?\n)*(?:---|\.\.\.)/.test(edited)) asTheLibrary(edited);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("parseJobs() takes no second document for further jobs", () => {
  const [one, two] = ["a", "b"].map((name) => renderJobs(new Map([[jobName(name), newJob(name)]])));
  for (const mark of ["...", "... # end", "---"]) {
    asTheLibrary(`${one}  more: 1\n${mark}\n${two}`);
    asTheLibrary(`${one}  more: 1\n${mark}\n# c\n`);
    asTheLibrary(`# c\n${one}${mark}\n${two}  more: 1\n`);
  }
});

Deno.test("JobBlockReader reads options, lists and maps among them, without the library", () => {
  const options = {
    retries: 3,
    retry_on: ["crash", 75],
    after: ["a", "b"],
    params: { lr: "0.1", "seed": "5" },
    hold: true,
  };
  const job = newJob("x", "true", { slot: "red", ...options });
  const reader = new JobBlockReader(`${renderJob(job)}${renderJob(newJob("y"))}`);
  assert.deepEqual(reader.read(0), job);
  assert.equal(reader.read(reader.end)?.name, "y");
});

Deno.test("JobBlockReader takes an entry as the program writes it, with what stood before it or not", () => {
  const text = renderJobs(
    new Map(
      [newJob("a", "echo 'x'", { host: "red", user: "pi" }), newJob("b.1"), newJob("c", "true", { slot: "red" })].map((
        job,
      ) => [job.name, job]),
    ),
  );
  const reader = new JobBlockReader(text);
  const names: string[] = [];
  for (let start = 0; start < text.length; start = reader.end) {
    const job = reader.read(start);
    assert(job !== null, text.slice(start));
    names.push(job.name);
  }
  assert.deepEqual(names, ["a", "b.1", "c"]);
});

Deno.test("parseJobs() tells of exactly the entries that would be written as they stand", () => {
  fc.assert(
    fc.property(someFile, fc.array(fc.nat(60), { maxLength: 2 }), (text, edits) => {
      const lines = text.split("\n");
      for (const at of edits) {
        lines[at % lines.length] = lines[at % lines.length]!.replace(": ", ": \t").replace("e", "E");
      }
      const edited = lines.join("\n");
      let jobs: Map<string, Job>;
      const told = new Map<Job, string>();
      try {
        jobs = parseJobs(edited, at, (job, start, end) => told.set(job, edited.slice(start, end)));
      } catch {
        return; // Nothing is kept of a text that is refused.
      }
      for (const job of jobs.values()) if (told.has(job)) assert.equal(told.get(job), renderJob(job));
    }),
    { numRuns: 2000 },
  );
  const text = renderJobs(new Map(["a", "b"].map((name) => [jobName(name), newJob(name, "sleep 1")])));
  const told: string[] = [];
  parseJobs(text, at, (job) => told.push(job.name));
  assert.deepEqual(told, ["a", "b"]);
});

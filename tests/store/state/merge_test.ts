import assert from "node:assert/strict";
import fc from "../../../testing/property.ts";
import type { Job } from "../../../src/job/job.ts";
import { isInFlight, type JobState } from "../../../src/job/states.ts";
import { type JobName, jobName } from "../../../src/names/grammar.ts";
import type { Change } from "../../../src/store/changes.ts";
import type { JournalRecord } from "../../../src/store/journal/journal.ts";
import { applyRecord, FLIGHT_FIELDS, mergeState } from "../../../src/store/state/merge.ts";
import { flightRecords, recordsOf } from "../../../src/store/journal/journal_records.ts";
import { newJob } from "../support.ts";

type JobMap = Map<JobName, Job>;
const NAMES = ["a", "b", "c", "d", "e"];
const STATES: readonly JobState[] = ["ready", "run", "start", "end", "undefined"];
const header = { queue: "q", at: "here", yaml: "base" };

const step = fc.oneof(
  fc.record({ do: fc.constant("put" as const), name: fc.constantFrom(...NAMES) }),
  fc.record({ do: fc.constant("delete" as const), name: fc.constantFrom(...NAMES) }),
  fc.record({
    do: fc.constant("set" as const),
    name: fc.constantFrom(...NAMES),
    command: fc.constantFrom("x", "y", "z"),
    status: fc.constantFrom(...STATES),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
const program = fc.record({
  base: fc.subarray(NAMES).chain((names) =>
    fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), fc.constantFrom(...STATES))))
  ),
  steps: fc.array(step, { maxLength: 12 }),
});

/** The jobs before, what the program wrote, and the jobs after. */
function play(
  { base, steps }: typeof program extends fc.Arbitrary<infer T> ? T : never,
): { before: JobMap; records: JournalRecord[]; after: JobMap } {
  const before: JobMap = new Map(base.map(([name, status]) => [jobName(name), newJob(name, "x", { status })]));
  const after: JobMap = new Map(before);
  const records: JournalRecord[] = [...flightRecords(before.values()), ...goOn(after, steps, "f")];
  return { before, records, after };
}

/** Does the steps to the jobs. New jobs get ids that begin with `by`. @returns The records of the steps. */
function goOn(jobs: JobMap, steps: readonly Step[], by: string): JournalRecord[] {
  return steps.flatMap(({ do: what, name, ...fields }, i) => {
    const attempt = (jobs.get(jobName(name))?.attempt ?? 0) + 1;
    const change: Change = what === "put"
      ? { type: "put", job: newJob(name, "x", { id: `${i}`.padStart(32, by) }) }
      : what === "delete"
      ? { type: "delete", job: jobName(name) }
      : { type: "set", job: jobName(name), fields: { ...fields, attempt } };
    const records = recordsOf([change], jobs);
    for (const record of records) applyRecord(jobs, record);
    return records;
  });
}

function edited(
  jobs: JobMap,
  records: readonly JournalRecord[],
): ReturnType<typeof mergeState> {
  return mergeState({ jobs: new Map(jobs), hash: "edited" }, { header, records });
}

Deno.test("mergeState() of an unedited file is what the program made", () => {
  fc.assert(fc.property(program, (input) => {
    const { before, records, after } = play(input);
    const merged = mergeState({ jobs: new Map(before), hash: "base" }, { header, records });
    assert.deepEqual([...merged.jobs], [...after]);
    assert.equal(merged.file, null);
  }));
});

Deno.test("mergeState() after a crash between the writes of a checkpoint applies only what came after it", () => {
  fc.assert(fc.property(program, fc.array(step, { maxLength: 5 }), (input, more) => {
    const { records, after } = play(input);
    const later = play({ base: input.base, steps: [...input.steps, ...more] });
    const all = [...records, { type: "fold", yaml: "new" } as const, ...later.records.slice(records.length)];
    for (const [jobs, hash] of [[after, "new"], [later.before, "base"]] as const) {
      const merged = mergeState({ jobs: new Map(jobs), hash }, { header, records: all });
      assert.deepEqual([...merged.jobs], [...later.after], hash);
    }
  }));
});

Deno.test("mergeState() of a file with nothing but a comment changed is what the program made, without a warning", () => {
  fc.assert(fc.property(program, fc.boolean(), (input, written) => {
    const { before, records, after } = play(input);
    const merged = edited(written ? after : before, records);
    assert.deepEqual([...merged.jobs], [...after]);
    assert.deepEqual(merged.warnings, []);
  }));
});

Deno.test("mergeState() keeps each value that a person changed, and all others are the program's", () => {
  fc.assert(fc.property(program, fc.subarray(NAMES), fc.constantFrom("command", "output"), (input, names, field) => {
    const { before, records, after } = play(input);
    const file: JobMap = new Map(
      [...before].map(([name, job]) => [name, names.includes(name) ? { ...job, [field]: "mine" } : job]),
    );
    const { jobs } = edited(file, records);
    assert.deepEqual([...jobs.keys()], [...after.keys()]);
    for (const [name, job] of jobs) {
      const ours = after.get(name)!;
      const kept = names.includes(name) && before.get(name)?.id === ours.id;
      assert.deepEqual(job, kept ? { ...ours, [field]: "mine" } : ours);
    }
  }));
});

const edits = fc.array(
  fc.record({
    keep: fc.boolean(),
    status: fc.constantFrom(...STATES, "kill" as const),
    host: fc.constantFrom(null, "h"),
  }),
  { minLength: 5, maxLength: 5 },
);

/** The file as a person leaves it. */
function editedFile(
  before: JobMap,
  edits: readonly { keep: boolean; status: JobState; host: string | null }[],
): JobMap {
  const file: JobMap = new Map();
  for (const [i, [name, job]] of [...before].reverse().entries()) {
    const { keep, ...fields } = edits[i]!;
    if (keep) file.set(name, { ...job, ...fields });
  }
  return file;
}

Deno.test("mergeState() never loses a job in flight, nor what is known of it", () => {
  fc.assert(fc.property(program, edits, (input, edits) => {
    const { before, records, after } = play(input);
    const file = editedFile(before, edits);
    const { jobs, warnings, differs } = edited(file, records);
    for (const [name, ours] of after) {
      if (!isInFlight(ours.status)) continue;
      const job = jobs.get(name);
      assert(job !== undefined, `${name} is gone`);
      for (const known of FLIGHT_FIELDS) assert.deepEqual(job[known], ours[known], known);
      if (before.get(name)?.id === ours.id && !file.has(name)) {
        assert(warnings.some((text) => text.includes(`Job ${name} `)));
      }
    }
    // The next reader of what a checkpoint would write comes to the same.
    assert.deepEqual([...edited(jobs, records).jobs], [...jobs]);
    assert.equal(differs, JSON.stringify([...jobs].sort()) !== JSON.stringify([...file].sort()));
  }));
});

Deno.test("mergeState() with what it kept written down comes to the same when the jobs have ended", () => {
  fc.assert(fc.property(program, edits, fc.array(step, { maxLength: 12 }), (input, edits, more) => {
    const { before, records } = play(input);
    const file = editedFile(before, edits);
    const { jobs, kept } = edited(file, records);
    const live: JobMap = new Map(jobs);
    const later = goOn(live, more, "e");
    const read = edited(file, [...records, ...kept, ...later]);
    assert.deepEqual([...read.jobs], [...live]);
    assert.deepEqual(read.kept, []);
  }));
});

Deno.test("mergeState() takes a person's new, moved and deleted jobs", () => {
  const before: JobMap = new Map(["a", "b", "c"].map((name) => [jobName(name), newJob(name)]));
  const records = recordsOf([{ type: "put", job: newJob("d") }, {
    type: "set",
    job: jobName("b"),
    fields: { command: "y" },
  }], before);
  const file: JobMap = new Map(["c", "mine", "a"].map((name) => [jobName(name), newJob(name)]));
  assert.deepEqual([...edited(file, records).jobs.keys()], ["c", "mine", "a", "d"]);
});

import assert from "node:assert/strict";
import fc from "../../../testing/property.ts";
import { dependenceOf, dependenciesOf, hasDependencies } from "../../../src/job/dependencies.ts";
import type { Job } from "../../../src/job/job.ts";
import { isFailed } from "../../../src/job/outcome.ts";
import { isInFlight, isWaiting } from "../../../src/job/states.ts";
import { type JobName, jobName } from "../../../src/names/grammar.ts";
import type { Change, Jobs } from "../../../src/store/changes.ts";
import { StateCounts } from "../../../src/operations/state_counts.ts";
import { StateFeed } from "../../../src/store/state_feed.ts";
import { glanceJob, glanceSum } from "../../../src/store/large/glance.ts";
import { quantile, roundSeconds, Summary, summaryOf } from "../../../src/store/large/summary.ts";
import { readSummary, summaryRecord } from "../../../src/store/large/summary_text.ts";
import { createQueue, openQueue } from "../../../src/store/queue_file.ts";
import { del, inMemory, newJob, onBothFiles, put, set, type World } from "../support.ts";

/** Enough for a YAML that is not small. */
const MANY = 700;

/** Fields that a summary looks at, for a job of any kind. */
function kindOf(i: number, nowS: number): Partial<Job> {
  const time = (s: number): string => new Date(s * 1000).toISOString().replace(".000Z", "Z");
  const ran = { host: "red", user: "pi", attempt: 1, started: time(nowS - i), ended: time(nowS - Math.floor(i / 3)) };
  switch (i % 10) {
    case 0:
      return { status: "end", exit_code: 0, ...ran };
    case 1:
      return { status: "end", exit_code: i % 3, ...ran };
    case 2:
      return { status: "crash", exit_code: null, ...ran };
    case 3:
      return { status: "start", ...ran, ended: null, slot: "h1", boot: "m/b" };
    case 4:
      return { hold: true, after: ["job1"] };
    case 5:
      return { not_before: time(nowS + i), reason: "retry 1 of 2", retries: 2 };
    case 6:
      return { reason: `no host has ${i % 4} GPUs` };
    case 7:
      return i > 350 ? { after: [`job${i - 350}`], after_any: ["job1", "job1e3"] } : { tags: { of: `job${i}` } };
    default:
      return { command: i % 3 === 0 ? "two\nlines:\n    - job1\n" : "true" };
  }
}

async function largeQueue({ deps, ref }: World): Promise<void> {
  await createQueue(deps, ref);
  const queue = await openQueue(deps, ref);
  const nowS = Math.floor(deps.clock.epochMs() / 1000);
  await queue.commit(() => [...Array(MANY).keys()].map((i) => put(`job${i}`, "true", kindOf(i, nowS))));
  await queue.checkpoint("always");
  queue.close();
}

async function change({ deps, ref }: World, changes: readonly Change[]): Promise<void> {
  const queue = await openQueue(deps, ref);
  await queue.commit(() => changes);
  queue.close();
}

async function all({ deps, ref }: World): Promise<Jobs> {
  const queue = await openQueue(deps, ref);
  try {
    return queue.jobs;
  } finally {
    queue.close();
  }
}

/** What a summary says, whatever the order in which it was counted. */
function said(summary: Summary): unknown {
  const rows = (counts: ReadonlyMap<string | number, unknown> | null) =>
    [...counts ?? []].map(([key, value]) => [`${key}`, value] as const).sort(([a], [b]) => a < b ? -1 : 1);
  const { counts, failed, held, dependent, free, total, timed, lacks, durations, ends } = summary;
  const many = [timed, lacks, durations, ends].map(rows);
  return { counts, failed, held, dependent, free, total, many, failures: summary.newest(5) };
}

/** Compares both looks with the queue as a whole. */
async function check(world: World, names: readonly string[]): Promise<void> {
  const jobs = await all(world);
  const sum = await glanceSum(world.deps, world.ref);
  assert(sum !== null, "it was not known from the file's summary");
  const whole = summaryOf(jobs.values(), sum.summary.since);
  if (sum.summary.newest(5) === null) whole.failures = [];
  assert.deepEqual(said(sum.summary), {
    ...said(whole) as object,
    ...sum.summary.newest(5) === null && { failures: null },
  });
  const inFlight = (some: Iterable<Job>) => [...some].filter(({ status }) => isInFlight(status)).sort(byName);
  assert.deepEqual([...sum.inFlight].sort(byName), inFlight(jobs.values()));
  const dependent = [...jobs.values()].filter((job) => isWaiting(job.status) && !job.hold && hasDependencies(job));
  assert.deepEqual([...sum.dependent!].sort(byName), dependent.sort(byName));
  for (const job of dependent) assert.deepEqual(dependenceOf(job, sum.parents), dependenceOf(job, jobs));
  for (const name of names as readonly JobName[]) {
    const around = await glanceJob(world.deps, world.ref, name, { neededBy: false });
    assert.deepEqual(around?.get(name), jobs.get(name));
    const parents = (some: Jobs) => dependenciesOf(some.get(name) ?? {}).map((other) => some.get(other));
    assert.deepEqual(parents(around!), parents(jobs));
    assert.deepEqual(inFlight(around!.values()), inFlight(jobs.values()));
    const needed = await glanceJob(world.deps, world.ref, name, { neededBy: true });
    const children = (some: Jobs) => [...some.values()].filter((job) => dependenciesOf(job).includes(name));
    if (needed !== null) assert.deepEqual(children(needed), children(jobs));
  }
}

/** Compares counts that were followed with the queue as a whole. */
async function checkCounts(world: World, counts: StateCounts): Promise<void> {
  const jobs = [...(await all(world)).values()];
  const are = (...states: string[]) => jobs.filter(({ status }) => states.includes(status)).length;
  const failed = jobs.filter(isFailed).length;
  const open = are("undefined", "ready", "run", "start");
  const numbers = (pending: number, bad: number) => ({ there: jobs.length - pending, failed: bad, pending });
  assert.deepEqual(counts.numbers("over"), numbers(open, failed));
  assert.deepEqual(counts.numbers("started"), numbers(open - are("start"), are("fail_start")));
  assert.deepEqual(counts.numbers("ended-well"), numbers(open + failed, failed));
}

function byName(a: Job, b: Job): number {
  return a.name < b.name ? -1 : 1;
}

onBothFiles("A glance at a large queue says what all of it says, before and after changes", async (world) => {
  await largeQueue(world);
  const names = ["job0", "job1", "job7", "job357", "job699", "none"];
  await check(world, names);
  const needed = await glanceJob(world.deps, world.ref, jobName("job7"), { neededBy: true });
  assert.deepEqual(needed?.get(jobName("job357"))?.after, ["job7"]);
  assert(needed!.size < MANY / 2, "all was read");
  await change(world, [put("late", "true", { after: ["job7"] }), set("job7", { status: "end", exit_code: 3 })]);
  await change(world, [del("job13"), set("job8", { hold: true }), set("job12", { status: "undefined" })]);
  await check(world, ["job7", "job8", "late"]);
});

onBothFiles("A glance leaves a small, an edited and a damaged queue to who reads all of it", async (world) => {
  const { deps, ref } = world;
  await createQueue(deps, ref);
  const looks = async () => [
    await glanceSum(deps, ref),
    await glanceJob(deps, ref, jobName("job1"), { neededBy: true }),
  ];
  assert.deepEqual(await looks(), [null, null]);
  await largeQueue(world);
  const [text, journal] = [await deps.files.readText(world.file) ?? "", await deps.files.readText(world.journal) ?? ""];
  // A summary of another form, and a journal without one.
  for (const other of ['"summary":{"since":"x"', '"other":{"since":0']) {
    await world.edit(world.journal, journal.replace(/"summary":\{"since":\d+/, other));
    assert.equal(await glanceSum(deps, ref), null);
  }
  await world.edit(world.journal, `${journal}nonsense\n{}\n`);
  assert.deepEqual(await looks(), [null, null]);
  await world.edit(world.journal, journal);
  assert.notEqual(await glanceSum(deps, ref), null);
  // Of the same length.
  await world.edit(world.file, text.replace("status: end", "status: run"));
  assert.deepEqual(await looks(), [null, null]);
});

Deno.test("A glance says what all of the queue says, whatever was done to it", async () => {
  const nowS = Math.floor(Date.now() / 1000);
  const number = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 357, MANY - 1, MANY, MANY + 1);
  const name = number.map((i) => `job${i}`);
  const fields = fc.nat(400).map((i) => {
    const none = { hold: null, after: null, after_any: null, not_before: null, reason: null, host: null, user: null };
    return { ...none, status: "ready", slot: null, boot: null, ended: null, ...kindOf(i, nowS) } as Partial<Job>;
  });
  const step: fc.Arbitrary<Change | "write"> = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(name, fields).map(([one, some]) => set(one, some)) },
    fc.tuple(name, fields).map(([one, some]) => put(one, "again", some)),
    // Another job of that name.
    name.map((one) => put(one, "other", { id: `e${newJob(one).id.slice(1)}` })),
    name.map(del),
    fc.tuple(name, name).map(([one, two]): Change => ({ type: "move", jobs: [jobName(one)], before: jobName(two) })),
    fc.constant("write"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
      await inMemory(async (world) => {
        await largeQueue(world);
        const queue = await openQueue(world.deps, world.ref);
        const feed = new StateFeed(world.deps, world.ref);
        const begin = async () => StateCounts.from(await feed.begin(), world.ref.experiment);
        let counts = await begin();
        assert(counts !== null, "the counts were not known at the begin");
        for (const one of steps) {
          if (one === "write") await queue.checkpoint("always");
          else await queue.commit(() => [one]);
          const moves = await feed.look();
          if (moves === null || counts?.takeAll(moves) !== true) counts = await begin();
        }
        if (counts !== null) await checkCounts(world, counts);
        feed.close();
        queue.close();
        await check(world, ["job1", "job7", "job357", `job${MANY}`]);
      });
    }),
    { numRuns: 8 },
  );
});

Deno.test("A summary is the same however it came about, and after it was written down", () => {
  const nowS = 1_700_000_000;
  const job = fc.nat(2_000).map((i) => newJob(`job${i}`, "true", kindOf(i, nowS)));
  const jobs = fc.uniqueArray(job, { maxLength: 150, selector: ({ name }) => name });
  fc.assert(
    fc.property(jobs, fc.nat(150), fc.nat(150), (some, at, gone) => {
      const whole = summaryOf(some, nowS - 60);
      const parts = summaryOf(some.slice(0, at), nowS - 90);
      const both = new Summary(nowS - 60);
      both.merge(parts);
      both.merge(summaryOf(some.slice(at), nowS - 90));
      assert.deepEqual(said(both), said(whole));
      const text = JSON.parse(JSON.stringify(summaryRecord(both)));
      assert.deepEqual(said(readSummary(text, "experiment")!), said(whole));
      for (const one of some.slice(0, gone)) both.remove(one);
      const rest = said(summaryOf(some.slice(gone), nowS - 60)) as Record<string, unknown>;
      assert.deepEqual(said(both), both.newest(5) === null ? { ...rest, failures: null } : rest);
    }),
    { numRuns: 200 },
  );
  assert.deepEqual([0, 1_000, 99_400, 123_456, -5_000_000].map(roundSeconds), [0, 1, 99, 120, -5000]);
  assert.equal(quantile(new Map([[1, 3], [9, 1]]), 0.75), 9);
  assert.equal(quantile(new Map(), 0.5), undefined);
});

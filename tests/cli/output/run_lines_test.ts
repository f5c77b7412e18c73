import assert from "node:assert/strict";
import { makeLines } from "../../../src/cli/output/lines.ts";
import { RunLines } from "../../../src/cli/output/run_lines.ts";
import { jobName } from "../../../src/names/grammar.ts";
import type { SchedulerName } from "../../../src/store/run_status.ts";
import type { RunEvent, RunResult } from "../../../src/scheduler/report.ts";
import { FakeTerminal } from "../harness.ts";
import { NOTHING_RAN } from "../../../testing/run_result.ts";

const QUEUE = { experiment: "experiment", directory: "/w/experiment", name: "a" };
const RULE = `# ${"-".repeat(70)}`;
const job1 = jobName("job1");
const job2 = jobName("job2");
const machine = "pi@red";

/** Prints events, the clock `stepMs` further at each. */
function print(scheduler: SchedulerName, events: readonly RunEvent[], options: { stepMs?: number } = {}): FakeTerminal {
  const io = new FakeTerminal();
  let nowMs = 0;
  const now = () => nowMs += options.stepMs ?? 0;
  const view = new RunLines(makeLines(io, { get: () => undefined }), {
    scheduler,
    queue: QUEUE,
    again: "cms again",
    now,
  });
  for (const event of events) view.event(event);
  return io;
}

function printResult(result: Partial<RunResult>): FakeTerminal {
  const io = new FakeTerminal();
  const lines = makeLines(io, { get: () => undefined });
  const view = new RunLines(lines, { scheduler: "fifo", queue: QUEUE, again: "cms again", now: () => 0 });
  view.result({ ...NOTHING_RAN, ...result });
  return io;
}

Deno.test("a start prints the document's lines for each scheduler", () => {
  const event: RunEvent = { type: "starting", job: job2, machine, running: [job1, job2], count: 2 };
  const rest = `\n${RULE}\n# Run: job2\n${RULE}\n\nINFO: Running Jobs: ['job1', 'job2']\n`;
  assert.equal(print("fifo", [event]).text("out"), `INFO: Running job: job2 on pi@red\n${rest}`);
  assert.equal(print("fifo_multi", [event]).text("out"), `INFO: Starting job: job2 on host:pi@red\n${rest}`);
});

Deno.test("a start names the jobs that run up to twenty, and counts the others", () => {
  const running = Array.from({ length: 1500 }, (_, i) => jobName(`job${i + 1}`));
  const shown = (count: number) => {
    const event: RunEvent = {
      type: "starting",
      job: job2,
      machine,
      running: running.slice(0, Math.min(count, 20)),
      count,
    };
    return print("fifo_multi", [event]).text("out").split("\n").at(-2);
  };
  const names = running.slice(0, 20).map((name) => `'${name}'`).join(", ");
  assert.equal(shown(20), `INFO: Running Jobs: [${names}]`);
  assert.equal(shown(1500), `INFO: Running Jobs: [${names}, ... and 1480 more]`);
});

Deno.test("waiting prints the document's line, at most once a second", () => {
  const waiting: RunEvent = { type: "waiting", slots: 4 };
  assert.equal(print("fifo", [waiting]).text("out"), "INFO: Waiting. At max_parallel jobs=4.\n");
  assert.equal(print("fifo_multi", [waiting]).text("out"), "INFO: Waiting. All hosts running max jobs.\n");
  const count = (stepMs: number) =>
    print("fifo", Array(10).fill(waiting), { stepMs }).text("out").split("\n").length - 1;
  assert.equal(count(100), 1);
  assert.equal(count(500), 5);
  assert.equal(count(1000), 10);
});

Deno.test("failures print the original's WARNING lines with their reason", () => {
  const ended = { type: "ended", job: job1, machine, exitCode: null, elapsedMs: null } as const;
  const io = print("fifo_multi", [
    { ...ended, state: "crash", reason: null },
    { ...ended, state: "fail_start", reason: "no such shell: xsh" },
    { ...ended, state: "end", reason: null },
    { type: "machine_down", machine, reason: "ssh exited with 255", wasUp: true },
    { type: "directory_present", job: job1, machine },
    { type: "warning", text: "something" },
  ]);
  assert.equal(io.text("out"), "");
  assert.equal(
    io.text("err"),
    `\
WARNING: Job job1 status:CRASH
WARNING: Job job1 failed to start.
WARNING: job1 on pi@red: no such shell: xsh
WARNING: Host pi@red not responding to probe check. Not assigning jobs to pi@red
WARNING: pi@red: ssh exited with 255
WARNING: Job directory experiment/job1 already present on host pi@red.
WARNING: Use \`cms queue reset\` prior to re-running jobs to ensure dir is deleted.
WARNING: something
`,
  );
});

Deno.test("every other event has a line of its own, progress has none", () => {
  const io = print("fifo", [
    { type: "adopted", job: job1, machine },
    { type: "found", job: job2, state: "end", machine },
    { type: "skipped", job: job1, reason: "it has no user" },
    { type: "machine_up", machine, again: true },
    { type: "machine_up", machine, again: false },
    { type: "progress", progress: { done: 0, running: 1, failed: 0, total: 1 } },
    { type: "ended", job: job1, machine, state: "kill", exitCode: 143, reason: null, elapsedMs: 1 },
    { type: "unknown", jobs: [job1, job2], machine, timeoutMs: 600_000 },
    { type: "all_down", timeoutMs: 600_000, isOff: false },
    { type: "all_down", timeoutMs: 600_000, isOff: true },
    { type: "stopping", running: 3, signal: "SIGINT" },
  ]);
  assert.equal(
    io.text("out"),
    `\
INFO: Job job1 still runs on pi@red.
INFO: Job job2 of an earlier run on pi@red: end
INFO: Skipping job: job1, it has no user.
INFO: Host pi@red responds again.
INFO: Job job1 was killed on pi@red.
`,
  );
  const [unknown, ...rest] = io.text("err").split("\n");
  assert.equal(
    unknown,
    "WARNING: Not known until pi@red answers: ['job1', 'job2']. They count as running, " +
      "and as crashed after 10 min 0 s of silence.",
  );
  assert.deepEqual(rest.slice(0, 2), [
    "WARNING: No host responds. Trying again for 10 min 0 s.",
    "WARNING: No host takes jobs: none is active with a slot. Waiting 10 min 0 s for one.",
  ]);
  assert.match(rest[2]!, /^WARNING: Stopping after SIGINT/);
});

Deno.test("the end prints Ran and Completed, and names the jobs that did not end well", () => {
  const io = printResult({
    ran: [job1, job2],
    completed: [job1],
    failed: [{ job: job1, state: "end", exitCode: 7, machine }, { job: job2, state: "crash", exitCode: null, machine }],
  });
  assert.equal(io.text("out"), "INFO: Ran Jobs: ['job1', 'job2']\nINFO: Completed Jobs: ['job1']\n");
  assert.equal(
    io.text("err"),
    "WARNING: Job job1 did not end well: exit code 7 on pi@red\nWARNING: Job job2 did not end well: crash on pi@red\n",
  );
});

Deno.test("the end names at most 20 failed jobs and counts the rest", () => {
  const failed = Array.from(
    { length: 25 },
    (_, i) => ({ job: jobName(`j${i}`), state: "end", exitCode: 1, machine }) as const,
  );
  const lines = printResult({ failed }).text("err").trimEnd().split("\n");
  assert.equal(lines.length, 21);
  assert.equal(lines.at(-1), "WARNING: and 5 more");
});

Deno.test("a stopped run says how to go on", () => {
  const io = printResult({ outcome: "stopped", running: [job1], waiting: 4 });
  assert.equal(io.text("err"), "WARNING: Stopped. Still running: 1, waiting: 4. To go on: cms again\n");
  assert.match(
    printResult({ outcome: "no_hosts", waiting: 4 }).text("err"),
    /Waiting: 4\. To try again: cms again\n$/,
  );
});

Deno.test("the last lines count what never started apart from what failed itself, and what is left waiting with its reason", () => {
  const dependents = Array.from({ length: 30 }, (_, i) => jobName(`late${i + 1}`));
  const failed = { state: "end", exitCode: 3, machine } as const;
  const never = { state: "fail_start", exitCode: null, machine: "", isDependent: true } as const;
  const io = printResult({
    failed: [...dependents.map((job) => ({ job, ...never })), { job: job1, ...failed }],
    left: [{ reason: "held", jobs: [job2] }, { reason: "for prep, which is not in the queue", jobs: [job1, job2] }],
  });
  const names = dependents.slice(0, 20).map((name) => `'${name}'`).join(", ");
  assert.equal(
    io.text("err"),
    `\
WARNING: Job job1 did not end well: exit code 3 on pi@red
WARNING: Never started, because of jobs that they come after: 30 ([${names}, ... and 10 more])
WARNING: Left waiting: 1 (['job2']) held, 2 (['job1', 'job2']) for prep, which is not in the queue
`,
  );
});

Deno.test("a job that can never start has one line, without a machine", () => {
  const event = {
    type: "ended",
    job: job2,
    machine: "",
    state: "fail_start",
    exitCode: null,
    elapsedMs: null,
  } as const;
  const io = print("fifo", [{ ...event, reason: "job1 failed (exit code 3)" }]);
  assert.equal(io.text("err"), "WARNING: Job job2 is not started: job1 failed (exit code 3)\n");
});

/** Notices of a run: what is said, what becomes of commands and webhooks that fail, and what a killed run leaves. */
import assert from "node:assert/strict";
import type { Deps } from "../../src/deps.ts";
import { realDeps } from "../../src/deps_real.ts";
import { jobName } from "../../src/names/grammar.ts";
import { jobNotice, webhookUrl } from "../../src/operations/notices/notice.ts";
import { Notices } from "../../src/operations/notices/notices.ts";
import { postJson, runCommand } from "../../src/operations/notices/send.ts";
import { queueRef } from "../../src/operations/refs.ts";
import { OwedNotices } from "../../src/store/owed_notices.ts";
import { storePaths } from "../../src/store/paths.ts";
import { memoryDeps, MemoryFiles } from "../../testing/memory_files.ts";
import { waitUntil } from "../../testing/wait.ts";
import { isAlive } from "../../testing/run_place.ts";
import { NOTHING_RAN } from "../../testing/run_result.ts";

const ENDED = {
  type: "ended",
  job: jobName("x"),
  machine: "pi@red",
  state: "end",
  exitCode: 3,
  reason: null,
  elapsedMs: 1000,
} as const;
const REF = { experiment: "experiment", directory: "/e", name: "a" };
const NOTICE = jobNotice(REF, ENDED, undefined);
const never = new AbortController().signal;

/** Time passes at once. */
function quick(post: Deps["post"]): Deps {
  const deps = memoryDeps();
  let nowMs = 0;
  const clock = {
    ...deps.clock,
    now: () => nowMs,
    sleepUntil: (atMs: number, signal?: AbortSignal) => {
      // Limits, which have a signal, are never reached.
      if (signal !== undefined) return new Promise<void>(() => {});
      nowMs = Math.max(nowMs, atMs);
      return Promise.resolve();
    },
  };
  return { ...deps, clock, ...(post === undefined ? {} : { post }) };
}

Deno.test("a webhook has three tries, and none more after a refusal", async () => {
  for (
    const [answers, failure, tries] of [
      [[500, 503, 200], null, 3],
      [[500, 500, 502], "HTTP 502", 3],
      [[429, 204], null, 2],
      [[404], "HTTP 404", 1],
      [["refused", "refused", "refused"], "refused", 3],
    ] as const
  ) {
    const bodies: string[] = [];
    const left: (number | string)[] = [...answers];
    const deps = quick((_url, body) => {
      bodies.push(body);
      const answer = left.shift()!;
      return typeof answer === "number" ? Promise.resolve(answer) : Promise.reject(new Error(answer));
    });
    assert.equal(await postJson(deps, "http://h/", NOTICE), failure);
    assert.equal(bodies.length, tries);
    const { event, queue, job, host, state, exit_code, reason } = JSON.parse(bodies[0]!);
    assert.deepEqual([event, queue, job, host, state, exit_code, reason], [
      "job",
      "a",
      "x",
      "red",
      "end",
      3,
      "exit code 3",
    ]);
  }
  for (const url of ["ftp://h/", "h", "", "file:///etc"]) assert.throws(() => webhookUrl(url), /as a webhook/);
});

Deno.test("a command that takes too long is killed with what it started; one that fails says its last line", async () => {
  const deps = realDeps();
  const file = await Deno.makeTempFile({ prefix: "cms-notice-" });
  try {
    const late = await runCommand(deps, `sleep 600 & echo $! > ${file}; wait`, NOTICE, 1500);
    assert.equal(late, "it took longer than 1.5 s");
    const pid = Number(await Deno.readTextFile(file));
    await waitUntil("the end of what it started", () => !isAlive(pid));
    const failed = await runCommand(deps, "echo first >&2; echo no $CMS_JOB >&2; exit 4", NOTICE);
    assert.equal(failed, "exit code 4: no x");
    // What goes on in the background holds nothing up.
    assert.equal(await runCommand(deps, `sleep 600 & echo $! > ${file}`, NOTICE), null);
    Deno.kill(Number(await Deno.readTextFile(file)), "SIGKILL");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a run goes on whatever becomes of its notices: eight at once, few warnings, and no more after Ctrl-C twice", async () => {
  let [now, most] = [0, 0];
  const gates: (() => void)[] = [];
  const files = new MemoryFiles();
  await files.makeDirectory("/home/experiment");
  const deps: Deps = {
    ...memoryDeps(files),
    post: async () => {
      most = Math.max(most, ++now);
      await new Promise<void>((resolve) => gates.push(resolve));
      now--;
      return 404;
    },
  };
  const warnings: string[] = [];
  const notices = new Notices(deps, queueRef(deps, { queue: "a" }), { webhook: "http://h/" }, (text) => {
    warnings.push(text);
  });
  await notices.begin(new Map());
  for (let i = 0; i < 20; i++) notices.event(ENDED);
  await waitUntil("the first are told", () => gates.length === 8);
  const leave = new AbortController();
  const finished = notices.finish(NOTHING_RAN, 0, leave.signal);
  let isFinished = false;
  void finished.then(() => isFinished = true);
  await waitUntil("all are told", () => {
    for (const go of gates.splice(0)) go();
    return isFinished;
  });
  assert.equal(most, 8);
  assert.deepEqual(warnings.slice(0, 1), ["--webhook for job x failed: HTTP 404"]);
  assert.equal(warnings.length, 6);
  assert.equal(warnings.at(-1), "--webhook failed 16 times more");
  notices.event(ENDED);
  leave.abort();
  await notices.finish(NOTHING_RAN, 0, leave.signal);
});

Deno.test("what a killed run owes, the next one tells, once; what a living one owes it leaves alone", async () => {
  const files = new MemoryFiles();
  const deps = memoryDeps(files);
  await files.makeDirectory("/e");
  const paths = storePaths(REF, "queue");
  const own = { commands: ["one"], webhooks: [] };
  const none = { commands: [], webhooks: [] };
  assert.equal(await OwedNotices.begin(deps, paths, none), null);
  assert.deepEqual(await files.list("/e"), []);
  const first = await OwedNotices.begin(deps, paths, own);
  assert.deepEqual(first?.owed, own);
  // The first is still at it.
  assert.equal(await OwedNotices.begin(deps, paths, none), null);
  const second = await OwedNotices.begin(deps, paths, { commands: ["two"], webhooks: ["http://h/"] });
  assert.deepEqual(second?.owed, { commands: ["two"], webhooks: ["http://h/"] });
  await first?.done();
  await second?.done();
  // Killed: the locks go with the process, the texts stay.
  for (const [name, command] of [["", "three"], ["2", "four"]]) {
    const lock = await files.lock(`${paths.notices}${name}`, { mode: "exclusive", wait: false });
    await lock!.describe(JSON.stringify({ commands: [command], webhooks: [] }));
    lock!.release();
  }
  const next = await OwedNotices.begin(deps, paths, { commands: ["five"], webhooks: [] });
  assert.deepEqual(next?.owed.commands, ["five", "three", "four"]);
  await next?.done();
  assert.equal(await OwedNotices.begin(deps, paths, none), null);
});

Deno.test("a run that owes nothing runs no command at its end, and one with a notice tells it", async () => {
  const files = new MemoryFiles();
  await files.makeDirectory("/home/experiment");
  const posted: string[] = [];
  const deps: Deps = { ...memoryDeps(files), post: (_url, body) => Promise.resolve((posted.push(body), 200)) };
  const queue = queueRef(deps, { queue: "a" });
  for (const wishes of [{}, { webhook: "http://h/" }]) {
    const notices = new Notices(deps, queue, wishes, assert.fail);
    await notices.begin(new Map());
    await notices.finish({ ...NOTHING_RAN, ran: [jobName("x")], waiting: 2 }, 1, never);
  }
  assert.equal(posted.length, 1);
  const { event, state, exit_code, reason } = JSON.parse(posted[0]!);
  assert.deepEqual([event, state, exit_code, reason], ["run", "done", 1, "1 ran, 0 failed, 0 running, 2 waiting"]);
});

/**
 * Attempts on silent machines whose jobs are tried elsewhere: what the core asks for when such a machine answers again.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { JobName } from "../../src/names/grammar.ts";
import type { Job } from "../../src/job/job.ts";
import type { AttemptState } from "../../src/link/link.ts";
import { Core } from "../../src/scheduler/core.ts";
import type { CoreEvent, Effect } from "../../src/scheduler/events.ts";
import { NO_EXTERNAL_CHANGES } from "../../src/store/changes.ts";
import { fifoMulti } from "../../src/scheduler/policies.ts";
import { job, slotHost } from "./world.ts";

const [RED, BLUE] = ["pi@red", "pi@blue"];
/** Another name of red. */
const RUBY = "pi@ruby";
const BOOT = { [RED]: "red+1/a", [BLUE]: "blue+2/b", [RUBY]: "red+1/a" };

/** A core, the jobs as they are written, and the time. */
class Bench {
  readonly jobs = new Map<JobName, Job>();
  core: Core;
  nowMs = 0;

  readonly #machines: readonly string[];

  constructor(jobs: readonly Job[], machines: readonly string[] = [RED, BLUE]) {
    this.#machines = machines;
    for (const one of jobs) this.jobs.set(one.name, one);
    this.core = this.#make();
    this.begin();
  }

  #make(): Core {
    const hosts = this.#machines.map((machine, i) => slotHost(`h${i + 1}`, machine));
    return new Core({ policy: fifoMulti(), hosts, timeoutMs: 60_000 }, this.jobs);
  }

  /** A new run. */
  again(): void {
    this.core = this.#make();
    this.begin();
  }

  begin(): void {
    this.step({ type: "begin" });
  }

  step(event: CoreEvent, afterMs = 1): Effect[] {
    this.nowMs += afterMs;
    const effects = this.core.step(event, this.nowMs);
    for (const effect of effects) {
      if (effect.type !== "change" || effect.change.type !== "set") continue;
      const { job: name, fields } = effect.change;
      this.jobs.set(name, { ...this.jobs.get(name)!, ...fields });
    }
    return effects;
  }

  up(machine: string): Effect[] {
    return this.step({ type: "link_up", machine, boot: BOOT[machine]! });
  }

  answer(machine: string, attempt: string, state: AttemptState, name = "x"): Effect[] {
    return this.step({ type: "answer", machine, states: [{ job: name as JobName, attempt, state }] });
  }

  get x(): Job {
    return this.jobs.get("x" as JobName)!;
  }
}

const LOST: Partial<Job> = { retries: 1, retry_delay: "1s", retry_on: ["lost"] };
const idOf = (number: number): string => `${job("x").id}.${number}`;
const ALIVE: AttemptState = { type: "alive", pid: 1, startedAtMs: 0, orphan: false };
const ENDED: AttemptState = { type: "ended", state: "kill", exitCode: 143, startedAtMs: 0, endedAtMs: 1 };
const started = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => effect.type === "start" ? [`${effect.request.job} on ${effect.machine}`] : []);
const forbidden = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => effect.type === "ask" ? effect.forbid.map(({ attempt }) => attempt) : []);
const warned = (effects: readonly Effect[]): boolean =>
  effects.some((effect) =>
    effect.type === "report" && effect.event.type === "warning" && /may have overlapped/.test(effect.event.text)
  );

/** x runs on red, which falls silent for longer than the time-out; then it is tried on blue. */
function silent(machines?: readonly string[]): Bench {
  const bench = new Bench([{ ...job("x"), ...LOST }], machines);
  bench.up(RED);
  bench.up(BLUE);
  bench.step({ type: "tick" }, 2_000);
  assert.equal(bench.x.host, "red");
  const ref = { job: "x" as JobName, attempt: idOf(1) };
  bench.step({ type: "link", machine: RED, event: { type: "started", ...ref, pid: 1, atMs: 0 } });
  bench.step({ type: "link", machine: RED, event: { type: "down", reason: "cut" } });
  bench.step({ type: "tick" }, 61_000);
  assert.deepEqual([bench.x.status, bench.x.history?.[0]?.boot], ["ready", BOOT[RED]]);
  assert.deepEqual(started(bench.step({ type: "tick" }, 3_000)), [`x on ${BLUE}`]);
  return bench;
}

Deno.test("nothing starts on a machine that answers again before the lost attempt there is over", () => {
  const bench = silent();
  bench.jobs.set("y" as JobName, job("y"));
  const external = { put: ["y"], changed: [], deleted: [], kill: [], warnings: [], reordered: false };
  bench.step({ type: "external", external: external as never });
  const up = bench.up(RED);
  assert.deepEqual([forbidden(up), started(up)], [[idOf(1)], []]);
  const alive = bench.answer(RED, idOf(1), ALIVE);
  assert.ok(alive.some((effect) => effect.type === "kill" && effect.attempt.attempt === idOf(1)));
  assert.deepEqual(started(alive), []);
  const again = bench.step({ type: "tick" }, 1_500);
  assert.deepEqual([forbidden(again), started(again)], [[idOf(1)], []]);
  const over = bench.answer(RED, idOf(1), ENDED);
  assert.ok(warned(over));
  assert.deepEqual(started(over), [`y on ${RED}`]);
});

Deno.test("a machine that answers under another name is asked for the lost attempt before anything starts there", () => {
  const bench = silent([RED, BLUE, RUBY]);
  bench.jobs.set("y" as JobName, job("y"));
  const external = { put: ["y"], changed: [], deleted: [], kill: [], warnings: [], reordered: false };
  bench.step({ type: "external", external: external as never });
  const up = bench.up(RUBY);
  assert.deepEqual([forbidden(up), started(up)], [[idOf(1)], []]);
  const over = bench.answer(RUBY, idOf(1), ENDED);
  assert.ok(warned(over));
  assert.deepEqual(started(over), [`y on ${RUBY}`]);
});

Deno.test("a machine that answers under another name is asked for what an earlier run gave up under the first", () => {
  const bench = new Bench([job("x")], [RUBY, RED]);
  bench.up(RUBY);
  bench.step({ type: "tick" }, 2_000);
  bench.step({ type: "link", machine: RUBY, event: { type: "down", reason: "cut" } });
  bench.step({ type: "tick" }, 61_000);
  assert.deepEqual([bench.x.host, bench.x.status], ["ruby", "crash"]);
  bench.jobs.set("y" as JobName, job("y"));
  bench.again();
  const up = bench.up(RED);
  bench.step({ type: "tick" }, 2_000);
  const asked = up.flatMap((effect) => effect.type === "ask" ? [...effect.ask, ...effect.forbid] : []);
  assert.deepEqual([asked.map(({ attempt }) => attempt), started(up)], [[idOf(1)], []]);
  // It has a slot of the machine: another job would be one too many.
  assert.deepEqual(started(bench.answer(RED, idOf(1), ALIVE)), []);
  assert.equal(bench.x.status, "start");
  assert.deepEqual(started(bench.answer(RED, idOf(1), ENDED)), [`y on ${RED}`]);
});

Deno.test("the next run knows of a lost attempt, and asks before anything starts there", () => {
  const bench = silent();
  bench.jobs.set("y" as JobName, job("y"));
  bench.again();
  bench.up(BLUE);
  assert.deepEqual(forbidden(bench.up(RED)), [idOf(1)]);
  assert.deepEqual(started(bench.step({ type: "tick" }, 2_000)), []);
  bench.answer(RED, idOf(1), ALIVE);
  assert.deepEqual(forbidden(bench.step({ type: "tick" }, 1_500)), [idOf(1)]);
  const over = bench.answer(RED, idOf(1), ENDED);
  assert.ok(warned(over));
  assert.deepEqual(started(over), [`y on ${RED}`]);
});

Deno.test("a run whose jobs are over says of a lost attempt that nobody has heard of that it may have overlapped", () => {
  for (const isAnswered of [false, true]) {
    const bench = silent();
    if (isAnswered) {
      bench.up(RED);
      bench.answer(RED, idOf(1), ALIVE);
    }
    const ref = { job: "x" as JobName, attempt: idOf(2) };
    bench.step({ type: "link", machine: BLUE, event: { type: "started", ...ref, pid: 1, atMs: 0 } });
    const end = { type: "ended", ...ref, state: "end", exitCode: 0, atMs: 1 } as const;
    const last = bench.step({ type: "link", machine: BLUE, event: end });
    const all = bench.core.isFinished ? last : [...last, ...bench.step({ type: "tick" })];
    assert.deepEqual([bench.core.isFinished, warned(all)], [true, true]);
  }
});

Deno.test("without lost a silent machine's job is a crash, and is tried again once the machine is known to be booted", () => {
  for (const fields of [{ ...LOST, retry_on: null }, { ...LOST, retries: 0 }]) {
    const bench = new Bench([{ ...job("x"), ...fields }]);
    bench.up(RED);
    bench.up(BLUE);
    bench.step({ type: "tick" }, 2_000);
    bench.step({ type: "link", machine: RED, event: { type: "down", reason: "cut" } });
    bench.step({ type: "tick" }, 61_000);
    assert.deepEqual([bench.x.status, bench.x.boot, bench.x.history ?? null], ["crash", BOOT[RED], null]);
    bench.jobs.set("y" as JobName, job("y"));
    bench.step({ type: "external", external: { ...NO_EXTERNAL_CHANGES, put: ["y" as JobName] } });
    bench.step({ type: "link_up", machine: RED, boot: "red+1/later" });
    assert.equal(bench.x.status, "crash");
    bench.answer(RED, idOf(1), { type: "none" });
    const isTried = fields.retries === 1;
    assert.deepEqual([bench.x.status, bench.x.boot, bench.x.history?.length ?? 0], [
      isTried ? "ready" : "crash",
      null,
      isTried ? 1 : 0,
    ]);
  }
});

Deno.test("a run with nothing else to do waits for the first word of a silent host that owes one, and no longer", () => {
  const given = { status: "crash", attempt: 1, user: "pi", host: "red", boot: BOOT[RED]!, slot: "h1" } as const;
  const make = (retries: number): Bench => {
    const bench = new Bench([{ ...job("x"), ...given, retries, retry_delay: "1s" }]);
    bench.up(BLUE);
    bench.step({ type: "tick" }, 2_000);
    return bench;
  };
  assert.ok(make(0).core.isFinished, "no try is left");
  const silent = make(1);
  assert.ok(!silent.core.isFinished);
  silent.step({ type: "connect_failed", machine: RED, reason: "no route to host", lasting: false });
  assert.deepEqual([silent.core.isFinished, silent.x.status], [true, "crash"]);
  const booted = make(1);
  booted.step({ type: "link_up", machine: RED, boot: "red+1/later" });
  assert.ok(!booted.core.isFinished);
  booted.answer(RED, idOf(1), { type: "none" });
  assert.deepEqual([booted.core.isFinished, booted.x.status, booted.x.history?.[0]?.status], [false, "ready", "crash"]);
});

Deno.test("where machines share a home a try that finds the lost attempt there is followed by the next, as lost asks", () => {
  for (const reason of [`another attempt of the job runs there (${idOf(1)})`, "there is no shell"]) {
    const bench = silent();
    bench.jobs.set("x" as JobName, { ...bench.x, retries: 2 });
    const ref = { job: "x" as JobName, attempt: idOf(2) };
    bench.step({ type: "link", machine: BLUE, event: { type: "refused", ...ref, reason } });
    const isHeld = reason.startsWith("another");
    assert.deepEqual([bench.x.status, bench.x.history?.length], isHeld ? ["ready", 2] : ["fail_start", 1]);
    if (!isHeld) continue;
    assert.deepEqual([bench.x.history?.[1]?.status, bench.x.history?.[1]?.reason], ["fail_start", reason]);
    assert.deepEqual(started(bench.step({ type: "tick" }, 5_000)), [`x on ${BLUE}`]);
  }
});

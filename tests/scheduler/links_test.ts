import assert from "node:assert/strict";
import type { JobName } from "../../src/names/grammar.ts";
import { Core } from "../../src/scheduler/core.ts";
import type { CoreEvent } from "../../src/scheduler/events.ts";
import { fifoMulti } from "../../src/scheduler/policies.ts";
import { job, slotHost, World } from "./world.ts";

import { names, runQuietly } from "./quiet.ts";

const RED = "pi@red";

Deno.test("a machine that is silent for the time-out loses its jobs, and they are believed again when it is back", () => {
  const hosts = [slotHost("h1", RED), slotHost("h2", "pi@red01")];
  const world = new World({ seed: 23, jobs: names(12).map((name) => job(name)), hosts, timeoutMs: 2_000 });
  for (let i = 0; i < 500 && world.startOrder.length < 2; i++) world.tick(0);
  const red = world.machines.get(RED)!;
  const lost = red.alive()[0]!;
  lost.endsAtMs = Infinity;
  red.reachable = false;
  world.feed({ type: "link", machine: RED, event: { type: "down", reason: "cut" } });
  red.linkOpen = false;
  for (let i = 0; i < 300 && world.jobs.get(lost.job)!.status !== "crash"; i++) world.tick(0);
  assert.equal(world.jobs.get(lost.job)!.status, "crash");
  assert.equal(world.finished, false);
  red.reachable = true;
  for (let i = 0; i < 1_000 && world.jobs.get(lost.job)!.status !== "start"; i++) world.tick(0);
  assert.equal(world.jobs.get(lost.job)!.status, "start");
  lost.endsAtMs = 0;
  runQuietly(world);
  assert.equal(world.jobs.get(lost.job)!.status, "end");
  assert.deepEqual(world.core.result().failed, []);
});

Deno.test("time in which the run itself stood still is no silence of a machine", () => {
  for (const stoodMs of [0, 700_000]) {
    const jobs = new Map([["a" as JobName, { ...job("a", RED), status: "start", attempt: 1, boot: "1" } as const]]);
    const hosts = [slotHost("h1", RED)];
    const core = new Core({ policy: fifoMulti(), hosts, timeoutMs: 600_000 }, jobs);
    core.step({ type: "begin" }, 0);
    core.step({ type: "connect_failed", machine: RED, reason: "cut", lasting: false }, 10);
    if (stoodMs > 0) core.step({ type: "stood_still", ms: stoodMs }, 700_010);
    const effects = core.step({ type: "tick" }, 700_010);
    const given = effects.some((effect) => effect.type === "report" && effect.event.type === "ended");
    assert.equal(given, stoodMs === 0);
  }
});

Deno.test("a node whose allocation is over is left, and not connected again while it is listed", () => {
  const NODE = "me@n1.7.slurm.login";
  const jobs = new Map([["a" as JobName, job("a")]]);
  const core = new Core({ policy: fifoMulti(), hosts: [slotHost("h1", NODE)], timeoutMs: 600_000 }, jobs);
  const types = (event: CoreEvent, atMs: number) => core.step(event, atMs).map(({ type }) => type);
  assert.ok(types({ type: "begin" }, 0).includes("connect"));
  const over = types({ type: "link_up", machine: NODE, boot: "n1.7.slurm.login/slurm-over.NODE_FAIL" }, 10);
  assert.deepEqual(over.filter((type) => ["start", "connect", "disconnect"].includes(type)), ["disconnect"]);
  for (let i = 1; i < 5; i++) assert.deepEqual(types({ type: "tick" }, i * 1_000), []);
});

Deno.test("only what was just being claimed is asked about again: others may have been sent a moment ago", () => {
  const jobs = new Map(["a", "b"].map((name) => [name as JobName, job(name)]));
  const hosts = [slotHost("h1", RED, { capacity: 2 })];
  const core = new Core({ policy: fifoMulti(), hosts, timeoutMs: 600_000 }, jobs);
  core.step({ type: "begin" }, 0);
  const starts = core.step({ type: "link_up", machine: RED, boot: "1" }, 0).flatMap((effect) =>
    effect.type === "start" ? [effect.request] : []
  );
  assert.deepEqual(starts.map((start) => start.job), ["a", "b"]);
  const { job: name, attempt } = starts[0]!;
  const known = { type: "known", job: name, attempt, state: { type: "claimed" } } as const;
  core.step({ type: "link", machine: RED, event: known }, 10);
  const effects = core.step({ type: "tick" }, core.wakeAtMs ?? 0);
  const asked = effects.flatMap((effect) => effect.type === "ask" ? [...effect.ask, ...effect.forbid] : []);
  assert.deepEqual(asked, [{ job: name, attempt }]);
});

Deno.test("no job starts on a machine before all questions to it are answered, also those under another of its names", () => {
  const was = { status: "start", attempt: 1, boot: "1" } as const;
  const jobs = new Map([
    ["a" as JobName, { ...job("a", RED), ...was }],
    // Without a boot only the name tells where it is.
    ["b" as JobName, { ...job("b", "pi@ruby"), ...was, boot: null }],
    ["next" as JobName, job("next")],
  ]);
  const hosts = [slotHost("h1", RED, { capacity: 3 }), slotHost("h2", "pi@ruby", { capacity: 3 })];
  const core = new Core({ policy: fifoMulti(), hosts, timeoutMs: 600_000 }, jobs as never);
  const starts = (event: Parameters<Core["step"]>[0], nowMs: number): string[] =>
    core.step(event, nowMs).flatMap((effect) => effect.type === "start" ? [effect.request.job] : []);
  const alive = (name: string) =>
    ({
      type: "answer",
      machine: RED,
      states: [{
        job: name as JobName,
        attempt: `${job(name).id}.1`,
        state: { type: "alive", pid: 1, startedAtMs: 0, orphan: false },
      }],
    }) as const;
  core.step({ type: "begin" }, 0);
  core.step({ type: "link_up", machine: RED, boot: "1" }, 1);
  core.step({ type: "same_machine", machine: "pi@ruby", as: RED }, 2);
  assert.deepEqual(starts(alive("a"), 3), []);
  assert.deepEqual(starts({ ...alive("b"), isUnasked: true }, 4), []);
  assert.deepEqual(starts(alive("b"), 5), ["next"]);
});

Deno.test("an unfinished claim of a job that was deleted is forbidden, so that its machine gets jobs again", () => {
  const was = { status: "run", attempt: 1, boot: "1" } as const;
  const jobs = new Map(["gone", "runs"].map((name) => [name as JobName, { ...job(name, RED), ...was }]));
  jobs.set("runs" as JobName, { ...job("runs", RED), ...was, status: "start" } as never);
  const hosts = [slotHost("h1", RED, { capacity: 2 })];
  const core = new Core({ policy: fifoMulti(), hosts, timeoutMs: 600_000 }, jobs);
  jobs.delete("gone" as JobName);
  core.step({ type: "begin" }, 0);
  const [question] = core.step({ type: "link_up", machine: RED, boot: "1" }, 0).filter(({ type }) => type === "ask");
  assert.ok(question?.type === "ask");
  assert.deepEqual(question.forbid.map((each) => each.job), ["gone"]);
  assert.deepEqual(question.ask.map((each) => each.job), ["runs"]);
});

Deno.test("a start of an earlier run is recalled again and again while the disk of its host is full", () => {
  const was = { ...job("a", RED), status: "run", attempt: 1, boot: "1" } as const;
  const hosts = [slotHost("h1", RED)];
  const core = new Core(
    { policy: fifoMulti(), hosts, timeoutMs: 600_000 },
    new Map([[was.name, was]]),
  );
  core.step({ type: "begin" }, 0);
  const ref = { job: was.name, attempt: `${was.id}.1` };
  let effects = core.step({ type: "link_up", machine: RED, boot: "1" }, 0);
  for (let i = 0; i < 3; i++) {
    const asked = effects.flatMap((effect) => effect.type === "ask" ? [[effect.ask, effect.forbid]] : []);
    assert.deepEqual(asked, [[[], [ref]]]);
    core.step({ type: "answer", machine: RED, states: [{ ...ref, state: { type: "claimed" } }] }, core.wakeAtMs ?? 0);
    effects = core.step({ type: "tick" }, core.wakeAtMs ?? 0);
  }
});

Deno.test("what an earlier run gave up is asked about once; an unfinished claim of it is forbidden then", () => {
  const was = { ...job("a", RED), status: "crash", attempt: 1, boot: "1" } as const;
  const hosts = [slotHost("h1", RED)];
  const next = job("b");
  const jobs = new Map([[was.name, was], [next.name, next]]);
  const core = new Core({ policy: fifoMulti(), hosts, timeoutMs: 600_000 }, jobs);
  core.step({ type: "begin" }, 0);
  const ref = { job: was.name, attempt: `${was.id}.1` };
  let effects = core.step({ type: "link_up", machine: RED, boot: "1" }, 0);
  for (const expected of [[[ref], []], [[], [ref]], [[], [ref]]]) {
    const asked = effects.flatMap((effect) => effect.type === "ask" ? [[effect.ask, effect.forbid]] : []);
    assert.deepEqual(asked, [expected]);
    core.step({ type: "answer", machine: RED, states: [{ ...ref, state: { type: "claimed" } }] }, core.wakeAtMs ?? 0);
    effects = core.step({ type: "tick" }, core.wakeAtMs ?? 0);
  }
});

Deno.test("without a machine that answers the run says so once and ends after the time-out", () => {
  const world = new World({ seed: 25, jobs: [job("a")], hosts: [slotHost("h1", RED)], timeoutMs: 30_000 });
  world.machines.get(RED)!.reachable = false;
  for (let i = 0; i < 5_000 && !world.finished; i++) world.tick(0);
  assert.ok(world.finished);
  assert.equal(world.core.result().outcome, "no_hosts");
  const told = world.reports.filter((event) => event.type === "all_down");
  assert.deepEqual(told, [{ type: "all_down", timeoutMs: 30_000, isOff: false }]);
  assert.equal(world.jobs.get("a" as JobName)!.status, "undefined");
});

Deno.test("where every host is switched off the run says that, not that none responds", () => {
  const hosts = [slotHost("h1", RED, { active: false }), slotHost("h2", RED, { capacity: 0 })];
  const world = new World({ seed: 26, jobs: [job("a")], hosts, timeoutMs: 30_000 });
  for (let i = 0; i < 5_000 && !world.finished; i++) world.tick(0);
  assert.equal(world.core.result().outcome, "no_hosts");
  const told = world.reports.filter((event) => event.type === "all_down");
  assert.deepEqual(told, [{ type: "all_down", timeoutMs: 30_000, isOff: true }]);
});

Deno.test("what an earlier run left under a name that is silent is asked for where its boot answers, and has a slot there", () => {
  const was = { status: "start", attempt: 1, boot: "red/1" } as const;
  const jobs = new Map<JobName, ReturnType<typeof job>>([
    ["a" as JobName, { ...job("a", "pi@ruby"), ...was, slot: "h2" }],
    ["next" as JobName, job("next")],
  ]);
  const hosts = [slotHost("h1", RED), slotHost("h2", "pi@ruby")];
  const core = new Core({ policy: fifoMulti(), hosts, timeoutMs: 10_000 }, jobs as never);
  const step = (event: Parameters<Core["step"]>[0], nowMs: number) => core.step(event, nowMs);
  step({ type: "begin" }, 0);
  const up = step({ type: "link_up", machine: RED, boot: "red/1" }, 9_990);
  const asked = up.flatMap((effect) => effect.type === "ask" ? [...effect.ask, ...effect.forbid] : []);
  assert.deepEqual(asked.map(({ job }) => job), ["a"]);
  // The name is silent for long enough to give its jobs up, the machine is not.
  const late = step({ type: "tick" }, 10_010);
  assert.equal(late.some((effect) => effect.type === "change"), false);
  const state = { type: "alive", pid: 1, startedAtMs: 0, orphan: false } as const;
  const attempt = `${job("a").id}.1`;
  const alive = step({ type: "answer", machine: RED, states: [{ job: "a" as JobName, attempt, state }] }, 20_020);
  assert.equal(alive.some((effect) => effect.type === "start"), false);
  const over = step({
    type: "link",
    machine: RED,
    event: { type: "ended", job: "a" as JobName, attempt, state: "end", exitCode: 0, atMs: 20_030 },
  }, 20_030);
  assert.deepEqual(over.flatMap((effect) => effect.type === "start" ? [effect.request.job] : []), ["next"]);
});

Deno.test("a new run tells once which jobs are unknown while their machine is away, and then what became of them", () => {
  const hosts = [slotHost("h1", RED), slotHost("h2", RED), slotHost("h3", "pi@red01")];
  const world = new World({ seed: 33, jobs: names(3).map((name) => job(name)), hosts });
  for (let i = 0; i < 500 && world.startOrder.length < 3; i++) world.tick(0);
  const red = world.machines.get(RED)!;
  const away = red.alive();
  assert.equal(away.length, 2);
  away[0]!.endsAtMs = Infinity;
  red.end(away[1]!);
  // The end is on its way when the manager dies.
  world.killManager();
  world.reports.length = 0;
  red.reachable = false;
  const unknown = () => world.reports.filter((event) => event.type === "unknown");
  for (let i = 0; i < 500 && unknown().length === 0; i++) world.tick(0);
  for (let i = 0; i < 200; i++) world.tick(0);
  assert.deepEqual(unknown().map(({ machine, jobs }) => [machine, jobs]), [[RED, away.map((one) => one.job)]]);
  red.reachable = true;
  const knows = () => world.reports.some((event) => event.type === "adopted" && event.job === away[0]!.job);
  for (let i = 0; i < 1_000 && !knows(); i++) world.tick(0);
  assert.ok(knows());
  const found = world.reports.filter((event) => event.type === "found" && event.machine === RED);
  assert.deepEqual(found, [{ type: "found", job: away[1]!.job, state: "end", machine: RED }]);
});

Deno.test("what happens on one machine costs the same beside thousands of others that are up", () => {
  const keys = Array.from({ length: 2_000 }, (_, i) => `pi@h${i}`);
  const jobs = new Map(names(4_000).map((name) => [name as JobName, job(name)]));
  const hosts = keys.map((key, i) => slotHost(`h${i}`, key));
  const core = new Core({ policy: fifoMulti(), hosts, timeoutMs: 600_000 }, jobs);
  core.step({ type: "begin" }, 0);
  const starts = keys.flatMap((machine) => core.step({ type: "link_up", machine, boot: "1" }, 10));
  const first = starts.find((effect) => effect.type === "start")!;
  assert.ok(first.type === "start" && core.inspect().running > 0);
  assert.deepEqual(core.inspect().machines.restless(), []);
  assert.equal(core.wakeAtMs, null);
});

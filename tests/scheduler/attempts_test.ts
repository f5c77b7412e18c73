/** What becomes of attempts whose jobs are killed, deleted or replaced while they are on their way. */
import assert from "node:assert/strict";
import type { Job } from "../../src/job/job.ts";
import type { AttemptState } from "../../src/link/link.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { Core } from "../../src/scheduler/core.ts";
import type { AttemptRef } from "../../src/job/attempt.ts";
import type { CoreEvent, Effect } from "../../src/scheduler/events.ts";
import { fifoMulti } from "../../src/scheduler/policies.ts";
import { NO_EXTERNAL_CHANGES } from "../../src/store/changes.ts";
import { job, put, slotHost, World } from "./world.ts";

const RED = "pi@red";
const A = "a" as JobName;
const ATTEMPT: AttemptRef = { job: A, attempt: `${job("a").id}.1` };
const UP: CoreEvent = { type: "link_up", machine: RED, boot: "1" };
const DOWN: CoreEvent = { type: "link", machine: RED, event: { type: "down", reason: "cut" } };
const KILL: CoreEvent = { type: "external", external: { ...NO_EXTERNAL_CHANGES, kill: [A] } };

/** A core with job a on one host, whose effects are looked at one step after the other. */
class Steps {
  readonly jobs: Map<JobName, Job>;
  readonly #core: Core;

  constructor(fields: Partial<Job> = {}, others: readonly Job[] = []) {
    const all: Job[] = [{ ...job("a", RED), ...fields }, ...others];
    this.jobs = new Map(all.map((one) => [one.name, one]));
    const options = { policy: fifoMulti(), hosts: [slotHost("h1", RED)], timeoutMs: 600_000 };
    this.#core = new Core(options, this.jobs);
    this.step({ type: "begin" });
  }

  /** Takes the event when the core is next due, and writes down what changes. */
  step(event: CoreEvent): Effect[] {
    const effects = this.#core.step(event, this.#core.wakeAtMs ?? 0);
    for (const effect of effects) {
      if (effect.type !== "change" || effect.change.type !== "set") continue;
      const before = this.jobs.get(effect.change.job);
      if (before !== undefined) this.jobs.set(before.name, { ...before, ...effect.change.fields });
    }
    return effects;
  }

  get status(): string | undefined {
    return this.jobs.get(A)?.status;
  }
}

/** What of these effects goes to a host, in short. */
function toHost(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.type === "ask") return [`ask ${effect.ask.length} forbid ${effect.forbid.length}`];
    return effect.type === "start" || effect.type === "recall" || effect.type === "kill" ? [effect.type] : [];
  });
}

function recalled(state: AttemptState): CoreEvent {
  return { type: "recalled", attempts: [ATTEMPT], states: [state] };
}

Deno.test("a backlog is settled though a job of it was deleted, added anew and runs elsewhere", () => {
  const jobs = Array.from({ length: 60 }, (_, i) => job(`job${i}`));
  const hosts = [slotHost("h1", RED, { capacity: 2 }), slotHost("h2", "pi@blue")];
  const world = new World({ seed: 5, jobs, hosts, roundTripMs: 400 });
  const red = world.machines.get(RED)!;
  const waiting = () => [...red.backlogs.values()].flatMap((backlog) => backlog.waiting.map((request) => request.job));
  for (let i = 0; i < 5000 && waiting().length === 0; i++) world.tick(0);
  const name = waiting().at(-1)!;
  // The host notices as soon as the manager does: nobody is let in any more.
  red.endBacklogs();
  red.reachable = false;
  red.linkOpen = false;
  world.feed({ type: "link", machine: RED, event: { type: "down", reason: "cut" } });
  world.jobs.delete(name);
  world.feed({ type: "external", external: { ...NO_EXTERNAL_CHANGES, deleted: [name] } });
  world.jobs.set(name, { ...job(name), id: "f".repeat(32) });
  world.feed(put(name));
  for (let i = 0; i < 5000 && world.jobs.get(name)!.host === null; i++) world.tick(0);
  assert.equal(world.jobs.get(name)!.host, "blue");
  red.reachable = true;
  world.runToEnd(0, { troubleSteps: 0, steps: 20_000 });
  const left = [...world.jobs.values()].filter(({ status }) => status !== "end" && status !== "crash");
  assert.deepEqual(left.map((one) => one.name), []);
  assert.equal(world.core.inspect().slots.free((key) => key === RED)?.id, "h1");
});

Deno.test("a job that was deleted and added anew waits until its host says what became of the old one", () => {
  for (const isBack of [true, false]) {
    const hosts = [slotHost("h1", RED), slotHost("h2", "pi@blue")];
    const world = new World({ seed: 6, jobs: [job("a"), job("b")], hosts });
    const red = world.machines.get(RED)!;
    for (let i = 0; i < 5000 && world.jobs.get(A)!.status !== "start"; i++) world.tick(0);
    red.reachable = false;
    red.linkOpen = false;
    world.feed({ type: "link", machine: RED, event: { type: "down", reason: "cut" } });
    world.jobs.delete(A);
    world.feed({ type: "external", external: { ...NO_EXTERNAL_CHANGES, deleted: [A] } });
    world.jobs.set(A, { ...job("a"), id: "f".repeat(32) });
    world.feed(put(A));
    const told = () => world.reports.filter((event) => event.type === "warning" && /^Job a waits/.test(event.text));
    for (let i = 0; i < 5000 && told().length === 0; i++) world.tick(0);
    assert.equal(told().length, 1);
    assert.deepEqual([world.jobs.get(A)!.status, world.core.inspect().slots.inUse().get("h1")], ["undefined", 1]);
    if (isBack) red.reachable = true;
    world.runToEnd(0, { troubleSteps: 0, steps: 20_000 });
    assert.deepEqual([...world.jobs.values()].map(({ status }) => status), ["end", "end"]);
    assert.equal(world.core.inspect().slots.inUse().get("h1"), 0);
  }
});

Deno.test("a job is crash if its host first says that it runs and later that it never started", () => {
  const was = { ...job("a", RED), status: "start", attempt: 1, boot: "1" } as const;
  const world = new World({ seed: 7, jobs: [was], hosts: [slotHost("h1", RED)] });
  // As it is when its directory was removed and somebody forbade it since.
  world.machines.get(RED)!.ask({ job: was.name, attempt: `${was.id}.1` }, true);
  world.runToEnd(0, { troubleSteps: 0, steps: 1_000 });
  assert.equal(world.jobs.get(was.name)!.status, "crash");
  assert.deepEqual(world.startOrder, []);
  const found = world.reports.flatMap((event) => event.type === "found" ? [`${event.job} ${event.state}`] : []);
  assert.deepEqual(found, ["a crash"]);
});

Deno.test("a start is not sent again that was to be ended while the link was broken, or whose job is gone", () => {
  const meanwhile: Record<string, (steps: Steps) => void> = {
    killed: (steps) => void steps.step(KILL),
    deleted: (steps) => void steps.jobs.delete(A),
    replaced: (steps) => void steps.jobs.set(A, { ...job("a"), id: "f".repeat(32), status: "end" }),
  };
  for (const [what, happens] of Object.entries(meanwhile)) {
    const steps = new Steps();
    assert.deepEqual(toHost(steps.step(UP)), ["start"]);
    steps.step(DOWN);
    happens(steps);
    assert.deepEqual(toHost(steps.step(UP)), ["ask 0 forbid 1"], what);
    const status = steps.status;
    const state = { type: "forbidden" } as const;
    const effects = steps.step({ type: "answer", machine: RED, states: [{ ...ATTEMPT, state }] });
    assert.ok(effects.some((effect) => effect.type === "finish"), what);
    assert.equal(steps.status, what === "killed" ? "kill" : status);
  }
});

Deno.test("a start that nobody touched while the link was broken is sent again", () => {
  const steps = new Steps();
  steps.step(UP);
  steps.step(DOWN);
  assert.deepEqual(toHost(steps.step(UP)), ["start"]);
});

Deno.test("a start that is to be ended is recalled, prefetched or not, and ended if it runs already", () => {
  const alive = { type: "alive", pid: 7, startedAtMs: 0, orphan: false } as const;
  for (const [state, then, status] of [[{ type: "forbidden" }, [], "kill"], [alive, ["kill"], "start"]] as const) {
    const steps = new Steps();
    steps.step(UP);
    assert.deepEqual(toHost(steps.step(KILL)), ["recall"]);
    assert.deepEqual(toHost(steps.step(KILL)), [], "once");
    assert.deepEqual(toHost(steps.step(recalled(state))), then);
    assert.equal(steps.status, status);
  }
});

Deno.test("a start that is to be ended and could not be called back is called back again, until the host knows", () => {
  const steps = new Steps();
  steps.step(UP);
  steps.step(KILL);
  steps.step(recalled({ type: "claimed" }));
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(toHost(steps.step({ type: "tick" })), ["ask 0 forbid 1"], `round ${i}`);
    const state = { type: i < 2 ? "claimed" : "forbidden" } as const;
    steps.step({ type: "answer", machine: RED, states: [{ ...ATTEMPT, state }] });
  }
  assert.equal(steps.status, "kill");
});

Deno.test("a start of an earlier run is given up after ten minutes without a tombstone, and its host gets jobs again", () => {
  const steps = new Steps({ status: "run", attempt: 1, boot: "1", slot: "h1" });
  steps.jobs.set("b" as JobName, job("b"));
  steps.step(UP);
  steps.step({ type: "external", external: { ...NO_EXTERNAL_CHANGES, put: ["b" as JobName] } });
  let rounds = 0;
  for (; steps.status === "run" && rounds < 2_000; rounds++) {
    const state = { type: "claimed" } as const;
    steps.step({ type: "answer", machine: RED, states: [{ ...ATTEMPT, state }] });
    if (steps.status === "run") assert.deepEqual(toHost(steps.step({ type: "tick" })), ["ask 0 forbid 1"]);
  }
  assert.equal(rounds, 601);
  const { status, boot } = steps.jobs.get(A)!;
  assert.deepEqual([status, boot], ["crash", "1"], "it is asked about again by the next run");
  assert.equal(steps.jobs.get("b" as JobName)!.status, "run");
});

Deno.test("a run ends though an attempt ended whose job was given up and then reset, and another waits for it", () => {
  const others = [
    { ...job("child"), after_any: [A], hold: true },
    { ...job("last", RED), status: "start", attempt: 1, boot: "1", slot: "h1" } as const,
  ];
  const steps = new Steps({ status: "crash", attempt: 1, boot: "1" }, others);
  steps.step(UP);
  steps.jobs.set(A, { ...steps.jobs.get(A)!, status: "ready", boot: null, hold: true });
  steps.step({ type: "external", external: { ...NO_EXTERNAL_CHANGES, changed: [A] } });
  const ended = { type: "ended", state: "end", exitCode: 0, startedAtMs: 1, endedAtMs: 2 } as const;
  const effects = [ATTEMPT, { job: others[1]!.name, attempt: `${others[1]!.id}.1` }].flatMap((attempt) =>
    steps.step({ type: "answer", machine: RED, states: [{ ...attempt, state: ended }] })
  );
  effects.push(...steps.step({ type: "tick" }));
  assert.equal(steps.jobs.get(others[1]!.name)!.status, "end");
  assert.ok(effects.some(({ type }) => type === "finish"));
  assert.equal(steps.status, "ready");
});

Deno.test("the end of an attempt that was given up is nobody's where its job was reset: not told, and no try of it", () => {
  const ended = { type: "ended", state: "end", exitCode: 0, startedAtMs: 1, endedAtMs: 2 } as const;
  for (const state of [ended, { type: "none" } as const]) {
    const steps = new Steps({ status: "crash", attempt: 1, boot: "1", retries: 3 }, [{
      ...job("child"),
      after_any: [A],
    }]);
    steps.step(UP);
    steps.jobs.set(A, { ...steps.jobs.get(A)!, status: "ready", boot: null, hold: true });
    steps.step({ type: "external", external: { ...NO_EXTERNAL_CHANGES, changed: [A] } });
    const effects = steps.step({ type: "answer", machine: RED, states: [{ ...ATTEMPT, state }] });
    const told = effects.flatMap((effect) => effect.type === "report" ? [effect.event.type] : []);
    assert.deepEqual(told, state.type === "none" ? [] : ["found"], state.type);
    assert.deepEqual(effects.filter(({ type }) => type === "change"), [], state.type);
  }
});

Deno.test("a job that is added when all is done, and the link has broken since, starts over a new link", () => {
  const steps = new Steps({ status: "start", attempt: 1, boot: "1", slot: "h1" });
  steps.step(UP);
  const ended = { type: "ended", state: "end", exitCode: 0, startedAtMs: 1, endedAtMs: 2 } as const;
  const done = steps.step({ type: "answer", machine: RED, states: [{ ...ATTEMPT, state: ended }] });
  assert.ok(done.some(({ type }) => type === "finish"));
  steps.step(DOWN);
  steps.jobs.set("b" as JobName, job("b"));
  const effects = steps.step({ type: "external", external: { ...NO_EXTERNAL_CHANGES, put: ["b" as JobName] } });
  effects.push(...steps.step({ type: "tick" }));
  assert.deepEqual(toHost(effects), []);
  assert.ok(effects.some(({ type }) => type === "connect"));
});

Deno.test("a job that is killed before it started is durably so: its host says only that it never started", () => {
  const durable = (effects: readonly Effect[]) =>
    effects.flatMap((effect) =>
      effect.type === "change" && effect.change.type === "set"
        ? [`${effect.change.fields.status} ${effect.durable}`]
        : []
    );
  const states = [{ ...ATTEMPT, state: { type: "forbidden" } as const }];
  const inherited = new Steps({ status: "run", attempt: 1, boot: "1", slot: "h1" });
  inherited.step(UP);
  inherited.step(KILL);
  assert.deepEqual(durable(inherited.step({ type: "answer", machine: RED, states })), ["kill true"]);
  const sent = new Steps();
  sent.step(UP);
  sent.step(KILL);
  assert.deepEqual(durable(sent.step(recalled({ type: "forbidden" }))), ["kill true"]);
  const runs = new Steps();
  runs.step(UP);
  const end = { type: "ended", ...ATTEMPT, state: "kill", exitCode: 143, atMs: 0 } as const;
  assert.deepEqual(durable(runs.step({ type: "link", machine: RED, event: end })), ["kill false"]);
});

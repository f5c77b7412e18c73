import assert from "node:assert/strict";
import type { Job } from "../../src/job/job.ts";
import type { JobName } from "../../src/names/grammar.ts";
import type { LinkEvent } from "../../src/link/link.ts";
import { Core } from "../../src/scheduler/core.ts";
import type { CoreEvent, Effect } from "../../src/scheduler/events.ts";
import { fifoMulti } from "../../src/scheduler/policies.ts";
import { bootOf, job, slotHost, World } from "./world.ts";

import { names, runQuietly } from "./quiet.ts";

const RED = "pi@red";

Deno.test("what waited in a backlog and could not be forbidden when the link was back is forbidden again", () => {
  const jobs = new Map(names(40).map((name) => [name as JobName, job(name)]));
  const core = new Core(
    { policy: fifoMulti(), hosts: [slotHost("h1", RED)], timeoutMs: 600_000 },
    jobs,
  );
  const step = (event: CoreEvent, nowMs: number): Effect[] => {
    const effects = core.step(event, nowMs);
    for (const effect of effects) {
      if (effect.type !== "change" || effect.change.type !== "set") continue;
      jobs.set(effect.change.job, { ...jobs.get(effect.change.job)!, ...effect.change.fields });
    }
    return effects;
  };
  const fromLink = (event: LinkEvent, nowMs: number) => step({ type: "link", machine: RED, event }, nowMs);
  step({ type: "begin" }, 0);
  const [first] = step({ type: "link_up", machine: RED, boot: "1" }, 0).flatMap((effect) =>
    effect.type === "start" ? [effect.request] : []
  );
  const { job: name, attempt } = first!;
  fromLink({ type: "round_trip", ms: 100 }, 0);
  fromLink({ type: "started", job: name, attempt, pid: 5, atMs: 0 }, 0);
  fromLink({ type: "ended", job: name, attempt, state: "end", exitCode: 0, atMs: 20 }, 20);
  fromLink({ type: "down", reason: "cut" }, 30);
  let effects = step({ type: "link_up", machine: RED, boot: "1" }, 60_000);
  for (let i = 0; i < 3; i++) {
    const question = effects.find((effect) => effect.type === "ask");
    assert.ok(question?.type === "ask" && question.forbid.length > 5 && question.ask.length === 0, `round ${i}`);
    const states = question.forbid.map((each) => ({ ...each, state: { type: "claimed" } as const }));
    step({ type: "answer", machine: RED, states }, core.wakeAtMs ?? 0);
    effects = step({ type: "tick" }, core.wakeAtMs ?? 0);
  }
});

Deno.test("jobs are prefetched where the way is long, wait there for a slot, and are recalled by a stop", () => {
  const hosts = [slotHost("h1", RED, { capacity: 2 })];
  const world = new World({ seed: 3, jobs: names(60).map((name) => job(name)), hosts, roundTripMs: 400 });
  for (let i = 0; i < 5000 && world.everInLine < 10; i++) world.tick(0);
  assert.ok(world.everInLine >= 10);
  for (let i = 0; i < 100 && world.waitingInLines() === 0; i++) world.tick(0);
  assert.ok(world.waitingInLines() > 0);
  world.feed({ type: "stop", signal: "SIGINT" });
  const before = world.startOrder.length;
  runQuietly(world);
  // What was let in before the host heard of it runs to its end; nothing else is started, and nothing is left in
  // flight.
  assert.ok(world.startOrder.length <= before + 2, `${world.startOrder.length - before} were started after the stop`);
  const states = new Set([...world.jobs.values()].map((one) => one.status));
  assert.deepEqual([...states].sort(), ["end", "ready", "undefined"]);
  assert.equal(world.startOrder.length, [...world.jobs.values()].filter((one) => one.status === "end").length);
  const told = world.reports.flatMap((event) => event.type === "starting" ? [event.count] : []);
  assert.ok(told.length >= 10 && told.every((count) => count <= 2), `Running Jobs names ${told}`);
});

Deno.test("what waited in a backlog is recalled when its link is back, and only asked about after a boot", () => {
  for (const boot of [1, 2]) {
    const hosts = [slotHost("h1", RED, { capacity: 2 })];
    const world = new World({ seed: 3, jobs: names(60).map((name) => job(name)), hosts, roundTripMs: 400 });
    for (let i = 0; i < 5000 && world.waitingInLines() === 0; i++) world.tick(0);
    assert.ok(world.waitingInLines() > 0);
    const waits = [...world.jobs.values()].filter(({ status }) => status === "run").map(({ name }) => name);
    world.core.step({ type: "link", machine: RED, event: { type: "down", reason: "cut" } }, world.nowMs);
    const effects = world.core.step({ type: "link_up", machine: RED, boot: bootOf(RED, boot) }, world.nowMs);
    assert.ok(!effects.some(({ type }) => type === "start"));
    const forbidden = effects.flatMap((effect) => effect.type === "ask" ? effect.forbid.map((one) => one.job) : []);
    // A power cut may have taken a claim: what has left no trace may have run, and forbidding it would give it back.
    assert.deepEqual(forbidden, boot === 1 ? waits : []);
    const asked = effects.flatMap((effect) => effect.type === "ask" ? effect.ask.map((one) => one.job) : []);
    assert.ok(boot === 1 || waits.every((name) => asked.includes(name)));
  }
});

Deno.test("hosts that change while jobs wait in a backlog: none is lost, none starts beyond the slots", () => {
  for (let seed = 100; seed < 140; seed++) {
    const options = { seed, jobs: names(60).map((name) => job(name)), roundTripMs: 400 };
    const world = new World({ ...options, hosts: [slotHost("h1", RED, { capacity: 3 }), slotHost("h2", RED)] });
    for (let i = 0; i < 5000 && world.everInLine < 8; i++) world.tick(0);
    assert.ok(world.everInLine >= 8);
    world.setHosts([slotHost("h1", RED, { capacity: 3 }), slotHost("h2", RED, { active: false })]);
    for (let i = 0; i < 30; i++) world.tick(0);
    world.setHosts([slotHost("h1", RED, { capacity: 4 })]);
    runQuietly(world);
    assert.ok([...world.jobs.values()].every((one) => one.status === "end"));
    assert.equal(world.startOrder.length, 60);
  }
});

Deno.test("a job in a backlog is given up in the end where its host can never make the tombstone", () => {
  for (const isStopped of [false, true]) {
    const jobs = new Map(names(10).map((name) => [name as JobName, job(name)]));
    const hosts = [slotHost("h1", RED)];
    const core = new Core({ policy: fifoMulti(), hosts, timeoutMs: 600_000 }, jobs);
    const answers: CoreEvent[] = [];
    let [nowMs, recalls, isFinished] = [0, 0, false];
    const step = (event: CoreEvent): void => {
      for (const effect of core.step(event, nowMs)) {
        if (effect.type === "change" && effect.change.type === "set") {
          const { job, fields } = effect.change;
          jobs.set(job, { ...jobs.get(job)!, ...fields } as Job);
        } else if (effect.type === "recall") {
          recalls += effect.attempts.length;
          const states = effect.attempts.map(() => ({ type: "claimed" } as const));
          answers.push({ type: "recalled", attempts: effect.attempts, states });
        } else if (effect.type === "finish") isFinished = true;
      }
    };
    const tell = (name: string, event: Record<string, unknown>): void => {
      const attempt = `${job(name).id}.1`;
      step({ type: "link", machine: RED, event: { job: name, attempt, ...event } as unknown as LinkEvent });
    };
    step({ type: "begin" });
    step({ type: "link_up", machine: RED, boot: "1" });
    step({ type: "link", machine: RED, event: { type: "round_trip", ms: 50 } });
    tell("job0", { type: "started", pid: 1, atMs: 0 });
    nowMs = 100;
    tell("job0", { type: "ended", state: "end", exitCode: 0, atMs: 100, gaveBack: true });
    tell("job1", { type: "started", pid: 1, atMs: 100 });
    // Its wrapper is killed: the line ends, and what waits there is called back.
    tell("job1", { type: "ended", state: "crash", exitCode: null, atMs: 200, gaveBack: false });
    if (isStopped) step({ type: "stop", signal: "SIGINT" });
    while (!isFinished && nowMs < 3_600_000) {
      const answer = answers.shift();
      if (answer === undefined && core.wakeAtMs === null) break; // It waits for the host.
      nowMs = answer !== undefined ? nowMs + 50 : Math.max(nowMs + 1, core.wakeAtMs ?? Infinity);
      step(answer ?? { type: "tick" });
    }
    const waited = [...jobs.values()].filter(({ status }) => status === "crash").length;
    assert.ok(waited > 1 && recalls <= 610 * waited, `${waited} jobs, ${recalls} times`);
    assert.ok(nowMs < 3_600_000, `${nowMs} ms`);
  }
});

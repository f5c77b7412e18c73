import assert from "node:assert/strict";
import type { Job } from "../../src/job/job.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { NO_EXTERNAL_CHANGES } from "../../src/store/changes.ts";
import { Core } from "../../src/scheduler/core.ts";
import type { CoreEvent } from "../../src/scheduler/events.ts";
import { fifoMulti } from "../../src/scheduler/policies.ts";
import { bootOf, job, put, slotHost, World } from "./world.ts";
import { SEED } from "../../testing/property.ts";

import { names, runQuietly } from "./quiet.ts";

const RED = "pi@red";
const A = "a" as JobName;

Deno.test("Core runs all jobs of a queue in file order", () => {
  const jobs = names(20).map((name) => job(name));
  const world = new World({ seed: 1, jobs, hosts: [slotHost("h1", RED), slotHost("h2", "pi@red01")] });
  runQuietly(world);
  const starting = world.reports.filter((event) => event.type === "starting").map((event) => event.job);
  assert.deepEqual(starting, names(20));
  assert.ok([...world.jobs.values()].every((one) => one.status === "end" && one.exit_code === 0 && one.attempt === 1));
  assert.deepEqual(world.core.result().completed, names(20));
});

Deno.test("Core gives the first jobs to the hosts in the order of the list", () => {
  const world = new World({
    seed: 3,
    jobs: names(4).map((name) => job(name)),
    hosts: [slotHost("h1", RED), slotHost("h2", "pi@red01"), slotHost("h3", "pi@red02")],
  });
  runQuietly(world);
  const starting = world.reports.filter((event) => event.type === "starting");
  assert.deepEqual(starting.slice(0, 3).map((event) => event.machine), ["pi@red", "pi@red01", "pi@red02"]);
});

Deno.test("Core tells of each job with the user of its own host, also on localhost", () => {
  const hosts = [slotHost("h1", "x@localhost"), slotHost("h2", "y@localhost")];
  const world = new World({ seed: 4, jobs: names(2).map((name) => job(name)), hosts });
  runQuietly(world);
  const told = world.reports.flatMap((event) =>
    event.type === "starting" || event.type === "ended" ? [`${event.job} ${event.machine}`] : []
  );
  assert.deepEqual(told.toSorted(), ["job0 x@localhost", "job0 x@localhost", "job1 y@localhost", "job1 y@localhost"]);
});

Deno.test("Core gives a slot back to the very host entry that gave it", () => {
  const hosts = [slotHost("g0", RED, { gpu: "0" }), slotHost("g1", RED, { gpu: "1" })];
  const world = new World({ seed: 5, jobs: names(30).map((name) => job(name)), hosts });
  for (let i = 0; i < 20_000 && !world.finished; i++) {
    world.tick(0);
    const slots = [...world.jobs.values()].filter((one) => one.status === "start").map((one) => one.slot);
    assert.equal(new Set(slots).size, slots.length, `two jobs share a slot: ${slots}`);
  }
  assert.ok(world.finished);
});

Deno.test("Core leaves inactive hosts out, and uses a host that becomes active", () => {
  const off = slotHost("h1", RED, { active: false });
  const on = slotHost("h2", "pi@red01");
  const world = new World({ seed: 7, jobs: names(6).map((name) => job(name)), hosts: [off, on] });
  for (let i = 0; i < 200 && world.startOrder.length < 2; i++) world.tick(0);
  assert.ok(world.reports.every((event) => event.type !== "starting" || event.machine === "pi@red01"));
  world.feed({ type: "hosts", hosts: [{ ...off, active: true }, { ...on, active: false }] });
  const before = world.reports.length;
  runQuietly(world);
  const later = world.reports.slice(before).filter((event) => event.type === "starting");
  assert.ok(later.length > 0 && later.every((event) => event.machine === "pi@red"));
});

Deno.test("fifo takes only ready jobs, on their own hosts, and no more than max_parallel", () => {
  const jobs = [job("a", RED), job("b"), job("c", "pi@red01"), job("d", RED), job("e", RED)];
  const world = new World({ seed: 9, jobs, hosts: [], fifo: 2 });
  runQuietly(world);
  assert.equal(world.jobs.get("b" as JobName)!.status, "undefined");
  assert.deepEqual(world.core.result().ran, ["a", "c", "d", "e"]);
  assert.ok(world.reports.some((event) => event.type === "skipped" && event.job === "b"));
  assert.ok(world.reports.some((event) => event.type === "waiting" && event.slots === 2));
});

Deno.test("fifo marks a job whose machine cannot be reached fail_start and goes on", () => {
  const jobs = [job("a", "pi@dead"), job("b", RED), job("c", "pi@dead")];
  const world = new World({ seed: 11, jobs, hosts: [], fifo: 1 });
  world.machines.get("pi@dead")!.reachable = false;
  for (let i = 0; i < 5_000 && !world.finished; i++) world.tick(0);
  assert.equal(world.jobs.get("a" as JobName)!.status, "fail_start");
  assert.equal(world.jobs.get("b" as JobName)!.status, "end");
  assert.equal(world.jobs.get("c" as JobName)!.status, "fail_start");
  assert.deepEqual(world.core.result().ran, ["b"]);
});

Deno.test("a refused start is fail_start and its slot is free again at once", () => {
  const world = new World({ seed: 13, jobs: [job("a"), job("b")], hosts: [slotHost("h1", RED)] });
  for (let i = 0; i < 500 && world.startOrder.length < 1; i++) world.tick(0);
  const attempt = `${"a".padEnd(32, "_")}.1`;
  world.feed({
    type: "link",
    machine: RED,
    event: { type: "refused", job: "a" as JobName, attempt, reason: "no shell" },
  });
  assert.equal(world.jobs.get("a" as JobName)!.status, "fail_start");
  assert.equal(world.jobs.get("b" as JobName)!.status, "run");
  assert.deepEqual(world.core.result().failed.map((one) => one.job), ["a"]);
});

Deno.test("a job added during a run is taken by that run, a job that is there already is not taken twice", () => {
  const world = new World({ seed: 15, jobs: [job("a")], hosts: [slotHost("h1", RED)] });
  for (let i = 0; i < 500 && world.startOrder.length < 1; i++) world.tick(0);
  world.jobs.set("b" as JobName, job("b"));
  world.feed(put("b"));
  world.feed(put("a"));
  runQuietly(world);
  assert.deepEqual(world.startOrder, ["a", "b"]);
});

Deno.test("a job replaced behind the cursor runs again, before those that stand after it", () => {
  const world = new World({ seed: 17, jobs: [job("a"), job("b"), job("c")], hosts: [slotHost("h1", RED)] });
  for (let i = 0; i < 2_000 && world.jobs.get("a" as JobName)!.status !== "end"; i++) world.tick(0);
  world.jobs.set("a" as JobName, { ...job("a"), id: "f".repeat(32) });
  world.feed(put("a"));
  runQuietly(world);
  assert.equal(world.startOrder.filter((name) => name === "a").length, 2);
  assert.equal(world.startOrder.at(-1), "c");
});

Deno.test("a job is looked at when it is considered, not before", () => {
  const world = new World({ seed: 19, jobs: [job("a"), job("b"), job("c")], hosts: [slotHost("h1", RED)] });
  for (let i = 0; i < 500 && world.startOrder.length < 1; i++) world.tick(0);
  world.jobs.set("b" as JobName, { ...job("b"), status: "end" });
  world.feed({ type: "external", external: { ...NO_EXTERNAL_CHANGES, changed: ["b" as JobName] } });
  runQuietly(world);
  assert.deepEqual(world.startOrder, ["a", "c"]);
});

Deno.test("stop starts nothing more and waits for what runs", () => {
  const world = new World({ seed: 21, jobs: names(5).map((name) => job(name)), hosts: [slotHost("h1", RED)] });
  for (let i = 0; i < 500 && world.startOrder.length < 1; i++) world.tick(0);
  world.feed({ type: "stop", signal: "SIGINT" });
  runQuietly(world);
  assert.equal(world.startOrder.length, 1);
  const result = world.core.result();
  assert.equal(result.outcome, "stopped");
  assert.equal(result.waiting, 4);
  assert.deepEqual(result.completed, ["job0"]);
});

Deno.test("a number that an attempt used before the file was put back is passed over, and the old end is not believed", () => {
  for (const again of [false, true]) {
    const jobs = new Map([["a" as JobName, job("a")]]);
    const core = new Core({
      policy: fifoMulti(),
      hosts: [slotHost("h1", RED)],
      timeoutMs: 600_000,
    }, jobs);
    const feed = (event: CoreEvent, nowMs: number): string[] =>
      core.step(event, nowMs).flatMap((effect) => {
        if (effect.type === "change" && effect.change.type === "set") {
          const { fields } = effect.change;
          jobs.set(A, { ...jobs.get(A)!, ...fields } as Job);
          return [`${fields.status} ${jobs.get(A)!.attempt}`];
        }
        return effect.type === "start" ? [effect.request.attempt.split(".")[1]!] : [];
      });
    core.step({ type: "begin" }, 0);
    assert.deepEqual(feed({ type: "link_up", machine: RED, boot: "1" }, 5), ["run 1", "1"]);
    if (again) {
      feed({ type: "link", machine: RED, event: { type: "down", reason: "cut" } }, 6);
      assert.deepEqual(feed({ type: "link_up", machine: RED, boot: "1" }, 7), ["1"]);
    }
    const state = { type: "ended", state: "end", exitCode: 0, startedAtMs: 0, endedAtMs: 1 } as const;
    const attempt = `${jobs.get(A)!.id}.1`;
    const told = feed({ type: "link", machine: RED, event: { type: "known", job: A, attempt, state } }, 10);
    assert.deepEqual(told, again ? ["end 1"] : ["ready 1"]);
    if (!again) assert.deepEqual(feed({ type: "tick" }, 11), ["run 2", "2"]);
  }
});

Deno.test("a run that stood still decides nothing before it is told what others did meanwhile", () => {
  const [a, b] = [job("a", RED), job("b")];
  const running = { status: "start", attempt: 1, boot: "1", slot: "h1" } as const;
  const jobs = new Map([[a.name, { ...a, ...running }], [b.name, b]]);
  const hosts = [slotHost("h1", RED), slotHost("h2", "pi@blue")];
  const core = new Core({ policy: fifoMulti(), hosts, timeoutMs: 600_000 }, jobs);
  core.step({ type: "begin" }, 0);
  core.step({ type: "link_up", machine: "pi@blue", boot: "2" }, 5);
  // Red does not answer, and the time for that is over.
  assert.deepEqual(core.step({ type: "stood_still", ms: 60_000 }, 60_010), []);
  assert.ok(core.step({ type: "tick" }, 60_010).some((effect) => effect.type === "start"));
});

/** A world in which job a was given up while it runs on red, where b waits for its slot, and the run has died since. */
function givenUp(seed: number, asked: Partial<Job> = {}): { world: World; lost: JobName } {
  const jobs = [{ ...job("a"), ...asked }, job("b")];
  const world = new World({ seed, jobs, hosts: [slotHost("h1", RED)], timeoutMs: 2_000 });
  for (let i = 0; i < 500 && world.startOrder.length < 1; i++) world.tick(0);
  const red = world.machines.get(RED)!;
  red.alive()[0]!.endsAtMs = Infinity;
  red.reachable = false;
  world.feed({ type: "link", machine: RED, event: { type: "down", reason: "cut" } });
  red.linkOpen = false;
  for (let i = 0; i < 300 && world.jobs.get("a" as JobName)!.status !== "crash"; i++) world.tick(0);
  assert.equal(world.jobs.get("a" as JobName)!.status, "crash");
  world.killManager();
  red.reachable = true;
  return { world, lost: "a" as JobName };
}

Deno.test("a job that was given up is asked about by the next run, too, and has its slot again before another starts", () => {
  const { world, lost } = givenUp(41);
  const red = world.machines.get(RED)!;
  for (let i = 0; i < 1_000 && world.jobs.get(lost)!.status !== "start"; i++) world.tick(0);
  assert.equal(world.jobs.get(lost)!.status, "start");
  assert.deepEqual(world.startOrder, [lost]);
  red.alive()[0]!.endsAtMs = 0;
  runQuietly(world);
  assert.deepEqual([...world.jobs.values()].map(({ status }) => status), ["end", "end"]);
  assert.ok([...world.jobs.values()].every(({ boot, slot }) => boot === null && slot === null));
});

Deno.test("a job that was given up, and is gone when the next run asks, stays a crash and is asked about no more", () => {
  const { world, lost } = givenUp(43);
  world.machines.get(RED)!.reboot();
  runQuietly(world);
  assert.deepEqual([...world.jobs.values()].map(({ status }) => status), ["crash", "end"]);
  assert.ok([...world.jobs.values()].every(({ boot, slot }) => boot === null && slot === null));
  assert.equal(world.reports.filter((event) => event.type === "ended" && event.job === lost).length, 1);
});

Deno.test("a job that was given up is tried again when the next run hears that its host was booted since", () => {
  const { world, lost } = givenUp(43, { retries: 1, retry_delay: "1s" });
  assert.equal(world.jobs.get(lost)!.history ?? null, null, "it may still run");
  world.machines.get(RED)!.reboot();
  runQuietly(world);
  const { status, history } = world.jobs.get(lost)!;
  assert.deepEqual([status, history?.map((one) => one.status)], ["end", ["crash"]]);
  assert.equal(world.startOrder.filter((name) => name === lost).length, 2);
});

Deno.test("a new manager adopts what runs, recalls what never arrived, and starts nothing twice", () => {
  const hosts = [slotHost("h1", RED), slotHost("h2", RED), slotHost("h3", "pi@red01")];
  const world = new World({ seed: 27, jobs: names(9).map((name) => job(name)), hosts });
  for (let i = 0; i < 500 && world.startOrder.length < 3; i++) world.tick(0);
  world.killManager();
  runQuietly(world);
  assert.ok(world.reports.some((event) => event.type === "adopted"));
  assert.ok([...world.jobs.values()].every((one) => one.status === "end"));
  assert.equal(new Set(world.startOrder).size, world.startOrder.length);
});

Deno.test("a new run tells what never started, and of a job in flight whose host has no name", () => {
  const never = { ...job("never", RED), status: "run", attempt: 1, boot: bootOf(RED, 1) } as const;
  const nowhere = { ...job("nowhere"), status: "start", attempt: 1, host: "no/host" } as const;
  const world = new World({ seed: 35, jobs: [never, nowhere], hosts: [slotHost("h1", RED)] });
  runQuietly(world);
  const found = world.reports.filter((event) => event.type === "found" || event.type === "warning");
  assert.deepEqual(found.map((event) => "text" in event ? event.text : `${event.job} ${event.state}`), [
    'Job nowhere is start on no host that can be asked ("no/host"): it is left alone; cms queue reset --name=nowhere ends that',
    "never never started, waits again",
  ]);
  assert.deepEqual([...world.jobs.values()].map((one) => one.status), ["end", "start"]);
});

Deno.test("a job that was said to run and then to have been forbidden is crash, and not started again", () => {
  const world = new World({ seed: 37, jobs: [job("a")], hosts: [slotHost("h1", RED)] });
  for (let i = 0; i < 500 && world.jobs.get("a" as JobName)!.status !== "start"; i++) world.tick(0);
  const attempt = `${"a".padEnd(32, "_")}.1`;
  const ref = { job: "a" as JobName, attempt };
  world.feed({ type: "answer", machine: RED, states: [{ ...ref, state: { type: "forbidden" } }] });
  assert.equal(world.jobs.get("a" as JobName)!.status, "crash");
  assert.equal(world.core.inspect().running, 0);
  assert.deepEqual(world.startOrder, ["a"]);
});

Deno.test("random trouble: nothing starts twice, slots are kept, every job ends", () => {
  const base = SEED;
  for (let i = 0; i < 300; i++) {
    const seed = base + i;
    try {
      const hosts = [
        slotHost("h1", RED),
        slotHost("h2", RED, { capacity: 2 }),
        slotHost("h3", "pi@red01"),
        slotHost("h4", "pi@red02", { capacity: 3 }),
      ];
      const roundTripMs = i % 3 === 0 ? 0 : 500;
      const world = new World({ seed, jobs: names(40).map((name) => job(name)), hosts, roundTripMs });
      world.runToEnd(0.06, { troubleSteps: 400, steps: 20_000 });
      for (const one of world.jobs.values()) {
        assert.ok(["end", "crash"].includes(one.status), `${one.name} is ${one.status} at the end`);
        assert.ok(one.boot === null && one.slot === null, `${one.name} holds a slot at the end`);
      }
      assert.equal([...world.core.inspect().slots.inUse().values()].reduce((sum, n) => sum + n, 0), 0);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
});

Deno.test("random trouble with fifo: max_parallel is kept, also right after a restart", () => {
  const base = SEED;
  for (let i = 0; i < 100; i++) {
    const seed = base + i;
    try {
      const at = ["pi@red", "pi@red01", "pi@red02"];
      const jobs = names(30).map((name, k) => job(name, at[k % 3]));
      const world = new World({ seed, jobs, hosts: [], fifo: 4 });
      world.runToEnd(0.04, { troubleSteps: 300, steps: 20_000 });
      for (const one of world.jobs.values()) {
        assert.ok(["end", "crash", "fail_start"].includes(one.status), `${one.name} is ${one.status} at the end`);
      }
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
});

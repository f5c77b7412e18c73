/**
 * A small seeded world for the scheduler's core: machines with claims and processes, links that break, a manager that
 * dies. Everything follows from the seed. It checks what must never break after each step.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { JobName } from "../../src/names/grammar.ts";
import { type Job, makeJob } from "../../src/job/job.ts";
import { type Needs, needsOf, WHOLE_GPU } from "../../src/job/needs.ts";
import type { AttemptState, BacklogChange, LinkEvent, StartRequest } from "../../src/link/link.ts";
import { machineKey, parseMachine } from "../../src/cluster/machine.ts";
import { NO_EXTERNAL_CHANGES } from "../../src/store/changes.ts";
import { Core } from "../../src/scheduler/core.ts";
import type { AttemptRef } from "../../src/job/attempt.ts";
import type { CoreEvent, Effect } from "../../src/scheduler/events.ts";
import { fifo, fifoMulti } from "../../src/scheduler/policies.ts";
import type { RunEvent } from "../../src/scheduler/report.ts";
import type { SlotHost } from "../../src/scheduler/slot_host.ts";
import { Random } from "../../src/simulation/random.ts";

/** Numbers from 0 to 1 that follow from the seed. */
export function seeded(seed: number): () => number {
  const random = new Random(seed);
  return () => random.next();
}

/** Makes a job called `name`; ready on `at` (`user@host`) if given. */
export function job(name: string, at?: string): Job {
  const machine = at === undefined ? null : parseMachine(at);
  const spec = { command: "true", ...(machine === null ? {} : { user: machine.user, host: machine.name }) };
  return makeJob(name as JobName, spec, { id: name.padEnd(32, "_"), experiment: "experiment" });
}

/** A slot host `id` on `user@name`. */
export function slotHost(id: string, at: string, extra: Partial<SlotHost> = {}): SlotHost {
  return { id, machine: parseMachine(at), capacity: 1, active: true, gpu: "", pyenv: "", ...extra };
}

type Process = {
  attempt: string;
  job: JobName;
  alive: boolean;
  endsAtMs: number;
  state: AttemptState;
  backlog: SimBacklog | null;
  /** What it was given: its job's needs as they were then, and devices. */
  needs?: Needs | null;
  devices?: readonly number[];
};

/** A backlog on a machine: tokens, and who waits. Once it is over nobody is let in. */
interface SimBacklog {
  tokens: number;
  over: boolean;
  readonly waiting: StartRequest[];
}

/** A machine: what stands on its disk (`claims`), what runs, and the link as the manager has it. */
class SimMachine {
  readonly key: string;
  boot = 1;
  reachable = true;
  readonly claims = new Map<string, Process>();
  linkOpen = false;
  /** By number. They outlive a link that breaks, until the agent notices or another takes its place. */
  backlogs = new Map<number, SimBacklog>();
  readonly roundTripMs: number;
  #world: World;

  constructor(key: string, world: World) {
    this.key = key;
    this.#world = world;
    this.roundTripMs = Math.floor(world.random() * world.roundTripMs);
  }

  /** As `cms_backlog` does it. */
  backlog(number: number, change: BacklogChange): void {
    const backlog = this.backlogs.get(number);
    if (change.type === "more") {
      if (backlog !== undefined) backlog.tokens += change.slots.length;
    } else if (backlog !== undefined) {
      backlog.over = true;
      this.backlogs.delete(number);
    }
    if (change.type === "open") this.backlogs.set(number, { tokens: change.slots.length, over: false, waiting: [] });
    this.letIn();
  }

  /** The agent ends, and its lines with it. */
  endBacklogs(): void {
    for (const backlog of this.backlogs.values()) backlog.over = true;
    this.backlogs.clear();
  }

  queue(request: StartRequest): void {
    if (request.backlog === null) return this.start(request, null);
    this.backlogs.get(request.backlog)?.waiting.push(request);
    this.letIn();
  }

  /** Whoever is first goes on when there is a token. */
  letIn(): void {
    for (const backlog of this.backlogs.values()) {
      while (backlog.tokens > 0 && backlog.waiting.length > 0) {
        backlog.tokens--;
        this.start(backlog.waiting.shift()!, backlog);
      }
    }
  }

  alive(): Process[] {
    return [...this.claims.values()].filter((process) => process.alive);
  }

  start(request: StartRequest, backlog: SimBacklog | null): void {
    const known = this.claims.get(request.attempt);
    const { job, attempt } = request;
    if (known !== undefined) {
      if (backlog !== null) backlog.tokens++;
      return this.tell({
        type: "known",
        job,
        attempt,
        state: known.state,
        ...(backlog === null ? {} : { gaveBack: true }),
      });
    }
    const world = this.#world;
    assert.ok(!world.startedEver.has(attempt), `attempt ${attempt} is started a second time`);
    for (const other of world.machines.values()) {
      for (const process of other.alive()) assert.notEqual(process.job, job, `two attempts of ${job} are alive`);
    }
    world.startedEver.add(attempt);
    world.prepared.delete(job);
    world.startOrder.push(job);
    const process: Process = {
      attempt,
      job,
      alive: true,
      endsAtMs: world.nowMs + Math.floor(world.random() * 5000),
      state: { type: "alive", pid: 1, startedAtMs: world.nowMs, orphan: false },
      backlog,
      needs: needsOf(world.jobs.get(job) ?? {}),
      devices: (request.variables?.CMS_GPUS ?? "").split(",").filter(Boolean).map(Number),
    };
    if (backlog !== null) world.everInLine++;
    this.claims.set(attempt, process);
    world.checkCapacity();
    this.tell({ type: "started", job, attempt, pid: 1, atMs: world.nowMs });
  }

  end(process: Process): void {
    process.alive = false;
    const atMs = this.#world.nowMs;
    const { job, attempt, backlog } = process;
    const exitCode = this.#world.exitCode(job, Number(attempt.split(".")[1]));
    process.state = { type: "ended", state: "end", exitCode, startedAtMs: atMs, endedAtMs: atMs };
    // Now and then the wrapper dies before it can give back what it took.
    const gives = backlog !== null && this.#world.random() > 0.02;
    const gaveBack = gives ? { gaveBack: true as const } : {};
    this.tell({ type: "ended", job, attempt, state: "end", exitCode, atMs, ...gaveBack });
    if (!gives) return;
    backlog.tokens++;
    this.letIn();
  }

  reboot(): void {
    this.boot++;
    for (const process of this.alive()) {
      process.alive = false;
      process.state = { type: "crashed", exitCode: null };
    }
    this.endBacklogs();
  }

  ask({ job, attempt }: AttemptRef, forbid: boolean): AttemptState {
    const known = this.claims.get(attempt);
    if (known !== undefined) return known.state;
    if (!forbid) return { type: "none" };
    const state: AttemptState = { type: "forbidden" };
    this.claims.set(attempt, { attempt, job, alive: false, endsAtMs: 0, state, backlog: null });
    return state;
  }

  tell(event: LinkEvent): void {
    if (this.linkOpen) this.#world.toManager({ type: "link", machine: this.key, event });
  }
}

/** Options of a world. */
export interface WorldOptions {
  readonly seed: number;
  readonly jobs: readonly Job[];
  readonly hosts: readonly SlotHost[];
  readonly fifo?: number;
  /** What an attempt of a job ends with; 0 unless given. */
  readonly exitCode?: (job: JobName, attempt: number) => number;
  readonly timeoutMs?: number;
  /** What the way to a machine and back takes at most, ms; 0 unless given, and then no job is prefetched. */
  readonly roundTripMs?: number;
}

/** What a machine of these tests says for its boot. */
export function bootOf(key: string, boot: number): string {
  return `${key} ${boot}`;
}

/** The world: machines, the queue's file, and the manager that runs (or is dead). */
export class World {
  readonly random: () => number;
  readonly machines = new Map<string, SimMachine>();
  readonly jobs = new Map<JobName, Job>();
  readonly startedEver = new Set<string>();
  readonly startOrder: JobName[] = [];
  readonly reports: RunEvent[] = [];
  /** Jobs whose directories were made ahead, somewhere, and not taken back or used since. */
  readonly prepared = new Set<string>();
  everPrepared = 0;
  /** Starts that took their slot from a backlog. */
  everInLine = 0;
  nowMs = 1_000_000;
  readonly roundTripMs: number;
  core: Core;
  finished = false;
  #options: WorldOptions;
  #hosts: readonly SlotHost[];
  #toManager: CoreEvent[] = [];
  /** Messages on their way to machines; lost when the link breaks, in part, from the end. */
  #toMachine: { machine: string; run: () => void }[] = [];
  #connecting = new Set<string>();

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#hosts = options.hosts;
    this.random = seeded(options.seed);
    this.roundTripMs = options.roundTripMs ?? 0;
    for (const one of options.jobs) this.jobs.set(one.name, one);
    const keys = new Set(options.hosts.map((host) => machineKey(host.machine)));
    for (const one of options.jobs) if (one.host && one.user) keys.add(`${one.user}@${one.host}`);
    for (const key of keys) this.machines.set(key, new SimMachine(key, this));
    this.core = this.#newCore();
    this.feed({ type: "begin" });
  }

  #newCore(): Core {
    const max = this.#options.fifo;
    return new Core({
      policy: max === undefined ? fifoMulti() : fifo(max),
      hosts: this.#hosts,
      timeoutMs: this.#options.timeoutMs ?? 600_000,
    }, this.jobs);
  }

  exitCode(job: JobName, attempt: number): number {
    return this.#options.exitCode?.(job, attempt) ?? 0;
  }

  /** How many jobs wait on hosts for a slot. */
  waitingInLines(): number {
    let waiting = 0;
    for (const machine of this.machines.values()) {
      for (const backlog of machine.backlogs.values()) waiting += backlog.waiting.length;
    }
    return waiting;
  }

  /** The list of hosts is another now. */
  setHosts(hosts: readonly SlotHost[]): void {
    this.#hosts = hosts;
    this.feed({ type: "hosts", hosts });
  }

  toManager(event: CoreEvent): void {
    this.#toManager.push(event);
  }

  /** Gives the core an event, commits its changes, carries the rest out. */
  feed(event: CoreEvent): void {
    const effects = this.core.step(event, this.nowMs);
    for (const effect of effects) {
      if (effect.type === "change" && effect.change.type === "set") {
        const before = this.jobs.get(effect.change.job)!;
        this.jobs.set(before.name, { ...before, ...effect.change.fields });
      }
    }
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "connect":
        this.#connecting.add(machineKey(effect.machine));
        break;
      case "start":
        this.#send(effect.machine, () => this.machines.get(effect.machine)!.queue(effect.request));
        break;
      case "backlog":
        this.#send(effect.machine, () => this.machines.get(effect.machine)!.backlog(effect.number, effect.change));
        break;
      case "recall": {
        const { machine, attempts } = effect;
        this.#send(machine, () => {
          const states = attempts.map((one) => this.machines.get(machine)!.ask(one, true));
          this.toManager({ type: "recalled", attempts, states });
        });
        break;
      }
      case "ask": {
        const machine = this.machines.get(effect.machine)!;
        this.#send(effect.machine, () => {
          const states = [
            ...effect.ask.map((one) => ({ ...one, state: machine.ask(one, false) })),
            ...effect.forbid.map((one) => ({ ...one, state: machine.ask(one, true) })),
          ];
          this.toManager({ type: "answer", machine: effect.machine, states });
        });
        break;
      }
      case "report":
        this.reports.push(effect.event);
        break;
      case "finish":
        this.finished = true;
        break;
      case "prepare":
        for (const name of effect.jobs) this.prepared.add(name);
        this.everPrepared += effect.jobs.length;
        break;
      case "unprepare":
        for (const name of effect.jobs) this.prepared.delete(name);
        break;
      case "kill":
      case "gpus":
      case "limit":
      case "change":
        break;
      case "disconnect":
        break;
      default:
        effect satisfies never;
    }
  }

  #send(machine: string, run: () => void): void {
    if (this.machines.get(machine)!.linkOpen) this.#toMachine.push({ machine, run });
  }

  /** One thing happens. `trouble`: how likely it is that it is a bad one, 0 to 1. */
  tick(trouble: number): void {
    this.nowMs += Math.floor(this.random() * 300);
    const machines = [...this.machines.values()];
    const pick = machines[Math.floor(this.random() * machines.length)]!;
    if (this.random() < trouble) this.#trouble(pick);
    for (const machine of machines) {
      for (const process of machine.alive()) if (process.endsAtMs <= this.nowMs) machine.end(process);
    }
    this.#deliverSome();
    this.#wake();
  }

  /** Ticks that are due. What is due must be dealt with by them: else the loop would spin. */
  #wake(): void {
    for (let i = 0; i < 4 && !this.finished; i++) {
      if ((this.core.wakeAtMs ?? Infinity) > this.nowMs) return;
      this.feed({ type: "tick" });
    }
    assert.ok(this.finished || (this.core.wakeAtMs ?? Infinity) > this.nowMs, "ticks do not deal with what is due");
  }

  #trouble(machine: SimMachine): void {
    const dice = this.random();
    if (dice < 0.35) this.#breakLink(machine);
    else if (dice < 0.5) {
      machine.reachable = false;
      this.#breakLink(machine);
    } else if (dice < 0.75) machine.reachable = true;
    else if (dice < 0.9) this.killManager();
    else {
      this.#breakLink(machine);
      machine.reboot();
    }
  }

  #breakLink(machine: SimMachine): void {
    if (!machine.linkOpen) return;
    // What was sent may still arrive, or not: a prefix does, as with a stream.
    const mine = this.#toMachine.filter((message) => message.machine === machine.key);
    const arrives = Math.floor(this.random() * (mine.length + 1));
    machine.linkOpen = false;
    for (const message of mine.slice(0, arrives)) message.run();
    if (this.random() < 0.5) machine.endBacklogs(); // Else it is half open: the agent has noticed nothing.
    this.#toMachine = this.#toMachine.filter((message) => message.machine !== machine.key);
    this.#toManager = this.#toManager.filter((event) => !("machine" in event) || event.machine !== machine.key);
    this.toManager({ type: "link", machine: machine.key, event: { type: "down", reason: "broken" } });
  }

  /** kill -9 of the manager, and a new one that reads the file. */
  killManager(): void {
    for (const machine of this.machines.values()) this.#breakLink(machine);
    this.#toManager = [];
    this.#connecting.clear();
    this.core = this.#newCore();
    this.finished = false;
    this.feed({ type: "begin" });
  }

  #deliverSome(): void {
    for (const key of [...this.#connecting]) {
      if (this.random() < 0.5) continue;
      this.#connecting.delete(key);
      const machine = this.machines.get(key)!;
      machine.linkOpen = machine.reachable;
      if (machine.reachable) {
        machine.endBacklogs();
        this.feed({ type: "link_up", machine: key, boot: bootOf(key, machine.boot) });
        machine.tell({ type: "round_trip", ms: machine.roundTripMs });
      } else this.feed({ type: "connect_failed", machine: key, reason: "no route", lasting: false });
    }
    const messages = this.#toMachine.splice(0, Math.floor(this.random() * (this.#toMachine.length + 1)));
    for (const message of messages) message.run();
    for (const event of this.#toManager.splice(0, Math.floor(this.random() * (this.#toManager.length + 1)))) {
      this.feed(event);
    }
  }

  /** No machine runs more jobs than its hosts allow together; no run more than `max_parallel`. */
  checkCapacity(): void {
    const max = this.#options.fifo;
    let all = 0;
    for (const machine of this.machines.values()) {
      const there = machine.alive();
      all += there.length;
      if (max !== undefined) continue;
      const hosts = this.#options.hosts.filter((host) => machineKey(host.machine) === machine.key);
      const isWithin = (what: string, used: (of: Process) => number, has: (host: SlotHost) => number): void => {
        const [use, room] = [there, hosts].map((all, i) =>
          all.reduce((sum, one) => sum + (i === 0 ? used(one as Process) : has(one as SlotHost)), 0)
        );
        assert.ok(use! <= room!, `${machine.key} gives ${use} ${what} at once, and has ${room}`);
      };
      isWithin("slots", ({ needs }) => needs?.slots ?? 1, ({ capacity }) => capacity);
      isWithin("CPUs", ({ needs }) => needs?.cpus ?? 0, ({ has }) => has?.cpus ?? 0);
      isWithin("bytes", ({ needs }) => needs?.memory ?? 0, ({ has }) => has?.memory ?? 0);
      const parts = new Map<number, number>();
      for (const { needs, devices = [], job } of there) {
        assert.equal(devices.length, (needs?.gpus ?? 0) + (needs?.gpuPart ? 1 : 0), `devices of ${job}`);
        for (const id of devices) parts.set(id, (parts.get(id) ?? 0) + (needs?.gpuPart || WHOLE_GPU));
      }
      for (const [id, used] of parts) assert.ok(used <= WHOLE_GPU, `device ${id} of ${machine.key} is given twice`);
    }
    if (max !== undefined) assert.ok(all <= max, `${all} jobs run at once, ${max} are allowed`);
  }

  /** Goes on, with trouble for a while, until the run has finished. @throws If it does not. */
  runToEnd(trouble: number, limits: { troubleSteps: number; steps: number }): void {
    for (let step = 0; step < limits.steps && !this.finished; step++) {
      if (step === limits.troubleSteps) { for (const machine of this.machines.values()) machine.reachable = true; }
      this.tick(step < limits.troubleSteps ? trouble : 0);
    }
    assert.ok(this.finished, `the run does not end; ${JSON.stringify(this.core.progress())}`);
  }
}

/** ExternalChanges of jobs put. */
export function put(...names: string[]): CoreEvent {
  return { type: "external", external: { ...NO_EXTERNAL_CHANGES, put: names as JobName[] } };
}

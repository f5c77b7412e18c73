/**
 * A simulated world: hosts, a manager, the real program on it, and what happens to them. Everything follows from the
 * scenario: the same scenario gives the same trace.
 *
 * The program's own code runs as it is, on the {@link Deps} of a {@link SimProcess}. After each thing that happens and
 * that let some of its code go on, that code gets all its turns (`turn`) before time goes on.
 *
 * @module
 */

import { Hearing } from "./hearing.ts";
import type { Deps } from "../deps.ts";
import { machineKey } from "../cluster/machine.ts";
import type { QueueStore, StoreRef } from "../store/store.ts";
import { Capacities } from "./capacities.ts";
import { GatedFiles } from "./gated_files.ts";
import { Host } from "./host.ts";
import { ManagersDirectory } from "./input_files.ts";
import { JobDirectory } from "./job_directory.ts";
import { JournalReader } from "./journal_reader.ts";
import { Ledger } from "./ledger.ts";
import { Manager } from "./manager.ts";
import type { MemoryFiles } from "./memory_files.ts";
import type { SimProcess } from "./process.ts";
import { entryIds, QueueFiles } from "./queue_files.ts";
import { type Random, randomOf } from "./random.ts";
import { Routes } from "./routes.ts";
import type { Scenario } from "./scenario.ts";
import { StillTimes } from "./still_times.ts";
import { Timeline } from "./timeline.ts";
import { ToldWatch } from "./told_watch.ts";
import { Truth } from "./truth.ts";

/** Everything begins here: 2026-01-01. */
const BEGIN_MS = 1_767_225_600_000;
/**
 * The order of starts takes time in proportion to the queue for each: it is looked at in queues of up to so many jobs.
 */
const MOST_ORDERED = 2_000;
/** A world in which more than this happens goes in circles. */
const MOST_EVENTS = 40_000_000;

/** What a world is given beside its scenario. */
export interface WorldOptions {
  /** Lets all that waits in microtasks run: a turn of the event loop. */
  readonly turn: () => Promise<void>;
  /** Takes each line of the trace; null for none. */
  readonly trace?: ((line: string) => void) | null;
  /** For variants that are broken on purpose. */
  readonly garble?: ((text: string) => string) | null;
  readonly makeFiles?: (process: SimProcess, disk: MemoryFiles) => GatedFiles;
  readonly makeStore?: (store: QueueStore) => QueueStore;
  /** Changes hosts before anything happens. */
  readonly spoilHost?: (host: Host) => void;
}

/** One world. */
export class World {
  readonly scenario: Scenario;
  readonly options: WorldOptions;
  readonly timeline = new Timeline(BEGIN_MS);
  readonly random: Random;
  /** All machines, by their keys. */
  readonly hosts = new Map<string, Host>();
  readonly truth: Truth;
  readonly ledger = new Ledger();
  readonly capacities: Capacities;
  readonly stillTimes = new StillTimes();
  readonly told: ToldWatch;
  readonly manager: Manager;
  readonly reader: JournalReader;
  readonly files: QueueFiles;
  readonly routes: Routes;
  readonly queue: StoreRef = { experiment: "experiment", directory: "/home/me/experiment", name: "q" };
  readonly cluster: StoreRef = { ...this.queue, name: "c" };
  /** The queue as each process that runs it has it. */
  readonly stores = new Map<SimProcess, QueueStore>();
  readonly warned = new WeakSet<SimProcess>();
  readonly resetting = new WeakSet<SimProcess>();
  #stirred = false;
  /** What is to be looked at when the program has had its turns. */
  readonly #afterTurn: (() => Promise<void>)[] = [];
  #traceHash = 0;

  constructor(scenario: Scenario, options: WorldOptions) {
    this.scenario = scenario;
    this.options = options;
    this.routes = new Routes(this.hosts);
    this.random = randomOf(scenario.seed, "world");
    const { timeline } = this;
    this.capacities = new Capacities(scenario.hosts);
    this.truth = new Truth({
      capacityOn: (machine, gpu) => this.capacities.mostOn(machine, gpu),
      maxParallel: scenario.scheduler === "fifo" ? scenario.maxParallel : null,
      cpusOn: (machine) => this.capacities.cpusOn(machine),
    });
    const { garble = null, makeFiles } = options;
    this.manager = new Manager({
      seed: scenario.seed,
      timeline,
      random: this.random,
      syncMs: scenario.syncMs,
      writeMsPerByte: scenario.writeMsPerByte,
      hostOf: (name) => this.routes.of(name),
      stirred: () => this.#stirred = true,
      onWrite: (process, path, bytes) => this.#onWrite(process, path, bytes),
      onLock: (process, path) => {
        const isReader = process.name.startsWith("list#") && path.endsWith("-queue.lock");
        if (isReader) this.truth.fail(`${process.name}, which only reads, holds a lock that who writes waits for`);
      },
      onSync: (path) => path === this.files.journalPath ? this.reader.syncing() : () => {},
      garble,
      ...(makeFiles === undefined ? {} : { makeFiles }),
    });
    this.#makeHosts();
    const { manager, truth, ledger, stores } = this;
    this.files = new QueueFiles({ queue: this.queue, manager, timeline, truth, ledger, stores });
    this.files.watch(scenario.jobs.length);
    this.files.watchPause(this.stillTimes);
    this.told = new ToldWatch(scenario, {
      isOwed: () => this.files.isTellingOwed,
      isLate: () => this.manager.wasFullLately,
      fail: (text) => truth.fail(text),
    });
    this.reader = new JournalReader({
      truth: this.truth,
      nowMs: () => timeline.nowMs,
      wallAhead: () => this.manager.wallAhead,
      timeoutMs: scenario.timeoutMs,
      hostOf: (name, boot) => this.routes.nodes(name).find((host) => isOf(host, boot)) ?? this.routes.of(name),
      liveJobs: (process) => scenario.jobs.length > MOST_ORDERED ? null : this.stores.get(process)?.jobs ?? null,
      hasWarned: (process) => this.warned.has(process),
      isLate: () => this.manager.wasFullLately,
      beganMs: (process) => this.manager.beganMs(process),
      hosts: scenario.hosts,
      isReset: (process) => this.resetting.has(process),
      whyStill: (process, slot) => this.stillTimes.why(process, slot, timeline.nowMs),
      trace: this.trace,
      onRecord: (process, name, type, id, status) => {
        const isReset = type === "set" && this.resetting.has(process) && (status === "ready" || status === "undefined");
        const attempt = Math.max(0, ...this.truth.attemptsOf(id ?? "").map(({ number }) => number));
        this.told.record(process, name, type, status);
        this.ledger.written(process, name, isReset ? "reset" : type, id, attempt);
      },
    });
  }

  #makeHosts(): void {
    const { scenario, timeline, truth, trace } = this;
    const home: Host["directories"] = new Map();
    const managers = new ManagersDirectory(this.manager.disk, this.queue.directory);
    for (const plan of scenario.hosts) {
      const heard = new Hearing();
      for (let node = 0; node < (plan.nodes ?? 1); node++) {
        const key = node === 0 ? plan.key : `${plan.key}~${node}`;
        const random = randomOf(scenario.seed, `host ${key}`);
        const parts = { ...plan, key, name: plan.key, heard, timeline, random, truth, trace };
        const isManagers = plan.sharesManager === true || plan.key === "localhost";
        const host = new Host({ ...parts, ...(plan.sharesHome ? { home } : {}), ...(isManagers ? { managers } : {}) });
        this.options.spoilHost?.(host);
        this.hosts.set(key, host);
        if (node > 0) continue;
        for (const name of [plan.key, plan.alias]) if (name !== undefined) this.routes.set(name, host);
      }
    }
  }

  /** Notes what happens; all that is traced goes into the hash of the trace. */
  readonly trace = (...words: unknown[]): void => {
    const text = words.join(" ");
    const { trace } = this.options;
    const line = `${((this.timeline.nowMs - BEGIN_MS) / 1000).toFixed(4).padStart(10)} ${text}`;
    for (let i = 0; i < line.length; i++) this.#traceHash = Math.imul(this.#traceHash ^ line.charCodeAt(i), 0x01000193);
    trace?.(line);
  };

  /** Stands for all that happened. */
  get traceHash(): string {
    return (this.#traceHash >>> 0).toString(16).padStart(8, "0");
  }

  /** Lets things happen until `isDone`, or until something is that must never be. */
  async runUntil(isDone: () => boolean, limits: { untilMs: number; what: string }): Promise<void> {
    while (!isDone() && this.truth.violation === null) {
      if (this.#stirred) {
        this.#stirred = false;
        await this.options.turn();
        for (const act of this.#afterTurn.splice(0)) await act();
      } else if (!this.timeline.next()) {
        return this.truth.fail(`nothing is left to happen, and ${limits.what}`);
      }
      if (this.timeline.nowMs > limits.untilMs) this.truth.fail(`time is over, and ${limits.what}`);
      if (this.timeline.happened > MOST_EVENTS) this.truth.fail(`the world goes in circles, and ${limits.what}`);
    }
  }

  /** People put input files into the directories of jobs. From now on nobody may touch them. */
  async makeInputs(): Promise<void> {
    const { disk } = this.manager;
    const { directory } = this.queue;
    const random = randomOf(this.scenario.seed, "makers");
    for (const job of this.scenario.inputs ?? []) {
      await disk.makeDirectory(`${directory}/${job}`);
      for (const file of ["data", "more"]) {
        const text = `${file} of ${job}, ${"word ".repeat(job.length)}`;
        disk.edit(`${directory}/${job}/${file}`, text);
        this.truth.inputs.set(`${job}/${file}`, text);
      }
      for (const host of this.hosts.values()) {
        if (host.parts.managers === undefined || host.directories.has(job)) continue;
        const made = new JobDirectory(host, job);
        host.directories.set(job, made);
        // An earlier run of the program has made some of them.
        if (random.chance(0.5)) made.setMade();
      }
    }
    disk.onChange((path) => {
      const name = path.slice(directory.length + 1);
      if (this.truth.inputs.has(name)) this.truth.inputTouched(name, disk.textNow(path));
    });
  }

  /** What some jobs send: a file that is the same for all, and one of their own. */
  async makeSent(): Promise<void> {
    const { disk } = this.manager;
    const from = this.queue.directory.slice(0, this.queue.directory.lastIndexOf("/"));
    for (const job of this.scenario.sends ?? []) {
      await disk.makeDirectory(`${from}/data`);
      for (const [file, text] of [["shared", `for all, ${"word ".repeat(9)}`], [`own-${job}`, `of ${job}`]]) {
        this.truth.sent.set(`${job}/${file}`, text!);
        disk.edit(`${from}/data/${file}`, text!);
      }
    }
  }

  /** Does something with the program in a process of its own; a fault of its own is a violation. */
  command(
    name: string,
    act: (deps: Deps, process: SimProcess) => Promise<unknown>,
    onDone: () => void = () => {},
  ): SimProcess {
    const process = this.manager.start(name);
    this.trace(process.name, "begins");
    this.#stirred = true;
    act(process.deps, process).then((result) => {
      this.ledger.acknowledged(process);
      this.trace(process.name, "is done", typeof result === "string" ? result : "");
    }, (error: Error) => {
      this.trace(process.name, "fails:", error.message);
      if (!("code" in error)) this.truth.fail(`${process.name} ends with ${error.stack ?? error.message}`);
    }).then(() => {
      this.stores.delete(process);
      this.manager.finish(process);
      onDone();
    });
    return process;
  }

  /** From now on a name leads to the next of its machines. `isCut`: and the connections that there are go down. */
  reroute(name: string, isCut: boolean): void {
    this.trace(name, "leads to", this.routes.next(name).key);
    if (isCut) { for (const one of [...this.manager.connections]) if (one.host.name === name) one.reset(); }
  }

  /** Names that lead to one of several machines. */
  get rerouted(): string[] {
    return this.scenario.hosts.flatMap(({ nodes = 1, key }) => nodes > 1 ? [key] : []);
  }

  /** The program is to get its turns: something was done to it from outside. */
  stir(): void {
    this.#stirred = true;
  }

  /** The manager's machine loses its power and gets it back at once. */
  powerCut(keep: number): void {
    this.manager.powerCut(keep);
    this.stores.clear();
    this.files.powerCut();
    this.#afterTurn.push(async () => {
      this.files.checkYaml();
      const jobs = await this.files.read();
      if (jobs === null) return;
      const numbers = new Map<string, number>();
      for (const job of jobs.values()) {
        numbers.set(job.id, job.attempt);
        for (const { id, number, isAsked } of this.truth.attemptsOf(job.id)) {
          if (isAsked && number > job.attempt) {
            this.truth.fail(`the queue has forgotten attempt ${id} of ${job.name}, which its host knows`);
          }
        }
      }
      this.reader.powerCut(numbers);
      const broken = this.ledger.check(jobs);
      if (broken !== null) this.truth.fail(broken);
    });
    this.stir();
  }

  /** A person removes a file of the queue. */
  removeByHand(which: "yaml" | "journal"): void {
    this.files.removedMs = this.timeline.nowMs;
    void this.manager.disk.remove(which === "yaml" ? this.files.yamlPath : this.files.journalPath);
    this.stir();
  }

  /** A person saves the YAML, in place. */
  editorSaved(text: string): void {
    this.files.lastWriter = null;
    this.manager.disk.edit(this.files.yamlPath, text);
    // Jobs that are put elsewhere may stand behind the cursor now, and some are older than what was acknowledged since.
    this.reader.disturb(entryIds(text));
  }

  machineKeyOf(user: string | null, host: string | null): string {
    return machineKey({ user: user ?? "", name: host ?? "" });
  }

  #onWrite(process: SimProcess, path: string, bytes: Uint8Array | null): void {
    if (path !== this.files.journalPath || bytes === null) return;
    this.files.lastWriter = process;
    this.told.batch(process);
    this.reader.read(process, bytes);
  }
}

/** True if it is the machine of a recorded boot. */
function isOf(host: Host, boot: string | null | undefined): boolean {
  return boot?.startsWith(`${host.machine}/`) === true;
}

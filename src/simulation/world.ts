/**
 * A simulated world: hosts, a manager, the real program on it, and what happens to them. Everything follows from the
 * scenario: the same scenario gives the same trace.
 *
 * The program's own code runs as it is, on the {@link Deps} of a {@link SimProcess}. After each thing that happens and
 * that let some of its code go on, that code gets all its turns (`turn`) before time goes on.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import { machineKey } from "../cluster/machine.ts";
import type { Jobs } from "../store/changes.ts";
import { equalJobs, parseJobs } from "../store/yaml/job_record.ts";
import { storePaths } from "../store/paths.ts";
import { openQueue } from "../store/queue_file.ts";
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
import { type Random, randomOf } from "./random.ts";
import type { Scenario } from "./scenario.ts";
import { Timeline } from "./timeline.ts";
import { Truth } from "./truth.ts";

/** Everything begins here: 2026-01-01. */
const BEGIN_MS = 1_767_225_600_000;
/**
 * The order of starts takes time in proportion to the queue for each: it is looked at in queues of up to so many jobs.
 */
const MOST_ORDERED = 2_000;
/** A run looks five times a second, and writes the YAML anew once a second, or when it has time. */
const ANEW_MS = 20_000;
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
  /** Where each name leads now. */
  readonly #routes = new Map<string, Host>();
  readonly truth: Truth;
  readonly ledger = new Ledger();
  readonly capacities: Capacities;
  readonly manager: Manager;
  readonly reader: JournalReader;
  readonly queue: StoreRef = { experiment: "experiment", directory: "/home/me/experiment", name: "q" };
  readonly cluster: StoreRef = { ...this.queue, name: "c" };
  readonly yamlPath = storePaths(this.queue, "queue").file;
  readonly #journalPath = storePaths(this.queue, "queue").journal;
  /** The queue as each process that runs it has it. */
  readonly stores = new Map<SimProcess, QueueStore>();
  readonly warned = new WeakSet<SimProcess>();
  readonly resetting = new WeakSet<SimProcess>();
  /** The process that wrote to the journal last. */
  lastWriter: SimProcess | null = null;
  /** The text of the YAML that was last found to be whole. */
  #wholeYaml = "";
  /** When a person removed a file; a run writes it anew within {@link ANEW_MS}. */
  #removedMs = -Infinity;
  /** A person has left the YAML torn. */
  isTorn = false;
  #yamlWrites = 0;
  #stirred = false;
  /** What is to be looked at when the program has had its turns. */
  readonly #afterTurn: (() => Promise<void>)[] = [];
  #traceHash = 0;

  constructor(scenario: Scenario, options: WorldOptions) {
    this.scenario = scenario;
    this.options = options;
    this.random = randomOf(scenario.seed, "world");
    const { timeline } = this;
    this.capacities = new Capacities(scenario.hosts);
    this.truth = new Truth({
      capacityOn: (machine, gpu) => this.capacities.mostOn(machine, gpu),
      maxParallel: scenario.scheduler === "fifo" ? scenario.maxParallel : null,
    });
    const { garble = null, makeFiles } = options;
    this.manager = new Manager({
      seed: scenario.seed,
      timeline,
      random: this.random,
      syncMs: scenario.syncMs,
      writeMsPerByte: scenario.writeMsPerByte,
      hostOf: (name) => this.#routes.get(name),
      stirred: () => this.#stirred = true,
      onWrite: (process, path, bytes) => this.#onWrite(process, path, bytes),
      onLock: (process, path) => {
        const isReader = process.name.startsWith("list#") && path.endsWith("-queue.lock");
        if (isReader) this.truth.fail(`${process.name}, which only reads, holds a lock that who writes waits for`);
      },
      onSync: (path) => path === this.#journalPath && this.reader.synced(),
      garble,
      ...(makeFiles === undefined ? {} : { makeFiles }),
    });
    this.#makeHosts();
    this.manager.disk.onChange((path) => {
      // Large files take long to read; what is wrong with one is wrong with small ones too.
      if (path === this.yamlPath && (++this.#yamlWrites % 8 === 1 || scenario.jobs.length < 20)) this.checkYaml();
    });
    this.reader = new JournalReader({
      truth: this.truth,
      nowMs: () => timeline.nowMs,
      timeoutMs: scenario.timeoutMs,
      hostOf: (name, boot) => this.#nodes(name).find((host) => isOf(host, boot)) ?? this.#routes.get(name),
      liveJobs: (process) => scenario.jobs.length > MOST_ORDERED ? null : this.stores.get(process)?.jobs ?? null,
      hasWarned: (process) => this.warned.has(process),
      isLate: () => this.manager.wasFullLately,
      beganMs: (process) => this.manager.beganMs(process),
      isReset: (process) => this.resetting.has(process),
      trace: this.trace,
      onRecord: (process, name, type, id, status) => {
        const isReset = type === "set" && this.resetting.has(process) && (status === "ready" || status === "undefined");
        const attempt = Math.max(0, ...this.truth.attemptsOf(id ?? "").map(({ number }) => number));
        this.ledger.written(process, name, isReset ? "reset" : type, id, attempt);
      },
    });
  }

  #makeHosts(): void {
    const { scenario, timeline, truth, trace } = this;
    const home: Host["directories"] = new Map();
    const managers = new ManagersDirectory(this.manager.disk, this.queue.directory);
    for (const plan of scenario.hosts) {
      const heard: Host["heard"] = new WeakMap();
      for (let node = 0; node < (plan.nodes ?? 1); node++) {
        const key = node === 0 ? plan.key : `${plan.key}~${node}`;
        const random = randomOf(scenario.seed, `host ${key}`);
        const parts = { ...plan, key, name: plan.key, heard, timeline, random, truth, trace };
        const isManagers = plan.sharesManager === true || plan.key === "localhost";
        const host = new Host({ ...parts, ...(plan.sharesHome ? { home } : {}), ...(isManagers ? { managers } : {}) });
        this.options.spoilHost?.(host);
        this.hosts.set(key, host);
        if (node > 0) continue;
        this.#routes.set(plan.key, host);
        if (plan.alias !== undefined) this.#routes.set(plan.alias, host);
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

  /**
   * The queue as whoever reads the files now has it; null while somebody writes, or while a person has left the YAML
   * torn.
   */
  async readFiles(): Promise<ReadonlyMap<JobName, import("../job/job.ts").Job> | null> {
    // A run that has ended has written it anew.
    if (this.stores.size > 0 && this.timeline.nowMs < this.#removedMs + ANEW_MS) return null;
    const lock = await this.manager.disk.lock(storePaths(this.queue, "queue").lock, { mode: "shared", wait: false });
    if (lock === null) return null;
    lock.release();
    const store = await openQueue({
      files: this.manager.disk,
      // As if the files had been left alone for a while.
      clock: {
        now: () => this.timeline.nowMs,
        epochMs: () => this.timeline.nowMs + this.manager.diskAheadMs + 60_000,
        sleepUntil: () => Promise.resolve(),
      },
      ids: { hex: (bytes) => "0".repeat(bytes * 2) },
      processes: {
        spawn() {
          throw new Error("an onlooker starts nothing");
        },
      },
      environment: { get: () => undefined, cwd: () => "/home/me", user: () => "me", hostname: () => "manager", pid: 1 },
    }, this.queue).catch((error: Error) => {
      if (!this.isTorn) this.truth.fail(`the queue cannot be read: ${error.message}`);
      return null;
    });
    store?.close();
    return store === null ? null : store.jobs;
  }

  /** Checks the files: the YAML parses, what was acknowledged is there, a run that wrote last sees the same. */
  async checkFiles(): Promise<void> {
    const jobs = await this.readFiles();
    if (jobs === null || this.isTorn) return;
    const broken = this.ledger.check(jobs);
    if (broken !== null) this.truth.fail(broken);
    const live = this.lastWriter === null ? undefined : this.stores.get(this.lastWriter);
    if (live === undefined) return;
    const names = [...jobs.keys()];
    const other = [...jobs.values()].find((job) => {
      const one = live.jobs.get(job.name);
      return one === undefined || !equalJobs(job, one);
    });
    if (other === undefined && String(names) === String([...live.jobs.keys()])) return;
    const seen = other === undefined ? [...live.jobs.keys()] : live.jobs.get(other.name);
    this.truth.fail(
      `the files say another state than the run has: ${JSON.stringify(other ?? names)}, ${JSON.stringify(seen)}`,
    );
  }

  /** When nothing runs the YAML alone says all, see docs/reliability.md. */
  async checkComplete(jobs: Jobs): Promise<void> {
    const { file, shown } = storePaths(this.queue, "queue");
    const text = await this.manager.disk.readText(file) ?? "";
    const written = [...parseJobs(text, { shown, experiment: this.queue.experiment }).values()];
    const all = [...jobs.values()];
    const differs = written.length !== all.length || all.some((job, i) => !equalJobs(job, written[i]!));
    if (differs && !this.isTorn) this.truth.fail("nothing runs, and the YAML does not say what the journal does");
  }

  /** The machines of a name. */
  #nodes(name: string): Host[] {
    return [...this.hosts.values()].filter((host) => host.name === name);
  }

  /** True if one can connect there. */
  canReach(name: string): boolean {
    const host = this.#routes.get(name);
    return host !== undefined && host.isUp && host.isReachable;
  }

  /** Names that lead to one of several machines. */
  get rerouted(): string[] {
    return this.scenario.hosts.filter(({ nodes = 1 }) => nodes > 1).map(({ key }) => key);
  }

  /** From now on a name leads to the next of its machines. `isCut`: and the connections that there are go down. */
  reroute(name: string, isCut: boolean): void {
    const nodes = this.#nodes(name);
    const at = nodes.indexOf(this.#routes.get(name)!);
    this.#routes.set(name, nodes[(at + 1) % nodes.length]!);
    this.trace(name, "leads to", this.#routes.get(name)!.key);
    if (isCut) { for (const one of [...this.manager.connections]) if (one.host.name === name) one.reset(); }
  }

  /** The program is to get its turns: something was done to it from outside. */
  stir(): void {
    this.#stirred = true;
  }

  /** The manager's machine loses its power and gets it back at once. */
  powerCut(keep: number): void {
    this.manager.powerCut(keep);
    this.stores.clear();
    this.lastWriter = null;
    this.#afterTurn.push(async () => {
      this.checkYaml();
      const jobs = await this.readFiles();
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
    this.#removedMs = this.timeline.nowMs;
    void this.manager.disk.remove(which === "yaml" ? this.yamlPath : this.#journalPath);
    this.stir();
  }

  /** A person saves the YAML, in place. */
  editorSaved(text: string): void {
    this.lastWriter = null;
    this.manager.disk.edit(this.yamlPath, text);
    // Jobs that are put elsewhere may stand behind the cursor now, and some are older than what was acknowledged since.
    for (const [, id] of text.matchAll(/^ {2}id: '?([0-9A-Za-z]+)/gm)) this.reader.disturb([id!]);
  }

  machineKeyOf(user: string | null, host: string | null): string {
    return machineKey({ user: user ?? "", name: host ?? "" });
  }

  #onWrite(process: SimProcess, path: string, bytes: Uint8Array | null): void {
    if (path === this.#journalPath && bytes !== null) {
      this.lastWriter = process;
      this.reader.read(process, bytes);
    }
  }

  /** The YAML must parse whenever somebody looks. */
  checkYaml(): void {
    try {
      const text = this.manager.disk.textNow(this.yamlPath);
      if (text === null || text === this.#wholeYaml || this.isTorn) return;
      parseJobs(text, { shown: this.yamlPath, experiment: "experiment" });
      this.#wholeYaml = text;
    } catch (error) {
      this.truth.fail(`the YAML does not parse: ${(error as Error).message}`);
    }
  }
}

/** True if it is the machine of a recorded boot. */
function isOf(host: Host, boot: string | null | undefined): boolean {
  return boot?.startsWith(`${host.machine}/`) === true;
}

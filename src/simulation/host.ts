/**
 * A simulated host: power, boots, processes with pids that are used again, a disk whose last half minute a power cut
 * may take, and the network to it. What runs on it (agents, wrappers, jobs) is in `agent.ts`, `wrapper.ts`.
 *
 * @module
 */

import { Hearing } from "./hearing.ts";
import { isOrBefore } from "../job/attempt.ts";
import { type EventsFile, type HostProcess, type Steps, UNTIL_WOKEN } from "./host_process.ts";
import type { InputFiles, ManagersDirectory } from "./input_files.ts";
import { type ClaimLink, JobDirectory } from "./job_directory.ts";
import { quickHash, type Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";
import type { Truth } from "./truth.ts";
import { UnsyncedWrites } from "./unsynced_writes.ts";

/** What a world gives a host. */
export interface HostParts {
  /** How the world names it: `user@name`, and which of the machines it is that the name leads to. */
  readonly key: string;
  /** `user@name`; that of the key otherwise. */
  readonly name?: string;
  /** Its own host name. */
  readonly hostname?: string;
  /** Directories that it shares with other hosts, on a server that loses nothing; its own otherwise. */
  readonly home?: Map<string, JobDirectory>;
  /** The manager's experiment directory, where it is the host's own as well. */
  readonly managers?: ManagersDirectory;
  /** Of all machines that its name leads to. */
  readonly heard?: Hearing;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly truth: Truth;
  /** One way of the network, ms. */
  readonly latencyMs: number;
  readonly isSteady?: boolean;
  /** How often somebody comes between two steps of a process. */
  readonly preemption: number;
  /** Size of the pid space: small ones are used again soon. */
  readonly pids: number;
  readonly trace: (...words: unknown[]) => void;
}

/** One machine. */
export class Host {
  readonly key: string;
  readonly parts: HostParts;
  readonly directories: Map<string, JobDirectory>;
  /** `user@name`, under which the manager knows it. */
  readonly name: string;
  readonly hostname: string;
  /** What it is over its boots, as `c_name` of `hello.sh`. */
  machine: string;
  /** The events file of residents, by queue. */
  readonly events = new Map<string, EventsFile>();
  /** `f/ATTEMPT`: what wrappers must not start, though the claim that says so is gone. */
  readonly forbidden = new Set<string>();
  /** `agent` in the agent's own directory: who is resident, by queue. */
  readonly residents = new Map<string, { agent: HostProcess; tail: HostProcess; boot: string }>();
  isUp = true;
  /** False while the network to it is cut. */
  isReachable = true;
  /** sshd turns everybody away. */
  isRefusing = false;
  isFull = false;
  /** It was full at some time: claims and logs may be missing. */
  wasFull = false;
  bootMs: number;
  /** What the manager's processes heard of it; all nodes of a name have one. */
  readonly heard: Hearing;
  /** Since when the boot's first agent is there; empty claims that are older are nobody's. */
  bootMarkMs = Infinity;
  readonly clockOffsetMs: number;
  /** When something changed of which the manager's connections must know: boots, cuts. */
  readonly onChange = new Set<() => void>();
  readonly #processes = new Map<number, HostProcess>();
  readonly #backlogs = new Map<string, Set<{ over(): void }>>();
  #boots = 1;
  #lastPid = 100;
  readonly #unsynced: UnsyncedWrites;
  /** Steps until a wrapper dies, for a kill between any two; Infinity for none. */
  wrapperDiesIn = Infinity;

  constructor(parts: HostParts) {
    this.key = parts.key;
    this.parts = parts;
    this.name = parts.name ?? parts.key;
    this.hostname = parts.hostname ?? this.name.replace(/^.*@/, "");
    this.machine = `${this.hostname}+${quickHash([new TextEncoder().encode(parts.key)]).slice(0, 8)}`;
    this.directories = parts.home ?? new Map();
    this.#unsynced = new UnsyncedWrites(parts);
    this.heard = parts.heard ?? new Hearing();
    this.bootMs = parts.timeline.nowMs - 100_000;
    this.clockOffsetMs = Math.floor(parts.random.between(-5_000, 5_000));
  }

  get boot(): string {
    return `${this.key.replaceAll(/[^a-z0-9]/g, "")}-${this.#boots}.1`;
  }

  get nowMs(): number {
    return this.parts.timeline.nowMs;
  }

  get ticks(): number {
    return Math.floor((this.parts.timeline.nowMs - this.bootMs) / 10);
  }

  /** The host's own clock, epoch ms. */
  get clockMs(): number {
    return Math.floor(this.parts.timeline.nowMs) + this.clockOffsetMs;
  }

  processes(): Iterable<HostProcess> {
    return this.#processes.values();
  }

  /** `c_alive`: a pid counts only if its process was started at that time or before. */
  isAlive(pid: number, untilTicks: number): boolean {
    const process = this.#processes.get(pid);
    return process !== undefined && process.startTicks <= untilTicks;
  }

  get(pid: number): HostProcess | undefined {
    return this.#processes.get(pid);
  }

  /** A process that a job leaves running, for so long. */
  leave(attempt: string, ms: number): void {
    const { truth, timeline } = this.parts;
    const child = this.spawn("child", attempt, null);
    truth.left(attempt, 1);
    const timer = timeline.after(ms, () => this.end(child));
    child.onGone.push(() => {
      timer.cancel();
      truth.left(attempt, -1);
    });
  }

  /** `c_marks`: what this attempt, those of its job before it, and `others` have left running. */
  leftBy(attempt: string, others: ReadonlySet<string> = new Set()): HostProcess[] {
    const isMeant = (mark: string): boolean => isOrBefore(mark, attempt) || others.has(mark);
    return [...this.#processes.values()].filter(({ kind, mark }) => kind === "child" && isMeant(mark!));
  }

  /** Makes a process. `steps` null: it lives until it is ended. */
  spawn(kind: HostProcess["kind"], mark: string | null, body: ((self: HostProcess) => Steps) | null): HostProcess {
    do this.#lastPid = this.#lastPid >= this.parts.pids ? 2 : this.#lastPid + 1; while (
      this.#processes.has(this.#lastPid)
    );
    const process: HostProcess = {
      pid: this.#lastPid,
      startTicks: this.ticks,
      kind,
      mark,
      alive: true,
      stoppedUntilMs: 0,
      steps: null,
      planned: null,
      onGone: [],
    };
    this.#processes.set(process.pid, process);
    if (body !== null) {
      process.steps = body(process);
      process.planned = this.parts.timeline.after(0, () => this.#advance(process));
    }
    return process;
  }

  /** Lets a process that waits go on. */
  wake(process: HostProcess): void {
    if (!process.alive || process.planned !== null) return;
    process.planned = this.parts.timeline.after(0, () => this.#advance(process));
  }

  /** Ends a process, at whatever point it is. */
  end(process: HostProcess): void {
    if (!process.alive) return;
    process.alive = false;
    process.planned?.cancel();
    this.#processes.delete(process.pid);
    for (const act of process.onGone.splice(0)) act();
  }

  /** Power is gone: all processes, and perhaps what was written last. */
  powerOff(): void {
    if (!this.isUp) return;
    this.isUp = false;
    for (const process of [...this.#processes.values()]) {
      process.onGone = [];
      if (process.kind === "job") this.parts.truth.ended(process.mark!, "power", null);
      if (process.kind === "child") this.parts.truth.left(process.mark!, -1);
      this.end(process);
    }
    this.#unsynced.lose();
    this.events.clear();
    this.residents.clear();
    this.forbidden.clear();
    this.#backlogs.clear();
    this.#changed();
  }

  /** Power is back. */
  powerOn(): void {
    if (this.isUp) return;
    this.isUp = true;
    this.#boots++;
    this.bootMs = this.parts.timeline.nowMs;
    this.bootMarkMs = Infinity;
    this.#lastPid = 100;
    this.#changed();
  }

  setReachable(reachable: boolean): void {
    this.isReachable = reachable;
    this.#changed();
  }

  /** Notes a write that a power cut may take, see {@link UnsyncedWrites.add}. */
  wrote(file: string, undo: () => void): void {
    if (this.parts.home === undefined) this.#unsynced.add(file, undo);
  }

  /** Backlogs of the present boot, by queue. */
  backlogsOf(queue: string): Set<{ over(): void }> {
    const known = this.#backlogs.get(queue);
    if (known !== undefined) return known;
    const made = new Set<{ over(): void }>();
    this.#backlogs.set(queue, made);
    return made;
  }

  /** Is it a claim of this queue? */
  isKin(link: ClaimLink, queue: string): boolean {
    return link.queue === queue;
  }

  managersInput(directory: string): InputFiles | null {
    return this.parts.managers?.inputOf(directory) ?? null;
  }

  inputSet(directory: string, file: string, text: string): void {
    this.parts.truth.inputSet(directory, file, text);
  }

  /** `c_ours`, the other way round: stands there anything that is not the program's? */
  holdsInput({ input }: JobDirectory): boolean {
    return input.names().length > 0;
  }

  /** Is there this file in the experiment directory? The manager has just made it in its own. */
  sees(file: string): boolean {
    return file === "." || this.parts.managers?.has(file) === true;
  }

  /** The directory that a job of a queue has here, see `c_visit`: that of its name, or `JOB.QUEUE`. */
  directory(job: string, queue: string): JobDirectory | undefined {
    return this.directories.get(`${job}.${queue}`) ?? this.directories.get(job);
  }

  /** `mkdir`. False if it exists, or the disk is full. */
  makeDirectory(name: string): boolean {
    if (this.directories.has(name) || this.isFull) return false;
    const made = new JobDirectory(this, name);
    this.directories.set(name, made);
    this.wrote(`/${name}`, () => {
      if (this.directories.get(name) === made) this.directories.delete(name);
    });
    return true;
  }

  /** `rm -rf`, by an agent of a queue. */
  removeDirectory({ name }: JobDirectory, queue: string): void {
    const removed = this.directories.get(name);
    if (removed === undefined) return;
    this.directories.delete(name);
    this.parts.managers?.remove(name);
    for (const { attempt } of removed.chain) if (attempt !== null) this.parts.truth.removed(name, attempt, queue);
    if (removed.log !== null) this.parts.truth.removed(name, removed.log.attempt, queue);
    this.wrote(`/${name}`, () => {
      if (!this.directories.has(name)) this.directories.set(name, removed);
    });
  }

  #changed(): void {
    for (const act of [...this.onChange]) act();
  }

  #advance(process: HostProcess): void {
    const { timeline, random, preemption } = this.parts;
    process.planned = null;
    while (process.alive) {
      if (process.stoppedUntilMs > timeline.nowMs) {
        process.planned = timeline.at(process.stoppedUntilMs, () => this.#advance(process));
        return;
      }
      if (process.kind === "wrapper" && --this.wrapperDiesIn <= 0) {
        this.wrapperDiesIn = Infinity;
        this.parts.trace(this.key, "wrapper", process.pid, "of", process.mark, "is killed between two steps");
        this.parts.truth.wrapperKilled(process.mark ?? "");
        this.end(process);
        return;
      }
      const { done, value } = process.steps!.next();
      if (done === true) return this.end(process);
      if (value === UNTIL_WOKEN) return;
      if (value === 0 && !random.chance(preemption)) continue;
      process.planned = timeline.after(
        value > 0 ? value : random.logBetween(0.05, 20),
        () => this.#advance(process),
      );
      return;
    }
  }
}

/**
 * What really happened: which attempts were decided, asked for, started, how they ended. Hosts and the journal's reader
 * tell it; it says at once when something is that must never be (docs/architecture.md, "What must never break").
 *
 * @module
 */

import { isOrBefore, jobIdOf } from "../job/attempt.ts";
import { AliveOn, type AttemptTruth, type How, newAttempt, type Site, wrongSeat } from "./attempt_truth.ts";
import type { Limits } from "./capacities.ts";
import type { JobDirectory } from "./job_directory.ts";
import { needOf, wrongDevices } from "./needs.ts";

/**
 * By so much earlier than a job its timer may begin: it counts from its own beginning where the wrapper was ended
 * before it wrote down when the job began.
 */
const EARLY_MS = 5;
/** What jobs with a time limit have as their grace. */
export const LIMIT_GRACE_MS = 300;
/** How late a host may be. */
const LIMIT_SLACK_MS = 2_000;

/** The whole truth of one world. */
export class Truth {
  /** The first thing that must never be; null as long as all is well. */
  violation: string | null = null;
  readonly #attempts = new Map<string, AttemptTruth>();
  readonly #alive = new Set<AttemptTruth>();
  /** Names of the jobs of attempts that were started. */
  readonly #names = new Map<string, string>();
  readonly #endedWell = new Set<string>();
  readonly #aliveOn = new AliveOn();
  /** Those that have left processes running. */
  readonly #leaving = new Set<AttemptTruth>();
  readonly #byJobId = new Map<string, AttemptTruth[]>();
  readonly #limits: Limits;
  /** Texts of scripts that may arrive, by attempt's job id; null: any. */
  expectScript: ((jobId: string, script: string) => boolean) | null = null;
  /** What stands in each file of a job's input on the manager: `JOB/FILE`. */
  readonly inputs = new Map<string, string>();
  /** The same of what a job sends. */
  readonly sent = new Map<string, string>();
  /**
   * The neighbour's queue as each opened it, whose journal nobody reads: only what concerns others is watched of it.
   * One that is just being made has another id once its maker has written it.
   */
  readonly neighbours = new Set<{ readonly id: string }>();
  /**
   * Jobs, also of the neighbour, of which a wrapper was killed before it started anything. A claim that it left empty
   * may be anybody's, so that a later attempt of that name that never started counts as one that may have.
   */
  readonly emptyClaims = new Set<string>();
  startsInAll = 0;
  /** Epoch ms of virtual time. */
  firstStartMs = Infinity;
  lastEndMs = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  fail(text: string): void {
    this.violation ??= text;
  }

  of(id: string): AttemptTruth {
    const known = this.#attempts.get(id);
    if (known !== undefined) return known;
    const made = newAttempt(id);
    this.#attempts.set(id, made);
    const jobId = jobIdOf(id);
    const others = this.#byJobId.get(jobId);
    if (others === undefined) this.#byJobId.set(jobId, [made]);
    else others.push(made);
    return made;
  }

  /** All attempts of a job, by the job's id. */
  attemptsOf(jobId: string): readonly AttemptTruth[] {
    return this.#byJobId.get(jobId) ?? [];
  }

  all(): Iterable<AttemptTruth> {
    return this.#attempts.values();
  }

  alive(): ReadonlySet<AttemptTruth> {
    return this.#alive;
  }

  /** The request for a start has come to a host. */
  asked(job: string, id: string, script: string, { words, queue }: { words: number; queue: string }): void {
    const attempt = this.of(id);
    attempt.isAsked = true;
    attempt.queue = queue;
    if (words < 7 || words > 11 || !/^[A-Za-z0-9_][A-Za-z0-9._+-]*$/.test(job)) {
      this.fail(`text became code: a start of ${JSON.stringify(job)} with ${words} words`);
    }
    if (this.#isNeighbours(attempt)) return;
    if (attempt.decided === null) this.fail(`a start of ${job} (${id}) was sent that is not in the journal`);
    else if (!attempt.isDurable) this.fail(`the start of ${job} (${id}) was sent before it was durable`);
    if (this.expectScript !== null && !this.expectScript(jobIdOf(id), script)) {
      this.fail(`the script of ${job} is another on its host: ${JSON.stringify(script)}`);
    }
  }

  /** A job's process was made. */
  started(host: Site, job: string, id: string, about: {
    pid: number;
    gpu: string;
    devices: readonly number[];
    seat: string;
    directory: JobDirectory;
    limitMs: number | null;
  }): void {
    const { pid, gpu, devices, seat, directory, limitMs } = about;
    const attempt = this.of(id);
    this.#names.set(id, job);
    attempt.gpu = gpu.slice(1);
    attempt.devices = devices;
    attempt.seat = seat;
    attempt.directory = directory;
    for (const other of this.#aliveOn.get(host) ?? []) {
      if (other.directory === directory) this.fail(`${id} starts in ${directory.name}, where ${other.id} runs`);
    }
    attempt.starts++;
    attempt.limitMs = limitMs;
    attempt.startedAtMs = host.nowMs;
    attempt.host = host;
    attempt.isAlive = true;
    attempt.how = null;
    this.#alive.add(attempt);
    this.#aliveOn.add(host, attempt);
    this.startsInAll++;
    this.firstStartMs = Math.min(this.firstStartMs, host.nowMs);
    host.parts.trace(host.key, "starts", job, id, "pid", pid);
    if (attempt.starts > 1) this.fail(`attempt ${id} of ${job} is started ${attempt.starts} times`);
    if (attempt.isNever) this.fail(`attempt ${id} of ${job} starts after it was said that it never will`);
    this.#checkInput(this.inputs, job, directory);
    if (this.#isNeighbours(attempt)) return;
    this.#checkInput(this.sent, job, directory);
    for (const other of this.#aliveOn.get(host) ?? []) {
      // What was sent to a silent machine, and was given up since, may still arrive.
      if (other.isLost && !other.isAbandoned && !attempt.isLost && !attempt.isGivenUp) {
        this.fail(`${id} of ${job} starts on ${host.key} before the lost attempt ${other.id} is ended there`);
      }
    }
    for (const other of this.attemptsOf(jobIdOf(id))) {
      const isLost = attempt.isLost || other.isLost;
      if (other !== attempt && other.isAlive && !other.isAbandoned && !other.isGivenUp && !isLost) {
        this.fail(`two attempts of ${job} are alive at once: ${other.id} and ${id}`);
      }
    }
    const wrong = wrongSeat(attempt, this.#aliveOn.get(host) ?? []);
    if (wrong !== null && !attempt.isLost) this.fail(`on ${host.key}, ${job} starts in ${wrong}`);
    this.#checkRoom(host, attempt, job);
  }

  /** What a job finds of its input when it starts. */
  #checkInput(files: ReadonlyMap<string, string>, job: string, directory: JobDirectory): void {
    for (const [path, text] of files) {
      if (path.startsWith(`${job}/`) && directory.input.get(path.slice(job.length + 1)) !== text) {
        this.fail(`job ${job} starts in ${directory.name} without its input ${path}`);
      }
    }
  }

  /** A file of input is made or replaced in a directory of a host: by the whole of it, whatever becomes of the copy. */
  inputSet(directory: string, file: string, text: string): void {
    const job = directory.replace(/\.[0-9a-f]{16}$/, "");
    const whole = this.inputs.get(`${job}/${file}`) ?? this.sent.get(`${job}/${file}`);
    if (whole !== text) this.fail(`in ${directory} a part of ${file} stands for all of it`);
  }

  /** A file of somebody's input on the manager is another now, or gone. */
  inputTouched(path: string, text: string | null): void {
    if (this.inputs.get(path) !== text) {
      this.fail(`the input ${path} on the manager is ${text === null ? "gone" : "changed"}`);
    } else this.fail(`the input ${path} on the manager is copied onto itself`);
  }

  #isNeighbours({ queue }: AttemptTruth): boolean {
    return queue !== null && [...this.neighbours].some(({ id }) => id === queue);
  }

  #checkRoom(host: Site, attempt: AttemptTruth, job: string): void {
    const { maxParallel } = this.#limits;
    if (maxParallel !== null) {
      const all = [...this.#alive].filter((one) =>
        !one.isAbandoned && !one.isGivenUp && !this.#isNeighbours(one)
      ).length;
      if (all > maxParallel) {
        this.fail(`${all} jobs run at once with the start of ${job}; max_parallel is ${maxParallel}`);
      }
      return;
    }
    const room = this.#limits.capacityOn(host.name, attempt.gpu);
    const counts = (one: AttemptTruth): boolean => !one.isAbandoned && !this.#isNeighbours(one);
    let [here, cpus] = [0, 0];
    for (const [other, alive] of this.#aliveOn.named(host.name)) {
      for (const one of alive) {
        // One that is lost or given up on another machine of the name is neither ended nor counted: only its own
        // machine knows of it.
        if (!counts(one) || ((one.isLost || one.isGivenUp) && other !== host)) continue;
        const need = needOf(one.need);
        if (one.gpu === attempt.gpu) here += need.slots;
        cpus += need.cpus;
      }
    }
    if (cpus > this.#limits.cpusOn(host.name)) this.fail(`${host.key} gives ${cpus} CPUs with the start of ${job}`);
    const wrong = wrongDevices([...this.#aliveOn.get(host) ?? []].filter(counts));
    if (wrong !== null) this.fail(`on ${host.key}, ${wrong}, with the start of ${job}`);
    if (room !== null && here > room) {
      this.fail(`${here} slots are taken on ${host.key} (gpu "${attempt.gpu}") with the start of ${job}; ${room} may`);
    }
  }

  /** True if a job of this name came to its own end with code 0 at least once. */
  hasEndedWell(job: string): boolean {
    return this.#endedWell.has(job);
  }

  /** A job's process is gone. */
  ended(id: string, how: How, code: number | null): void {
    const attempt = this.of(id);
    if (!attempt.isAlive) return;
    if (how === "exit" && code === 0) this.#endedWell.add(this.#names.get(id)!);
    if (how !== "power") this.#checkLimit(attempt, attempt.host?.nowMs ?? 0);
    attempt.isAlive = false;
    attempt.how = how;
    attempt.code = code;
    attempt.signal = null;
    this.lastEndMs = attempt.host?.nowMs ?? 0;
    this.#alive.delete(attempt);
    if (attempt.host !== null) this.#aliveOn.get(attempt.host)?.delete(attempt);
    attempt.host?.parts.trace(attempt.host.key, "ended", id, how, code);
  }

  onSignal(id: string, act: (signal: "TERM" | "KILL", fromUs: boolean) => void): void {
    this.of(id).signal = act;
  }

  signal(id: string, signal: "TERM" | "KILL", fromUs: boolean): void {
    this.of(id).signal?.(signal, fromUs);
  }

  /** Its time limit ends it. */
  limitHit(id: string): void {
    const attempt = this.of(id);
    attempt.isLimitHit = true;
    const livedMs = (attempt.host?.nowMs ?? 0) - attempt.startedAtMs;
    if (attempt.isAlive && attempt.limitMs !== null && livedMs < attempt.limitMs - EARLY_MS) {
      this.fail(`${id} of ${attempt.job} is ended by its time limit after ${livedMs} ms`);
    }
  }

  /** No job may run for much longer than its time limit allows. */
  #checkLimit(attempt: AttemptTruth, atMs: number): void {
    const { limitMs, startedAtMs, id } = attempt;
    if (limitMs === null || atMs - startedAtMs <= limitMs + LIMIT_GRACE_MS + LIMIT_SLACK_MS) return;
    this.fail(`${id} ran for ${atMs - startedAtMs} ms, with a time limit of ${limitMs} ms`);
  }

  /** An agent of a queue ends it. */
  killAsked(id: string, queue: string): void {
    const attempt = this.of(id);
    attempt.isKillAsked = true;
    if (attempt.queue !== null && attempt.queue !== queue) this.fail(`${queue} ends ${id} of ${attempt.queue}`);
  }

  /** An agent of a queue removed the directory with its claim. */
  removed(name: string, id: string, queue: string): void {
    const attempt = this.of(id);
    attempt.isForgotten = true;
    if (attempt.starts > 0 && attempt.queue !== queue) {
      this.fail(`${queue} removes ${name}, which is ${attempt.queue}'s`);
    }
  }

  /** The results of an earlier attempt are written over. */
  overwritten(earlier: string, id: string): void {
    const [before, after] = [this.of(earlier), this.of(id)];
    if (before.queue !== after.queue) this.fail(`${id} of ${after.queue} writes over ${earlier} of ${before.queue}`);
  }

  wrapperKilled(id: string): void {
    const attempt = this.of(id);
    attempt.isWrapperKilled = true;
    if (attempt.starts === 0) this.emptyClaims.add(attempt.job);
  }

  /** A job's process has come or gone that is not the job itself. */
  left(id: string, more: 1 | -1): void {
    const attempt = this.of(id);
    attempt.left += more;
    if (attempt.left > 0) this.#leaving.add(attempt);
    else this.#leaving.delete(attempt);
  }

  /** What carries the mark of `id` is ended with the directory of `attempt`. */
  reaped(id: string, attempt: string, directory?: JobDirectory): void {
    const isOfDirectory = directory !== undefined && this.of(id).directory === directory;
    if (!isOrBefore(id, attempt) && !isOfDirectory) this.fail(`what ${id} left running is ended for ${attempt}`);
  }

  /**
   * The directory of this attempt goes: nothing may be left of it on this host, nor of jobs that were replaced and ran
   * there.
   */
  cleared(host: Site, attempt: string, directory?: JobDirectory): void {
    const isMeant = (one: AttemptTruth): boolean =>
      isOrBefore(one.id, attempt) || (directory !== undefined && one.directory === directory);
    const left = [...this.#leaving].find((one) => one.left > 0 && one.host === host && isMeant(one));
    if (left !== undefined) this.fail(`what ${left.id} of ${left.job} left running outlives its directory`);
  }

  /** What stands in a job's output when it has come to its end by itself. */
  wrote(id: string, lines: readonly string[]): void {
    const own = lines.filter((line) => line.endsWith(` ${id}`)).map((line) => line.slice(0, line.indexOf(" ")));
    if (own.join() !== "begin,named,end") this.fail(`the output of ${id} has lost lines: ${JSON.stringify(lines)}`);
  }

  /** A claim was made that forbids it. */
  forbidden(id: string): void {
    const attempt = this.of(id);
    if (attempt.starts > 0 && !attempt.isForgotten) this.fail(`attempt ${id} was forbidden after its start`);
    attempt.isNever = true;
  }
}

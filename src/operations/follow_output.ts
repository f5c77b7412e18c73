/**
 * Follows what jobs write until they are over: several jobs and hosts at once. A part is given once, and none is left
 * out, whatever breaks: the place in each file is kept here, and a connection that is gone is opened again.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import { machineOfJob, machineText } from "../cluster/machine.ts";
import type { Job } from "../job/job.ts";
import { asOfTry, type TriedJob } from "../job/past_tries.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import type { Connect, FilePart } from "../link/link.ts";
import { QueueFeed } from "../store/queue_feed.ts";
import type { QueueStore } from "../store/store.ts";
import { OutputReader, SilentError } from "./job_output.ts";
import type { JobFile } from "./output_files.ts";
import { placeOfLastLines } from "./place_of_lines.ts";

/** What {@link followOutput} takes. */
export interface FollowRequest {
  readonly store: Pick<QueueStore, "ref" | "id">;
  readonly names: ReadonlySet<JobName>;
  readonly files: readonly JobFile[];
  /**
   * Of what jobs had written before: the last lines, or all; of one that starts later all is given anyway.
   * @default 0
   */
  readonly since?: number | "begin";
}

/** Who watches. Parts of one file come in order. */
export interface FollowWatch {
  readonly stop: AbortSignal;
  /** No more of this machine is read until it resolves: who is slow does not fill the memory. */
  onPart(job: Job, file: JobFile, bytes: Uint8Array): void | Promise<void>;
  /** A file begins anew: another attempt of the job has started. */
  onAttempt(job: Job): void;
  /** A machine does not answer, or answers again. */
  onSilence(machine: string, reason: string | null): void;
}

/** A look at each file so often while its job runs. */
const LOOK_MS = 500;
const PART_BYTES = 256 * 1024;
const AGAIN_MS = [1_000, 30_000] as const;

interface Earlier {
  readonly try: number;
  readonly places: Map<JobFile, number>;
}

/** One job that is followed. */
interface Followed {
  job: Job;
  /** Bytes that were given, by file. */
  places: Map<JobFile, number>;
  /** Tries that are over and of which not all may have been given, and how far each was; the first one first. */
  earlier: Earlier[];
  /** The last attempt that was put there. */
  passed: number;
  /** Another attempt has begun, and nobody has heard of it. */
  isNew: boolean;
  /** It had started before anybody followed it, and where to begin in its files is not known yet. */
  isOld: boolean;
  /** All was given after the job was over. */
  isDone: boolean;
}

/**
 * Follows jobs until all are over and all that they wrote was given. Jobs that wait are followed when they start.
 * @returns The jobs as they ended.
 */
export async function followOutput(
  deps: Deps,
  request: FollowRequest,
  watch: FollowWatch,
  connect: Connect,
): Promise<Job[]> {
  const follow = new Follow(deps, request, watch, connect);
  try {
    return await follow.until();
  } finally {
    await follow.close();
  }
}

class Follow {
  readonly #deps: Deps;
  readonly #request: FollowRequest;
  readonly #watch: FollowWatch;
  readonly #reader: OutputReader;
  readonly #feed: QueueFeed;
  readonly #jobs = new Map<JobName, Followed>();
  /** Machines that do not answer: when to try again, and the pause after that. */
  readonly #silent = new Map<string, { atMs: number; pauseMs: number }>();

  constructor(deps: Deps, request: FollowRequest, watch: FollowWatch, connect: Connect) {
    this.#deps = deps;
    this.#request = request;
    this.#watch = watch;
    this.#reader = new OutputReader(deps, request.store, connect);
    this.#feed = new QueueFeed(deps, request.store.ref);
  }

  async until(): Promise<Job[]> {
    const { clock } = this.#deps;
    while (!this.#watch.stop.aborted) {
      await this.#feed.look();
      this.#takeStates();
      const open = [...this.#jobs.values()].filter(({ isDone }) => !isDone);
      if (open.length === 0) break;
      const machines = Map.groupBy(open, ({ job }) => machineName(job));
      await Promise.all([...machines].map(([machine, there]) => this.#readAll(machine, there)));
      await clock.sleepUntil(clock.now() + LOOK_MS, this.#watch.stop);
    }
    return [...this.#jobs.values()].map(({ job }) => job);
  }

  async close(): Promise<void> {
    this.#feed.close();
    await this.#reader.close();
  }

  /** Takes in the states of the jobs. One that was deleted is done. */
  #takeStates(): void {
    for (const name of this.#request.names) {
      const job = this.#feed.jobs.get(name);
      const known = this.#jobs.get(name);
      if (known === undefined) {
        if (job === undefined) continue;
        const passed = job.history?.at(-1)?.attempt ?? 0;
        const isOld = this.#request.since !== "begin" && hasStarted(job);
        this.#jobs.set(name, { job, places: new Map(), earlier: [], passed, isNew: false, isOld, isDone: false });
      } else if (job === undefined) known.isDone = true;
      else {
        takeAttempt(known, job);
        known.job = job;
      }
    }
  }

  async #readAll(machine: string, there: readonly Followed[]): Promise<void> {
    for (const one of there) await this.#readEarlier(one);
    await this.#reach(machine, async () => {
      for (const one of there) await this.#readOne(one);
    });
  }

  /** Reads from a machine, unless it was silent just now. @returns False if it does not answer. */
  async #reach(machine: string, read: () => Promise<void>): Promise<boolean> {
    const { clock } = this.#deps;
    const silence = this.#silent.get(machine);
    if (silence !== undefined && clock.now() < silence.atMs) return false;
    try {
      await read();
      if (this.#silent.delete(machine)) this.#watch.onSilence(machine, null);
      return true;
    } catch (error) {
      if (!(error instanceof SilentError)) throw error;
      if (silence === undefined) this.#watch.onSilence(machine, error.message);
      const pauseMs = Math.min(AGAIN_MS[1], silence === undefined ? AGAIN_MS[0] : silence.pauseMs * 2);
      this.#silent.set(machine, { atMs: clock.now() + pauseMs, pauseMs });
      return false;
    }
  }

  /** Reads what is left of tries that are over. One whose machine does not answer waits, and holds up nothing else. */
  async #readEarlier(one: Followed): Promise<void> {
    const { job } = one;
    for (const past of one.earlier) {
      const tried = asOfTry(job, past.try);
      const isRead = tried === null ||
        await this.#reach(machineName(tried.job), () => this.#readFiles(tried, past.places));
      if (isRead) one.earlier = one.earlier.filter((other) => other !== past);
    }
  }

  /** Reads what was added to the files of a job. Its state is known from before: what is read after its end is all. */
  async #readOne(one: Followed): Promise<void> {
    const { job } = one;
    if (!hasStarted(job)) return;
    if (one.isNew) this.#watch.onAttempt(job);
    one.isNew = false;
    if (one.isOld) await this.#begin(one);
    await this.#readFiles({ job, endings: [""] }, one.places);
    one.isDone = !isInFlight(job.status);
  }

  /** Finds where to begin in the files of a job that had started before. */
  async #begin(one: Followed): Promise<void> {
    const { files, since = 0 } = this.#request;
    if (since === "begin") return;
    for (const name of files) {
      const read = (part: FilePart) => this.#reader.read(one.job, name, part);
      one.places.set(name, await placeOfLastLines(read, since));
    }
    one.isOld = false;
  }

  async #readFiles({ job, endings }: TriedJob, places: Map<JobFile, number>): Promise<void> {
    for (const name of this.#request.files) {
      while (!this.#watch.stop.aborted) {
        const from = places.get(name) ?? 0;
        const bytes = await this.#read(job, endings, name, from);
        if (bytes === null) break;
        places.set(name, from + bytes.length);
        if (bytes.length > 0) await this.#watch.onPart(job, name, bytes);
        if (bytes.length < PART_BYTES) break;
      }
    }
  }

  async #read(job: Job, endings: readonly string[], file: JobFile, from: number): Promise<Uint8Array | null> {
    for (const ending of endings) {
      const bytes = await this.#reader.read(job, file, { maxBytes: PART_BYTES, from }, ending);
      if (bytes !== null) return bytes;
    }
    return null;
  }
}

/** What another state of the job means for what is still to be read. */
function takeAttempt(known: Followed, job: Job): void {
  const isSame = job.id === known.job.id;
  const isOther = !isSame || job.attempt !== known.job.attempt;
  const hasBegun = known.isOld || known.places.size > 0 || known.passed > 0;
  if (!isSame) known.earlier = [];
  // Between two looks a try may have ended, and others after it.
  const missed = (isSame ? job.history ?? [] : []).filter(({ attempt }) => attempt > known.passed);
  for (const { try: number, attempt } of missed) {
    if (attempt < known.job.attempt) continue;
    known.earlier.push({ try: number, places: attempt === known.job.attempt ? known.places : new Map() });
    known.passed = attempt;
    if (attempt === known.job.attempt) known.places = new Map();
  }
  if (!isOther) return;
  known.places = new Map();
  known.isOld = false;
  known.isDone = false;
  known.isNew = hasBegun || known.passed > 0;
}

/** True if it may have written something. */
function hasStarted({ status }: Job): boolean {
  return !isWaiting(status) && status !== "run";
}

function machineName(job: Job): string {
  const machine = machineOfJob(job);
  return machine === null ? "" : machineText(machine);
}

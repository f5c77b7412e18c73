/**
 * Brings files of jobs from their hosts: all machines side by side, only what changed, and nothing outside the target,
 * whatever a host names its files.
 *
 * @module
 */

import { isLocal, type Machine, machineKey, machineOfJob, machineText } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { CmsError, InvalidError, LinkError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import { placeOf } from "../job/job.ts";
import { fetchFiles, type Found, type RemoteFile } from "../link/fetch.ts";
import { Gate } from "../link/gate.ts";
import { sendDirectory, sentPath } from "../link/sent_path.ts";
import { isSafePath, patternProblem } from "../names/path_pattern.ts";
import { renderBytes } from "../names/units.ts";
import { readQueueId } from "../store/queue_id.ts";
import { readJobs } from "../store/read_jobs.ts";
import type { StoreRef } from "../store/store.ts";
import { FetchTarget, type Layout } from "./fetch_target.ts";
import { type Place, placesOf } from "./fetch_places.ts";
import { knownMachines } from "./on_machines.ts";
import { type Selection, selectJobs } from "./select_jobs.ts";

/** What {@link fetchJobs} takes. */
export interface FetchRequest {
  readonly queue: StoreRef;
  readonly selection: Selection;
  /** Empty: what each job names (`fetch`), else all that stands in its directory. */
  readonly patterns: readonly string[];
  /** A directory of the manager, absolute; null: the experiment directory. */
  readonly to: string | null;
  readonly layout: Layout;
  /** Larger files are left there. */
  readonly maxBytes: number | null;
  /** Replaces files that are newer here, too. */
  readonly force: boolean;
  /** Brings nothing. */
  readonly isDry: boolean;
  /** What jobs have written to stdout, stderr and their logs comes otherwise. */
  readonly isOutputElsewhere?: boolean;
}

/** What was brought, or would be: paths below the target, in the order in which they came. */
export interface FetchResult {
  readonly files: { readonly path: string; readonly sizeBytes: number }[];
  readonly unchanged: number;
  /** True if something that was asked for is not there, or could not be brought. */
  readonly isIncomplete: boolean;
}

/** Who watches. */
export interface FetchWatch {
  /** One line: what was left out or is missing, and why. */
  warn(text: string): void;
  /** Bytes that have come, of those that are known to come. */
  progress?(bytes: number, of: number): void;
}

const MACHINES_AT_ONCE = 8;
const TRIES = 3;
const PAUSE_MS = 1_000;

/**
 * Brings the files. @throws {InvalidError} If a pattern cannot be used. @throws {CmsError} `not_found` if there is no
 * such queue.
 */
export async function fetchJobs(deps: Deps, request: FetchRequest, watch: FetchWatch): Promise<FetchResult> {
  for (const pattern of request.patterns) {
    const problem = patternProblem(pattern);
    if (problem !== null) throw new InvalidError([`Cannot fetch ${JSON.stringify(pattern)}: ${problem}`]);
  }
  const { queue, selection } = request;
  const { chosen, missing } = selectJobs(await readJobs(deps, queue), selection);
  const work = new Work(deps, request, watch);
  for (const name of missing) work.lack(`Job ${name} does not exist in queue ${queue.name}`);
  const there = new Map<string, { machine: Machine; jobs: Job[] }>();
  for (const job of chosen) {
    const machine = job.attempt === 0 ? null : machineOfJob(job);
    if (machine === null) {
      if (selection.names !== null) work.lack(`Job ${job.name} has not run: there is nothing to fetch`);
      continue;
    }
    const group = there.get(machineKey(machine)) ?? { machine, jobs: [] };
    group.jobs.push(job);
    there.set(machineKey(machine), group);
  }
  const known = await knownMachines(deps, queue.directory);
  const gate = new Gate(MACHINES_AT_ONCE);
  await Promise.all(
    [...there.values()].map(({ machine, jobs }) =>
      gate.pass(() => work.fetchFrom(known.get(machineKey(machine)) ?? machine, jobs))
    ),
  );
  return work.result();
}

/**
 * The same of jobs of one machine, which may wait for others or run again. @throws {LinkError} If it does not answer.
 */
export async function fetchFromMachine(
  deps: Deps,
  request: Omit<FetchRequest, "selection">,
  { machine, jobs }: { machine: Machine; jobs: readonly Job[] },
  watch: FetchWatch,
): Promise<FetchResult> {
  const work = new Work(deps, request, watch);
  await work.bring(machine, jobs);
  return work.result();
}

class Work {
  readonly #deps: Deps;
  readonly #request: Omit<FetchRequest, "selection">;
  readonly #watch: FetchWatch;
  readonly #target: FetchTarget;
  readonly #files: { path: string; sizeBytes: number }[] = [];
  #unchanged = 0;
  #isIncomplete = false;
  #bytes = 0;
  #total = 0;

  constructor(deps: Deps, request: Omit<FetchRequest, "selection">, watch: FetchWatch) {
    this.#deps = deps;
    this.#request = request;
    this.#watch = watch;
    this.#target = new FetchTarget(deps.files, request.to ?? request.queue.directory, request.layout);
  }

  result(): FetchResult {
    return { files: this.#files, unchanged: this.#unchanged, isIncomplete: this.#isIncomplete };
  }

  /** Something that was asked for is not brought. */
  lack(text: string): void {
    this.#isIncomplete = true;
    this.#watch.warn(text);
  }

  /** Brings what can be brought. */
  async fetchFrom(machine: Machine, jobs: readonly Job[]): Promise<void> {
    try {
      await this.bring(machine, jobs);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      this.lack(`${error.message} (${machineText(machine)}: ${jobs.length} jobs)`);
    }
  }

  /**
   * A connection that breaks is opened again; what has come stays, and is not brought twice.
   * @throws {LinkError} If the machine does not answer.
   */
  async bring(machine: Machine, jobs: readonly Job[]): Promise<void> {
    const { ref, places } = { ref: this.#request.queue, places: jobs.flatMap((job) => this.#placesOf(job)) };
    const directory = isLocal(machine) ? ref.directory : ref.experiment;
    const queueId = await readQueueId(this.#deps, ref);
    const said = new Set<string>();
    for (let tries = 1;; tries++) {
      try {
        return await fetchFiles(this.#deps, { machine, directory, queueId }, places, {
          choose: (found) => this.#choose(places, found, said),
          take: (at, file, pieces) => this.#take(places[at]!, file, pieces),
        });
      } catch (error) {
        if (!(error instanceof LinkError) || error.lasting || tries >= TRIES) throw error;
      }
      await this.#deps.clock.sleepUntil(this.#deps.clock.now() + PAUSE_MS);
    }
  }

  #placesOf(job: Job): Place[] {
    return placesOf(job, this.#request.patterns, this.#request.isOutputElsewhere === true);
  }

  async #choose(places: readonly Place[], found: readonly Found[], said: Set<string>): Promise<string[][]> {
    const once = (text: string, isLack: boolean): void => {
      if (said.has(text)) return;
      said.add(text);
      isLack ? this.lack(text) : this.#watch.warn(text);
    };
    this.#nameMissing(places, found, once);
    const wanted: string[][] = [];
    for (const [at, { files, links }] of found.entries()) {
      const { job, isOwn } = places[at]!;
      const own: string[] = [];
      for (const link of links.filter((path) => !isOwn(path))) {
        once(`Left ${link} of job ${job.name} there: it is a link`, false);
      }
      for (const file of files.filter(({ path }) => !isOwn(path))) {
        if (await this.#wasSent(job, file)) continue;
        const why = await this.#whyNot(job, file);
        if (why === "unchanged") this.#unchanged++;
        else if (why !== null) once(`Left ${JSON.stringify(file.path)} of job ${job.name} there: ${why}`, false);
        else if (this.#request.isDry) this.#note(job, file);
        else {
          own.push(file.path);
          this.#total += file.sizeBytes;
        }
      }
      wanted.push(own);
    }
    return wanted;
  }

  /** Patterns that fit nothing in any place of a job. */
  #nameMissing(places: readonly Place[], found: readonly Found[], once: (text: string, isLack: boolean) => void): void {
    const fits = new Map<string, boolean>();
    const keyOf = (job: Job, pattern: string): string => `No file ${pattern} of job ${job.name} on ${placeOf(job)}`;
    for (const [at, { missing, isGone }] of found.entries()) {
      const { job, patterns, isOptional } = places[at]!;
      if (isOptional) continue;
      for (const pattern of patterns) {
        const key = keyOf(job, pattern);
        fits.set(key, fits.get(key) === true || !(isGone || missing.includes(pattern)));
      }
    }
    for (const [text, isThere] of fits) if (!isThere) once(text, true);
  }

  /** True if nobody names it, and it stands there as the job has sent it. */
  async #wasSent(job: Job, { path, sizeBytes, modifiedMs }: RemoteFile): Promise<boolean> {
    if (this.#request.patterns.length > 0 || (job.fetch ?? null) !== null) return false;
    const { directory, experiment } = this.#request.queue;
    const from = sendDirectory(directory, experiment);
    for (const text of job.send ?? []) {
      const sent = sentPath(text, from, this.#deps.environment.get("HOME") ?? null);
      if (sent === null || (path !== sent.kept && !path.startsWith(`${sent.kept}/`))) continue;
      const here = await this.#deps.files.stamp(`${sent.base}/${path}`);
      return here?.sizeBytes === sizeBytes && Math.floor(here.modifiedMs / 1000) === modifiedMs / 1000;
    }
    return false;
  }

  /** Why a file is not brought; null if it is. */
  async #whyNot(job: Job, file: RemoteFile): Promise<string | null> {
    const { maxBytes, force } = this.#request;
    if (!isSafePath(file.path)) return "its name cannot be used here";
    const path = this.#target.pathOf(job, file.path);
    if (path === null) return "another file has its place";
    const here = await this.#deps.files.stamp(this.#target.at(path));
    if (here?.isDirectory === true) return `${path} is a directory here`;
    const seconds = (ms: number): number => Math.floor(ms / 1000);
    if (here !== null && here.sizeBytes === file.sizeBytes && seconds(here.modifiedMs) === seconds(file.modifiedMs)) {
      return "unchanged";
    }
    if (maxBytes !== null && file.sizeBytes > maxBytes) return `it has ${renderBytes(file.sizeBytes)}`;
    // A copy has a time of whole seconds: one that was changed here in the same second is newer.
    if (here !== null && !force && here.modifiedMs > file.modifiedMs) {
      return `${path} is newer here (--force replaces it)`;
    }
    return null;
  }

  async #take({ job }: Place, file: RemoteFile, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    // What comes is what the list has: but a host may send anything.
    if (!isSafePath(file.path)) return;
    const path = this.#target.pathOf(job, file.path);
    if (path === null) return;
    try {
      await this.#target.write(path, this.#counted(pieces), file.modifiedMs);
      this.#note(job, file);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      const reason = error instanceof CmsError ? error.message : (error as Error).message;
      this.lack(`Cannot write ${path}: ${reason}`);
    }
  }

  async *#counted(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      this.#bytes += piece.length;
      this.#watch.progress?.(this.#bytes, Math.max(this.#total, this.#bytes));
      yield piece;
    }
  }

  #note(job: Job, { path, sizeBytes }: RemoteFile): void {
    this.#files.push({ path: this.#target.pathOf(job, path)!, sizeBytes });
  }
}

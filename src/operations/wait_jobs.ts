/**
 * `queue wait`: returns when jobs have come to where they are waited for.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import type { Job } from "../job/job.ts";
import { isFailed } from "../job/outcome.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import { storePaths } from "../store/paths.ts";
import { readRunner } from "../store/run_claim.ts";
import type { StateMove } from "../store/journal/state_line.ts";
import { scanJobs } from "../store/large/scan_jobs.ts";
import { StateFeed } from "../store/state_feed.ts";
import type { StoreRef } from "../store/store.ts";
import { listJobs } from "./list_jobs.ts";
import { isAll, isByProperty, isSelected, type Selection } from "./select_jobs.ts";
import { StateCounts } from "./state_counts.ts";
import type { WaitGoal, WaitNumbers } from "./wait_goals.ts";

/** What {@link waitJobs} takes. */
export interface WaitRequest {
  readonly queue: StoreRef;
  readonly selection: Selection;
  readonly goal: WaitGoal;
  /** The first job that is there will do. */
  readonly isAny: boolean;
  /** Milliseconds; null for as long as it takes. */
  readonly timeoutMs: number | null;
  /** Whether to go on where no run works on the queue. */
  readonly noRun: "fail" | "wait";
}

/** How the waiting ended. `never`: a job can not come there any more (it failed, or was deleted). */
export interface WaitResult extends WaitNumbers {
  readonly outcome: "there" | "never" | "timeout" | "no_run" | "interrupted";
  /** Names in the selection that the queue does not have. */
  readonly missing: readonly string[];
}

/** Who watches. */
export interface WaitWatch {
  readonly stop: AbortSignal;
  onNumbers(numbers: WaitNumbers): void;
  /** No run works on the queue; said once. */
  onNoRun(): void;
}

const LOOK_MS = 200;
/** How often it is looked whether a large queue's files say how many jobs are where. */
const TRIES = 3;
/** A look takes no more than one part of so many of the time, but for this long at most. */
const LOOK_PARTS = 100;
const MOST_LOOK_MS = 1_000;
/** How often it is looked whether a run works on the queue. */
const RUN_MS = 2_000;

/** What is kept of a job that is not there yet. */
type Stand = "pending" | "there" | "failed";

/**
 * Waits. Which jobs are chosen is decided at the begin; where all are (no selection by property), jobs that are added
 * meanwhile count, too.
 * @throws {CmsError} `not_found` if there is no such queue.
 */
export async function waitJobs(deps: Deps, request: WaitRequest, watch: WaitWatch): Promise<WaitResult> {
  const feed = new StateFeed(deps, request.queue);
  try {
    return await new Wait(deps, request, watch).until(feed);
  } finally {
    feed.close();
  }
}

class Wait {
  readonly #deps: Deps;
  readonly #request: WaitRequest;
  readonly #watch: WaitWatch;
  /** Chosen jobs that are not there. */
  #pending = new Set<JobName>();
  /** Chosen jobs that are there, and did not end well. */
  #failed = new Set<JobName>();
  #there = 0;
  /** In place of all names, where all jobs are waited for, and the queue's files say how many are where. */
  #counts: StateCounts | null = null;
  /** Chosen by property at the begin. */
  #chosen: ReadonlySet<JobName> | null = null;
  #missing: readonly string[] = [];
  /** Jobs that were chosen, and were deleted before they were there. */
  #gone = 0;

  constructor(deps: Deps, request: WaitRequest, watch: WaitWatch) {
    this.#deps = deps;
    this.#request = request;
    this.#watch = watch;
  }

  async until(feed: StateFeed): Promise<WaitResult> {
    const { clock } = this.#deps;
    const { timeoutMs } = this.#request;
    const endMs = timeoutMs === null ? Infinity : clock.now() + timeoutMs;
    let runAtMs = clock.now();
    let isSaid = false;
    let begun = false;
    for (;;) {
      let lookMs = clock.now();
      if (!begun || !this.#takeAll(await feed.look())) {
        await this.#begin(feed);
        begun = true;
        lookMs = clock.now();
      }
      const numbers = this.#numbers();
      this.#watch.onNumbers(numbers);
      const end = (outcome: WaitResult["outcome"]): WaitResult => ({ ...numbers, outcome, missing: this.#missing });
      const outcome = this.#outcomeOf(numbers, clock.now() >= endMs);
      if (outcome !== null) return end(outcome);
      if (clock.now() >= runAtMs && !isSaid) {
        runAtMs = clock.now() + RUN_MS;
        if (!await this.#isRun()) {
          if (this.#request.noRun === "fail") return end("no_run");
          isSaid = true;
          this.#watch.onNoRun();
        }
      }
      const pauseMs = Math.min(MOST_LOOK_MS, Math.max(LOOK_MS, (clock.now() - lookMs) * LOOK_PARTS));
      await clock.sleepUntil(Math.min(clock.now() + pauseMs, endMs), this.#watch.stop);
    }
  }

  async #begin(feed: StateFeed): Promise<void> {
    const { selection, queue } = this.#request;
    const { clock } = this.#deps;
    for (let i = 1; i <= TRIES; i++) {
      const begin = await feed.begin();
      this.#counts = isAll(selection) ? StateCounts.from(begin, queue.experiment) : null;
      // In the middle of a checkpoint the file is not the journal's.
      if (this.#counts !== null || begin.header?.written === undefined || i === TRIES) break;
      await clock.sleepUntil(clock.now() + LOOK_MS, this.#watch.stop);
    }
    if (this.#counts === null) await this.#scan();
  }

  /** Takes in what happened. @returns False if that is not known. */
  #takeAll(moves: readonly StateMove[] | null): boolean {
    if (moves === null) return false;
    if (this.#counts !== null) return this.#counts.takeAll(moves);
    for (const move of moves) this.#take(move);
    return true;
  }

  #outcomeOf({ pending, there, failed }: WaitNumbers, isLate: boolean): WaitResult["outcome"] | null {
    if (this.#isNever(failed)) return "never";
    if (pending === 0 || (this.#request.isAny && there > 0)) return "there";
    return this.#watch.stop.aborted ? "interrupted" : isLate ? "timeout" : null;
  }

  /** True if not all jobs can come there any more. */
  #isNever(failed: number): boolean {
    const { goal, isAny } = this.#request;
    return !isAny && (this.#gone > 0 || (goal === "ended-well" && failed > 0));
  }

  async #isRun(): Promise<boolean> {
    return await readRunner(this.#deps, storePaths(this.#request.queue, "queue")) !== null;
  }

  #numbers(): WaitNumbers {
    if (this.#counts !== null) return this.#counts.numbers(this.#request.goal);
    return { there: this.#there, failed: this.#failed.size, pending: this.#pending.size };
  }

  /** Looks at the whole queue. Keeps names only. */
  async #scan(): Promise<void> {
    const { queue, selection } = this.#request;
    const isFirst = this.#chosen === null;
    const chosen = new Set<JobName>();
    const seen = new Set<JobName>();
    this.#pending = new Set();
    this.#failed = new Set();
    this.#there = 0;
    const named = selection.names === null ? null : new Set<string>(selection.names);
    const isChosen = (job: Job): boolean => {
      if (!isFirst && isByProperty(selection)) return this.#chosen!.has(job.name);
      return (named === null || named.has(job.name)) && isSelected(job, { ...selection, names: null });
    };
    const look = (job: Job): boolean => {
      if (named !== null && named.has(job.name)) seen.add(job.name);
      if (!isChosen(job)) return false;
      chosen.add(job.name);
      this.#note(job.name, standOf(job, this.#request.goal));
      return false;
    };
    if (await scanJobs(this.#deps, queue, look, Infinity) === null) {
      (await listJobs(this.#deps, { queue })).forEach(look);
    }
    const gone = [...this.#chosen ?? []].filter((name) => !chosen.has(name));
    if (!isFirst && isByProperty(selection)) this.#gone += gone.length;
    if (isFirst) this.#missing = [...named ?? []].filter((name) => !seen.has(name as JobName));
    this.#chosen = isByProperty(selection) ? this.#chosen ?? chosen : chosen;
  }

  /** Takes in one record of the journal. */
  #take(move: StateMove): void {
    const { selection, goal } = this.#request;
    const isNew = move.type === "put" && !this.#chosen!.has(move.name);
    if (isNew && !isByProperty(selection) && (selection.names === null || selection.names.includes(move.name))) {
      (this.#chosen as Set<JobName>).add(move.name);
    }
    if (!this.#chosen!.has(move.name)) return;
    if (move.type === "delete") {
      // A deleted job counts no more; one that was named can never come there.
      if (this.#pending.delete(move.name)) this.#gone += selection.names === null ? 0 : 1;
      else if (!this.#failed.delete(move.name)) this.#there--;
      else this.#there--;
      (this.#chosen as Set<JobName>).delete(move.name);
      return;
    }
    if (move.status === undefined) return;
    const job = { status: move.status, exit_code: move.exitCode ?? null };
    const stand = standOf(job, goal);
    if (!this.#pending.has(move.name) && !isNew) this.#there--;
    this.#pending.delete(move.name);
    this.#failed.delete(move.name);
    this.#note(move.name, stand);
  }

  #note(name: JobName, stand: Stand): void {
    if (stand === "pending") this.#pending.add(name);
    else if (stand === "failed" && this.#request.goal === "ended-well") {
      this.#pending.add(name);
      this.#failed.add(name);
    } else {
      this.#there++;
      if (stand === "failed") this.#failed.add(name);
    }
  }
}

function standOf(job: Pick<Job, "status" | "exit_code">, goal: WaitGoal): Stand {
  if (isWaiting(job.status)) return "pending";
  if (goal === "started") return job.status === "run" ? "pending" : job.status === "fail_start" ? "failed" : "there";
  if (isInFlight(job.status)) return "pending";
  return isFailed(job) ? "failed" : "there";
}

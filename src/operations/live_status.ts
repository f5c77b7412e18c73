/**
 * How a queue stands, for those who look at it all the time: the same as {@link queueStatus}, from what is kept of the
 * queue, so that a look at 100,000 jobs costs little.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { placeOf } from "../job/job.ts";
import { hasDependencies } from "../job/dependencies.ts";
import { endReason } from "../job/outcome.ts";
import { isWaiting } from "../job/states.ts";
import type { Jobs } from "../store/changes.ts";
import type { ChangeListener } from "../store/change_listeners.ts";
import { type StorePaths, storePaths } from "../store/paths.ts";
import type { FeedChange } from "../store/queue_feed.ts";
import { type QueuePause, readPause } from "../store/queue_pause.ts";
import { type Listening, listenTo } from "../store/read_jobs.ts";
import { readLastRun } from "../store/run_claim.ts";
import type { LastRun } from "../store/run_status.ts";
import type { StoreRef } from "../store/store.ts";
import { holdOf } from "./job_reason.ts";
import { lastRunOf, machineSlots, planOf, type QueueStatus } from "./queue_status.ts";
import { QueueTally } from "./queue_tally.ts";

const FAILURES = 5;
/** What has to be read from all jobs, or from files beside the queue, takes no more than one part of so many. */
const SLOW_PARTS = 50;

/** See the module. */
export class LiveStatus implements ChangeListener {
  readonly #deps: Deps;
  readonly #queue: StoreRef;
  readonly #paths: StorePaths;
  readonly #listening: Listening;
  #run: LastRun | null = null;
  #pause: QueuePause | null = null;
  #said = "";
  #hasNews = false;
  #tally: QueueTally;
  #jobs: Jobs = new Map();
  #slowAtMs = -Infinity;
  #kept = 0;
  #plan: QueueStatus["plan"] = null;
  #lastRun: QueueStatus["lastRun"] = null;

  /** Reads nothing yet. */
  constructor(deps: Deps, queue: StoreRef) {
    this.#deps = deps;
    this.#queue = queue;
    this.#paths = storePaths(queue, "queue");
    this.#listening = listenTo(deps, queue, this);
    this.#tally = new QueueTally(deps.clock);
  }

  /** Nothing is followed any more. */
  end(): void {
    this.#listening.end();
  }

  /** Takes in what has happened. @throws {CmsError} If the queue cannot be read now. */
  async look(): Promise<"news" | "same" | "gone"> {
    // The run first: when its end is seen here, all that it wrote is read below.
    this.#run = await readLastRun(this.#deps, this.#paths);
    this.#pause = await readPause(this.#deps, this.#paths);
    if (!await this.#listening.look()) return "gone";
    const trouble = this.#listening.trouble();
    if (trouble !== null) throw trouble;
    const said = JSON.stringify([this.#run, this.#pause]);
    const isNew = this.#hasNews || said !== this.#said;
    this.#hasNews = false;
    this.#said = said;
    return isNew ? "news" : "same";
  }

  begin(jobs: Jobs): void {
    this.#tally = new QueueTally(this.#deps.clock);
    this.#tally.begin(jobs.values());
    this.#jobs = jobs;
    this.#hasNews = true;
  }

  take(changes: readonly FeedChange[], jobs: Jobs): void {
    this.#hasNews = true;
    this.#jobs = jobs;
    for (const change of changes) this.#tally.take(change);
  }

  /** How the queue stood at the last look. */
  async status(): Promise<QueueStatus> {
    const run = this.#run;
    await this.#lookSlowly();
    const { counts, total, failed, running } = this.#tally;
    const isRun = run?.isRunning === true;
    const open = counts.undefined + counts.ready + counts.run + counts.start - this.#kept;
    return {
      queue: this.#queue.name,
      total,
      counts: { ...counts },
      failed,
      kept: this.#kept,
      run,
      pause: this.#pause,
      lastRun: isRun ? null : this.#lastRun,
      hosts: machineSlots(run, running.values()),
      ratePerS: isRun ? this.#tally.rate() : null,
      leftMs: isRun && this.#pause === null ? this.#tally.left(open, run.about.slots) : null,
      plan: this.#plan,
      failures: this.#tally.lastFailures(FAILURES).map((job) => ({
        job: job.name,
        reason: endReason(job),
        machine: placeOf(job),
        ended: job.ended,
      })),
    };
  }

  async #lookSlowly(): Promise<void> {
    const { clock } = this.#deps;
    const startMs = clock.now();
    if (startMs < this.#slowAtMs) return;
    this.#plan = await planOf(this.#deps, this.#paths);
    this.#lastRun = await lastRunOf(this.#deps, this.#queue, this.#run);
    const view = { jobs: this.#jobs, nowMs: clock.epochMs() };
    let kept = 0;
    for (const job of this.#jobs.values()) {
      if (!isWaiting(job.status)) continue;
      if (job.hold !== true && !hasDependencies(job) && typeof job.not_before !== "string") continue;
      if (holdOf(job, view) !== null) kept++;
    }
    this.#kept = kept;
    this.#slowAtMs = clock.now() + (clock.now() - startMs) * SLOW_PARTS;
  }
}

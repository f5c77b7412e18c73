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
import { storePaths } from "../store/paths.ts";
import type { FeedChange } from "../store/queue_feed.ts";
import { readPause } from "../store/queue_pause.ts";
import type { LastRun } from "../store/run_status.ts";
import type { StoreRef } from "../store/store.ts";
import { holdOf } from "./job_reason.ts";
import { planOf, type QueueStatus } from "./queue_status.ts";
import { QueueTally } from "./queue_tally.ts";

const FAILURES = 5;
/** What has to be read from all jobs, or from files beside the queue, takes no more than one part of so many. */
const SLOW_PARTS = 20;

/** See the module. It is told of each change. */
export class LiveStatus {
  readonly #deps: Deps;
  readonly #queue: StoreRef;
  #tally: QueueTally;
  #jobs: Jobs = new Map();
  #slowAtMs = -Infinity;
  #kept = 0;
  #plan: QueueStatus["plan"] = null;

  /** Reads nothing yet. */
  constructor(deps: Deps, queue: StoreRef) {
    this.#deps = deps;
    this.#queue = queue;
    this.#tally = new QueueTally(deps.clock);
  }

  /** The queue has these jobs now; they stay up to date by themselves. */
  begin(jobs: Jobs): void {
    this.#tally = new QueueTally(this.#deps.clock);
    this.#tally.begin(jobs.values());
    this.#jobs = jobs;
    this.#slowAtMs = -Infinity;
  }

  /** Takes in what has happened since. */
  take(changes: readonly FeedChange[]): void {
    for (const change of changes) this.#tally.take(change);
  }

  /** How the queue stands. @param run Its last run. */
  async status(run: LastRun | null): Promise<QueueStatus> {
    await this.#lookSlowly();
    const { counts, total, failed, running } = this.#tally;
    const isRun = run?.isRunning === true;
    const busy = new Map<string, number>();
    for (const job of running.values()) busy.set(placeOf(job) ?? "?", (busy.get(placeOf(job) ?? "?") ?? 0) + 1);
    const open = counts.undefined + counts.ready + counts.run + counts.start - this.#kept;
    return {
      queue: this.#queue.name,
      total,
      counts: { ...counts },
      failed,
      kept: this.#kept,
      run,
      pause: await readPause(this.#deps, storePaths(this.#queue, "queue")),
      busy,
      ratePerS: isRun ? this.#tally.rate() : null,
      leftMs: isRun ? this.#tally.left(open, run.about.slots) : null,
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
    this.#plan = await planOf(this.#deps, storePaths(this.#queue, "queue"));
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

/**
 * `queue plan`: what a run would do, by the scheduler itself on a simulated clock. Starts nothing; keeps what it says
 * beside the queue, so that `queue status` can compare it with the run that follows.
 *
 * @module
 */

import type { Machine } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import { durationMs } from "../job/where.ts";
import type { JobName } from "../names/grammar.ts";
import { type Forecast, forecast, type ForecastJob } from "../scheduler/forecast.ts";
import { fifo, fifoMulti } from "../scheduler/policies.ts";
import type { SlotHost } from "../scheduler/slot_host.ts";
import type { Jobs } from "../store/changes.ts";
import { storePaths } from "../store/paths.ts";
import { type Prediction, writePrediction } from "../store/prediction.ts";
import { readJobs } from "../store/read_jobs.ts";
import type { StoreRef } from "../store/store.ts";
import { noFreeHosts } from "./no_free_hosts.ts";
import { RunHosts, slotsOf } from "./run_hosts.ts";

/** Most hosts that may be thought of beside those that there are. */
export const MOST_MORE = 10_000;
/** Jobs of the same command that tell what another one takes. */
const KEPT_DURATIONS = 10_000;
/** The golden ratio: its multiples, without their whole parts, fill the range from 0 to 1 evenly. */
const GOLDEN = 0.6180339887498949;

/** What {@link planRun} takes. */
export interface PlanRequest {
  readonly queue: StoreRef;
  /** As a run takes it: `fifo` with its bound, or hosts. */
  readonly way:
    | { readonly scheduler: "fifo"; readonly maxParallel: number }
    | { readonly scheduler: "fifo_multi"; readonly hosts: readonly Machine[]; readonly cluster: StoreRef | null };
  /** What each job takes, ms; null: what jobs have taken so far. */
  readonly durationMs: number | null;
  /** Hosts of one slot that are thought of in addition; 0 for none. */
  readonly more: number;
  readonly timeLimit?: string | undefined;
}

/** A plan. Times are ms from its begin. */
export interface Plan {
  readonly queue: string;
  readonly slots: number;
  /** Jobs that would run, and how many of them run already. */
  readonly jobs: readonly ForecastJob[];
  readonly makespanMs: number;
  /** Part of the time of all slots in which they have no job, from 0 to 1. */
  readonly idle: number;
  readonly never: readonly { readonly reason: string; readonly jobs: readonly JobName[] }[];
  /** Where the times of jobs come from: how many jobs told; null if they were given. */
  readonly known: number | null;
  /** What more hosts would bring; null if none were asked for. */
  readonly more: { readonly hosts: number; readonly makespanMs: number } | null;
}

/**
 * Plans a run.
 * @throws {CmsError} `not_found` if there is no such queue or cluster; `invalid` if no host may get jobs, or nothing is
 * known of what jobs take.
 */
export async function planRun(deps: Deps, request: PlanRequest): Promise<Plan> {
  const { queue, way } = request;
  const hosts = way.scheduler === "fifo"
    ? []
    : await new RunHosts(deps, queue, { machines: way.hosts, cluster: way.cluster, isPlan: true }).read();
  if (way.scheduler === "fifo_multi" && !hosts.some((host) => host.active && host.capacity > 0)) {
    throw new CmsError("invalid", await noFreeHosts(deps, way.cluster));
  }
  const jobs = await readJobs(deps, queue);
  const durations = new Durations(jobs, request.durationMs);
  const open = [...jobs.values()].some((job) => isWaiting(job.status) || isInFlight(job.status));
  if (open && durations.isUnknown) {
    throw new CmsError(
      "invalid",
      `Cannot plan queue ${queue.name}: none of its jobs has ended yet; give --duration=10m`,
    );
  }
  const slots = way.scheduler === "fifo" ? way.maxParallel : slotsOf(hosts);
  const play = (more: number): Promise<Forecast> =>
    forecast({
      jobs,
      policy: way.scheduler === "fifo" ? fifo(way.maxParallel + more) : fifoMulti(),
      hosts: way.scheduler === "fifo" ? [] : [...hosts, ...thoughtOf(more)],
      timeLimit: request.timeLimit ?? null,
      nowMs: deps.clock.epochMs(),
      durationOf: (job) => durations.of(job),
      pace: () => deps.clock.sleepUntil(deps.clock.now() + 1),
    });
  const plain = await play(0);
  const better = request.more === 0 ? null : await play(request.more);
  const busyMs = plain.jobs.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const prediction: Prediction = {
    madeMs: deps.clock.epochMs(),
    makespanMs: plain.makespanMs,
    jobs: plain.jobs.length,
    slots,
  };
  await writePrediction(deps, storePaths(queue, "queue"), prediction);
  return {
    queue: queue.name,
    slots,
    jobs: plain.jobs,
    makespanMs: plain.makespanMs,
    idle: plain.makespanMs === 0 ? 0 : Math.max(0, 1 - busyMs / (slots * plain.makespanMs)),
    never: plain.never,
    known: request.durationMs === null ? durations.known : null,
    more: better === null ? null : { hosts: request.more, makespanMs: better.makespanMs },
  };
}

/** Hosts that do not exist, each with a machine of its own. */
function thoughtOf(count: number): SlotHost[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `+${i + 1}`,
    machine: { user: "", name: `more${i + 1}.invalid`, address: null },
    capacity: 1,
    active: true,
    gpu: "",
    pyenv: "",
  }));
}

/**
 * What jobs take: what those of the same command took; else what any took, spread as those were, so that long ones have
 * their part in it.
 */
class Durations {
  readonly #given: number | null;
  readonly #ofCommand = new Map<string, { sum: number; count: number }>();
  readonly #all: number[] = [];
  #drawn = 0;
  readonly #drawnOf = new Map<JobName, number>();

  constructor(jobs: Jobs, given: number | null) {
    this.#given = given;
    if (given !== null) return;
    for (const job of jobs.values()) {
      const tookMs = job.status === "end" ? durationMs(job) : null;
      if (tookMs === null || this.#all.length >= KEPT_DURATIONS) continue;
      this.#all.push(tookMs);
      const own = this.#ofCommand.get(job.command) ?? { sum: 0, count: 0 };
      this.#ofCommand.set(job.command, { sum: own.sum + tookMs, count: own.count + 1 });
    }
    this.#all.sort((a, b) => a - b);
  }

  get known(): number {
    return this.#all.length;
  }

  get isUnknown(): boolean {
    return this.#given === null && this.#all.length === 0;
  }

  of(job: Job): number {
    if (this.#given !== null) return this.#given;
    const own = this.#ofCommand.get(job.command);
    if (own !== undefined) return own.sum / own.count;
    const drawn = this.#drawnOf.get(job.name) ??
      this.#all[Math.floor(++this.#drawn * GOLDEN % 1 * this.#all.length)] ?? 0;
    this.#drawnOf.set(job.name, drawn);
    return drawn;
  }
}

/**
 * What a run would do: the scheduler's own core on a simulated clock, with machines that always answer and jobs that
 * take what is said of them and end well. Pure but for the turns that it gives to others.
 *
 * @module
 */

import TinyQueue from "tinyqueue";
import { attemptId, type AttemptRef } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import { machineKey, machineOfJob, machineText } from "../cluster/machine.ts";
import type { JobName } from "../names/grammar.ts";
import type { AttemptState, StartRequest } from "../link/link.ts";
import type { Change, Jobs } from "../store/changes.ts";
import { moveJobs } from "../store/state/move_jobs.ts";
import { Core } from "./core.ts";
import type { CoreEvent, Effect } from "./events.ts";
import type { Policy } from "./policies.ts";
import type { RunResult } from "./report.ts";
import type { SlotHost } from "./slot_host.ts";

/** What {@link forecast} takes. */
export interface ForecastRequest {
  readonly jobs: Jobs;
  readonly policy: Policy;
  readonly hosts: readonly SlotHost[];
  readonly timeLimit: string | null;
  /** Epoch ms at which the run would begin. */
  readonly nowMs: number;
  /** What a job takes, ms. */
  readonly durationOf: (job: Job) => number;
  /** Called now and then: others may have their turn. */
  readonly pace: () => Promise<void>;
}

/** One job of a forecast; times are ms from its begin. */
export interface ForecastJob {
  readonly job: JobName;
  /** Id of the host that gives the slot; null where slots are not counted by host. */
  readonly host: string | null;
  readonly machine: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** What would happen. */
export interface Forecast {
  /** Until the last job ends. */
  readonly makespanMs: number;
  /** In order of their starts. */
  readonly jobs: readonly ForecastJob[];
  /** Jobs that would never start, each with what keeps it. */
  readonly never: readonly { readonly reason: string; readonly jobs: readonly JobName[] }[];
}

/** Any boot: no machine is another one here. */
const BOOT = "forecast/1";
/** Events between two turns for others. */
const EVENTS_AT_ONCE = 500;
/** Ticks in a row that bring nothing: a core that waits for what cannot come. */
const MOST_IDLE = 10_000;

/** Plays the run. */
export async function forecast(request: ForecastRequest): Promise<Forecast> {
  return await new Play(request).play();
}

class Play {
  readonly #request: ForecastRequest;
  readonly #jobs: Map<JobName, Job>;
  readonly #core: Core;
  readonly #events = new TinyQueue<{ atMs: number; order: number; event: CoreEvent }>(
    [],
    (a, b) => a.atMs - b.atMs || a.order - b.order,
  );
  readonly #shown = new Map<JobName, ForecastJob>();
  #order = 0;
  #nowMs: number;

  constructor(request: ForecastRequest) {
    this.#request = request;
    this.#nowMs = request.nowMs;
    this.#jobs = new Map(request.jobs);
    this.#core = new Core({
      policy: request.policy,
      hosts: request.hosts,
      timeoutMs: Number.MAX_SAFE_INTEGER / 2,
      timeLimit: request.timeLimit,
    }, this.#jobs);
  }

  async play(): Promise<Forecast> {
    this.#at(this.#nowMs, { type: "begin" });
    let idle = 0;
    for (let count = 1; !this.#core.isFinished && idle < MOST_IDLE; count++) {
      if (count % EVENTS_AT_ONCE === 0) await this.#request.pace();
      const wakeAtMs = this.#core.wakeAtMs ?? Infinity;
      const next = this.#events.peek();
      if (next === undefined && wakeAtMs === Infinity) break;
      const isTick = next === undefined || wakeAtMs < next.atMs;
      idle = isTick ? idle + 1 : 0;
      const event: CoreEvent = isTick ? { type: "tick" } : this.#events.pop()!.event;
      this.#nowMs = Math.max(this.#nowMs, isTick ? wakeAtMs : next.atMs);
      for (const effect of this.#core.step(event, this.#nowMs)) this.#perform(effect);
    }
    return this.#result(this.#core.result());
  }

  #result(result: RunResult): Forecast {
    const jobs = [...this.#shown.values()].toSorted((a, b) => a.startMs - b.startMs);
    const doomed = Map.groupBy(
      [...this.#jobs.values()].filter((job) => job.status === "fail_start" && isOpen(this.#request.jobs.get(job.name))),
      (job) => job.reason ?? "cannot start",
    );
    const never = [...doomed].map(([reason, failed]) => ({ reason, jobs: failed.map(({ name }) => name) }));
    const known = new Set([...never.flatMap((one) => one.jobs), ...result.left.flatMap((one) => one.jobs)]);
    const others = [...this.#jobs.values()].filter((job) => isWaiting(job.status) && !known.has(job.name));
    const rest = others.length === 0
      ? []
      : [{ reason: "no host would get them", jobs: others.map(({ name }) => name) }];
    return {
      makespanMs: jobs.reduce((most, { endMs }) => Math.max(most, endMs), 0),
      jobs,
      never: [...never, ...result.left, ...rest],
    };
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "change":
        return this.#apply(effect.change);
      case "connect": {
        const machine = machineKey(effect.machine);
        return this.#at(this.#nowMs, { type: "link_up", machine, boot: this.#bootOf(machine) });
      }
      case "start":
        return this.#start(effect.machine, effect.request);
      case "backlog":
        // Prefetch hides round trips, and there are none here.
        if (effect.change.type !== "open") return;
        return this.#at(this.#nowMs, {
          type: "link",
          machine: effect.machine,
          event: { type: "no_backlog", number: effect.number },
        });
      case "recall":
        return this.#at(this.#nowMs, {
          type: "recalled",
          attempts: effect.attempts,
          states: effect.attempts.map(() => ({ type: "forbidden" })),
        });
      case "ask":
        return this.#answer(effect);
      case "gpus":
        return this.#at(this.#nowMs, { type: "gpus", machine: effect.machine, use: [], reason: "" });
      case "kill":
      case "limit":
      case "disconnect":
      case "prepare":
      case "unprepare":
      case "report":
      case "finish":
        return;
      default:
        effect satisfies never;
    }
  }

  #apply(change: Change): void {
    if (change.type === "put") this.#jobs.set(change.job.name, change.job);
    if (change.type === "delete") this.#jobs.delete(change.job);
    if (change.type === "move") moveJobs(this.#jobs, change.jobs, change.before);
    if (change.type !== "set") return;
    const job = this.#jobs.get(change.job);
    if (job !== undefined) this.#jobs.set(change.job, { ...job, ...change.fields });
  }

  #start(machine: string, { job, attempt, backlog, limit }: StartRequest): void {
    if (backlog !== null) return;
    const record = this.#jobs.get(job)!;
    const durationMs = Math.max(1, Math.round(this.#request.durationOf(record)));
    const isLimited = limit !== undefined && limit.ms < durationMs;
    const endMs = this.#nowMs + (isLimited ? limit.ms : durationMs);
    const started = { type: "started", job, attempt, pid: 1, atMs: this.#nowMs } as const;
    this.#at(this.#nowMs, { type: "link", machine, event: started });
    this.#end(machine, { job, attempt }, endMs, isLimited ? limit.text : null);
    this.#show(record, this.#nowMs, endMs);
  }

  /** What was in flight before goes on: it takes what it takes, from its start on. */
  #answer({ machine, ask, forbid }: Extract<Effect, { type: "ask" }>): void {
    const states = [...ask, ...forbid].map((ref) => {
      const job = this.#jobs.get(ref.job);
      const startedMs = job?.started ? Date.parse(job.started) : this.#nowMs;
      const state: AttemptState = { type: "alive", pid: 1, startedAtMs: startedMs, orphan: false };
      if (job !== undefined && isInFlight(job.status) && !this.#shown.has(job.name)) {
        const endMs = Math.max(this.#nowMs + 1, startedMs + Math.round(this.#request.durationOf(job)));
        this.#end(machine, ref, endMs, null);
        this.#show(job, startedMs, endMs);
      }
      return { ...ref, state };
    });
    this.#at(this.#nowMs, { type: "answer", machine, states });
  }

  #end(machine: string, { job, attempt }: AttemptRef, atMs: number, limit: string | null): void {
    const how = limit === null
      ? { state: "end", exitCode: 0 } as const
      : { state: "kill", exitCode: null, limit } as const;
    this.#at(atMs, { type: "link", machine, event: { type: "ended", job, attempt, atMs, ...how } });
  }

  #show(job: Job, startMs: number, endMs: number): void {
    const machine = machineOfJob(job);
    const { nowMs } = this.#request;
    this.#shown.set(job.name, {
      job: job.name,
      host: job.slot,
      machine: machine === null ? "" : machineText(machine),
      startMs: Math.max(0, startMs - nowMs),
      endMs: endMs - nowMs,
    });
  }

  /** The boot of what was in flight there, which then is on that very machine. */
  #bootOf(machine: string): string {
    for (const job of this.#jobs.values()) {
      if (!isInFlight(job.status) || job.boot === null) continue;
      const own = machineOfJob(job);
      if (own !== null && machineKey(own) === machine && attemptId(job) !== "") return job.boot;
    }
    return BOOT;
  }

  #at(atMs: number, event: CoreEvent): void {
    this.#events.push({ atMs, order: ++this.#order, event });
  }
}

function isOpen(job: Job | undefined): boolean {
  return job !== undefined && (isWaiting(job.status) || isInFlight(job.status));
}

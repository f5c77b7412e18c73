/**
 * Numbers for Prometheus, in its text format: what stands in the queues now, and what was counted since the service
 * looks at them.
 *
 * @module
 */

import { JOB_STATES, type JobState } from "../job/states.ts";
import type { QueueEvent, WatchedEvent } from "../operations/queue_events.ts";
import type { QueuesWatch } from "../operations/watch_queues.ts";

/** Upper bounds of the histogram, in seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;
/** A started job is in one of these at the end. */
const ENDS: readonly JobState[] = ["end", "kill", "crash", "fail_start"];

/** What was counted of one queue. */
interface QueueCounts {
  starts: number;
  readonly ends: Map<JobState, number>;
  /** Not cumulative; the last is beyond all bounds. */
  readonly buckets: number[];
  seconds: number;
  /** When the start of each job that has not begun was decided. */
  readonly decidedMs: Map<string, number>;
}

/** Counts what happens in the queues of one watch. */
export class Counters {
  readonly #watch: QueuesWatch;
  readonly #counts = new Map<string, QueueCounts>();

  constructor(watch: QueuesWatch) {
    this.#watch = watch;
    watch.subscribe((events) => events.forEach((one) => this.#count(one)));
  }

  /** Adds the present numbers. */
  addTo(text: MetricsText): void {
    for (const [name, { states, run }] of this.#watch.queues) {
      const labels = { experiment: this.#watch.experiment, queue: name };
      const counts = this.#counts.get(name) ?? newCounts();
      const byState = new Map<JobState, number>();
      for (const state of states.values()) byState.set(state, (byState.get(state) ?? 0) + 1);
      for (const state of JOB_STATES) text.add("cms_jobs", { ...labels, state }, byState.get(state) ?? 0);
      const about = run?.isRunning === true ? run.about : null;
      const links = Object.values(about?.machines ?? {});
      text.add("cms_running", labels, about === null ? 0 : 1);
      text.add("cms_slots", labels, about?.slots ?? 0);
      text.add("cms_links_up", labels, links.filter((link) => link === "up").length);
      text.add("cms_links_down", labels, links.filter((link) => link === "down").length);
      for (const { entry: host, running, pending } of about?.allocations ?? []) {
        text.add("cms_allocations", { ...labels, host, state: "running" }, running);
        text.add("cms_allocations", { ...labels, host, state: "pending" }, pending);
      }
      text.add("cms_job_starts_total", labels, counts.starts);
      for (const state of ENDS) text.add("cms_job_ends_total", { ...labels, state }, counts.ends.get(state) ?? 0);
      text.histogram("cms_start_seconds", labels, counts);
    }
  }

  #count({ event }: WatchedEvent): void {
    if (event.type === "queue_deleted") return void this.#counts.delete(event.queue);
    if (event.type !== "job_state") return;
    let counts = this.#counts.get(event.queue);
    if (counts === undefined) this.#counts.set(event.queue, counts = newCounts());
    const { job, from, to, at_ms: atMs } = event;
    if (to === "run") {
      if (atMs !== null) counts.decidedMs.set(job, atMs);
      return;
    }
    if (from === "run" && isStarted(event)) {
      counts.starts++;
      const decidedMs = counts.decidedMs.get(job);
      if (decidedMs !== undefined && atMs !== null) observe(counts, Math.max(0, atMs - decidedMs) / 1000);
    }
    counts.decidedMs.delete(job);
    if (ENDS.includes(to)) counts.ends.set(to, (counts.ends.get(to) ?? 0) + 1);
  }
}

/** A short job may be seen to end before it was seen to begin. */
function isStarted({ to }: QueueEvent & { type: "job_state" }): boolean {
  return to === "start" || to === "end" || to === "kill" || to === "crash";
}

function newCounts(): QueueCounts {
  return { starts: 0, ends: new Map(), buckets: [...BOUNDS, Infinity].map(() => 0), seconds: 0, decidedMs: new Map() };
}

function observe(counts: QueueCounts, seconds: number): void {
  const at = BOUNDS.findIndex((bound) => seconds <= bound);
  counts.buckets[at < 0 ? BOUNDS.length : at]!++;
  counts.seconds += seconds;
}

/** Each metric: its type and its help. */
const METRICS = {
  cms_jobs: ["gauge", "Jobs by state."],
  cms_running: ["gauge", "1 while a scheduler runs the queue."],
  cms_slots: ["gauge", "Jobs that the scheduler may run at once."],
  cms_links_up: ["gauge", "Machines whose link is open."],
  cms_links_down: ["gauge", "Machines that do not answer."],
  cms_allocations: ["gauge", "Allocations of Slurm that a run has or waits for."],
  cms_job_starts_total: ["counter", "Jobs that began."],
  cms_job_ends_total: ["counter", "Jobs that ended, by their state then."],
  cms_start_seconds: ["histogram", "Seconds from the decision to start a job to the news of its start."],
  cms_event_streams: ["gauge", "Clients that follow events."],
} as const;

/** A metric's name. */
export type MetricName = keyof typeof METRICS;

type Labels = Readonly<Record<string, string>>;

/** Gathers lines, and renders them metric by metric as the format wants it. */
export class MetricsText {
  readonly #lines = new Map<MetricName, string[]>();

  /** Adds one number. */
  add(name: MetricName, labels: Labels, value: number): void {
    this.#line(name, `${name}${labelText(labels)} ${value}`);
  }

  /** Adds a histogram. */
  histogram(
    name: MetricName,
    labels: Labels,
    { buckets, seconds }: { buckets: readonly number[]; seconds: number },
  ): void {
    let sum = 0;
    buckets.forEach((count, i) => {
      sum += count;
      this.#line(name, `${name}_bucket${labelText({ ...labels, le: String(BOUNDS[i] ?? "+Inf") })} ${sum}`);
    });
    this.#line(name, `${name}_sum${labelText(labels)} ${seconds}`);
    this.#line(name, `${name}_count${labelText(labels)} ${sum}`);
  }

  /** The whole text. */
  render(): string {
    return (Object.keys(METRICS) as MetricName[]).map((name) => {
      const [type, help] = METRICS[name];
      const lines = this.#lines.get(name) ?? [];
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].map((line) => line + "\n").join("");
    }).join("");
  }

  #line(name: MetricName, line: string): void {
    const lines = this.#lines.get(name);
    if (lines === undefined) this.#lines.set(name, [line]);
    else lines.push(line);
  }
}

function labelText(labels: Labels): string {
  const escaped = (value: string) => value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
  return `{${Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`).join(",")}}`;
}

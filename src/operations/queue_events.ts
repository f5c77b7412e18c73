/**
 * What happens to queues, as events; and the memory of the last ones, by which a listener goes on where it was.
 *
 * @module
 */

import type { SchedulerName } from "../store/run_status.ts";
import { placeOf } from "../job/job.ts";
import type { JobName } from "../names/grammar.ts";
import type { JobState } from "../job/states.ts";
import type { FeedChange } from "../store/queue_feed.ts";
import type { LastRun } from "../store/run_status.ts";

/** What happened, without where. */
export type Happening =
  | {
    /** A job's state is another one now. */
    readonly type: "job_state";
    readonly job: JobName;
    readonly from: JobState;
    readonly to: JobState;
    readonly attempt: number;
    /** `user@name`; null before it has a host. */
    readonly machine: string | null;
    readonly exit_code: number | null;
    /** When it was written, epoch ms; null where the journal does not say. */
    readonly at_ms: number | null;
  }
  | { readonly type: "job_added" | "job_deleted"; readonly job: JobName; readonly state: JobState }
  | { readonly type: "queue_added" | "queue_deleted" }
  | {
    readonly type: "run_start" | "run_end";
    readonly pid: number;
    readonly hostname: string;
    readonly scheduler: SchedulerName;
    readonly cluster: string | null;
  }
  | { readonly type: "host_up" | "host_down"; readonly machine: string };

/** An event: what happened, in which queue. */
export type QueueEvent = Happening & { readonly queue: string; readonly experiment: string };

/** An event with its number and its place in the queue's journal. */
export interface WatchedEvent {
  readonly number: number;
  readonly begun: string;
  readonly line: number;
  readonly event: QueueEvent;
}

/** A change of a job as an event. */
export function toEvent({ type, job, from, atMs }: FeedChange, of: { queue: string; experiment: string }): QueueEvent {
  if (type === "added" || type === "deleted") {
    return { type: type === "added" ? "job_added" : "job_deleted", ...of, job: job.name, state: job.status };
  }
  const machine = job.host ? placeOf(job) : null;
  const { name, status, attempt, exit_code } = job;
  return { type: "job_state", ...of, job: name, from, to: status, attempt, machine, exit_code, at_ms: atMs };
}

/**
 * What is different between two looks at a queue's run: what comes before the changes of its jobs, and what after them.
 */
export function runEvents(old: LastRun | null, now: LastRun | null): { before: Happening[]; after: Happening[] } {
  const before: Happening[] = [];
  const after: Happening[] = [];
  const isNew = now !== null && old?.run !== now.run;
  if (old?.isRunning && (isNew || now === null)) before.push(told("run_end", old));
  if (now === null) return { before, after };
  if (isNew) before.push(told("run_start", now));
  const machines = isNew ? {} : old?.about.machines ?? {};
  for (const [machine, state] of Object.entries(now.about.machines)) {
    if (machines[machine] === state) continue;
    if (state === "up") before.push({ type: "host_up", machine });
    else after.push({ type: "host_down", machine });
  }
  if (!now.isRunning && (isNew || old?.isRunning)) after.push(told("run_end", now));
  return { before, after };
}

function told(type: "run_start" | "run_end", { pid, hostname, about: { scheduler, cluster } }: LastRun): Happening {
  return { type, pid, hostname, scheduler, cluster };
}

/** Events kept; older ones are forgotten. */
const KEPT = 10_000;

/** A journal whose events are kept from some line on. */
interface Journal {
  readonly queue: string;
  readonly begun: string;
  /** Number of the last event before it. */
  readonly afterNumber: number;
  /** What happened up to this line is not kept. */
  readonly fromLine: number;
}

/** The last events. An id is `EPOCH-NUMBER-BEGUN-LINE-QUEUE`: the first two count here, the others elsewhere too. */
export class KeptEvents {
  readonly #epoch: string;
  #events: WatchedEvent[] = [];
  #number = 0;
  #journals: Journal[] = [];
  #lastOfQueue = new Map<string, string>();

  /** @param epoch Random: names this memory. */
  constructor(epoch: string) {
    this.#epoch = epoch;
  }

  /** Id of the last event, or of none. */
  get lastId(): string {
    const last = this.#events.at(-1);
    return last === undefined ? `${this.#epoch}-0---` : this.idOf(last);
  }

  /** Id of an event. */
  idOf({ number, begun, line, event }: WatchedEvent): string {
    return `${this.#epoch}-${number}-${begun}-${line}-${event.queue}`;
  }

  /** Takes in what a queue's journal holds when it is first seen. `fromLine`: what happened up to it is not known. */
  begin(
    journal: {
      queue: string;
      begun: string;
      fromLine: number;
      changes: readonly { change: FeedChange; event: QueueEvent }[];
    },
  ): void {
    this.#note(journal.queue, journal.begun, journal.fromLine);
    for (const { change, event } of journal.changes) this.#keep(event, change);
  }

  /** Takes in an event and gives it its number. */
  add(event: QueueEvent, { begun, line }: { begun: string; line: number }): WatchedEvent {
    return this.#keep(event, { begun, line });
  }

  /**
   * Events after an id. `known`: they are complete for all queues, for one, or for none (then there are none).
   */
  since(id: string): { events: readonly WatchedEvent[]; known: "all" | string | null } {
    const [, epoch, number, begun, line, queue] = /^([0-9a-f]+)-([0-9]+)-([0-9a-f]*)-([0-9]*)-(.*)$/.exec(id) ?? [];
    if (epoch === undefined) return { events: [], known: null };
    const first = this.#events[0]?.number ?? this.#number + 1;
    if (epoch === this.#epoch) {
      const from = Number(number);
      if (from + 1 < first || from > this.#number) return { events: [], known: null };
      return { events: this.#events.slice(from + 1 - first), known: "all" };
    }
    const journal = this.#journals.find((one) =>
      one.queue === queue && one.begun === begun && begun !== "" && one.fromLine <= Number(line)
    );
    if (journal === undefined || journal.afterNumber + 1 < first) return { events: [], known: null };
    const events = this.#events.filter((one) =>
      one.number > journal.afterNumber && one.event.queue === queue &&
      !(one.begun === begun && one.line <= Number(line))
    );
    return { events, known: journal.queue };
  }

  #keep(event: QueueEvent, { begun, line }: { begun: string; line: number }): WatchedEvent {
    this.#note(event.queue, begun, 0);
    const kept = { number: ++this.#number, begun, line, event };
    this.#events.push(kept);
    // Cut in large pieces: cutting moves all that stays.
    if (this.#events.length > KEPT * 1.5) {
      this.#events = this.#events.slice(-KEPT);
      const first = this.#events[0]!.number;
      this.#journals = this.#journals.filter((one) => one.afterNumber + 1 >= first);
    }
    return kept;
  }

  /** Notes where a journal begins. */
  #note(queue: string, begun: string, fromLine: number): void {
    if (this.#lastOfQueue.get(queue) === begun) return;
    this.#lastOfQueue.set(queue, begun);
    this.#journals.push({ queue, begun, afterNumber: this.#number, fromLine });
  }
}

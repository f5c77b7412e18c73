/**
 * The scheduler alone with 100,000 jobs that come after each other: what one event costs at the begin and at the end. A
 * chain, 1,000 jobs with a hundred each behind them, and a grid in which each job comes after the two before it.
 *
 * @module
 */

import { attemptId } from "../../../src/job/attempt.ts";
import { type Job, makeJob } from "../../../src/job/job.ts";
import type { JobName } from "../../../src/names/grammar.ts";
import { parseMachine } from "../../../src/cluster/machine.ts";
import { Core } from "../../../src/scheduler/core.ts";
import type { CoreEvent, Effect } from "../../../src/scheduler/events.ts";
import { fifoMulti } from "../../../src/scheduler/policies.ts";
import type { Bench, Plan, Setting } from "../bench.ts";
import { sharedContenders } from "../contenders/shared.ts";

const SLOTS = 16;
const FAN = 100;

/** Names of the jobs that each one comes after, in the order of the queue. */
type Order = readonly (readonly string[])[];

/** See the module. */
export const orders: Bench = {
  name: "orders",
  about:
    "100,000 jobs in a chain, in fans and in a grid, on hosts that do not exist: first and last tenth of the events",
  measure: "figure",
  rounds: 3,
  open,
};

function open({ jobs: given }: Setting): Promise<Plan> {
  const count = given ?? 100_000;
  const shapes = { chain: chainOf(count), fan: fanOf(count), grid: gridOf(count) };
  const names = Object.keys(shapes).flatMap((shape) => [first(shape), last(shape)]);
  const work = (): Promise<Record<string, number>> => {
    const figures: Record<string, number> = {};
    for (const [shape, order] of Object.entries(shapes)) [figures[first(shape)], figures[last(shape)]] = measure(order);
    return Promise.resolve(figures);
  };
  return Promise.resolve({
    work: `${count.toLocaleString("en-US")} jobs that come after each other, ${SLOTS} slots`,
    contenders: sharedContenders(names, work),
    questions: Object.keys(shapes).map((shape) => ({ of: last(shape), to: first(shape), mark: { atLeast: 0.9 } })),
  });
}

const first = (shape: string): string => `events/s, ${shape}, first tenth`;
const last = (shape: string): string => `events/s, ${shape}, last tenth`;

function nameOf(at: number): string {
  return `job${at}`;
}

function chainOf(count: number): Order {
  return Array.from({ length: count }, (_, i) => i === 0 ? [] : [nameOf(i - 1)]);
}

/** Each of the first ones has {@link FAN} less itself behind it. */
function fanOf(count: number): Order {
  const parents = Math.ceil(count / FAN);
  return Array.from({ length: count }, (_, i) => i < parents ? [] : [nameOf(i % parents)]);
}

function gridOf(count: number): Order {
  const width = Math.ceil(Math.sqrt(count));
  return Array.from({ length: count }, (_, i) => [
    ...i >= width ? [nameOf(i - width)] : [],
    ...i % width > 0 ? [nameOf(i - 1)] : [],
  ]);
}

function jobsOf(order: Order): Map<JobName, Job> {
  return new Map(order.map((after, i) => {
    const name = nameOf(i) as JobName;
    const spec = { command: "true", ...(after.length === 0 ? {} : { after }) };
    return [name, makeJob(name, spec, { id: i.toString(16).padStart(32, "0"), experiment: "experiment" })];
  }));
}

/** @returns Events in a second while the first tenth of the jobs ended, and while the last did. */
function measure(order: Order): [first: number, last: number] {
  const jobs = jobsOf(order);
  const machine = parseMachine("pi@red");
  const host = { id: "h", machine, capacity: SLOTS, active: true, gpu: "", pyenv: "" };
  const core = new Core({ policy: fifoMulti(), hosts: [host], timeoutMs: 600_000 }, jobs);
  const key = "pi@red";
  let events: CoreEvent[] = [{ type: "begin" }];
  const marks: { atMs: number; events: number }[] = [];
  const tenth = Math.max(1, Math.floor(order.length / 10));
  let [ended, taken, nowMs] = [0, 0, 0];
  const mark = (): void => void marks.push({ atMs: performance.now(), events: taken });
  while (!core.isFinished) {
    const now = events.length > 0 ? events : [{ type: "tick" } as const];
    events = [];
    for (const event of now) {
      nowMs++;
      taken++;
      // As the loop does it: an event is decided on when what was decided before is written.
      for (const effect of core.step(event, nowMs)) events.push(...answerTo(effect, jobs, key));
      const isEnd = event.type === "link" && event.event.type === "ended";
      if (isEnd && (ended === 0 || ended === tenth || ended === order.length - tenth)) mark();
      if (isEnd && ++ended === order.length) mark();
    }
  }
  if (ended !== order.length) throw new Error(`Of ${order.length} jobs ${ended} ended`);
  const rate = (from: number, to: number): number =>
    (marks[to]!.events - marks[from]!.events) * 1000 / (marks[to]!.atMs - marks[from]!.atMs);
  return [rate(0, 1), rate(marks.length - 2, marks.length - 1)];
}

/** What the world does. There are no backlogs: what comes after others cannot be sent ahead of them. */
function answerTo(effect: Effect, jobs: Map<JobName, Job>, machine: string): CoreEvent[] {
  switch (effect.type) {
    case "change": {
      const { change } = effect;
      if (change.type === "set") jobs.set(change.job, { ...jobs.get(change.job)!, ...change.fields });
      return [];
    }
    case "connect":
      return [{ type: "link_up", machine, boot: "b" }];
    case "backlog":
      return [{ type: "link", machine, event: { type: "no_backlog", number: effect.number } }];
    case "start": {
      const { job } = effect.request;
      const attempt = attemptId(jobs.get(job)!);
      const end = { type: "ended", job, attempt, state: "end", exitCode: 0, atMs: 0 } as const;
      return [{ type: "link", machine, event: { type: "started", job, attempt, pid: 1, atMs: 0 } }, {
        type: "link",
        machine,
        event: end,
      }];
    }
    default:
      return [];
  }
}

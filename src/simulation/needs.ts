/**
 * What jobs need and hosts have in some worlds: GPUs, CPUs, slots; and who watches that none of it is given twice, and
 * that nobody is passed for ever.
 *
 * @module
 */

import type { Jobs } from "../store/changes.ts";
import { randomOf } from "./random.ts";
import type { HostPlan, JobPlan } from "./scenario.ts";
import { drawStrangers } from "./strangers.ts";

/** What a job needs besides one slot. */
export interface NeedPlan {
  readonly gpus?: number | null;
  readonly cpus?: number | null;
  readonly slots?: number | null;
}

/** The first host has so many of each, so that every need fits there. */
const MOST_GPUS = 4;
const MOST_CPUS = 8;

/**
 * Gives hosts devices and jobs needs, in some of the worlds whose hosts give slots. Drawn apart, so that the rest stays
 * as it is.
 */
export function drawNeeds(
  seed: number,
  plan: { readonly hosts: readonly HostPlan[]; readonly jobs: readonly JobPlan[] },
  { steps, scheduler, troubleMs }: { steps: number; scheduler: string; troubleMs: number },
): { readonly hosts: readonly HostPlan[]; readonly jobs: readonly JobPlan[] } {
  const random = randomOf(seed, "needs");
  if (steps === 0 || scheduler === "fifo" || random.chance(0.75)) return plan;
  if (plan.hosts.some(({ entries }) => entries.some(({ gpu }) => gpu !== ""))) return plan;
  const hosts = plan.hosts.map((host, i): HostPlan => {
    const gpus = i === 0 ? MOST_GPUS : random.below(3);
    const cpus = i === 0 ? MOST_CPUS : random.below(MOST_CPUS);
    return { ...host, entries: host.entries.map((entry) => ({ ...entry, gpus, cpus })) };
  });
  // The first machine stays when others go for good.
  const mostSlots = Math.max(...plan.hosts[0]!.entries.map(({ capacity }) => capacity));
  const few = random.chance(0.5) ? 0.2 : 0.7;
  const jobs = plan.jobs.map((job): JobPlan => {
    if (!random.chance(few)) return job;
    const needs = random.pick([
      { gpus: random.pick([0.5, 0.5, 1, 1, 2, 4]) },
      { gpus: 1, cpus: 1 + random.below(4) },
      { cpus: 1 + random.below(MOST_CPUS) },
      { slots: Math.min(2, mostSlots) },
    ]);
    return { ...job, wishes: { ...job.wishes, ...needs } };
  });
  return { hosts: drawStrangers(seed, hosts, troubleMs), jobs };
}

/** What a job needs; of one that needs nothing, one slot. */
export function needOf(plan: NeedPlan | null | undefined): { gpus: number; cpus: number; slots: number } {
  return { gpus: plan?.gpus ?? 0, cpus: plan?.cpus ?? 0, slots: plan?.slots ?? 1 };
}

/** True if it needs more than one slot. */
export function needsMore(plan: NeedPlan | undefined): boolean {
  const { gpus, cpus, slots } = needOf(plan);
  return gpus + cpus > 0 || slots > 1;
}

/** The devices that variables of a start give a job. */
export function devicesOf(variables: string): number[] {
  const found = /(?:^| )CMS_GPUS=([0-9,]+)(?: |$)/.exec(variables)?.[1];
  return found === undefined ? [] : found.split(",").map(Number);
}

/** What a job of this id needs now; null where that is not known. */
export function needAt(jobs: Jobs | null, id: string): NeedPlan | null {
  return [...jobs?.values() ?? []].find((one) => one.id === id) ?? null;
}

/** What is wrong with the devices of a start as it is written down; null if nothing is. */
export function wrongRecord(need: NeedPlan | null, devices: unknown): string | null {
  const count = Array.isArray(devices) ? devices.length : 0;
  return need === null || count === Math.ceil(needOf(need).gpus) ? null : `the devices ${JSON.stringify(devices)}`;
}

/** An attempt that runs, and what it was given. */
interface Given {
  readonly id: string;
  readonly need: NeedPlan | null;
  readonly devices: readonly number[];
}

/** What is wrong with the devices of the jobs that run on one machine; null if nothing is. */
export function wrongDevices(there: Iterable<Given>): string | null {
  const used = new Map<number, number>();
  for (const attempt of there) {
    if (attempt.need === null) continue;
    const { gpus } = needOf(attempt.need);
    if (attempt.devices.length !== Math.ceil(gpus)) {
      return `${attempt.id} needs ${gpus} GPUs, and has ${JSON.stringify(attempt.devices)}`;
    }
    for (const id of attempt.devices) used.set(id, (used.get(id) ?? 0) + Math.min(1, gpus));
  }
  const twice = [...used].find(([, part]) => part > 1);
  return twice === undefined ? null : `GPU ${twice[0]} is given ${twice[1]} times`;
}

/**
 * The one entry on which a job could ever run, by its devices and CPUs; null if there are several. Whoever comes behind
 * it must not pass it there.
 */
export function onlyEntry(plan: NeedPlan | undefined, hosts: readonly HostPlan[]): string | null {
  const need = needOf(plan);
  // Numbers of slots change.
  if (need.gpus + need.cpus === 0 || need.slots > 1) return null;
  // Who else uses devices, and for how long, is known to nobody.
  if (hosts.some(({ isIdleOnly }) => isIdleOnly === true)) return null;
  const fit = hosts.flatMap(({ entries }) => entries)
    .filter(({ gpus = 0, cpus = 0 }) => gpus >= need.gpus && cpus >= need.cpus);
  return fit.length === 1 ? fit[0]!.id : null;
}

/** A job that is due and fits on one entry alone is passed there no longer than this. */
const PATIENCE_MS = 2_000;

/** Who waits for room since when, by process. */
export class Patience {
  readonly #since = new WeakMap<object, Map<string, number>>();

  /** The job starts itself. */
  started(process: object, id: string): void {
    this.#since.get(process)?.delete(id);
  }

  /** Another job starts in this slot while one waits that comes before it. @returns What is wrong with that. */
  passed(
    process: object,
    job: { readonly id: string; readonly name: string },
    { only, slot, nowMs }: { only: string | null; slot: string | null; nowMs: number },
  ): string | null {
    let since = this.#since.get(process);
    if (since === undefined) this.#since.set(process, since = new Map());
    const fromMs = since.get(job.id) ?? nowMs;
    since.set(job.id, fromMs);
    if (only === null || only !== slot || nowMs - fromMs <= PATIENCE_MS) return null;
    return `for which ${job.name} has waited since ${nowMs - fromMs} ms`;
  }
}

/**
 * What a job needs on its host: GPUs, CPUs, memory, slots; and what of these a host has. Pure.
 *
 * @module
 */

import { parseSize } from "../names/units.ts";
import type { JobOptions } from "./options.ts";

/** Parts of one GPU: what a job needs of one is counted in whole numbers. */
export const WHOLE_GPU = 100;

/** What a job needs. */
export interface Needs {
  readonly slots: number;
  /** Whole devices, 0 for none. */
  readonly gpus: number;
  /** Parts of one device, of {@link WHOLE_GPU}; 0 for none. Only one of `gpus` and this is set. */
  readonly gpuPart: number;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  /** How long it may take, where that counts, ms; 0 for as long as it likes. */
  readonly timeMs: number;
  /** The same for all jobs that need the same. */
  readonly key: string;
}

type NeedFields = Pick<JobOptions, "gpus" | "cpus" | "memory" | "slots">;

/** True if a job needs more than one slot. Quick: most jobs do not. */
export function hasNeeds(job: NeedFields): boolean {
  return isSet(job.gpus) || isSet(job.cpus) || isSet(job.memory) || (job.slots ?? 1) > 1;
}

/** What the job needs; null for one slot and nothing else. */
export function needsOf(job: NeedFields): Needs | null {
  if (!hasNeeds(job)) return null;
  const all = job.gpus ?? 0;
  const slots = job.slots ?? 1;
  const cpus = job.cpus ?? 0;
  return {
    slots,
    gpus: all >= 1 ? all : 0,
    gpuPart: all >= 1 ? 0 : Math.round(all * WHOLE_GPU),
    cpus,
    memory: isSet(job.memory) ? parseSize(job.memory) : 0,
    timeMs: 0,
    key: `${slots} ${all} ${cpus} ${job.memory ?? ""}`,
  };
}

/** The same for a job that is to end within a time: it needs a host that is there for so long. */
export function withTime(needs: Needs | null, timeMs: number): Needs {
  const { key, ...rest } = needs ?? { slots: 1, gpus: 0, gpuPart: 0, cpus: 0, memory: 0, key: "1 0 0 " };
  return { ...rest, timeMs, key: `${key} ${timeMs}` };
}

/** What a job needs, in words: `2 GPUs, 4 CPUs and 8G of memory`. */
export function needsText(job: NeedFields): string {
  const parts = NEED_NAMES.flatMap((name) => isNeeded(job, name) ? [needText(job, name)] : []);
  const last = parts.pop() ?? "a slot";
  return parts.length === 0 ? last : `${parts.join(", ")} and ${last}`;
}

/** The fields of a need. */
export const NEED_NAMES = ["gpus", "cpus", "memory", "slots"] as const;

/** One need in words: `4 GPUs`, `0.5 GPU`, `8G of memory`. */
export function needText(job: NeedFields, name: typeof NEED_NAMES[number]): string {
  const value = job[name];
  if (name === "memory") return `${value} of memory`;
  const word = { gpus: "GPU", cpus: "CPU", slots: "slot" }[name];
  return `${value} ${word}${Number(value) > 1 ? "s" : ""}`;
}

function isNeeded(job: NeedFields, name: typeof NEED_NAMES[number]): boolean {
  return isSet(job[name]) && (name !== "slots" || job.slots! > 1);
}

function isSet<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

/** True for the reason of a job whose GPUs somebody else uses: `gpu 1 of red01 is used by pid 4711`. */
export function isGpuInUse(reason: string): boolean {
  return /^gpu [0-9]+ of \S+ is used by |^who uses the GPUs of \S+ is not known: /.test(reason);
}

/** True for the reason of a job that fits no host: `no host has 4 GPUs`, `no allocation has 4 GPUs`. */
export function isLack(reason: string): boolean {
  return /^no (?:(?:active )?host|allocation) has /.test(reason);
}

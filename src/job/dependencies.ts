/**
 * What a job waits for: other jobs, by `after` (they ended well), `after_any` (they are over), `after_notok` (they are
 * over and failed). Pure.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import type { Job } from "./job.ts";
import type { JobOptions } from "./options.ts";
import { endReason, isFailed } from "./outcome.ts";
import { isInFlight, isWaiting } from "./states.ts";

/** How a job stands to those that it waits for. */
export type Dependence =
  /** Nothing keeps it. */
  | { readonly type: "met" }
  /** The first that is not over, or is not in the queue. */
  | { readonly type: "waits"; readonly for: JobName; readonly isMissing: boolean }
  /** It can never start: the first that ended otherwise than it must. */
  | { readonly type: "never"; readonly because: JobName; readonly reason: string };

/** The reasons that {@link dependenceOf} gives. */
const REASON = /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,199} (?:failed \(.*\)|ended well)$/;
const MET: Dependence = { type: "met" };
const FIELDS = ["after", "after_any", "after_notok"] as const;

/** A view of the queue's jobs. */
interface Jobs {
  get(name: JobName): Job | undefined;
}

/** True if the field of this name holds jobs that its job waits for. */
export function isDependencyField(name: string): boolean {
  return (FIELDS as readonly string[]).includes(name);
}

/** True if the job waits for others at all. */
export function hasDependencies(job: Pick<JobOptions, typeof FIELDS[number]>): boolean {
  // Asked of 100,000 jobs at once.
  return (job.after ?? null) !== null || (job.after_any ?? null) !== null || (job.after_notok ?? null) !== null;
}

/** All jobs that a job waits for, each once. */
export function dependenciesOf(job: Pick<JobOptions, typeof FIELDS[number]>): JobName[] {
  return [...new Set(FIELDS.flatMap((field) => job[field] ?? []))] as JobName[];
}

/** How a job stands to those that it waits for. One that can never start is `never`, whatever else is open. */
export function dependenceOf(job: Job, jobs: Jobs): Dependence {
  let waits: Dependence = MET;
  for (const field of FIELDS) {
    for (const name of (job[field] ?? []) as readonly JobName[]) {
      const edge = stand(field, name, jobs);
      if (edge.type === "never") return edge;
      if (edge.type === "waits" && waits.type === "met") waits = edge;
    }
  }
  return waits;
}

/** How a job stands to one that it waits for; null if it does not wait for that. */
export function edgeOf(job: Job, parent: JobName, jobs: Jobs): Dependence | null {
  let found: Dependence | null = null;
  for (const field of FIELDS) {
    if (!(job[field] ?? []).includes(parent)) continue;
    const edge = stand(field, parent, jobs);
    if (found === null || edge.type === "never" || found.type === "met") found = edge;
  }
  return found;
}

/**
 * Why a job that waits for `other` can never start. Along a chain it is the first job that failed, not the one before.
 */
function reasonOf(other: Job, failed: boolean): string {
  if (!failed) return `${other.name} ended well`;
  if (other.status === "fail_start" && isDependent(other)) return other.reason!;
  return `${other.name} failed (${endReason(other)})`;
}

/** True if a job never started because of a job that it waits for. */
export function isDependent(job: Job): boolean {
  return job.status === "fail_start" && hasDependencies(job) && REASON.test(job.reason ?? "");
}

function stand(field: typeof FIELDS[number], name: JobName, jobs: Jobs): Dependence {
  const other = jobs.get(name);
  if (other === undefined || isWaiting(other.status) || isInFlight(other.status)) {
    return { type: "waits", for: name, isMissing: other === undefined };
  }
  const failed = isFailed(other);
  if (field === "after" ? !failed : field === "after_any" || failed) return MET;
  return { type: "never", because: name, reason: reasonOf(other, failed) };
}

/**
 * A circle among the jobs that these wait for; null if there is none. Takes time in proportion to the jobs and edges
 * that are reached.
 * @returns The names along it, the first again at the end.
 */
export function findCircle(names: Iterable<JobName>, jobs: Jobs): JobName[] | null {
  const done = new Set<JobName>();
  for (const start of names) {
    // Depth first, with a path of its own: a chain of 100,000 is deeper than a call stack.
    const path: { name: JobName; next: JobName[] }[] = [];
    const onPath = new Set<JobName>();
    const enter = (name: JobName): void => {
      const job = jobs.get(name);
      path.push({ name, next: job === undefined ? [] : dependenciesOf(job) });
      onPath.add(name);
    };
    if (!done.has(start)) enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.next.pop();
      if (next === undefined) {
        done.add(top.name);
        onPath.delete(top.name);
        path.pop();
      } else if (onPath.has(next)) {
        const along = path.map(({ name }) => name);
        return [...along.slice(along.indexOf(next)), next];
      } else if (!done.has(next)) enter(next);
    }
  }
  return null;
}

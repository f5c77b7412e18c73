/**
 * Which jobs that are set aside wait for which others. Pure.
 *
 * @module
 */

import { dependenceOf, dependenciesOf, edgeOf, hasDependencies } from "../job/dependencies.ts";
import type { Job } from "../job/job.ts";
import type { JobName } from "../names/grammar.ts";
import type { Jobs } from "../store/changes.ts";

/** The jobs that wait for others, by those. */
export class Dependents {
  /** Jobs that are set aside, by those that they wait for. */
  readonly #children = new Map<JobName, Set<JobName>>();
  /** All jobs that others wait for. */
  readonly #parents = new Set<JobName>();
  /** How many jobs a job that is set aside waits for. */
  readonly #unmet = new Map<JobName, number>();

  /** Notes which jobs one of the queue waits for. */
  note(job: Job | undefined): void {
    if (job === undefined || !hasDependencies(job)) return;
    for (const parent of dependenciesOf(job)) this.#parents.add(parent);
  }

  /** True if another job waits for this one, whether it was looked at already or not. */
  isParent(name: JobName): boolean {
    return this.#parents.has(name);
  }

  /** Adds a job that is set aside. */
  add(job: Job, jobs: Jobs): void {
    let unmet = 0;
    for (const parent of dependenciesOf(job)) {
      if (edgeOf(job, parent, jobs)?.type === "met") continue;
      unmet++;
      const children = this.#children.get(parent);
      if (children === undefined) this.#children.set(parent, new Set([job.name]));
      else children.add(job.name);
    }
    this.#unmet.set(job.name, unmet);
  }

  /** True if no job that is set aside waits for another. */
  get isEmpty(): boolean {
    return this.#children.size === 0;
  }

  /** Those that wait for a job. */
  of(parent: JobName): JobName[] {
    return [...this.#children.get(parent) ?? []];
  }

  /** One waits for that job no more. */
  drop(parent: JobName, child: JobName): void {
    const children = this.#children.get(parent);
    children?.delete(child);
    if (children?.size === 0) this.#children.delete(parent);
  }

  /** One of those that a job waits for has ended as it must. @returns True if that was the last. */
  met(child: JobName): boolean {
    const unmet = (this.#unmet.get(child) ?? 1) - 1;
    this.#unmet.set(child, unmet);
    return unmet <= 0;
  }

  /** The job is not set aside any more. */
  forget(child: JobName): void {
    this.#unmet.delete(child);
  }

  /** Forgets all. */
  clear(): void {
    for (const map of [this.#children, this.#parents, this.#unmet]) map.clear();
  }
}

/** What keeps a job that is set aside, for people. */
export function keeperOf(job: Job, jobs: Jobs): string {
  if (job.hold === true) return "held";
  const dependence = dependenceOf(job, jobs);
  if (dependence.type !== "waits") return "to be tried again";
  return dependence.isMissing ? `for ${dependence.for}, which is not in the queue` : "for jobs that wait themselves";
}

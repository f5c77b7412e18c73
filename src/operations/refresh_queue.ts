/**
 * `queue refresh`: asks the hosts what became of the jobs that can have changed since nobody watched.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import { attemptId, attemptOf } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import { isInFlight, type JobState } from "../job/states.ts";
import type { AttemptState, Connect, Link } from "../link/link.ts";
import { makeConnect } from "../link/connect.ts";
import type { Change } from "../store/changes.ts";
import type { StoreRef } from "../store/store.ts";
import { holdQueue } from "./hold_queue.ts";
import { onMachines } from "./on_machines.ts";
import { fieldsFrom, findElsewhere, isUnstarted, nextTryFrom } from "./truth.ts";
import { writeFile } from "./write_file.ts";

/** A state that is another now. */
export interface StatusChange {
  readonly job: JobName;
  readonly old: JobState;
  readonly new: JobState;
}

/** Takes warnings of one line each. */
export interface Watch {
  warn(text: string): void;
}

/**
 * Refreshes a queue. While a scheduler runs it, only jobs that it has given up are asked about: the rest it knows at
 * once.
 * @returns What changed, in file order, and the machines' jobs that nothing is known of.
 */
export async function refreshQueue(
  deps: Deps,
  request: { queue: StoreRef },
  watch: Watch,
  connect: Connect = makeConnect(deps),
): Promise<{ changes: StatusChange[]; unreachable: JobName[] }> {
  const { store, runner } = await holdQueue(deps, request.queue);
  try {
    const asked = [...store.jobs.values()].filter((job) => canHaveChanged(job, runner !== null));
    const found = new Map<JobName, AttemptState>();
    const unknown: JobName[] = [];
    const role = runner === null ? "resident" : "visitor";
    const unreached = await onMachines(
      deps,
      { connect, store, role, warn: watch.warn, jobs: asked },
      async (link, jobs) => {
        for (const { name } of await askOn(link, jobs, runner !== null, found, watch.warn)) unknown.push(name);
      },
    );
    const changes: StatusChange[] = [];
    await store.commit(() => {
      const records: Change[] = [];
      for (const before of asked) {
        const job = store.jobs.get(before.name);
        const state = found.get(before.name);
        if (job === undefined || state === undefined || attemptId(job) !== attemptId(before)) continue;
        if (job.status === "crash" && (state.type === "none" || state.type === "other")) continue;
        const fields = fieldsFrom(job, state);
        if (fields === null) continue;
        // A run that goes on sees to that itself.
        const next = runner === null ? nextTryFrom(job, fields, state, deps.clock.epochMs()) : null;
        records.push({ type: "set", job: job.name, fields });
        if (next !== null) records.push({ type: "set", job: job.name, fields: next });
        changes.push({ job: job.name, old: job.status, new: next?.status ?? fields.status! });
      }
      return records;
    });
    await writeFile(() => store.endRun("always"), watch);
    return { changes, unreachable: [...unreached.map((job) => job.name), ...unknown] };
  } finally {
    store.close();
  }
}

/** Asks a machine; adds what it says to `found`. @returns Jobs that live on another one. */
async function askOn(
  link: Link,
  jobs: readonly Job[],
  isRun: boolean,
  found: Map<JobName, AttemptState>,
  warn: (text: string) => void,
): Promise<ReadonlySet<Job>> {
  const states = await link.ask(jobs.map(attemptOf));
  const elsewhere = findElsewhere(link, jobs, states, warn);
  const unstarted: Job[] = [];
  jobs.forEach((job, i) => {
    if (elsewhere.has(job)) return;
    if (!isRun && isUnstarted(job, states[i]!, link.boot)) unstarted.push(job);
    else found.set(job.name, states[i]!);
  });
  // Nothing is known of these until they are called off: the link may break before.
  const calledOff = unstarted.length === 0 ? [] : await link.forbid(unstarted.map(attemptOf));
  unstarted.forEach((job, i) => found.set(job.name, calledOff[i]!));
  return elsewhere;
}

/** In flight; or given up without a word from the host, which may have come back. */
function canHaveChanged(job: Job, isRun: boolean): boolean {
  if (isInFlight(job.status)) return !isRun;
  return job.status === "crash" && job.exit_code === null && job.attempt > 0;
}

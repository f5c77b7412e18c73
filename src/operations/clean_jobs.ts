/**
 * Removes the directories that jobs which ended well have on their hosts, and keeps their records.
 *
 * @module
 */

import { isLocal, machineText } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { InvalidError } from "../errors.ts";
import { attemptOf } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import { removeOthers } from "../link/clean.ts";
import type { Connect, Link } from "../link/link.ts";
import { makeConnect } from "../link/connect.ts";
import type { JobName } from "../names/grammar.ts";
import { patternProblem } from "../names/path_pattern.ts";
import { Inputs } from "../scheduler/inputs.ts";
import { openQueue } from "../store/queue_file.ts";
import { readJobs } from "../store/read_jobs.ts";
import type { QueueStore, StoreRef } from "../store/store.ts";
import { forgetSent, mayHaveSent } from "./forget_sent.ts";
import { onMachines } from "./on_machines.ts";
import { type Selection, selectJobs } from "./select_jobs.ts";

/** Which jobs. */
export interface CleanRequest {
  readonly queue: StoreRef;
  readonly selection: Selection;
  /** Files that stay: patterns below a job's directory. */
  readonly keep?: readonly string[];
}

/** What became of the directories. */
export interface CleanResult {
  readonly cleaned: readonly JobName[];
  /** Jobs whose directory may be there still. */
  readonly failed: readonly JobName[];
  readonly missing: readonly string[];
}

/** True if a job ended well and was somewhere: only then its directory goes. */
export function isToClean({ status, exit_code, attempt }: Job): boolean {
  return status === "end" && exit_code === 0 && attempt > 0;
}

/** The jobs whose directories would go. @throws {CmsError} `not_found` if there is no such queue. */
export async function jobsToClean(
  deps: Deps,
  { queue, selection }: CleanRequest,
): Promise<{ jobs: Job[]; missing: string[] }> {
  const { chosen, missing } = selectJobs(await readJobs(deps, queue), selection);
  return { jobs: chosen.filter(isToClean), missing };
}

/**
 * Removes them. What people put there stays, where it is the only copy.
 * @throws {CmsError} `not_found` if there is no such queue.
 */
export async function cleanJobs(
  deps: Deps,
  request: CleanRequest,
  { warn }: { readonly warn: (text: string) => void },
  connect: Connect = makeConnect(deps),
): Promise<CleanResult> {
  const { keep = [] } = request;
  for (const pattern of keep) {
    const problem = patternProblem(pattern);
    if (problem !== null) throw new InvalidError([`Cannot keep ${JSON.stringify(pattern)}: ${problem}`]);
  }
  const store = await openQueue(deps, request.queue);
  try {
    const { jobs, missing } = await jobsToClean(deps, request);
    const cleaned: JobName[] = [];
    const failed = new Set<JobName>();
    const inputs = new Inputs(deps, store.ref.directory);
    /** Those of whose files some stay: nothing else of them is removed. */
    const keepSome = async (link: Link, there: readonly Job[]): Promise<JobName[]> => {
      const states = await link.ask(there.map(attemptOf));
      const ended = there.flatMap(({ name }, i) => {
        const state = states[i]!;
        return state.type === "ended" ? [{ job: name, place: state.directory ?? name }] : [];
      });
      const { ref, id } = store;
      const to = { machine: link.machine, directory: ref.experiment, from: ref.directory, queueId: id };
      const counts = await removeOthers(deps, to, ended, keep);
      if (counts !== null) return ended.filter((_, i) => counts[i]! > 0).map(({ job }) => job);
      warn(`On ${machineText(link.machine)} the directories are the manager's own: of them, no files were removed`);
      for (const { name } of there) failed.add(name);
      return [];
    };
    const unreached = await onMachines(
      deps,
      { connect, store, role: "visitor", warn: (text) => warn(text), jobs },
      async (link, there) => {
        const hasInputs = (await inputs.of(there.map((job) => ({ ...job, job: job.name })))).size > 0;
        if (isLocal(link.machine) || hasInputs) await link.share(store.ref.directory);
        const kept = keep.length === 0 ? [] : await keepSome(link, there);
        cleaned.push(...kept);
        const whole = there.filter(({ name }) => !kept.includes(name) && !failed.has(name));
        const results = await link.remove(whole.map(attemptOf));
        for (const [i, { name }] of whole.entries()) {
          const result = results[i]!;
          if (result === "removed" || result === "kept") cleaned.push(name);
          else if (result !== "absent") {
            failed.add(name);
            warn(`The directory of job ${name} on ${machineText(link.machine)} is in use; it was left alone`);
          }
        }
      },
    );
    for (const { name } of unreached) failed.add(name);
    await forgetOf(deps, store, {
      jobs: jobs.filter(({ name }) => !unreached.some((job) => job.name === name)),
      connect,
      warn,
    });
    return { cleaned, failed: [...failed], missing };
  } finally {
    store.close();
  }
}

/** Removes what these jobs have sent and nobody needs any more, unless somebody runs the queue. */
async function forgetOf(
  deps: Deps,
  store: QueueStore,
  { jobs, connect, warn }: {
    readonly jobs: readonly Job[];
    readonly connect: Connect;
    readonly warn: (text: string) => void;
  },
): Promise<void> {
  const senders = jobs.filter(mayHaveSent);
  if (senders.length === 0 || await store.claimRun(deps.ids.hex(4)) !== null) return;
  await store.sync(); // What was added meanwhile.
  const work = { connect, store, role: "visitor" as const, warn: (text: string) => warn(text), jobs: senders };
  await onMachines(deps, work, (link) => forgetSent(deps, store, link, { gone: new Set(), warn }));
}

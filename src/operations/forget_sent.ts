/**
 * Removes from a machine what jobs have sent to it and no other job of the queue needs.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { LinkError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import type { Link } from "../link/link.ts";
import type { SentPath } from "../link/sent_path.ts";
import type { JobName } from "../names/grammar.ts";
import { maySend, sendsOf, sentPaths } from "../scheduler/sends.ts";
import type { QueueStore } from "../store/store.ts";

/** True if it may have sent something. */
export function mayHaveSent(job: Job): boolean {
  return job.attempt > 0 && maySend(sendsOf(job));
}

/**
 * Removes it. The caller holds the right to run the queue. What cannot be removed is named in a warning.
 * @param gone Jobs that need nothing any more.
 */
export async function forgetSent(
  deps: Deps,
  store: Pick<QueueStore, "jobs" | "ref">,
  link: Link,
  { gone, warn }: { readonly gone: ReadonlySet<JobName>; readonly warn: (text: string) => void },
): Promise<void> {
  const { directory, experiment } = store.ref;
  const options = { ...deps, localDirectory: directory, hostDirectory: experiment };
  const needed: SentPath[] = [];
  for (const job of store.jobs.values()) {
    const sends = sendsOf(job);
    if (gone.has(job.name) || !maySend(sends) || !(isWaiting(job.status) || isInFlight(job.status))) continue;
    needed.push(...await sentPaths(options, { ...sends, job: job.name }));
  }
  try {
    await link.forget(needed, directory);
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    warn(`What jobs have sent stays there: ${error.message}`);
  }
}

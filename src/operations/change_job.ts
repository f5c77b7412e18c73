/**
 * Changes fields of one job: what a person may do with an editor, checked.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import { type Job, type JobFields, makeJob } from "../job/job.ts";
import { isDependencyField } from "../job/dependencies.ts";
import type { GivenOptions } from "../job/option_words.ts";
import type { OptionName } from "../job/options.ts";
import { isInFlight, isWaiting, waitingState } from "../job/states.ts";
import { NamedJobs } from "../store/large/named_jobs.ts";
import { openQueue } from "../store/queue_file.ts";
import type { StoreRef } from "../store/store.ts";
import { type AddJobsRequest, checkJobSpec, noteFiles } from "./add_jobs.ts";
import { Problems } from "./check.ts";
import { refuseOrder } from "./check_order.ts";
import { requireJob } from "./list_jobs.ts";
import { writeFile } from "./write_file.ts";

/** Fields to set; those that are left out stay. Null or an empty text gives a field its default. */
export type JobPatch =
  & { readonly [K in Exclude<keyof AddJobsRequest["spec"], OptionName>]?: string | null | undefined }
  & GivenOptions;

/** What may be changed while the job runs: all else was said to its host when it started. */
const LIVE_FIELDS: ReadonlySet<string> = new Set<OptionName>(
  ["time_limit", "grace", "retries", "retry_delay", "retry_on", "priority", "tags"],
);

/**
 * Changes one job. One that waits stays `ready` or `undefined` by whether it has a user and a host, unless a status is
 * given.
 * @returns The job as it is now.
 * @throws {InvalidError} If a value cannot be used; all problems at once.
 * @throws {CmsError} `not_found` if there is no such queue or job; `conflict` if the job is in flight and a field
 * cannot be changed then. Nothing is changed then.
 */
export async function changeJob(
  deps: Deps,
  request: { queue: StoreRef; job: string; fields: JobPatch },
  watch: { warn(text: string): void } = { warn: () => {} },
): Promise<Job> {
  const given = Object.entries(request.fields).filter(([, value]) => value !== undefined);
  const texts = Object.fromEntries(given.map(([field, value]) => [field, value ?? ""]));
  const problems = new Problems();
  const isOrdered = given.some(([field]) => isDependencyField(field));
  const store = isOrdered ? await openQueue(deps, request.queue) : new NamedJobs(deps, request.queue, [request.job]);
  try {
    await store.commit(() => {
      const job = requireJob(store.jobs, request.job, request.queue);
      const isRunning = isInFlight(job.status);
      if (isRunning && !given.every(([field]) => LIVE_FIELDS.has(field))) {
        throw new CmsError("conflict", `Cannot change job "${job.name}": it is running; kill or reset it first`);
      }
      const { command, shell, pyenv } = job;
      const spec = checkJobSpec(problems, { command, shell, pyenv: pyenv ?? "", ...texts });
      problems.throwIfAny();
      const made = makeJob(job.name, spec, { id: job.id, experiment: job.experiment });
      const fields = Object.fromEntries(given.map(([field]) => [field, made[field as keyof Job] ?? null])) as JobFields;
      if (isOrdered) refuseOrder("change", [{ ...job, ...fields }], store.jobs);
      const { output, log } = { ...job, ...fields };
      noteFiles(problems, [job.name], { command, output, log, shell: spec.shell }, job.experiment);
      problems.throwIfAny();
      const waiting = waitingState({ ...job, ...fields });
      const status = spec.status ?? (isWaiting(job.status) ? waiting : job.status);
      return [{ type: "set", job: job.name, fields: isRunning ? fields : { ...fields, status } }];
    });
    await writeFile(() => store.checkpoint("cheap"), watch);
    return requireJob(store.jobs, request.job, request.queue);
  } finally {
    store.close();
  }
}

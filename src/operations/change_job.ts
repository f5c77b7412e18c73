/**
 * Changes fields of one job: what a person may do with an editor, checked.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { Job } from "../job/job.ts";
import { NamedJobs } from "../store/large/named_jobs.ts";
import { openQueue } from "../store/queue_file.ts";
import type { StoreRef } from "../store/store.ts";
import { changedFields, isOrder, type JobPatch, refuseFixed } from "./changed_fields.ts";
import { Problems } from "./check.ts";
import { refuseOrder } from "./check_order.ts";
import { isWarnedOf, jobWarnings } from "./entry_warnings.ts";
import { requireJob } from "./list_jobs.ts";
import { writeFile } from "./write_file.ts";

/**
 * Changes one job.
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
  const { queue } = request;
  const given = Object.entries(request.fields).flatMap(([field, value]) => value === undefined ? [] : [field]);
  const store = isOrder(given) ? await openQueue(deps, queue) : new NamedJobs(deps, queue, [request.job]);
  try {
    await store.commit(() => {
      const job = requireJob(store.jobs, request.job, queue);
      refuseFixed(job, given);
      const problems = new Problems();
      const fields = changedFields(job, request.fields, problems);
      problems.throwIfAny();
      if (isOrder(given)) refuseOrder("change", [{ ...job, ...fields }], store.jobs);
      return [{ type: "set", job: job.name, fields }];
    });
    await writeFile(() => store.checkpoint("cheap"), watch);
    const job = requireJob(store.jobs, request.job, queue);
    if (given.some(isWarnedOf)) { for (const text of jobWarnings([job])) watch.warn(text); }
    return job;
  } finally {
    store.close();
  }
}

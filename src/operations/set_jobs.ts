/**
 * Sets fields of many jobs at once.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { Job, JobFields } from "../job/job.ts";
import type { JobName } from "../names/grammar.ts";
import { NamedJobs } from "../store/large/named_jobs.ts";
import { openQueue } from "../store/queue_file.ts";
import type { StoreRef } from "../store/store.ts";
import { equalValues } from "../store/yaml/job_record.ts";
import { changedFields, checkSetFields, isFixed, isOrder, type JobPatch } from "./changed_fields.ts";
import { Problems } from "./check.ts";
import { refuseOrder } from "./check_order.ts";
import { isWarnedOf, jobWarnings } from "./entry_warnings.ts";
import { inAskedOrder, isByProperty, requireChoice, type Selection, selectJobs } from "./select_jobs.ts";
import { writeFile } from "./write_file.ts";

/** What {@link setJobs} takes. */
export interface SetRequest {
  readonly queue: StoreRef;
  readonly selection: Selection;
  /** Values by field, also `FIELD.NAME`; an empty one gives a field its default. */
  readonly fields: JobPatch;
  /** Change nothing, and say what would be changed. */
  readonly isDry?: boolean | undefined;
}

/** What became of the jobs. */
export interface SetResult {
  readonly changed: readonly JobName[];
  /** They had these values before. */
  readonly same: readonly JobName[];
  /** Running: these fields cannot be changed then. They stay as they are. */
  readonly failed: readonly JobName[];
  /** Names that are not in the queue. */
  readonly missing: readonly string[];
}

/**
 * Sets fields of the chosen jobs.
 * @throws {InvalidError} If a field or value cannot be used for one of them, or nothing chooses: all problems at once.
 * Nothing is changed then. @throws {CmsError} `not_found` if there is no such queue.
 */
export async function setJobs(
  deps: Deps,
  { queue, selection, fields: patch, isDry = false }: SetRequest,
  watch: { warn(text: string): void },
): Promise<SetResult> {
  const given = Object.keys(patch);
  checkSetFields(given);
  requireChoice(selection, queue.name, "set fields of", "--status=ready");
  const isWhole = isOrder(given) || isByProperty(selection);
  const store = isWhole ? await openQueue(deps, queue) : new NamedJobs(deps, queue, selection.names ?? []);
  let result: SetResult = { changed: [], same: [], failed: [], missing: [] };
  let now: Job[] = [];
  try {
    await store.commit(() => {
      const { chosen, missing } = selectJobs(store.jobs, selection);
      const made = fieldsOfAll(chosen.filter((job) => !isFixed(job, given)), patch);
      if (isOrder(given)) refuseOrder("change", made.map(([job, fields]) => ({ ...job, ...fields })), store.jobs);
      const differs = ([job, fields]: [Job, JobFields]): boolean =>
        Object.entries(fields).some(([field, value]) => !equalValues(job[field as keyof Job], value));
      const changes = made.filter(differs);
      const names = (jobs: readonly Job[]): JobName[] => inAskedOrder(jobs, selection);
      result = {
        changed: names(changes.map(([job]) => job)),
        same: names(made.filter((one) => !differs(one)).map(([job]) => job)),
        failed: names(chosen.filter((job) => isFixed(job, given))),
        missing,
      };
      now = changes.map(([job, fields]) => ({ ...job, ...fields }));
      return isDry ? [] : changes.map(([job, fields]) => ({ type: "set", job: job.name, fields }));
    });
    if (given.some(isWarnedOf)) { for (const text of jobWarnings(now)) watch.warn(text); }
    if (!isDry) await writeFile(() => store.checkpoint("cheap"), watch);
    return result;
  } finally {
    store.close();
  }
}

function fieldsOfAll(jobs: readonly Job[], patch: JobPatch): [Job, JobFields][] {
  const problems = new Problems();
  const made = jobs.map((job): [Job, JobFields] => [job, changedFields(job, patch, problems)]);
  problems.throwIfAny();
  return made;
}

/**
 * What a person's values of fields make of a job: what may be done with an editor, checked.
 *
 * @module
 */

import { CmsError, InvalidError } from "../errors.ts";
import { isDependencyField } from "../job/dependencies.ts";
import { type Job, type JobFields, makeJob } from "../job/job.ts";
import { type GivenOptions, isMapKind, OPTION_FIELDS, OPTION_WORDS } from "../job/option_words.ts";
import { isLack, NEED_NAMES } from "../job/needs.ts";
import type { OptionName } from "../job/options.ts";
import { replacedBy } from "../job/places.ts";
import { isInFlight, isWaiting, waitingState } from "../job/states.ts";
import { similar } from "../names/similar.ts";
import { type AddJobsRequest, checkJobSpec, noteFiles } from "./add_jobs.ts";
import type { Problems } from "./check.ts";

/** Fields to set; those that are left out stay. Null or an empty text gives a field its default. */
export type JobPatch =
  & { readonly [K in Exclude<keyof AddJobsRequest["spec"], OptionName>]?: string | null | undefined }
  & GivenOptions;

/** What may be changed while the job runs: all else was said to its host when it started. */
const LIVE_FIELDS: ReadonlySet<string> = new Set<OptionName>(
  ["time_limit", "grace", "retries", "retry_delay", "retry_on", "priority", "tags"],
);

const PLAIN_FIELDS = ["command", "status", "user", "host", "gpu", "shell", "pyenv", "input", "output", "log"] as const;

/** Fields that a person may set. Those of {@link MAP_FIELDS} are set by `FIELD.NAME`. */
export const SET_FIELDS: readonly string[] = [...PLAIN_FIELDS, ...OPTION_FIELDS];

const MAP_FIELDS: ReadonlySet<string> = new Set(
  OPTION_WORDS.filter(({ kind }) => isMapKind(kind)).map(({ field }) => field),
);

/** Refuses names of fields that cannot be set. @throws {InvalidError} With all of them. */
export function checkSetFields(fields: readonly string[]): void {
  const problems = fields.flatMap((field) => {
    const [map, name] = splitKey(field);
    if (name !== "" ? MAP_FIELDS.has(map) : SET_FIELDS.includes(field) && !MAP_FIELDS.has(field)) return [];
    const shown = JSON.stringify(field.slice(0, 200));
    if (MAP_FIELDS.has(field)) return [`Cannot set ${shown}: give one of its names, such as ${field}.NAME`];
    const meant = similar(field, SET_FIELDS);
    return [
      `Cannot set ${shown}: ${meant === null ? `use one of ${SET_FIELDS.join(", ")}` : `did you mean ${meant}?`}`,
    ];
  });
  if (problems.length > 0) throw new InvalidError(problems);
}

function splitKey(key: string): [string, string] {
  const at = key.indexOf(".");
  return at < 0 ? [key, ""] : [key.slice(0, at), key.slice(at + 1)];
}

/** True if the job runs and these fields are not among those that can be changed then. */
export function isFixed(job: Job, fields: readonly string[]): boolean {
  return isInFlight(job.status) && !fields.every((field) => LIVE_FIELDS.has(splitKey(field)[0]));
}

/** Refuses what {@link isFixed}. @throws {CmsError} `conflict`. */
export function refuseFixed(job: Job, fields: readonly string[]): void {
  if (isFixed(job, fields)) {
    throw new CmsError("conflict", `Cannot change job "${job.name}": it is running; kill or reset it first`);
  }
}

/** True if one of the fields says what a job comes after: whether that can be, only the queue as a whole says. */
export function isOrder(fields: readonly string[]): boolean {
  return fields.some((field) => isDependencyField(field));
}

/**
 * The fields of the record. A job that waits stays `ready` or `undefined` by whether it has a user and a host, unless
 * a status is given. What is wrong is noted; the result is to be used only if nothing was.
 */
export function changedFields(job: Job, patch: JobPatch, problems: Problems): JobFields {
  const given = Object.entries(withMaps(job, patch)).filter(([, value]) => value !== undefined);
  const texts = Object.fromEntries(given.map(([field, value]) => [field, value ?? ""]));
  const { command, shell, pyenv } = job;
  const spec = checkJobSpec(problems, { command, shell, pyenv: pyenv ?? "", ...texts });
  const made = makeJob(job.name, spec, { id: job.id, experiment: job.experiment });
  const fields = Object.fromEntries(given.map(([field]) => [field, made[field as keyof Job] ?? null])) as JobFields;
  const hasNewNeeds = given.some(([field]) => (NEED_NAMES as readonly string[]).includes(field));
  if (hasNewNeeds && isLack(job.reason ?? "")) Object.assign(fields, { reason: null });
  const { output, log } = { ...job, ...fields };
  noteFiles(problems, [job.name], { command, output, log, shell: spec.shell }, job.experiment);
  if (isInFlight(job.status)) return fields;
  const status = spec.status ?? (isWaiting(job.status) ? waitingState({ ...job, ...fields }) : job.status);
  // What it has left where it ran stays its own.
  const { host, user } = { ...job, ...fields };
  const places = host === job.host && user === job.user ? null : replacedBy(job);
  return { ...fields, status, ...(places === null ? {} : { replaced: places }) };
}

/** The patch with `FIELD.NAME` put into the maps that the job has. An empty value takes the name out. */
function withMaps(job: Job, patch: JobPatch): Record<string, unknown> {
  const whole: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(patch)) {
    const [field, name] = splitKey(key);
    if (name === "") {
      whole[key] = value;
      continue;
    }
    const before = (whole[field] ?? job[field as keyof Job] ?? {}) as Record<string, unknown>;
    const { [name]: _old, ...others } = before;
    whole[field] = value === null || value === "" ? others : { ...before, [name]: value };
  }
  return whole;
}

/**
 * Reads whole jobs, as queue files have them: YAML, JSON, JSON lines; also what `queue list --output=json` prints, so
 * that queues can be copied. Pure.
 *
 * @module
 */

import { CmsError, InvalidError } from "../errors.ts";
import { type Job, SPEC_FIELDS } from "../job/job.ts";
import { OPTION_NAMES, PROGRAM_OPTIONS, setOptions } from "../job/options.ts";
import { similar } from "../names/similar.ts";
import { shortened } from "../names/some_names.ts";
import { listProblems, normalizeJob, problemsOfMeaning } from "../store/yaml/job_record.ts";
import { loadYaml } from "../store/yaml/yaml.ts";
import type { AddJobsRequest } from "./add_jobs.ts";

/** A job that is to be added. */
export type NewJob = Omit<AddJobsRequest, "queue">;

/** One job as it was written, and how messages name its place. */
interface Entry {
  readonly at: string;
  readonly name: unknown;
  readonly fields: unknown;
}

/**
 * The jobs of a file. What the program wrote of their runs is left out: they begin anew.
 * @param shown As messages name the file; `.yaml` is YAML whatever its text begins with. @throws {InvalidError} With
 * all problems.
 */
export function readWholeJobs(text: string, shown: string): NewJob[] {
  const entries = entriesOf(text.replace(/^\ufeff/, ""), shown);
  if (entries.length === 0) throw new InvalidError([`Cannot use ${shown}: it has no jobs`]);
  const jobs: NewJob[] = [];
  const problems: string[] = [];
  const places = new Map<string, string>();
  for (const entry of entries) {
    const read = readWholeJob(entry.name, entry.fields);
    if ("problems" in read) problems.push(...read.problems.map((problem) => `${entry.at}: ${problem}`));
    else if (places.has(read.name)) problems.push(`${entry.at}: ${read.name} is also ${places.get(read.name)}`);
    else jobs.push(read);
    if ("name" in read) places.set(read.name, entry.at);
  }
  if (problems.length > 0) throw new InvalidError([`Cannot use ${shown}: ${listProblems(problems)}`]);
  return jobs;
}

/** One job of these fields, or what is wrong with them. */
export function readWholeJob(name: unknown, fields: unknown): NewJob | { readonly problems: readonly string[] } {
  if ((typeof name !== "string" && typeof name !== "number") || name === "") return { problems: ["name is missing"] };
  const map = fields instanceof Map ? fields : isObject(fields) ? new Map(Object.entries(fields)) : fields;
  const { job, problems } = normalizeJob(String(name), map, "experiment");
  const found = [...problems, ...problemsOfMeaning(job)].map(({ text }) => text);
  const extra = Object.fromEntries(Object.entries(job.extra).filter(([field]) => !MADE.test(field)));
  for (const field of Object.keys(extra)) {
    const meant = similar(field, [...SPEC_FIELDS, ...OPTION_NAMES]);
    if (meant !== null) found.push(`the field ${JSON.stringify(shortened(field))} is unknown; is ${meant} meant?`);
  }
  return found.length > 0 ? { problems: found } : { name: job.name, spec: specOf(job, extra) };
}

/** Fields that lists make beside those of the file. */
const MADE = /^(?:duration|(?:param|tag)\..*)$/;

function specOf(job: Job, extra: Readonly<Record<string, unknown>>): NewJob["spec"] {
  const { command, input, output, log, shell, status } = job;
  const options = Object.entries(setOptions(job)).filter(([field]) =>
    !(PROGRAM_OPTIONS as readonly string[]).includes(field)
  );
  return {
    ...{ command, input, output, log, shell },
    ...(job.gpu !== null && { gpu: job.gpu }),
    ...(job.user !== null && { user: job.user }),
    ...(job.host !== null && { host: job.host }),
    ...(job.pyenv !== null && { pyenv: job.pyenv }),
    // A job that ran begins anew.
    ...((status === "undefined" || status === "ready") && { status }),
    ...Object.fromEntries(options),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

function entriesOf(text: string, shown: string): Entry[] {
  const isYaml = /\.ya?ml$/i.test(shown);
  const begin = /\S/.exec(text)?.[0];
  if (begin === undefined) return [];
  if (isYaml || (begin !== "[" && begin !== "{")) return entriesOfDocument(parsed(text, shown), shown);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    if (begin === "[") throw new InvalidError([`Cannot use ${shown}: ${(error as Error).message}`]);
    return entriesOfLines(text, shown);
  }
  return entriesOfDocument(document, shown);
}

function parsed(text: string, shown: string): unknown {
  try {
    return loadYaml(text, shown);
  } catch (error) {
    if (error instanceof CmsError) throw new InvalidError([`Cannot use ${error.message}`], { cause: error });
    throw error;
  }
}

function entriesOfLines(text: string, shown: string): Entry[] {
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    try {
      const fields: unknown = JSON.parse(line);
      return [{ at: `line ${i + 1}`, name: nameIn(fields), fields }];
    } catch (error) {
      throw new InvalidError([`Cannot use ${shown}: line ${i + 1}: ${(error as Error).message}`]);
    }
  });
}

/** Of a list each member is a job with its name; of a map each name leads to a job, unless the map is one itself. */
function entriesOfDocument(document: unknown, shown: string): Entry[] {
  if (Array.isArray(document)) {
    return document.map((fields, i) => ({ at: `job ${i + 1}`, name: nameIn(fields), fields }));
  }
  const map = document instanceof Map ? document : isObject(document) ? new Map(Object.entries(document)) : null;
  if (map === null) throw new InvalidError([`Cannot use ${shown}: it is no list or map of jobs`]);
  if (typeof map.get("command") === "string") return [{ at: "the job", name: map.get("name"), fields: map }];
  return [...map].map(([name, fields]) => ({ at: `job ${JSON.stringify(name)}`, name, fields }));
}

/** The name that stands among the fields. */
export function nameIn(fields: unknown): unknown {
  if (fields instanceof Map) return fields.get("name");
  return isObject(fields) ? fields["name"] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A job as it stands in a file or in the journal, and back: fields in the original's order, then ours, then unknown
 * ones.
 *
 * @module
 */

import { StoreError } from "../../errors.ts";
import {
  experimentPath,
  isGpuList,
  type JobName,
  jobName,
  machineName,
  shellName,
  userName,
} from "../../names/grammar.ts";
import { shortened } from "../../names/some_names.ts";
import { similar } from "../../names/similar.ts";
import { fileProblem } from "../../job/files.ts";
import { type Job, type JobFields, makeJob } from "../../job/job.ts";
import { hasOptions, OPTION_NAMES, type OptionName } from "../../job/options.ts";
import { isJobState, JOB_STATES, waitingState } from "../../job/states.ts";
import { FieldReader, type Problem } from "./fields.ts";
import { JobBlockReader } from "../large/job_entries.ts";
import { hasSeparateEntries, joinBlocks, lineOf, parseYaml, readEntry, renderBlock } from "./yaml.ts";

/** Fields that the original program derived from others and stored all the same. */
const DERIVED = ["remote_command", "nohup_command", "scriptname", "shell_path", "executable", "arguments"];
/** An id names attempts on hosts; anything else that stands there counts as missing. */
const ID = /^[0-9A-Za-z]{1,64}$/;
const MOST_PROBLEMS = 20;

/**
 * The fields of a job that a file holds, in its order. `boot`, `slot`, `job_directory` and options only while they are
 * set.
 */
export function jobRecord(job: Job): Record<string, unknown> {
  if (hasOptions(job)) return recordWithOptions(job);
  const { extra, boot, slot, job_directory, ...fields } = job;
  return {
    ...fields,
    ...(boot === null ? {} : { boot }),
    ...(slot === null ? {} : { slot }),
    ...(job_directory === null ? {} : { job_directory }),
    ...extra,
  };
}

/** Fields that stand behind the others. */
const BEHIND = ["boot", "slot", "job_directory"] as const;
const APART: ReadonlySet<string> = new Set(["extra", ...BEHIND, ...OPTION_NAMES]);

/** What is not written of a job that is new. */
const NOT_WRITTEN: ReadonlySet<string> = new Set(["extra", ...BEHIND]);

/** Place of each option among them. */
const ORDER: ReadonlyMap<string, number> = new Map(OPTION_NAMES.map((name, i) => [name, i]));

/** True if its options stand in order and none is null, as in a job that is new: of a sweep there are many. */
function isInOrder(job: Job): boolean {
  if (job.boot !== null || job.slot !== null || job.job_directory !== null) return false;
  let last = -1;
  for (const field in job) {
    const place = ORDER.get(field);
    if (place === undefined) continue;
    if (place < last || job[field as OptionName] === null || job[field as OptionName] === undefined) return false;
    last = place;
  }
  return true;
}

function recordWithOptions(job: Job): Record<string, unknown> {
  if (isInOrder(job)) {
    const { extra, boot: _boot, slot: _slot, job_directory: _directory, ...fields } = job;
    for (const _ in extra) return { ...fields, ...extra };
    return fields;
  }
  const record: Record<string, unknown> = {};
  for (const field in job) if (!APART.has(field)) record[field] = job[field as keyof Job];
  for (const field of BEHIND) if (job[field] !== null) record[field] = job[field];
  for (const name of OPTION_NAMES) if (job[name] !== undefined && job[name] !== null) record[name] = job[name];
  return Object.assign(record, job.extra);
}

/**
 * Makes a job of what stands under its name. `id` is `""` if it is missing. What is missing gets the default of `queue
 * add`.
 * @param experiment The experiment of the store, for jobs that name none.
 */
export function normalizeJob(
  key: string,
  value: unknown,
  experiment: string,
): { job: Job; problems: readonly Problem[] } {
  const read = new FieldReader(value);
  const user = read.checked("user", userName);
  const host = read.checked("host", machineName);
  const own = read.checked("experiment", experimentPath) || experiment;
  const id = read.text("id", "");
  const command = read.text("command", "");
  const made = makeJob(key as JobName, { command }, { id: ID.test(id) ? id : "", experiment: own });
  const job: Job = {
    ...made,
    directory: read.text("directory", made.directory),
    input: read.text("input", made.input),
    output: read.text("output", made.output),
    log: read.text("log", made.log),
    status: read.word("status", isJobState, `one of ${JOB_STATES.join(", ")}`) ?? waitingState({ user, host }),
    gpu: read.textOrNull("gpu"),
    shell: read.checked("shell", shellName) || made.shell,
    pid: read.textOrNull("pid"),
    host,
    user,
    pyenv: read.textOrNull("pyenv"),
    last_probe_check: read.textOrNull("last_probe_check"),
    exit_code: read.integerOrNull("exit_code", -Infinity),
    started: read.textOrNull("started"),
    ended: read.textOrNull("ended"),
    attempt: read.integerOrNull("attempt", 0) ?? 0,
    boot: read.textOrNull("boot"),
    slot: read.textOrNull("slot"),
    job_directory: read.textOrNull("job_directory"),
  };
  const options = read.options(OPTION_NAMES);
  // The key counts: a person who copies an entry and renames it forgets the name inside.
  read.drop(["name", ...DERIVED]);
  const problems = [...read.problems];
  try {
    jobName(key);
  } catch (error) {
    problems.unshift({ field: "", text: (error as Error).message });
  }
  return { job: { ...job, ...options, extra: read.rest() }, problems };
}

/**
 * Reads the text of a queue file. Jobs without an id have `""`.
 * @param onExact Is told, in order, of jobs for which this very text would be written, and where it stands.
 * @throws {StoreError} With all problems of all jobs, and the line of the first.
 */
export function parseJobs(
  text: string,
  at: { shown: string; experiment: string },
  onExact: (job: Job, start: number, end: number) => void = () => {},
): Map<JobName, Job> {
  const jobs = new Map<JobName, Job>();
  const reader = new JobBlockReader(text);
  let separate: boolean | null = null;
  for (let start = 0; start < text.length;) {
    let job = reader.read(start);
    if (job !== null) {
      if (reader.isExact) onExact(job, start, reader.end);
      start = reader.end;
    } else {
      separate ??= hasSeparateEntries(text);
      const entry = separate ? readEntry(text, start) : null;
      if (entry === null) return parseAll(text, at);
      const read = normalizeJob(entry.name, entry.value, at.experiment);
      if (read.problems.length > 0) return parseAll(text, at);
      job = read.job;
      start = entry.end;
    }
    if (!isMeant(job)) return parseAll(text, at);
    if (jobs.has(job.name)) return parseAll(text, at);
    jobs.set(job.name, job);
  }
  return jobs.size === 0 ? parseAll(text, at) : jobs;
}

/** False if {@link problemsOfMeaning} has something to say; nearly always it has not, which costs next to nothing. */
function isMeant(job: Job): boolean {
  return job.command !== "" && fileProblem(job) === null && (job.gpu === null || job.gpu === "" || isGpuList(job.gpu));
}

/** What nobody can have meant. In a queue file it is refused; a journal that has it is damaged. */
export function problemsOfMeaning(job: Job): Problem[] {
  const found: Problem[] = [];
  if (job.command === "") {
    const meant = Object.keys(job.extra).find((field) => similar(field, ["command"]) !== null);
    const hint = meant === undefined ? "" : ` (the field ${JSON.stringify(meant)} is unknown)`;
    found.push({ field: meant ?? "", text: `command is missing${hint}` });
  }
  const file = fileProblem(job);
  if (file !== null) {
    found.push({ field: file.field, text: `${file.field} is ${file.whose}: ${job[file.field]}` });
  }
  if (job.gpu !== null && job.gpu !== "" && !isGpuList(job.gpu)) {
    found.push({ field: "gpu", text: `gpu is ${JSON.stringify(shortened(job.gpu))}: use numbers such as 0,1` });
  }
  return found;
}

function parseAll(text: string, at: { shown: string; experiment: string }): Map<JobName, Job> {
  const jobs = new Map<JobName, Job>();
  const found: string[] = [];
  let line = 0;
  for (const [key, value] of parseYaml(text, at.shown)) {
    const { job, problems } = normalizeJob(key, value, at.experiment);
    for (const problem of [...problems, ...problemsOfMeaning(job)]) {
      if (found.length === 0) line = lineOf(text, key, problem.field === "" ? undefined : problem.field);
      found.push(`job ${JSON.stringify(key)}: ${problem.text}`);
    }
    jobs.set(job.name, job);
  }
  if (found.length > 0) throw new StoreError(at.shown, line, listProblems(found));
  return jobs;
}

/** All problems in one line; of very many, the first. */
export function listProblems(problems: readonly string[]): string {
  const more = problems.length - MOST_PROBLEMS;
  return problems.slice(0, MOST_PROBLEMS).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

/** What is wrong with the fields of a journal's `set` record, or null. The program wrote it; this finds damage only. */
export function problemOfFields(fields: JobFields): string | null {
  if (isUsual(fields)) return null;
  const { problems, job } = normalizeJob("x", new Map(Object.entries(fields)), "experiment");
  if (problems[0] !== undefined) return problems[0].text;
  for (const [field, value] of Object.entries(fields)) {
    if (field in job.extra) return `${field} is no field of a job`;
    // What a person may write in another way, such as a number as text, the program never does.
    if (!equalValues(job[field as keyof JobFields], value)) return `${field} is ${JSON.stringify(value)}`;
  }
  if (fields.command === "") return "command is missing";
  // Whether an output or a log may be where it is depends on the job's other fields, which the record does not have.
  return problemsOfMeaning(job).find(({ field }) => field === "gpu")?.text ?? null;
}

const isTextOrNull = (value: unknown): boolean => value === null || typeof value === "string";
/** Fields that records of a run set, each with what is beyond doubt in it. */
const USUAL: Readonly<Record<string, (value: unknown) => boolean>> = {
  status: (value) => typeof value === "string" && isJobState(value),
  host: (value) => value === null || (typeof value === "string" && /^[A-Za-z][A-Za-z0-9-]{0,60}$/.test(value)),
  user: (value) => value === null || (typeof value === "string" && /^[a-z][a-z0-9]{0,30}$/.test(value)),
  exit_code: (value) => value === null || Number.isInteger(value),
  attempt: (value) => Number.isInteger(value) && (value as number) >= 0,
  pid: isTextOrNull,
  started: isTextOrNull,
  ended: isTextOrNull,
  boot: isTextOrNull,
  slot: isTextOrNull,
};

/** True for what nearly all records have: a run sets hundreds of them in a second. */
function isUsual(fields: JobFields): boolean {
  return Object.entries(fields).every(([field, value]) => Object.hasOwn(USUAL, field) && USUAL[field]!(value));
}

/** True if both stand for the same in the file; what is missing is null. */
export function equalValues(a: unknown, b: unknown): boolean {
  if (a === b || (a ?? null) === (b ?? null)) return true;
  return typeof a === "object" && typeof b === "object" && JSON.stringify(a) === JSON.stringify(b);
}

/** True if all fields of two jobs are equal. */
export function equalJobs(a: Job, b: Job): boolean {
  if (a === b) return true;
  const fields = Object.keys(a) as (keyof Job)[];
  for (const field of fields) if (!equalValues(a[field], b[field])) return false;
  // What only one of them has is an option.
  return Object.keys(b).length === fields.length ||
    (Object.keys(b) as (keyof Job)[]).every((field) => equalValues(a[field], b[field]));
}

/** The text of one job in a queue file. */
export function renderJob(job: Job): string {
  if (!hasOptions(job) || !isInOrder(job)) return renderBlock(job.name, jobRecord(job));
  for (const _ in job.extra) return renderBlock(job.name, jobRecord(job));
  return renderBlock(job.name, job as unknown as Record<string, unknown>, NOT_WRITTEN);
}

/** The text of a queue file. */
export function renderJobs(jobs: ReadonlyMap<JobName, Job>): string {
  return joinBlocks([...jobs.values()].map(renderJob));
}

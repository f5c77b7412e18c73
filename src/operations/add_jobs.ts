/**
 * Adds jobs to a queue: all or none.
 *
 * @module
 */

import { canSource, SOURCING_SHELLS } from "../job/script.ts";
import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import { hasDependencies } from "../job/dependencies.ts";
import { namesIndex } from "../job/variables.ts";
import { fileProblem } from "../job/files.ts";
import { type Job, type JobSpec, makeJob } from "../job/job.ts";
import { type GivenOptions, OPTION_FIELDS } from "../job/option_words.ts";
import { type JobOptions, type OptionName, readOption } from "../job/options.ts";
import { replacedBy } from "../job/places.ts";
import { isInFlight, isJobState, JOB_STATES } from "../job/states.ts";
import { expand } from "../names/expand.ts";
import { gpuList, type JobName, jobName, machineName, shellName, userName } from "../names/grammar.ts";
import { shortened } from "../names/some_names.ts";
import { NamedJobs } from "../store/large/named_jobs.ts";
import { openQueue } from "../store/queue_file.ts";
import type { StoreRef } from "../store/store.ts";
import { hasControl, nonEmpty, Problems } from "./check.ts";
import { Copies, COPY_LIMITS, type CopyLimits } from "./copies.ts";
import { refuseOrder } from "./check_order.ts";
import { jobWarnings } from "./entry_warnings.ts";
import { writeFile } from "./write_file.ts";

/** What {@link addJobs} takes. `name` is an expandable list; each of its names becomes a job of the same `spec`. */
export interface AddJobsRequest {
  readonly queue: StoreRef;
  readonly name: string;
  readonly spec: Omit<JobSpec, "status" | OptionName> & GivenOptions & {
    readonly status?: string | undefined;
    /** A list with a name for each of `name`: each comes after its own, by position. */
    readonly after_corr?: string | undefined;
  };
}

/** What was added, in order, and what of it is hardly meant, one line each. */
export interface AddedJobs {
  readonly added: JobName[];
  readonly warnings: string[];
}

/**
 * Adds a job for each name. A name that the queue has already is replaced and keeps its place.
 * @throws {InvalidError} If the names or the spec cannot be used; all problems at once.
 * @throws {CmsError} `not_found` if there is no such queue; `conflict` if a job of that name is in flight. Nothing is
 * added then.
 */
export function addJobs(deps: Deps, request: AddJobsRequest): Promise<AddedJobs> {
  return addJobsOfSpecs(deps, { queue: request.queue, jobs: [request] });
}

/** {@link addJobs} for several specs at once, all or none. A name that stands twice is that of the last. */
export async function addJobsOfSpecs(
  deps: Deps,
  request: { queue: StoreRef; jobs: Iterable<Omit<AddJobsRequest, "queue">>; limits?: CopyLimits | undefined },
): Promise<AddedJobs> {
  const specs = readNewJobs(request.jobs, request.queue.experiment, request.limits);
  const names = [...specs.keys()];
  const late: string[] = [];
  let added: readonly Job[] = [];
  const isOrdered = [...specs.values()].some((spec) => hasDependencies(spec));
  // Whether there is a circle, only the queue as a whole can say.
  const store = isOrdered ? await openQueue(deps, request.queue) : new NamedJobs(deps, request.queue, names);
  try {
    const { experiment } = request.queue;
    await store.commit(() => {
      refuseInFlight(names.filter((name) => isInFlight(store.jobs.get(name)?.status ?? "undefined")));
      const made = [...specs].map(([name, spec]) =>
        makeJob(name, withPlaces(spec, store.jobs.get(name)), { id: deps.ids.hex(16), experiment })
      );
      if (isOrdered) refuseOrder("add", made, store.jobs);
      added = made;
      return made.map((job) => ({ type: "put", job }));
    });
    // Of a million they take as much memory as half of the file, which is about to be written.
    specs.clear();
    await writeFile(() => store.checkpoint("cheap"), { warn: (text) => late.push(text) });
  } finally {
    store.close();
  }
  return {
    added: names,
    warnings: [...jobWarnings(added), ...late],
  };
}

/** What the job that it replaces has left on hosts is the new one's to remove. */
function withPlaces(spec: JobSpec, old: Job | undefined): JobSpec {
  const replaced = old === undefined ? null : replacedBy(old);
  return replaced === null ? spec : { ...spec, replaced };
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Replacing the record of a job that runs would lose its process. @throws {CmsError} `conflict` if there is one. */
export function refuseInFlight(names: readonly JobName[]): void {
  const [first] = names;
  if (first === undefined) return;
  const more = names.length > 1 ? ` and ${names.length - 1} more` : "";
  throw new CmsError("conflict", `Cannot replace job "${first}"${more}: it is running; delete or reset it first`);
}

/** The names and specs of new jobs, checked. @throws {InvalidError} With all that is wrong. */
export function readNewJobs(
  jobs: Iterable<Omit<AddJobsRequest, "queue">>,
  experiment: string,
  limits: CopyLimits = COPY_LIMITS,
): Map<JobName, JobSpec> {
  const problems = new Problems();
  const specs = new Map<JobName, JobSpec>();
  const copies = new Copies("add jobs", limits);
  let position = 0;
  let last: Checked | null = null;
  for (const { name, spec: given } of jobs) {
    const list = problems.take(() => expand(name, limits.names, limits.hint)) ?? [];
    copies.add(list, given);
    const names = problems.take(() => list.map(jobName)) ?? [];
    problems.note(name.replaceAll(",", "") === "", "Cannot add jobs: --name is empty");
    const like: JobSpec | null = names.length === 1 ? checkLike(last, given, position + 1) : null;
    const spec: JobSpec = like ?? checkJobSpec(problems, given);
    last = { given, spec };
    noteFiles(problems, names, spec, experiment);
    const own = ownParents(problems, list, given.after_corr, limits);
    const wantsIndex = isSet(spec.params) || namesIndex(given);
    names.forEach((one, i) => {
      position++;
      if (like !== null && own === null) return void specs.set(one, like);
      const after = own === null ? spec.after : [...new Set([...spec.after ?? [], own[i]!])];
      specs.set(one, {
        ...spec,
        ...(after === undefined ? {} : { after }),
        ...(wantsIndex && !isSet(spec.index) ? { index: position } : {}),
      });
    });
  }
  problems.throwIfAny();
  return specs;
}

/** A spec as it was given, and what was made of it. */
interface Checked {
  readonly given: AddJobsRequest["spec"];
  readonly spec: JobSpec;
}

/** What differs between the jobs of a sweep, as a rule. */
const OF_EACH: ReadonlySet<string> = new Set(["command", "params"]);

/**
 * The spec of a job that differs from the last one in its command and parameters alone; null if it does not.
 * @param position Its place.
 */
function checkLike(last: Checked | null, given: AddJobsRequest["spec"], position: number): JobSpec | null {
  if (last === null || given.params === undefined || given.params === null) return null;
  const before = last.given as unknown as Readonly<Record<string, unknown>>;
  const now = given as unknown as Readonly<Record<string, unknown>>;
  const fields = Object.keys(now);
  if (fields.length !== Object.keys(before).length) return null;
  if (!fields.every((field) => OF_EACH.has(field) ? field in before : now[field] === before[field])) return null;
  const { command } = given;
  if (command.trim() === "" || command.includes("\0")) return null;
  try {
    const params = readOption("params", given.params) ?? null;
    const index = isSet(given.index) || params === null ? last.spec.index : position;
    return { ...last.spec, command, ...(index === undefined ? {} : { index }), params };
  } catch {
    return null; // Whoever looks at all of it says what is wrong.
  }
}

/** The job that each comes after, by position; null if none is given. */
function ownParents(
  problems: Problems,
  names: readonly string[],
  given: string | undefined,
  limits: CopyLimits,
): readonly JobName[] | null {
  if (given === undefined || given === "") return null;
  const own = problems.take(() => expand(given, limits.names, limits.hint).map(jobName)) ?? [];
  if (own.length === names.length) return own;
  problems.note(
    own.length > 0,
    `Cannot add jobs each after its own: there are ${names.length} names, and ${own.length} in after_corr`,
  );
  return null;
}

/** Notes that the output or log of one of these jobs would go into a file of the program's. */
export function noteFiles(
  problems: Problems,
  names: readonly JobName[],
  { output, log, shell = "bash" }: JobSpec,
  experiment: string,
): void {
  if (output === undefined && log === undefined) return;
  for (const name of names) {
    const job = { name, output: output ?? `${name}.out`, log: log ?? `${name}.log`, shell, experiment };
    const found = fileProblem(job);
    if (found === null) continue;
    const { field, whose } = found;
    return problems.note(true, `Cannot use ${JSON.stringify(job[field])} as ${field} of job ${name}: it is ${whose}`);
  }
}

/** What can be given: the words of the grammar; the parameters of a sweep; the place that a whole job had. */
const GIVEN_FIELDS: readonly OptionName[] = [...OPTION_FIELDS, "params", "index"];

/** Reads the options that were given and notes what is wrong with them. */
function readOptions(problems: Problems, given: GivenOptions): JobOptions {
  const options: Partial<Record<OptionName, unknown>> = {};
  for (const field of GIVEN_FIELDS) {
    if (given[field] === undefined) continue;
    problems.take(() => options[field] = readOption(field, given[field]), `${field}: `);
  }
  return options as JobOptions;
}

/** Reads a spec and notes what is wrong with it. */
export function checkJobSpec(problems: Problems, given: AddJobsRequest["spec"]): JobSpec {
  const spec = {
    command: given.command,
    input: nonEmpty(given.input),
    output: nonEmpty(given.output),
    status: nonEmpty(given.status),
    gpu: nonEmpty(given.gpu),
    user: nonEmpty(given.user),
    host: nonEmpty(given.host),
    shell: nonEmpty(given.shell),
    log: nonEmpty(given.log),
    pyenv: nonEmpty(given.pyenv),
    ...readOptions(problems, given),
    ...(given.extra === undefined ? {} : { extra: given.extra }),
  };
  problems.note(given.command.trim() === "", "Cannot add jobs: the command is empty");
  for (const field of ["command", "pyenv"] as const) {
    problems.note(spec[field]?.includes("\0") ?? false, `Cannot use this ${field}: it holds a NUL character`);
  }
  for (const field of ["input", "output", "log"] as const) {
    const value = spec[field] ?? "";
    problems.note(
      hasControl(value),
      `Cannot use ${JSON.stringify(shortened(value))} as ${field}: it holds a control character`,
    );
  }
  if (spec.user !== undefined) problems.take(() => userName(spec.user as string));
  if (spec.host !== undefined) problems.take(() => machineName(spec.host as string));
  if (spec.gpu !== undefined) problems.take(() => gpuList(spec.gpu as string));
  const shell = problems.take(() => shellName(spec.shell ?? "bash"));
  problems.note(
    spec.pyenv !== undefined && shell !== undefined && !canSource(shell),
    `Cannot use a pyenv with the shell ${JSON.stringify(shell)}: it has no source command; use one of ${
      SOURCING_SHELLS.join(", ")
    }`,
  );
  const { status, ...rest } = spec;
  if (status === undefined || isJobState(status)) return status === undefined ? rest : { ...rest, status };
  problems.note(
    true,
    `Cannot use ${JSON.stringify(shortened(status))} as a status: use one of ${JOB_STATES.join(", ")}`,
  );
  return rest;
}

/**
 * The shapes of requests and replies, each defined once: they validate what comes, type what goes, and make the OpenAPI
 * document.
 *
 * @module
 */

import { z } from "@hono/zod-openapi";
import { isMapKind, OPTION_WORDS } from "../job/option_words.ts";
import { JOB_STATES } from "../job/states.ts";
import { isDuration, parseDuration, renderDuration } from "../names/units.ts";

const NAME = "letters, digits, . _ - +";

/** Longest value of a text parameter. */
const TEXT = 100_000;

/** A text of a request: well-formed Unicode of bounded length. */
export function text(description: string, example: string): z.ZodString {
  return z.string().max(TEXT).refine((value) => value.isWellFormed(), "not well-formed Unicode")
    .openapi({ description, example });
}

const experiment = text("Directory of queues and clusters, below the directory that is served.", "experiment")
  .min(1).default("experiment");

/** Query of every operation on a queue or cluster. */
export const ExperimentQuery = z.strictObject({ experiment });
/** Of an operation that has no parameters. */
export const NoQuery = z.strictObject({});

/** Query by which an operation chooses jobs; all that is given must hold. */
export const SelectionQuery = z.object({
  name: text("Only these jobs; a list such as job[1-10] too.", "job[1-10]").optional(),
  status: text("Only jobs in these states.", "end,crash").optional(),
  failed: z.enum(["true", "false"]).optional().openapi({
    description: "Only jobs that are over and did not end well.",
    example: "true",
  }),
  where: z.union([text("A condition.", "exit_code!=0"), z.array(text("A condition.", "exit_code!=0")).max(100)])
    .transform((value) => typeof value === "string" ? [value] : value).optional()
    .openapi({
      type: "array",
      items: { type: "string" },
      description: "Only jobs for which all these hold.",
      example: ["param.lr<0.1"],
    }),
  tag: z.union([text("A tag.", "night"), z.array(text("A tag.", "night")).max(100)])
    .transform((value) => typeof value === "string" ? [value] : value).optional()
    .openapi({
      type: "array",
      items: { type: "string" },
      description: "Only jobs with all these tags, each KEY or KEY=VALUE.",
      example: ["night"],
    }),
  exit_code: text("Only jobs with these exit codes.", "1,128-255").optional(),
});

/** A whole number that comes as text, and may be left out. What it is then, the document says too. */
export function countOr(
  fallback: number,
  description: string,
  options: { example: number; min: number; max: number },
): z.ZodType<number> {
  return count(description, options).default(fallback).openapi({ default: fallback });
}

/** A whole number that comes as text. */
export function count(description: string, options: { example: number; min: number; max: number }): z.ZodType<number> {
  return z.string().regex(/^[0-9]{1,9}$/, "not a whole number").transform(Number)
    .pipe(z.number().int().min(options.min).max(options.max))
    .openapi({
      type: "integer",
      description,
      example: options.example,
      minimum: options.min,
      maximum: options.max,
    });
}

const NO_DURATION = "not a duration such as 90s, 30m, 2h, 1d or 1h30m";

/** A duration as the commands take it: `90s`, `1h30m`; a bare number is minutes. Kept as it was written. */
export function durationText(description: string, example: string): z.ZodString {
  return text(description, example).refine(isDuration, NO_DURATION);
}

/**
 * A duration that may be left out, as {@link durationText} has it, in ms. A bare number, such as `fallback`, is of
 * `unit`.
 */
export function durationOr(
  fallback: number,
  description: string,
  { unit, example, mostMs = Infinity }: { unit: "m" | "s"; example: string; mostMs?: number },
): z.ZodType<number> {
  const words = (value: string | number): string => /^[0-9.]+$/.test(`${value}`) ? `${value}${unit}` : `${value}`;
  return z.union([z.number(), z.string().max(TEXT)])
    .refine((value) => isDuration(words(value)), NO_DURATION)
    .transform((value) => parseDuration(words(value)))
    .refine((ms) => ms <= mostMs, `longer than ${renderDuration(mostMs)}`)
    .default(parseDuration(words(fallback)))
    .openapi({ description, example, default: fallback });
}

/** How long a request may wait for what it asks for. */
export const POLL_TIMEOUT = durationOr(60, "Seconds, or a duration such as 30s; at most a minute.", {
  unit: "s",
  example: "30s",
  mostMs: 60_000,
});

/** Query of a listing. */
export const PageQuery = ExperimentQuery.extend({
  limit: count("At most this many.", { example: 100, min: 1, max: 1_000_000 }).optional(),
  cursor: text("Where to go on: the `cursor` of the `Link` header of the reply before.", "100:job99").optional(),
});

/** Path of an operation on a queue. */
export const QueuePath = z.object({ queue: text(`Name of the queue: ${NAME}.`, "a") });
/** Path of an operation on a job. */
export const JobPath = QueuePath.extend({ job: text(`Name of the job: ${NAME}.`, "job1") });
/** Path of an operation on a cluster. */
export const ClusterPath = z.object({ cluster: text(`Name of the cluster: ${NAME}.`, "a") });
/** Path of an operation on a host. */
export const HostPath = ClusterPath.extend({
  id: text("Id of the host; where hosts are changed or deleted, a list such as host[1-4] too.", "host1"),
});

/** A state of a job. */
export const JobStateSchema = z.enum(JOB_STATES).openapi("JobState", {
  description: "State of a job.",
  example: "end",
});

const orNull = (description: string, example: string) => z.string().nullable().openapi({ description, example });

/** The options of a job, where they are set. */
const options = Object.fromEntries(OPTION_WORDS.map(({ field, kind, help, example }) => {
  const about = { description: `${help[0]!.toUpperCase()}${help.slice(1)}.` };
  const one = kind === "flag" ? z.boolean() : typeof example === "number" ? z.number() : z.string();
  const isMap = isMapKind(kind);
  const many = isMap ? z.record(z.string(), z.string()) : z.array(z.union([z.string(), z.number()]));
  const isMany = isMap || kind === "list" || kind === "paths";
  return [field, (isMany ? many : one).nullable().optional().openapi(about)];
}));

/** A job as it stands in the queue file. Unknown fields of the file are passed on. */
export const JobSchema = z.looseObject({
  name: z.string().openapi({ description: "Name of the job.", example: "job1" }),
  id: z.string().openapi({
    description: "32 hex digits, new for each job.",
    example: "0123456789abcdef0123456789abcdef",
  }),
  experiment: z.string().openapi({ description: "Directory of the queue.", example: "experiment" }),
  directory: z.string().openapi({ description: "The same as a path.", example: "./experiment" }),
  input: z.string().openapi({ description: "Input of the command.", example: "job1/input" }),
  output: z.string().openapi({ description: "File of the command's output.", example: "job1.out" }),
  log: z.string().openapi({ description: "File of the job's states.", example: "job1.log" }),
  status: JobStateSchema,
  gpu: orNull("Value of CUDA_VISIBLE_DEVICES.", "0"),
  command: z.string().openapi({ description: "What is run.", example: "sleep 10" }),
  shell: z.string().openapi({ description: "What runs the script.", example: "bash" }),
  pid: orNull("Process id on the host, of the last attempt.", "71277"),
  host: orNull("Machine that the job is assigned to.", "red"),
  user: orNull("User there.", "pi"),
  pyenv: orNull("File that is sourced before the command.", "~/ENV3/bin/activate"),
  last_probe_check: orNull("Written by the original program.", "26/01/2026 12:00:00"),
  exit_code: z.number().int().nullable().openapi({
    description: "Of the last attempt; 128+n for a signal.",
    example: 0,
  }),
  started: orNull("Start of the last attempt, by the host's clock.", "2026-01-31T12:00:00Z"),
  ended: orNull("Its end.", "2026-01-31T12:00:10Z"),
  attempt: z.number().int().openapi({ description: "How often a start was decided.", example: 1 }),
  job_directory: z.string().optional().openapi({
    description:
      "Its directory on the host, where that is not the one of its name, which belongs to another queue there.",
  }),
  ...options,
}).openapi("Job");

/** A host as it stands in the cluster file. Unknown fields of the file are passed on. */
export const HostSchema = z.looseObject({
  user: z.string().openapi({ description: "User to run jobs as.", example: "pi" }),
  name: z.string().openapi({ description: "Machine, as ssh knows it.", example: "red" }),
  id: z.string().openapi({ description: "Id of the host in its cluster.", example: "host1" }),
  ip: orNull("Address in place of the name's.", "10.0.0.7"),
  status: z.string().openapi({ description: "Only active hosts get jobs.", example: "active" }),
  job_counter: z.number().int().openapi({ description: "Written by the original program.", example: 0 }),
  max_jobs_allowed: z.number().int().openapi({ description: "Jobs that run there at once.", example: 1 }),
  cores: z.number().int().openapi({ description: "Cores of the machine.", example: 1 }),
  threads: z.number().int().openapi({ description: "Threads of each core.", example: 1 }),
  gpu: z.string().openapi({ description: "Value of CUDA_VISIBLE_DEVICES for its jobs.", example: "0" }),
  pyenv: z.string().openapi({
    description: "File that is sourced before a job's command.",
    example: "~/ENV3/bin/activate",
  }),
  probe_status: z.boolean().openapi({ description: "Written by the original program.", example: false }),
  probe_time: orNull("Written by the original program.", "26/01/2026 12:00:00"),
  ping_status: z.boolean().openapi({ description: "Written by the original program.", example: false }),
  ping_time: orNull("Written by the original program.", "26/01/2026 12:00:00"),
  env: z.record(z.string(), z.string()).nullable().optional().openapi({ description: "Variables for its jobs." }),
  gpus: z.string().nullable().optional().openapi({ description: "GPUs that it gives its jobs, such as 0-3." }),
  cpus: z.number().nullable().optional().openapi({ description: "CPUs that it gives." }),
  memory: z.string().nullable().optional().openapi({ description: "Memory that it gives, such as 64G." }),
  gpu_idle: z.boolean().nullable().optional().openapi({ description: "GPUs that somebody else uses are not given." }),
}).openapi("Host");

/** Jobs by name, in file order. */
export const JobsSchema = z.record(z.string(), JobSchema).openapi("Jobs", {
  description: "Jobs by name, in file order.",
});
/** Hosts by id, in file order. */
export const HostsSchema = z.record(z.string(), HostSchema).openapi("Hosts", {
  description: "Hosts by id, in file order.",
});

const RequestProblemSchema = z.object({
  loc: z.array(z.union([z.string(), z.number()])).openapi({ example: ["query", "command"] }),
  msg: z.string().openapi({ example: "field required" }),
  type: z.string().openapi({ example: "value_error.missing" }),
}).openapi("ValidationError");

/** A failure as the original program tells it. */
export const DetailSchema = z.object({ detail: z.union([z.string(), z.array(RequestProblemSchema)]) })
  .openapi("Detail", { description: "What went wrong.", example: { detail: "Queue not found" } });

/** A failure as RFC 9457 has it. */
export const ProblemSchema = z.object({
  type: z.string().openapi({ example: "about:blank" }),
  title: z.string().openapi({ example: "Not Found" }),
  status: z.number().int().openapi({ example: 404 }),
  detail: z.string().openapi({ example: "Queue not found" }),
  errors: z.array(RequestProblemSchema).optional(),
}).openapi("Problem");

/** A list of names in a reply. */
export function nameArray(description: string, example: string): z.ZodArray<z.ZodString> {
  return z.array(z.string()).openapi({ description, example: [example] });
}

/** What went on that the caller may want to know. */
export const WarningsSchema = z.array(z.string()).openapi({ description: "One line each.", example: [] });

/** Names of what was added. */
export const AddedSchema = z.object({ added: nameArray("Names of what was added, in order.", "job1") }).openapi(
  "Added",
);
/** Names of jobs that were added. */
export const AddedJobsSchema = z.object({
  added: nameArray("Names of the jobs that were added, in order.", "job1"),
  warnings: WarningsSchema,
  would_add: z.array(z.object({
    name: z.string().openapi({ example: "train-0.1" }),
    command: z.string().openapi({ example: "python train.py --lr 0.1" }),
    params: z.record(z.string(), z.string()).nullable().openapi({ example: { lr: "0.1" } }),
  })).optional().openapi({ description: "With `dry_run`: the jobs, none of which was added." }),
}).openapi("AddedJobs");
/** Ids of what was changed. */
export const ChangedSchema = z.object({ changed: nameArray("Ids of what was changed, in order.", "host1") })
  .openapi("Changed");
/** Names of deleted jobs. */
export const DeletedJobsSchema = z.object({
  deleted: nameArray("Names of the jobs that are gone.", "job1"),
  missing: nameArray("Names that the queue does not have.", "job99"),
  failed: nameArray("Jobs that could not be ended, or whose host does not answer; they stay.", "job2"),
  warnings: WarningsSchema,
}).openapi("DeletedJobs");
/** Ids of deleted hosts. */
export const DeletedHostsSchema = z.object({ deleted: nameArray("Ids of the hosts that are gone.", "host1") })
  .openapi("DeletedHosts");

const StateChangeSchema = z.object({
  job: z.string().openapi({ example: "job1" }),
  old: JobStateSchema,
  new: JobStateSchema,
}).openapi("StateChange");

/** What a refresh found. */
export const RefreshedSchema = z.object({
  changes: z.array(StateChangeSchema).openapi({ description: "In file order." }),
  unreachable: nameArray("Jobs on hosts that do not answer.", "job9"),
  warnings: WarningsSchema,
}).openapi("Refreshed");
/** Whether jobs go that may still run. */
export const ForceQuery = z.enum(["true", "false"]).optional().openapi({
  description: "`true`: jobs that may still run on a host that does not answer are deleted, too. They run on.",
  examples: ["true"],
});
/** What a reset did. */
export const ResetSchema = z.object({
  changes: z.array(StateChangeSchema).openapi({ description: "In file order." }),
  failed: nameArray("Jobs that may still run on a host that does not answer; they stay as they are.", "job9"),
  missing: nameArray("Names that the queue does not have.", "job99"),
  warnings: WarningsSchema,
}).openapi("Reset");

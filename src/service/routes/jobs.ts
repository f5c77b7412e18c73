/**
 * Jobs of a queue: added, shown, changed, deleted.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { CmsError, InvalidError, NotFoundError } from "../../errors.ts";
import { expand } from "../../names/expand.ts";
import { addJobs, addJobsOfSpecs, readNewJobs } from "../../operations/add_jobs.ts";
import { changeJob } from "../../operations/change_job.ts";
import { deleteJobs } from "../../operations/delete_jobs.ts";
import { getJob, listJobs } from "../../operations/list_jobs.ts";
import { jobsNamed } from "../../operations/select_jobs.ts";
import { readRows } from "../../operations/sweep_files.ts";
import type { NewJob } from "../../operations/whole_jobs.ts";
import { Refusal } from "../errors.ts";
import { textOrJson } from "../negotiate.ts";
import { OPTION_BODY, OPTION_CHANGE, OPTION_QUERY } from "../option_schemas.ts";
import { failures, jsonReply, operation, textReply } from "../operation.ts";
import { queueAt } from "../places.ts";
import { tableInTurn } from "../large_replies.ts";
import { jobReply } from "../records.ts";
import {
  AddedJobsSchema,
  DeletedJobsSchema,
  ExperimentQuery,
  ForceQuery,
  JobPath,
  JobSchema,
  QueuePath,
  text,
} from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";
import { jobsOfBody, jobsOfForm, jobsOfWords, SweepSchema } from "../sweep_body.ts";
import { gatherWarnings } from "../warnings.ts";
import { JOBS_TABLE } from "./queues.ts";

/** What a job is made of; only `name` and `command` are needed. */
const spec = {
  command: text("What to run. This is code: the job's shell reads it.", "sleep 10"),
  input: text("Input of the command (default: NAME/input).", "job1/input").optional(),
  output: text("File for its output (default: NAME.out).", "job1.out").optional(),
  status: text("State to begin in (default: ready with user and host, else undefined).", "ready").optional(),
  gpu: text("Value of CUDA_VISIBLE_DEVICES.", "0").optional(),
  user: text("User to run as on the host.", "pi").optional(),
  host: text("Host to run on.", "red").optional(),
  shell: text("Program that runs the script (default: bash).", "bash").optional(),
  log: text("File for its states (default: NAME.log).", "job1.log").optional(),
  pyenv: text("File to source before the command.", "~/ENV3/bin/activate").optional(),
};
const after_corr = text("As `after`, each job after its own of these, by position.", "prep[1-10]").optional();
const name = text("Name of the job, or a list such as job[1-10].", "job[1-10]");

const add = operation({
  method: "post",
  path: "/queue/{queue}",
  summary: "Queue Add Job",
  description: "Adds jobs to a queue. A job of the same name is replaced and keeps its place.",
  request: { params: QueuePath, query: ExperimentQuery.extend({ name, ...spec, ...OPTION_QUERY, after_corr }) },
  responses: { ...textReply("The jobs as they are now.", JOBS_TABLE, AddedJobsSchema), ...failures(404, 409) },
});

const NEW_JOBS = z.object({
  jobs: z.array(z.strictObject({ name, ...spec, ...OPTION_BODY, after_corr, sweep: SweepSchema.optional() }))
    .max(100_000),
}).openapi("NewJobs");

/** The fields of a form, for the document: `sweep_body.ts` reads them. */
const FORM = {
  type: "object",
  properties: {
    ...Object.fromEntries(
      ["name", "command", "param", "link", "comments", "sample", "seed"].map((word) => [word, { type: "string" }]),
    ),
    param_file: {
      type: "string",
      format: "binary",
      description: "A row for each job: .csv, .tsv, .json, .jsonl, .yaml.",
    },
    each_line: { type: "string", format: "binary", description: "A line for each job." },
    from: { type: "string", format: "binary", description: "Whole jobs, as queue files have them." },
  },
} as const;

const addMany = operation({
  method: "post",
  path: "/queue/{queue}/jobs",
  tags: ["more"],
  summary: "Queue Add Jobs",
  description:
    "Adds jobs to a queue, all or none. Each `name` may be a list such as job[1-10]. With `sweep` a job is " +
    "a template of many. A form has the words of `queue add`, and files; of CSV each row makes a job, and the template " +
    "is in the query.",
  request: {
    params: QueuePath,
    query: ExperimentQuery.extend({
      dry_run: z.enum(["true", "false"]).optional().openapi({
        description: "`true`: answers what would be added, and adds nothing.",
        example: "false",
      }),
      name: text("Of CSV: the name, such as train-{lr}.", "train-{lr}").optional(),
      ...spec,
      command: text("Of CSV: the command, such as run {lr}.", "run {lr}").optional(),
      ...OPTION_QUERY,
    }),
    body: {
      content: {
        "multipart/form-data": { schema: FORM },
        "text/csv": { schema: { type: "string", example: "lr,batch\n0.1,32\n" } },
        "application/json": {
          schema: NEW_JOBS,
        },
      },
    },
  },
  responses: { ...jsonReply("The names of the jobs.", AddedJobsSchema), ...failures(400, 404, 409) },
});

const get = operation({
  method: "get",
  path: "/queue/{queue}/job/{job}",
  summary: "Queue Get Job",
  description: "One job.",
  request: { params: JobPath, query: ExperimentQuery },
  responses: { ...jsonReply("The job.", JobSchema), ...failures(404) },
});

/** Members of a change of jobs. */
export const PATCHABLE = {
  ...(Object.fromEntries(
    Object.entries(spec).map(([field, schema]) => [field, schema.nullable().optional()]),
  ) as { readonly [K in keyof typeof spec]: z.ZodOptional<z.ZodNullable<z.ZodString>> }),
  ...OPTION_CHANGE,
};

const patch = operation({
  method: "patch",
  path: "/queue/{queue}/job/{job}",
  tags: ["more"],
  summary: "Queue Change Job",
  description:
    "Changes fields of one job. What is left out stays; null gives a field its default. Of a job that runs " +
    "only its time limit, tries, priority and tags can be changed; all else is refused (409).",
  request: {
    params: JobPath,
    query: ExperimentQuery,
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject(PATCHABLE).openapi("JobChange") } },
    },
  },
  responses: { ...jsonReply("The job as it is now.", JobSchema), ...failures(400, 404, 409) },
});

const remove = operation({
  method: "delete",
  path: "/queue/{queue}/job/{job}",
  summary: "Queue Delete Job",
  description: "Ends jobs if they run, removes their directories on the hosts, deletes them: " +
    "the job of the path and, if given, those of the query.",
  request: {
    params: JobPath,
    query: ExperimentQuery.extend({
      name: text("Further jobs; a list such as job[1-10] too.", "job[2-3]").optional(),
      force: ForceQuery,
    }),
  },
  responses: { ...textReply("The jobs that are left.", JOBS_TABLE, DeletedJobsSchema), ...failures(404, 502) },
});

/** Adds the routes. */
export function addJobRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const { deps, connect } = service;

  app.openapi(add, async (c) => {
    const { name, experiment, ...spec } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const result = await addJobs(deps, { queue, name, spec });
    return await textOrJson(c, async () => tableInTurn(service, await listJobs(deps, { queue })), result);
  });

  app.openapi(addMany, async (c) => {
    const { experiment, dry_run, ...words } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const type = (c.req.header("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
    if (type !== "text/csv" && Object.keys(words).length > 0) {
      throw new InvalidError([`${Object.keys(words)[0]}: give it in the body; the query is for a body of CSV`]);
    }
    const jobs = type === "multipart/form-data"
      ? await jobsOfForm(c.req.raw)
      : type === "text/csv"
      ? jobsOfRows(words, await c.req.text())
      : jobsOfBody(jsonOf(c.req.valid("json" as never) as Partial<z.infer<typeof NEW_JOBS>>, type));
    if (dry_run !== "true") return c.json(await addJobsOfSpecs(deps, { queue, jobs }), 200);
    readNewJobs(jobs, queue.experiment);
    const would_add = jobs.map(({ name, spec: { command, params } }) => ({
      name,
      command,
      params: (params ?? null) as Record<string, string> | null,
    }));
    return c.json({ added: [], warnings: [], would_add }, 200);
  });

  app.openapi(get, async (c) => {
    const { job } = c.req.valid("param");
    const queue = await queueAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    return c.json(jobReply(await getJob(deps, { queue, job })), 200);
  });

  app.openapi(patch, async (c) => {
    const { job } = c.req.valid("param");
    const queue = await queueAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    const changed = await changeJob(deps, { queue, job, fields: c.req.valid("json") }, gatherWarnings(service));
    return c.json(jobReply(changed), 200);
  });

  app.openapi(remove, async (c) => {
    const { job } = c.req.valid("param");
    const { name = "", force, experiment } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const names = [...new Set([...expand(job), ...expand(name)])];
    const warnings = gatherWarnings(service);
    const result = await deleteJobs(
      deps,
      { queue, selection: jobsNamed(names), force: force === "true" },
      warnings,
      connect,
    );
    if (result.deleted.length === 0) {
      const [failed] = result.failed;
      if (failed !== undefined) throw new CmsError("host", `Could not delete job:${failed}`);
      throw new NotFoundError("job", result.missing[0] ?? job, `Could not delete job:${job}`);
    }
    const table = async () => tableInTurn(service, await listJobs(deps, { queue }));
    return await textOrJson(c, table, { ...result, warnings: [...warnings.texts] });
  });
}

/** The jobs of a body of JSON; what is another body, or none, is refused. */
function jsonOf<J>({ jobs }: { readonly jobs?: J | undefined }, type: string): J {
  if (jobs !== undefined) return jobs;
  if (type === "" || type === "application/json") throw new Refusal(400, "Malformed JSON in request body");
  throw new Refusal(415, "The body must be application/json, multipart/form-data or text/csv");
}

/** The jobs of a body of CSV. */
function jobsOfRows(words: Readonly<Record<string, unknown>>, csv: string): NewJob[] {
  const { options, others } = splitWords(words);
  const given = new Map(Object.entries(others).map(([word, value]) => [word, [String(value)]]));
  return jobsOfWords(given, [readRows(csv, "body.csv")]).map(({ name, spec }) => ({
    name,
    spec: { ...spec, ...options },
  }));
}

/** Options of a query have been read already; the others are texts. */
function splitWords(
  words: Readonly<Record<string, unknown>>,
): { options: Record<string, unknown>; others: Record<string, unknown> } {
  const isOption = (field: string): boolean => Object.hasOwn(OPTION_QUERY, field);
  const entries = Object.entries(words);
  return {
    options: Object.fromEntries(entries.filter(([field]) => isOption(field))),
    others: Object.fromEntries(entries.filter(([field]) => !isOption(field))),
  };
}

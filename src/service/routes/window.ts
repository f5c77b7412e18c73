/**
 * What a screen shows of a queue: a window of its jobs, and when each of them ran.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { JOB_STATES } from "../../job/states.ts";
import { findQueues } from "../../operations/find_queues.ts";
import { jobSpans } from "../../operations/job_spans.ts";
import { filterOf, readSelection } from "../../operations/select_jobs.ts";
import { windowJobs } from "../../operations/window_jobs.ts";
import { inItsTurn } from "../large_replies.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import { queueAt } from "../places.ts";
import { jobReply } from "../records.ts";
import { count, ExperimentQuery, JobSchema, NoQuery, QueuePath, SelectionQuery, text } from "../schemas.ts";
import { sharedWork } from "../shared_work.ts";
import type { Service, ServiceEnv } from "../service.ts";

const number = (description: string, example: number) => z.number().int().openapi({ description, example });
/** Values of a column that are rendered between two rests. */
const AT_ONCE = 5_000;
const UNKNOWN = "null with `soon`, where it would take long to know.";

const WindowSchema = z.object({
  total: number(`Jobs that are chosen; ${UNKNOWN}`, 120).nullable(),
  counts: z.object(Object.fromEntries(JOB_STATES.map((state) => [state, z.number().int()]))).nullable().openapi({
    description: `All jobs of the queue, by state; ${UNKNOWN}`,
  }),
  failed: number(`All jobs of the queue that are over and did not end well; ${UNKNOWN}`, 2).nullable(),
  rows: z.array(z.object({
    job: JobSchema,
    reason: z.string().openapi({ description: "Why it is where it is.", example: "exit code 3" }),
    duration: z.number().nullable().openapi({ description: "What its last attempt took, in seconds.", example: 12.5 }),
  })).openapi({ description: "The window." }),
}).openapi("JobsWindow");

const window = operation({
  method: "get",
  path: "/queue/{queue}/jobs",
  tags: ["more"],
  summary: "Jobs Window",
  description: "Some of the jobs that are chosen, sorted, with reasons; and how many there are in all.",
  request: {
    params: QueuePath,
    query: ExperimentQuery.extend(SelectionQuery.shape).extend({
      search: text("Part of the name or the command.", "train").optional(),
      sort: text("A field or `reason`, descending with `-` before it (default: file order).", "-duration").optional(),
      offset: count("Jobs before the window.", { example: 100, min: 0, max: 100_000_000 }).optional(),
      limit: count("Jobs in the window at most (default: 100).", { example: 100, min: 1, max: 1_000 }).optional(),
      soon: z.enum(["true", "false"]).optional().openapi({
        description: "`true`: where the queue is large and not in memory, the first rows without counts.",
        example: "true",
      }),
    }),
  },
  responses: { ...jsonReply("The window.", WindowSchema), ...failures(404) },
});

const SpansSchema = z.object({
  machines: z.array(z.string()).openapi({ description: "Where jobs ran.", example: ["pi@red"] }),
  states: z.array(z.string()).openapi({ description: "States that occur.", example: ["end", "start"] }),
  names: z.array(z.string()).openapi({ description: "Names of the jobs, by their begin.", example: ["job1"] }),
  begin: z.array(z.number()).openapi({ description: "When they began, epoch s.", example: [1_769_860_800] }),
  end: z.array(z.number().nullable()).openapi({
    description: "When they ended; null: they run.",
    example: [1_769_860_812],
  }),
  machine: z.array(z.number().int()).openapi({ description: "Place in `machines`.", example: [0] }),
  state: z.array(z.number().int()).openapi({ description: "Place in `states`.", example: [0] }),
  failed: z.array(z.number().int()).openapi({ description: "1 for those that did not end well.", example: [0] }),
}).openapi("JobSpans");

const spans = operation({
  method: "get",
  path: "/queue/{queue}/spans",
  tags: ["more"],
  summary: "Job Spans",
  description: "When and where each job that was started ran: columns of equal length.",
  request: { params: QueuePath, query: ExperimentQuery },
  responses: { ...jsonReply("The spans.", SpansSchema), ...failures(404) },
});

const experiments = operation({
  method: "get",
  path: "/experiments",
  tags: ["more"],
  summary: "List Experiments",
  description: "All experiments below the served directory, with their queues.",
  request: { query: NoQuery },
  responses: jsonReply(
    "The experiments that hold a queue.",
    z.object({
      experiments: z.array(z.object({
        experiment: z.string().openapi({ description: "Its directory.", example: "experiment" }),
        queues: z.array(z.string()).openapi({ description: "Names of its queues, sorted.", example: ["a"] }),
      })),
    }).openapi("Experiments"),
  ),
});

/** Adds the routes. */
export function addWindowRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const { deps } = service;

  // Thousands of directories may be looked at.
  const findAll = sharedWork(async () => {
    const found = Map.groupBy(await findQueues(deps, service.root), ({ experiment }) => experiment);
    const text = JSON.stringify({
      experiments: [...found].map(([experiment, queues]) => ({ experiment, queues: queues.map(({ name }) => name) })),
    });
    return new TextEncoder().encode(text);
  });
  app.openapi(
    experiments,
    async (c) => c.body(await findAll(""), 200, { "Content-Type": "application/json" }) as never,
  );

  app.openapi(window, async (c) => {
    const { search, sort, offset = 0, limit = 100, failed, soon, ...query } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), ...query });
    const keep = filterOf(readSelection({ ...query, failed: failed === "true" }));
    const found = await windowJobs(deps, { queue, keep, search, sort, offset, limit, isSoon: soon === "true" });
    return c.json({
      total: found.total,
      counts: found.counts === null ? null : { ...found.counts },
      failed: found.failed,
      rows: found.rows.map(({ job, reason, durationMs }) => ({
        job: jobReply(job),
        reason,
        duration: durationMs === null ? null : durationMs / 1000,
      })),
    }, 200);
  });

  app.openapi(spans, async (c) => {
    const queue = await queueAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    const found = await jobSpans(deps, { queue });
    const body = await inItsTurn(service, found.names.length, async (pace) => {
      const columns: string[] = [];
      for (const [name, values] of Object.entries(found) as [string, readonly unknown[]][]) {
        const parts: string[] = [];
        for (let i = 0; i < values.length; i += AT_ONCE) {
          await pace();
          parts.push(JSON.stringify(values.slice(i, i + AT_ONCE)).slice(1, -1));
        }
        columns.push(`${JSON.stringify(name)}:[${parts.join(",")}]`);
      }
      return `{${columns.join(",")}}`;
    });
    return c.body(body, 200, { "Content-Type": "application/json" }) as never;
  });
}

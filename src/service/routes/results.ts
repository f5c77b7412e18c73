/**
 * The jobs of a queue as a table for programs: what became of each, and its parameters as columns.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { reasonsOf } from "../../operations/job_reasons.ts";
import { listJobs } from "../../operations/list_jobs.ts";
import { filterOf, readSelection } from "../../operations/select_jobs.ts";
import { JOB_COLUMNS_WIDE } from "../../output/columns.ts";
import { renderCsv } from "../../output/csv.ts";
import { listRecord, paramColumns } from "../../output/job_table.ts";
import { inItsTurn } from "../large_replies.ts";
import { failures, operation } from "../operation.ts";
import { queueAt } from "../places.ts";
import { ExperimentQuery, QueuePath, SelectionQuery } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

const AT_ONCE = 100;

const results = operation({
  method: "get",
  path: "/queue/{queue}/results.csv",
  tags: ["more"],
  summary: "Queue Results",
  description: "The jobs as CSV: state, exit code, times, duration in seconds, and a column `param.NAME` for each " +
    "parameter.",
  request: { params: QueuePath, query: ExperimentQuery.extend(SelectionQuery.shape) },
  responses: {
    200: {
      description: "A header, and a line for each job.",
      content: {
        "text/csv": {
          schema: z.string().openapi({ example: "name,status,exit_code,duration,param.lr\ntrain-0.1,end,0,3.2,0.1\n" }),
        },
      },
    },
    ...failures(404),
  },
});

/** Adds the route. */
export function addResultsRoute(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  app.openapi(results, async (c) => {
    const { failed, experiment, ...words } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const keep = filterOf(readSelection({ ...words, failed: failed === "true" }));
    const jobs = await listJobs(service.deps, { queue, ...(keep !== undefined && { keep }) });
    const reason = await reasonsOf(service.deps, { queue, jobs });
    const fields = [...JOB_COLUMNS_WIDE, ...paramColumns(jobs)];
    const csv = await inItsTurn(service, jobs.length, async (pace) => {
      const head = renderCsv(fields, []);
      const parts = [head];
      for (let at = 0; at < jobs.length; at += AT_ONCE) {
        await pace();
        const records = jobs.slice(at, at + AT_ONCE)
          .map((job) => listRecord(job, { fields, format: "csv", reason: reason(job) }));
        parts.push(renderCsv(fields, records).slice(head.length));
      }
      return parts.join("");
    });
    return c.body(csv, 200, { "Content-Type": "text/csv; charset=UTF-8" });
  });
}

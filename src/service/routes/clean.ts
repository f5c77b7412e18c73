/**
 * Directories of jobs that ended well, removed from their hosts.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { cleanJobs } from "../../operations/clean_jobs.ts";
import { readSelection } from "../../operations/select_jobs.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import { queueAt } from "../places.ts";
import { ExperimentQuery, nameArray, QueuePath, SelectionQuery, text, WarningsSchema } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";
import { gatherWarnings } from "../warnings.ts";

const clean = operation({
  method: "put",
  path: "/queue/{queue}/clean",
  tags: ["more"],
  summary: "Queue Clean",
  description: "Removes the directories of jobs that ended well from their hosts, with all results; keeps the jobs.",
  request: {
    params: QueuePath,
    query: ExperimentQuery.extend({
      ...SelectionQuery.shape,
      keep: text("Files that stay: patterns below a job's directory, with commas.", "*.csv,out").optional(),
    }),
  },
  responses: {
    ...jsonReply(
      "What was removed.",
      z.object({
        cleaned: nameArray("Jobs whose directories are removed.", "job1"),
        failed: nameArray("Jobs whose directories may be there still.", "job9"),
        missing: nameArray("Names that the queue does not have.", "job99"),
        warnings: WarningsSchema,
      }).openapi("CleanedJobs"),
    ),
    ...failures(404),
  },
});

/** Adds the route. */
export function addCleanRoute(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  app.openapi(clean, async (c) => {
    const { experiment, failed, keep, ...words } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const selection = readSelection({ ...words, failed: failed === "true" });
    const warnings = gatherWarnings(service);
    const result = await cleanJobs(
      service.deps,
      { queue, selection, keep: keep?.split(",").filter(Boolean) ?? [] },
      { warn: warnings.warn },
      service.connect,
    );
    return c.json({
      cleaned: [...result.cleaned],
      failed: [...result.failed],
      missing: [...result.missing],
      warnings: [...warnings.texts],
    }, 200);
  });
}

/**
 * Waiting for jobs: a long poll.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { readSelection } from "../../operations/select_jobs.ts";
import { WAIT_GOALS } from "../../operations/wait_goals.ts";
import { waitJobs } from "../../operations/wait_jobs.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import { queueAt } from "../places.ts";
import { countOr, ExperimentQuery, QueuePath, SelectionQuery } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

const LONGEST_S = 60;

const WaitSchema = z.object({
  outcome: z.enum(["there", "never", "timeout"]).openapi({
    description:
      "there: all jobs are where they were waited for; never: one can not come there any more; timeout: ask again.",
    example: "there",
  }),
  there: z.number().int().openapi({ description: "Jobs that are there.", example: 10 }),
  failed: z.number().int().openapi({ description: "Jobs that are over and did not end well.", example: 1 }),
  pending: z.number().int().openapi({ description: "Jobs that are not there yet.", example: 0 }),
  missing: z.array(z.string()).openapi({ description: "Names that the queue does not have." }),
}).openapi("Waited");

const wait = operation({
  method: "get",
  path: "/queue/{queue}/wait",
  tags: ["more"],
  summary: "Queue Wait",
  description: "Answers when jobs have come to where they are waited for, or when the time is over.",
  request: {
    params: QueuePath,
    query: ExperimentQuery.extend(SelectionQuery.shape).extend({
      for: z.enum(WAIT_GOALS).default("over").openapi({ description: "Where jobs are waited for.", example: "over" }),
      any: z.enum(["true", "false"]).default("false").openapi({
        description: "Whether the first job that is there will do.",
        example: "false",
      }),
      timeout: countOr(LONGEST_S, "Seconds.", { example: 30, min: 1, max: LONGEST_S }),
    }).strict(),
  },
  responses: { ...jsonReply("Where the jobs are.", WaitSchema), ...failures(404) },
});

/** Adds the route. */
export function addWaitRoute(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  app.openapi(wait, async (c) => {
    const { for: goal, any, timeout, experiment, ...words } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const selection = readSelection({ ...words, failed: words.failed === "true" });
    const request = {
      queue,
      selection,
      goal,
      isAny: any === "true",
      timeoutMs: timeout * 1000,
      noRun: "wait" as const,
    };
    const stop = AbortSignal.any([c.req.raw.signal, service.stopping]);
    const { outcome, ...result } = await waitJobs(service.deps, request, { stop, onNumbers() {}, onNoRun() {} });
    const shown = outcome === "there" || outcome === "never" ? outcome : "timeout";
    return c.json({ ...result, outcome: shown, missing: [...result.missing] }, 200);
  });
}

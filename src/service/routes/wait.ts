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
import { ExperimentQuery, POLL_TIMEOUT, QueuePath, SelectionQuery } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

const WaitSchema = z.object({
  outcome: z.enum(["there", "never", "timeout", "no_run"]).openapi({
    description:
      "there: all jobs are where they were waited for; never: one can not come there any more; timeout: ask again; " +
      "no_run: with `no_run=fail`, no run works on the queue.",
    example: "there",
  }),
  there: z.number().int().openapi({ description: "Jobs that are there.", example: 10 }),
  failed: z.number().int().openapi({ description: "Jobs that are over and did not end well.", example: 1 }),
  pending: z.number().int().openapi({ description: "Jobs that are not there yet.", example: 0 }),
  run: z.boolean().openapi({ description: "False if it was seen that no run works on the queue.", example: true }),
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
      no_run: z.enum(["wait", "fail"]).default("wait").openapi({
        description: "Where no run works on the queue: wait, or answer at once.",
        example: "wait",
      }),
      timeout: POLL_TIMEOUT,
    }).strict(),
  },
  responses: { ...jsonReply("Where the jobs are.", WaitSchema), ...failures(404) },
});

/** Adds the route. */
export function addWaitRoute(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  app.openapi(wait, async (c) => {
    const { for: goal, any, timeout: timeoutMs, no_run: noRun, experiment, ...words } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const selection = readSelection({ ...words, failed: words.failed === "true" });
    const request = {
      queue,
      selection,
      goal,
      isAny: any === "true",
      timeoutMs,
      noRun,
    };
    const stop = AbortSignal.any([c.req.raw.signal, service.stopping]);
    let run = true;
    const onNoRun = (): void => void (run = false);
    const { outcome, ...result } = await waitJobs(service.deps, request, { stop, onNumbers() {}, onNoRun });
    const shown = outcome === "interrupted" ? "timeout" : outcome;
    return c.json({ ...result, outcome: shown, run: run && outcome !== "no_run", missing: [...result.missing] }, 200);
  });
}

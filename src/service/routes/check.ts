/**
 * Do a queue, its files and its hosts agree?
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { checkQueue } from "../../operations/check_queue.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import { queueAt } from "../places.ts";
import { ExperimentQuery, QueuePath } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

const FindingSchema = z.object({
  kind: z.enum(["trouble", "note"]).openapi({
    description: "trouble: something disagrees or could not be asked; note: good to know.",
    example: "trouble",
  }),
  job: z.string().nullable().openapi({ description: "The job that it is about.", example: "job1" }),
  where: z.string().openapi({ description: "A file, a machine, or the queue.", example: "pi@red" }),
  finding: z.string().openapi({
    description: "What is so.",
    example: "is start, but ended with exit code 0 there",
  }),
  action: z.string().openapi({
    description: "What to do, by its command; empty for nothing.",
    example: "cms queue refresh a",
  }),
}).openapi("Finding");

const CheckSchema = z.object({
  agrees: z.boolean().openapi({ description: "True if no finding is trouble.", example: false }),
  findings: z.array(FindingSchema).openapi({ description: "First those about the whole queue." }),
  jobs: z.number().int().openapi({ description: "Jobs of the queue.", example: 10 }),
  in_flight: z.number().int().openapi({ description: "Jobs that may run now.", example: 2 }),
  asked: z.array(z.string()).openapi({ description: "Machines that answered.", example: ["pi@red"] }),
}).openapi("QueueCheck");

const check = operation({
  method: "get",
  path: "/queue/{queue}/check",
  tags: ["more"],
  summary: "Queue Check",
  description:
    "Compares the queue with its journal, its run and its hosts, and tells where they disagree and what to do. " +
    "Changes nothing.",
  request: { params: QueuePath, query: ExperimentQuery },
  responses: { ...jsonReply("What was found.", CheckSchema), ...failures(404) },
});

/** Adds the route. */
export function addCheckRoute(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  app.openapi(check, async (c) => {
    const queue = await queueAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    const { findings, jobs, inFlight, asked } = await checkQueue(service.deps, { queue }, service.connect);
    return c.json({
      agrees: !findings.some(({ kind }) => kind === "trouble"),
      findings: [...findings],
      jobs,
      in_flight: inFlight,
      asked: [...asked],
    }, 200);
  });
}

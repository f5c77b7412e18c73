/**
 * The runs that a queue had.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { queueHistory } from "../../operations/queue_history.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import { queueAt } from "../places.ts";
import { countOr, ExperimentQuery, nameArray, QueuePath } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

const text = (description: string, example: string) => z.string().openapi({ description, example });
const orNull = (description: string, example: string) => z.string().nullable().openapi({ description, example });
const count = (description: string, example: number) => z.number().int().nullable().openapi({ description, example });

const RunSchema = z.object({
  run: text("Id of the run.", "d222f261"),
  began: text("When it began.", "2026-01-31T12:00:00Z"),
  ended: orNull("When it ended; null where it goes on, or was killed.", "2026-01-31T12:10:00Z"),
  by: text("Who ran it, and on which manager.", "pi@manager"),
  scheduler: text("How it chose hosts.", "fifo_multi"),
  cluster: orNull("Its cluster.", "a"),
  slots: z.number().int().openapi({ description: "Jobs that it might run at once, at its begin.", example: 8 }),
  machines: nameArray("Machines that it asked.", "pi@red"),
  ran: count("Jobs that it ran.", 10),
  failed: count("Jobs of those that did not end well.", 1),
  waiting: count("Jobs that still waited at its end.", 0),
  outcome: text(
    "`done`, `stopped`, `halted`, `no_hosts` or `error`; `runs` where it goes on, `killed` where it had no end.",
    "done",
  ),
}).openapi("PastRun");

const history = operation({
  method: "get",
  path: "/queue/{queue}/history",
  tags: ["more"],
  summary: "Queue History",
  description: "The runs that a queue had, the last one first.",
  request: {
    params: QueuePath,
    query: ExperimentQuery.extend({ limit: countOr(20, "At most this many.", { example: 20, min: 1, max: 1000 }) }),
  },
  responses: {
    ...jsonReply("The runs.", z.object({ runs: z.array(RunSchema) }).openapi("QueueHistory")),
    ...failures(404),
  },
});

/** Adds the route. */
export function addHistoryRoute(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  app.openapi(history, async (c) => {
    const { limit, experiment } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const runs = await queueHistory(service.deps, { queue, limit });
    return c.json({ runs: runs.map((run) => ({ ...run, machines: [...run.machines] })) }, 200);
  });
}

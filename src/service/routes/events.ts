/**
 * Server-Sent Events: what happens in the queues of an experiment.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { queueRef } from "../../operations/refs.ts";
import { Refusal } from "../errors.ts";
import { failures, operation } from "../operation.ts";
import { ExperimentQuery, text } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";
import { Watches } from "../watches.ts";

const EXAMPLE = `id: 1f0c2d3e-7-5b7c9a-12-a
event: job_state
data: {"queue":"a","experiment":"experiment","job":"job1","from":"run","to":"start","attempt":1,"machine":"pi@red",` +
  `"exit_code":null,"at_ms":1769860800000}

`;

const events = operation({
  method: "get",
  path: "/events",
  tags: ["more"],
  summary: "Events",
  description:
    "Server-Sent Events, as they happen: `job_state`, `job_added`, `job_deleted`, `queue_added`, `queue_deleted`, " +
    "`run_start`, `run_end`, `host_up`, `host_down`. The stream begins with `reset` for each queue: the state of all its jobs. " +
    "With the header `Last-Event-ID` it goes on after that event; `reset` comes where that is not possible. " +
    "Try it with `curl -N`: this page shows a reply only when it has ended.",
  request: {
    query: ExperimentQuery.extend({ queue: text("Only what concerns this queue.", "a").optional() }),
    headers: z.object({
      "last-event-id": z.string().max(1000).optional().openapi({
        description: "Id of the last event that was received.",
        example: "1f0c2d3e-7-5b7c9a-12-a",
      }),
    }),
  },
  responses: {
    200: {
      description: "The stream. It does not end by itself.",
      content: { "text/event-stream": { schema: z.string().openapi({ example: EXAMPLE }) } },
    },
    ...failures(404),
  },
});

/** Adds the routes. */
export function addEventRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const watches = Watches.forService(service);
  app.openapi(events, async (c) => {
    const { experiment, queue: word } = c.req.valid("query");
    const { watch, streams } = await watches.of(experiment);
    const queue = word === undefined ? null : queueRef(service.deps, { queue: word, experiment }).name;
    if (queue !== null && !watch.queues.has(queue)) throw new Refusal(404, "Queue not found");
    return c.body(streams.open(queue, c.req.valid("header")["last-event-id"] ?? null), 200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      // Proxies must not gather what should go out at once.
      "X-Accel-Buffering": "no",
    });
  });
}

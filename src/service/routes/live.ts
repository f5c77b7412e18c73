/**
 * How a queue stands, as a stream for pages; see `live_queues.ts`.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { StoreError } from "../../errors.ts";
import { stampOf } from "../../store/lock.ts";
import { storePaths } from "../../store/paths.ts";
import { Refusal } from "../errors.ts";
import { failures, operation } from "../operation.ts";
import { queueAt } from "../places.ts";
import { ExperimentQuery, QueuePath } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";
import { LiveQueues } from "../live_queues.ts";
import { statusReply } from "./status.ts";

const EXAMPLE = `id: 1f0c3a7e-12
event: status
data: {"queue":"a","total":100,"failed":2}

`;

const live = operation({
  method: "get",
  path: "/queue/{queue}/live",
  tags: ["more"],
  summary: "Queue Live",
  description: "Server-Sent Events: `status` has what `/queue/{queue}/status` says, whenever something has happened, " +
    "twice a second and 64 KiB/s at most; and every few seconds in any case. Each message says all. " +
    "While the queue cannot be read, `unreadable` has the reason as `detail`. With the id of the " +
    "last one (`Last-Event-ID`) nothing comes until there is another.",
  request: {
    params: QueuePath,
    query: ExperimentQuery,
    headers: z.object({
      "last-event-id": z.string().max(200).optional().openapi({
        description: "The last message that came.",
        example: "1f0c3a7e-12",
      }),
    }),
  },
  responses: {
    200: {
      description: "The stream. It ends with the service, or with the queue.",
      content: { "text/event-stream": { schema: z.string().openapi({ example: EXAMPLE }) } },
    },
    ...failures(404),
  },
});

/** Adds the route. */
export function addLiveRoute(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const queues = new LiveQueues(service);
  app.openapi(live, async (c) => {
    const { queue: word } = c.req.valid("param");
    const { experiment } = c.req.valid("query");
    const queue = await queueAt(service, { queue: word, experiment });
    const paths = storePaths(queue, "queue");
    const stamp = await stampOf(service.deps, paths);
    if (stamp === null) throw new Refusal(404, "Queue not found");
    if (stamp.isDirectory) throw new StoreError(paths.shown, 0, "cannot read: it is a directory");
    const lastId = c.req.valid("header")["last-event-id"] ?? null;
    const body = queues.open(queue, {
      sizeBytes: stamp.sizeBytes,
      render: (status) => statusReply(status, service.deps.clock.epochMs()),
      lastId,
    });
    return c.body(body, 200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
  });
}

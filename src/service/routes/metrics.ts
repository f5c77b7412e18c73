/**
 * Numbers for Prometheus.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { MetricsText } from "../metrics.ts";
import { failures, operation } from "../operation.ts";
import type { Service, ServiceEnv } from "../service.ts";
import { Watches } from "../watches.ts";

const metrics = operation({
  method: "get",
  path: "/metrics",
  tags: ["more"],
  summary: "Metrics",
  description:
    "Numbers in Prometheus' text format, of all queues below the served directory. Totals count from the first " +
    "time on that somebody asked.",
  responses: {
    200: {
      description: "The numbers.",
      content: {
        "text/plain": {
          schema: z.string().openapi({ example: 'cms_jobs{experiment="experiment",queue="a",state="end"} 10\n' }),
        },
      },
    },
    ...failures(),
  },
});

/** Adds the routes. */
export function addMetricsRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const watches = Watches.forService(service);
  app.openapi(metrics, async (c) => {
    const text = new MetricsText();
    for (const { watch, streams, counters } of await watches.all()) {
      counters.addTo(text);
      text.add("cms_event_streams", { experiment: watch.experiment }, streams.clients);
    }
    return c.text(text.render(), 200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
  });
}

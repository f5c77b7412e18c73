/**
 * Draining hosts: a long poll.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { parseDuration } from "../../names/units.ts";
import { drainHosts } from "../../operations/drain_hosts.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import { clusterAt } from "../places.ts";
import { durationText, ExperimentQuery, HostPath, nameArray, POLL_TIMEOUT, WarningsSchema } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";
import { hostTurns, placeOf } from "../turns.ts";
import { gatherWarnings } from "../warnings.ts";

const HostJobSchema = z.object({
  queue: z.string().openapi({ description: "Its queue.", example: "a" }),
  job: z.string().openapi({ description: "Its name.", example: "job1" }),
  machine: z.string().openapi({ description: "Where it runs.", example: "pi@red" }),
}).openapi("HostJob");

const DrainedSchema = z.object({
  outcome: z.enum(["drained", "timeout", "failed"]).openapi({
    description: "drained: no job runs there; timeout: ask again; failed: jobs could not be killed.",
    example: "drained",
  }),
  hosts: nameArray("The hosts, which are inactive now.", "host1"),
  running: z.array(HostJobSchema).openapi({ description: "Jobs that are not over." }),
  killed: z.array(HostJobSchema).openapi({ description: "Jobs that were killed." }),
  warnings: WarningsSchema,
}).openapi("Drained");

const drain = operation({
  method: "put",
  path: "/cluster/{cluster}/id/{id}/drain",
  tags: ["more"],
  summary: "Cluster Drain Host",
  description: "Keeps new jobs off hosts, and answers when those that run there are over, or when the time is over.",
  request: {
    params: HostPath,
    query: ExperimentQuery.extend({
      timeout: POLL_TIMEOUT,
      kill_after: durationText("Jobs that still run after so long are killed; counted from this request.", "10s")
        .optional(),
    }),
  },
  responses: { ...jsonReply("Whether the hosts are drained.", DrainedSchema), ...failures(404) },
});

/** Adds the route. */
export function addDrainRoute(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  app.openapi(drain, async (c) => {
    const { timeout: timeoutMs, kill_after: killAfter, experiment } = c.req.valid("query");
    const { id, ...place } = c.req.valid("param");
    const cluster = await clusterAt(service, { ...place, experiment });
    const warnings = gatherWarnings(service);
    const request = {
      cluster,
      id,
      killAfterMs: killAfter === undefined ? null : parseDuration(killAfter),
      timeoutMs,
    };
    const { outcome, hosts, running, killed } = await drainHosts(
      service.deps,
      request,
      {
        stop: AbortSignal.any([c.req.raw.signal, service.stopping]),
        warn: warnings.warn,
        onRunning() {},
      },
      service.connect,
      (queue, work) => hostTurns.pass(placeOf("queue", queue), work),
    );
    const shown = outcome === "interrupted" ? "timeout" : outcome;
    return c.json({
      outcome: shown,
      hosts: [...hosts],
      running: [...running],
      killed: [...killed],
      warnings: [...warnings.texts],
    }, 200);
  });
}

/**
 * The root, and the health check.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { VERSION } from "../../version.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import type { Service, ServiceEnv } from "../service.ts";

const root = operation({
  method: "get",
  path: "/",
  summary: "Root",
  description: "Says that the service is there and the credentials are right.",
  responses: {
    ...jsonReply(
      "The service's name.",
      z.object({ message: z.string().openapi({ example: "Cloudmesh Queue Server" }) }),
    ),
    ...failures(),
  },
});

const health = operation({
  method: "get",
  path: "/healthz",
  tags: ["more"],
  security: [],
  summary: "Health",
  description: "Answers while the service is up. Needs no credentials.",
  responses: jsonReply(
    "The service is up.",
    z.object({
      status: z.literal("ok").openapi({ example: "ok" }),
      version: z.string().openapi({ example: VERSION }),
    }),
  ),
});

/** Adds the routes. */
export function addSystemRoutes(app: OpenAPIHono<ServiceEnv>, _service: Service): void {
  app.openapi(root, (c) => c.json({ message: "Cloudmesh Queue Server" }, 200));
  app.openapi(health, (c) => c.json({ status: "ok" as const, version: VERSION }, 200));
}

/**
 * Files of the manager for all machines of a cluster.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { machineText } from "../../cluster/machine.ts";
import { pushToCluster } from "../../operations/push_files.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import { clusterAt } from "../places.ts";
import { ClusterPath, ExperimentQuery, text } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

const words = (description: string, example: string) => z.string().openapi({ description, example });
const path = text("A file or directory of the manager; of DIR/./sub/file the path sub/file is kept.", "data");

const push = operation({
  method: "put",
  path: "/cluster/{cluster}/push",
  tags: ["more"],
  summary: "Cluster Push",
  description: "Sends files of the manager to every machine of a cluster, once to each; only what changed.",
  request: {
    params: ClusterPath,
    query: ExperimentQuery.extend({
      path: z.union([path, z.array(path).min(1).max(100)]).openapi({
        type: "array",
        items: { type: "string" },
        description: "Files and directories of the manager.",
        example: ["data"],
      }),
      to: text("Directory over there, absolute or below the home directory.", "project").optional(),
      id: text("Only these hosts; a list such as host[1-4] too.", "host[1-4]").optional(),
    }),
  },
  responses: {
    ...jsonReply(
      "What became of it, for each machine.",
      z.object({
        pushed: z.array(z.object({
          machine: words("The machine.", "pi@red"),
          way: words("How: rsync or tar.", "rsync"),
          files: z.number().nullable().openapi({ description: "How many were sent; null by tar.", example: 3 }),
          bytes: z.number().nullable().openapi({ description: "Their size; null by tar.", example: 4096 }),
        })),
        failed: z.array(z.object({
          machine: words("The machine.", "pi@red01"),
          reason: words("Why it does not have them.", "Cannot push to pi@red01: No space left on device"),
        })),
      }).openapi("Pushed"),
    ),
    ...failures(404),
  },
});

/** Adds the route. */
export function addPushRoute(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  app.openapi(push, async (c) => {
    const { path, to = ".", id = null, experiment } = c.req.valid("query");
    const cluster = await clusterAt(service, { ...c.req.valid("param"), experiment });
    const pushed: { machine: string; way: string; files: number | null; bytes: number | null }[] = [];
    const failed: { machine: string; reason: string }[] = [];
    const request = { cluster, paths: [path].flat(), to, ids: id, visit: service.visit };
    await pushToCluster(service.deps, request, (machine, report) => {
      if (typeof report === "string") failed.push({ machine: machineText(machine), reason: report });
      else pushed.push({ machine: machineText(machine), ...report });
    });
    return c.json({ pushed, failed }, 200);
  });
}

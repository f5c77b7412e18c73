/**
 * Clusters as a whole: made, listed, deleted.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { createCluster } from "../../operations/create_cluster.ts";
import { deleteCluster } from "../../operations/delete_cluster.ts";
import { listHosts, pageHosts } from "../../operations/list_hosts.ts";
import { Refusal } from "../errors.ts";
import { textOrJson } from "../negotiate.ts";
import { failures, jsonReply, operation, textReply } from "../operation.ts";
import { namesBody } from "../names_body.ts";
import { linkToNext } from "../page_link.ts";
import { clusterAt, experimentAt } from "../places.ts";
import { sharedWork } from "../shared_work.ts";
import { hostsReply, hostsTable } from "../records.ts";
import { ClusterPath, ExperimentQuery, HostsSchema, PageQuery, text } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

/** An example of the table of a cluster. */
export const HOSTS_TABLE = `\
+-------+------+------+--------+-----+-------+----+------------------+
| id    | name | user | status | gpu | pyenv | ip | max_jobs_allowed |
+-------+------+------+--------+-----+-------+----+------------------+
| host1 | red  | pi   | active | 0   |       |    | 1                |
+-------+------+------+--------+-----+-------+----+------------------+
`;

const list = operation({
  method: "get",
  path: "/cluster/",
  summary: "Cluster List",
  description: "The clusters of an experiment, by the names of their files.",
  request: { query: ExperimentQuery },
  responses: {
    ...jsonReply(
      "File names, sorted.",
      z.object({ clusters: z.array(z.string()).openapi({ example: ["a-cluster.yaml"] }) }),
    ),
    ...failures(404),
  },
});

const create = operation({
  method: "post",
  path: "/cluster/",
  summary: "Cluster Create",
  description: "Makes an empty cluster, and its directory. One that exists is left as it is.",
  request: { query: ExperimentQuery.extend({ name: text("Name of the cluster.", "a") }) },
  responses: { ...jsonReply("The hosts of the cluster; none if it is new.", HostsSchema), ...failures() },
});

const listing = PageQuery.extend({ status: text("Only hosts of this status.", "active").optional() });

const get = operation({
  method: "get",
  path: "/cluster/{cluster}",
  summary: "Cluster Get",
  description: "The hosts of a cluster in file order. With `limit`, the `Link` header leads to the next page.",
  request: { params: ClusterPath, query: listing },
  responses: { ...jsonReply("Hosts by id.", HostsSchema), ...failures(404) },
});

const info = operation({
  method: "get",
  path: "/cluster/{cluster}/info",
  summary: "Cluster Info",
  description: "The hosts of a cluster as a table.",
  request: { params: ClusterPath, query: listing },
  responses: { ...textReply("The hosts; `None` if there are none.", HOSTS_TABLE, HostsSchema), ...failures(404) },
});

const remove = operation({
  method: "delete",
  path: "/cluster/{cluster}",
  summary: "Cluster Delete",
  description: "Deletes a cluster. Its machines are not touched.",
  request: { params: ClusterPath, query: ExperimentQuery },
  responses: { ...jsonReply("Always true.", z.literal(true).openapi({ example: true })), ...failures(404) },
});

/** Adds the routes. */
export function addClusterRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const { deps } = service;

  const find = sharedWork((directory) => namesBody(deps, { directory, kind: "cluster" }));
  app.openapi(list, async (c) => {
    const { experiment } = c.req.valid("query");
    const body = await find(await experimentAt(service, experiment));
    if (body === null) throw new Refusal(404, `Directory ${experiment} does not exist`);
    return c.body(body, 200, { "Content-Type": "application/json" }) as never;
  });

  app.openapi(create, async (c) => {
    const { name, experiment } = c.req.valid("query");
    const cluster = await clusterAt(service, { cluster: name, experiment });
    await createCluster(deps, { cluster });
    return c.json(hostsReply(await listHosts(deps, { cluster })), 200);
  });

  app.openapi(get, async (c) => {
    const query = c.req.valid("query");
    const cluster = await clusterAt(service, { ...c.req.valid("param"), ...query });
    const page = await pageHosts(deps, { ...query, cluster });
    linkToNext(c, page.next);
    return c.json(hostsReply(page.records), 200);
  });

  app.openapi(info, async (c) => {
    const query = c.req.valid("query");
    const cluster = await clusterAt(service, { ...c.req.valid("param"), ...query });
    const page = await pageHosts(deps, { ...query, cluster });
    linkToNext(c, page.next);
    return await textOrJson(c, () => hostsTable(page.records), hostsReply(page.records));
  });

  app.openapi(remove, async (c) => {
    const cluster = await clusterAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    await deleteCluster(deps, { cluster });
    return c.json(true as const, 200);
  });
}

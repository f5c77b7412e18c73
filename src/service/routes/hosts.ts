/**
 * Hosts of a cluster: added, shown, changed, deleted.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { SLURM_FIELDS } from "../../cluster/slurm_entry.ts";
import { SLURM_WORDS } from "../../cluster/slurm_words.ts";
import { addHosts, addHostsOfSpecs } from "../../operations/add_hosts.ts";
import { deleteHosts } from "../../operations/delete_hosts.ts";
import { getHost, listHosts } from "../../operations/list_hosts.ts";
import { setHostField, setHostFields } from "../../operations/set_host_field.ts";
import { setHostStatus } from "../../operations/set_host_status.ts";
import type { StoreRef } from "../../store/store.ts";
import { pairs } from "../option_schemas.ts";
import { textOrJson } from "../negotiate.ts";
import { failures, jsonReply, operation, textReply } from "../operation.ts";
import { clusterAt } from "../places.ts";
import { hostReply, hostsTable } from "../records.ts";
import {
  AddedSchema,
  ChangedSchema,
  ClusterPath,
  DeletedHostsSchema,
  ExperimentQuery,
  HostPath,
  HostSchema,
  text,
} from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";
import { HOSTS_TABLE } from "./clusters.ts";

const NOW = "The hosts as they are now.";
const id = text("Id of the host, or a list such as host[1-4].", "host[1-4]");
/** What a host is made of; `gpu` apart, which the original takes as a number here. */
const spec = {
  name: text("Machine, as ssh knows it.", "red"),
  user: text("User to run jobs as.", "pi"),
  ip: text("Address to connect to in place of the name's.", "10.0.0.7").optional(),
  status: text("Only active hosts get jobs (default: active).", "active").optional(),
  pyenv: text("File to source before a job's command.", "~/ENV3/bin/activate").optional(),
};
const gpu = text("Value of CUDA_VISIBLE_DEVICES for its jobs: a number, or several such as 0,1.", "0").optional();
const value = z.string().max(131_072).refine((one) => one.isWellFormed(), "not well-formed Unicode");
const env = z.record(value, value).openapi({
  description: "Variables for its jobs.",
  example: { SCRATCH: "/scratch" },
});
const size = (description: string) => z.number().int().min(0).max(999_999_999).openapi({ description, example: 1 });
const gpus = text("GPUs that it gives its jobs one by one, such as 0-3; `auto` asks the host.", "0-3").optional();
const memory = text("Memory that it gives.", "64G").optional();
const cpus = size("CPUs that it gives.").optional();
const slots = size("Jobs that run there at once (default: its GPUs, or 1).").optional();
const IDLE = "GPUs that somebody else uses are not given: the host is asked before a start.";
const gpuIdle = z.boolean().openapi({ description: IDLE, example: true }).optional();
/** Fields of an entry of Slurm, as texts: `cluster set` reads them. */
const slurm = Object.fromEntries(
  SLURM_WORDS.map(({ key, text: of, example }) => [key, text(`${of}.`, example).optional()]),
);
/** What it gives, in a query. */
const pair = value.refine((one) => one.indexOf("=") > 0, "give NAME=VALUE");
const variables = z.union([pair, z.array(pair).max(10_000)]).transform(pairs).optional().openapi({
  type: "array",
  items: { type: "string" },
  description: "A variable for its jobs; once for each.",
  example: ["SCRATCH=/scratch"],
});
const count = z.coerce.number().int().min(0).max(999_999_999);
const given = {
  gpus,
  gpu_idle: z.enum(["true", "false"]).optional().openapi({ description: IDLE, example: "true" }),
  memory,
  cpus: count.openapi({ description: "CPUs that it gives.", example: 16 }).optional(),
  max_jobs_allowed: count.openapi({ description: "Jobs that run there at once (default: its GPUs, or 1).", example: 4 })
    .optional(),
};

const add = operation({
  method: "post",
  path: "/cluster/{cluster}",
  summary: "Cluster Add Host",
  description: "Adds hosts to a cluster; each runs one job at once. A host of the same id is replaced.",
  request: {
    params: ClusterPath,
    query: ExperimentQuery.extend({ id, ...spec, gpu, env: variables, ...given, ...slurm }),
  },
  responses: { ...textReply(NOW, HOSTS_TABLE, AddedSchema), ...failures(404) },
});

const addMany = operation({
  method: "post",
  path: "/cluster/{cluster}/hosts",
  tags: ["more"],
  summary: "Cluster Add Hosts",
  description: "Adds hosts to a cluster, all or none. Each `id` may be a list such as host[1-4].",
  request: {
    params: ClusterPath,
    query: ExperimentQuery,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.object({
            hosts: z.array(z.strictObject({
              id,
              ...spec,
              gpu,
              env: env.optional(),
              gpus,
              gpu_idle: gpuIdle,
              memory,
              cpus,
              max_jobs_allowed: slots,
              ...slurm,
            })).max(100_000),
          })
            .openapi("NewHosts"),
        },
      },
    },
  },
  responses: { ...jsonReply("The ids of the hosts.", AddedSchema), ...failures(400, 404) },
});

const get = operation({
  method: "get",
  path: "/cluster/{cluster}/id/{id}",
  summary: "Cluster Get Host",
  description: "One host.",
  request: { params: HostPath, query: ExperimentQuery },
  responses: { ...jsonReply("The host.", HostSchema), ...failures(404) },
});

const patch = operation({
  method: "patch",
  path: "/cluster/{cluster}/id/{id}",
  tags: ["more"],
  summary: "Cluster Change Host",
  description: "Changes fields of one host. What is left out stays.",
  request: {
    params: HostPath,
    query: ExperimentQuery,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            name: spec.name.optional(),
            user: spec.user.optional(),
            ip: spec.ip.nullable(),
            status: spec.status,
            gpu,
            pyenv: spec.pyenv,
            gpus: gpus.nullable(),
            gpu_idle: gpuIdle,
            cpus: cpus.nullable(),
            memory: memory.nullable(),
            env: env.nullable().optional().openapi({ description: "Variables for its jobs, all anew; null for none." }),
            max_jobs_allowed: size("Jobs that run there at once.").optional(),
            cores: size("Cores of the machine.").optional(),
            threads: size("Threads of each core.").optional(),
            ...slurm,
          }).openapi("HostChange"),
        },
      },
    },
  },
  responses: { ...jsonReply("The host as it is now.", HostSchema), ...failures(400, 404) },
});

const remove = operation({
  method: "delete",
  path: "/cluster/{cluster}/id/{id}",
  summary: "Cluster Delete Host",
  description: "Takes hosts out of a cluster. The machines are not touched.",
  request: { params: HostPath, query: ExperimentQuery },
  responses: { ...textReply("The hosts that are left.", HOSTS_TABLE, DeletedHostsSchema), ...failures(404) },
});

const activate = operation({
  method: "put",
  path: "/cluster/{cluster}/id/{id}/activate",
  summary: "Cluster Activate Host",
  description: "Lets hosts get jobs.",
  request: { params: HostPath, query: ExperimentQuery },
  responses: { ...textReply(NOW, HOSTS_TABLE, ChangedSchema), ...failures(404) },
});

const deactivate = operation({
  method: "put",
  path: "/cluster/{cluster}/id/{id}/deactivate",
  summary: "Cluster Deactivate Host",
  description: "Keeps new jobs off hosts; what runs there goes on.",
  request: { params: HostPath, query: ExperimentQuery },
  responses: { ...textReply(NOW, HOSTS_TABLE, ChangedSchema), ...failures(404) },
});

const set = operation({
  method: "put",
  path: "/cluster/{cluster}/id/{id}/set",
  summary: "Cluster Set Host",
  description: "Sets one field of hosts.",
  request: {
    params: HostPath,
    query: ExperimentQuery.extend({
      key: text("Name of the field.", "max_jobs_allowed"),
      value: text("Its value.", "2"),
    }),
  },
  responses: { ...textReply(NOW, HOSTS_TABLE, ChangedSchema), ...failures(404, 409) },
});

/** Adds the routes. */
export function addHostRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const { deps } = service;
  const table = async (cluster: StoreRef) => hostsTable(await listHosts(deps, { cluster }));
  const setStatus = async (words: { cluster: string; id: string; experiment: string }, status: Status) => {
    const cluster = await clusterAt(service, words);
    return { cluster, result: await setHostStatus(deps, { cluster, id: words.id, status }) };
  };

  app.openapi(add, async (c) => {
    const { id, experiment, gpu_idle: isIdle, ...rest } = c.req.valid("query");
    const cluster = await clusterAt(service, { ...c.req.valid("param"), experiment });
    const spec = { ...withSlurm(rest), ...(isIdle === "true" ? { gpu_idle: true } : {}) };
    const result = await addHosts(deps, { cluster, id, spec });
    return await textOrJson(c, () => table(cluster), result);
  });

  app.openapi(addMany, async (c) => {
    const cluster = await clusterAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    const hosts = c.req.valid("json").hosts.map(({ id, ...spec }) => ({ id, spec: withSlurm(spec) }));
    return c.json(await addHostsOfSpecs(deps, { cluster, hosts }), 200);
  });

  app.openapi(get, async (c) => {
    const { id } = c.req.valid("param");
    const cluster = await clusterAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    return c.json(hostReply(await getHost(deps, { cluster, id })), 200);
  });

  app.openapi(patch, async (c) => {
    const { id } = c.req.valid("param");
    const cluster = await clusterAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    await getHost(deps, { cluster, id }); // One host only: a list is no id.
    const { env, ...body } = c.req.valid("json");
    const given = Object.entries(body).filter(([, value]) => value !== undefined);
    const fields = Object.fromEntries(given.map(([key, value]) => [key, value === null ? "" : String(value)]));
    await setHostFields(deps, { cluster, id, fields, env });
    return c.json(hostReply(await getHost(deps, { cluster, id })), 200);
  });

  app.openapi(remove, async (c) => {
    const cluster = await clusterAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    const result = await deleteHosts(deps, { cluster, id: c.req.valid("param").id });
    return await textOrJson(c, () => table(cluster), result);
  });

  app.openapi(activate, async (c) => {
    const { cluster, result } = await setStatus({ ...c.req.valid("param"), ...c.req.valid("query") }, "active");
    return await textOrJson(c, () => table(cluster), result);
  });

  app.openapi(deactivate, async (c) => {
    const { cluster, result } = await setStatus({ ...c.req.valid("param"), ...c.req.valid("query") }, "inactive");
    return await textOrJson(c, () => table(cluster), result);
  });

  app.openapi(set, async (c) => {
    const { key, value, experiment } = c.req.valid("query");
    const cluster = await clusterAt(service, { ...c.req.valid("param"), experiment });
    const result = await setHostField(deps, { cluster, id: c.req.valid("param").id, key, value });
    return await textOrJson(c, () => table(cluster), result);
  });
}

/** A host with its fields of Slurm in a place of their own. */
function withSlurm<T extends object>(spec: T): T & { slurm?: Record<string, string> } {
  const given = Object.entries(spec).filter(([key, value]) => SLURM_FIELDS.includes(key) && value !== undefined);
  if (given.length === 0) return spec;
  return { ...spec, slurm: Object.fromEntries(given.map(([key, value]) => [key, String(value)])) };
}

type Status = "active" | "inactive";
